"""session.*: signing in, being kicked out, losing a connection, tokens."""

from acd.inputs import TalkEnded
from config.schema import Token
from kernel.ids import CallId, SeatId
from tests.seatswitch.api.stub import Office


def test_sign_in_gives_a_seat_object_and_a_session() -> None:
    office = Office()
    desk = office.desk()
    answer = desk.ask("session.login", hotline="96198", seat="8001", password="demo")
    assert answer["seat"]["seat"] == "8001"
    assert answer["seat"]["presence"] == "ready"
    assert len(answer["session"]) == 32
    who = desk.ask("session.whoami")
    assert who == {"role": "agent", "name": None, "seat": "8001", "tenant": "north"}


def test_sign_in_paused_on_another_phone() -> None:
    desk = Office().desk()
    phone = {"kind": "pstn"}
    desk.sign_in(presence="paused", reason="rest", phone=phone)
    seat = desk.ask("seat.get")
    assert (seat["presence"], seat["reason"]) == ("paused", "rest")
    assert seat["phone"] == {"kind": "pstn", "number": "13800000000", "reachable": True}


def test_unknown_seat_wrong_password_and_wrong_hotline_are_answered_alike() -> None:
    """Nobody learns from a sign-in which seats there are."""
    office = Office()
    errors = []
    for seat, password, hotline in (
        ("8001", "wrong", "96198"),
        ("8999", "demo", "96198"),
        ("8001", "demo", "96300"),  # another tenant's hotline
        ("8001", "demo", "12345"),
    ):
        response = office.desk().response("session.login", seat=seat, password=password, hotline=hotline)
        errors.append(response["error"])
    assert errors == [errors[0]] * 4
    assert errors[0]["data"] == {"word": "BAD_LOGIN"}


def test_a_password_of_control_characters_does_not_fit_a_seat_without_one() -> None:
    office = Office()
    assert office.desk().refusal("session.login", hotline="96198", seat="8999", password="\0") == "BAD_LOGIN"


def test_ten_wrong_passwords_lock_the_connection_for_the_rest_of_the_minute() -> None:
    """A-CRACK: while locked the right password is refused too; another connection at another seat is not."""
    office = Office()
    desk = office.desk()
    for _ in range(10):
        assert desk.refusal("session.login", hotline="96198", seat="8999", password="x") == "BAD_LOGIN"
    response = desk.response("session.login", hotline="96198", seat="8001", password="demo")
    assert response["error"]["data"] == {"word": "TRY_LATER", "retry_after": 60.0}
    office.desk().sign_in("8001")
    office.wait(60.0)
    desk.sign_in("8002")


def test_ten_wrong_passwords_lock_the_seat_for_strangers_but_not_on_the_local_socket() -> None:
    office = Office()
    for _ in range(10):
        desk = office.desk()
        assert desk.refusal("session.login", hotline="96198", seat="8001", password="x") == "BAD_LOGIN"
    stranger = office.desk()
    assert stranger.refusal("session.login", hotline="96198", seat="8001", password="demo") == "TRY_LATER"
    office.desk("admin").sign_in("8001")


def test_a_refused_sign_in_is_no_failed_one() -> None:
    """Only wrong credentials count: refusals of the engine and missing rights do not."""
    desk = Office().desk()
    for _ in range(20):
        assert desk.refusal("seat.list") == "NO_RIGHT"
        assert (
            desk.refusal(
                "session.login",
                hotline="96198",
                seat="8001",
                password="demo",
                presence="paused",
                reason="sleep",
            )
            == "BAD_PAUSE"
        )
    desk.sign_in()


def test_strangers_may_only_say_who_they_are() -> None:
    desk = Office().desk()
    for method in (
        "session.whoami",
        "session.logout",
        "seat.get",
        "call.list",
        "queue.list",
        "events.subscribe",
    ):
        assert desk.refusal(method) == "NO_RIGHT"
    assert desk.ask("rpc.discover")["openrpc"] == "1.3.2"


def test_a_second_sign_in_kicks_the_first_out_and_keeps_the_state() -> None:
    """Domain 2.2: duplicate login; the older session learns of it at once, though nobody subscribed."""
    office = Office()
    first, second = office.desk(), office.desk()
    first.sign_in()
    first.ask("seat.pause", reason="rest")
    second.sign_in()
    assert first.notifications == [{"jsonrpc": "2.0", "method": "session.kicked", "params": {"seat": "8001"}}]
    assert first.refusal("seat.ready") == "NO_RIGHT"
    assert second.ask("seat.get")["presence"] == "paused"
    first.sign_in("8002")


def test_signing_in_again_on_the_same_connection_kicks_nobody() -> None:
    desk = Office().desk()
    before = desk.sign_in()
    assert desk.sign_in() != before
    assert desk.notifications == []
    assert desk.refusal("session.login", hotline="96198", seat="8002", password="demo") == "BAD_STATE"


def test_a_lost_connection_leaves_the_seat_and_is_resumed_within_a_minute() -> None:
    office = Office()
    lost = office.desk()
    session = lost.sign_in()
    lost.close()
    office.wait(59.9)
    desk = office.desk()
    answer = desk.ask("session.resume", session=session)
    assert (answer["seat"]["presence"], answer["session"]) == ("ready", session)
    office.wait(600)
    assert desk.ask("seat.get")["presence"] == "ready"


def test_after_a_minute_an_idle_seat_is_signed_out() -> None:
    office = Office()
    lost = office.desk()
    session = lost.sign_in()
    lost.close()
    office.wait(60.0)
    admin = office.desk("admin")
    assert admin.ask("seat.get", seat="8001")["presence"] == "offline"
    assert admin.refusal("session.resume", session=session) == "NO_SESSION"


def test_after_a_minute_a_busy_seat_leaves_when_its_work_is_over() -> None:
    office = Office()
    lost, admin = office.desk(), office.desk("admin")
    lost.sign_in()
    office.talk()
    lost.close()
    office.wait(60.0)
    seat = admin.ask("seat.get", seat="8001")
    assert (seat["presence"], seat["activity"], seat["pending"]) == ("ready", "talking", "offline")
    office.turn(lambda now: office.node.handle(TalkEnded(SeatId("8001"), CallId("c1"), True), now))
    office.wait(30.0)
    assert admin.ask("seat.get", seat="8001")["presence"] == "offline"


def test_a_session_can_be_taken_over_before_its_old_connection_is_known_to_be_dead() -> None:
    office = Office()
    old, new = office.desk(), office.desk()
    session = old.sign_in()
    assert new.ask("session.resume", session=session)["session"] == session
    assert [text["method"] for text in old.notifications] == ["session.kicked"]
    old.close()
    office.wait(120)
    assert new.ask("seat.get")["presence"] == "ready"


def test_a_wrong_session_counts_as_a_failed_sign_in() -> None:
    desk = Office().desk()
    for _ in range(10):
        assert desk.refusal("session.resume", session="0" * 32) == "NO_SESSION"
    assert desk.refusal("session.resume", session="0" * 32) == "TRY_LATER"


def test_sign_out() -> None:
    office = Office()
    desk = office.desk()
    desk.sign_in()
    assert desk.ask("session.logout")["presence"] == "offline"
    assert desk.notifications == []
    assert desk.refusal("seat.get") == "NO_RIGHT"


def test_a_busy_seat_refuses_to_sign_out_or_defers_it() -> None:
    office = Office()
    desk = office.desk()
    desk.sign_in()
    office.talk()
    assert desk.refusal("session.logout") == "STATUS_NOT_IDLE"
    assert desk.ask("session.logout", deferred=True)["pending"] == "offline"
    assert desk.ask("seat.get")["activity"] == "talking"  # still its own until the work is over
    office.turn(lambda now: office.node.handle(TalkEnded(SeatId("8001"), CallId("c1"), True), now))
    office.wait(30.0)
    assert desk.refusal("seat.get") == "NO_RIGHT"


def test_a_token_gives_its_role_for_all_tenants() -> None:
    office = Office((Token("ops", "admin", "s3cret"), Token("board", "supervisor", "w4ll")))
    desk = office.desk()
    assert desk.refusal("session.token", token="s3cre") == "BAD_LOGIN"
    assert desk.ask("session.token", token="w4ll") == {
        "role": "supervisor",
        "name": "board",
        "seat": None,
        "tenant": None,
    }
    assert {seat["tenant"] for seat in desk.ask("seat.list")} == {"north", "south"}
    assert desk.refusal("admin.status") == "NO_RIGHT"
    assert desk.ask("session.token", token="s3cret")["role"] == "admin"
    assert desk.ask("session.token", token="w4ll")["role"] == "admin"  # never less than before


def test_parameters_that_are_none_of_ours() -> None:
    desk = Office().desk()
    for params in (
        {"hotline": "96198", "seat": 8001, "password": "demo"},
        {"hotline": "96198", "seat": "8001\n", "password": "demo"},
        {"hotline": "96198", "seat": "8001", "password": "demo", "phone": {"kind": "fax"}},
        {"hotline": "96198", "seat": "8001", "password": "demo", "role": "admin"},
        {"hotline": "96198", "seat": "8001"},
        {
            "hotline": "96198",
            "seat": "8001",
            "password": "demo",
            "phone": {"kind": "pstn", "number": "1\r\nTo: x"},
        },
    ):
        assert desk.refusal("session.login", **params) == "-32602"
