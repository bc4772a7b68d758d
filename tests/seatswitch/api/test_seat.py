"""seat.*: what a person does, and the words it is refused with."""

from acd.inputs import TalkEnded
from kernel.ids import CallId, SeatId
from tests.seatswitch.api.stub import Desk, Office


def signed_in(office: Office, seat: str = "8001") -> Desk:
    desk = office.desk()
    desk.sign_in(seat)
    return desk


def in_wrap_up(office: Office) -> Desk:
    desk = signed_in(office)
    office.talk()
    office.turn(lambda now: office.node.handle(TalkEnded(SeatId("8001"), CallId("c1"), True), now))
    return desk


def test_an_agent_sees_its_own_tenant_only() -> None:
    desk = signed_in(Office())
    assert [seat["seat"] for seat in desk.ask("seat.list")] == ["8001", "8002", "8003", "8019"]
    assert [seat["seat"] for seat in desk.ask("seat.list", queue="junior")] == ["8001", "8002", "8003"]
    assert desk.refusal("seat.list", queue="other") == "NO_SUCH_QUEUE"
    assert desk.ask("seat.get", seat="8002")["presence"] == "offline"
    assert desk.refusal("seat.get", seat="9001") == "NO_SUCH_SEAT"
    assert desk.refusal("seat.get", seat="7777") == "NO_SUCH_SEAT"


def test_pause_and_ready() -> None:
    desk = signed_in(Office())
    assert desk.refusal("seat.ready") == "ALREADY_READY"
    assert desk.refusal("seat.pause", reason="sleep") == "BAD_PAUSE"
    assert desk.refusal("seat.pause") == "-32602"
    paused = desk.ask("seat.pause", reason="rest")
    assert (paused["presence"], paused["reason"]) == ("paused", "rest")
    assert desk.ask("seat.pause", reason="meeting")["reason"] == "meeting"
    assert desk.ask("seat.ready")["presence"] == "ready"


def test_a_pause_asked_for_while_talking_is_pending() -> None:
    office = Office()
    desk = signed_in(office)
    office.talk()
    seat = desk.ask("seat.pause", reason="rest")
    assert (seat["presence"], seat["activity"], seat["pending"]) == ("ready", "talking", "paused:rest")


def test_an_agent_acts_on_its_own_seat_and_a_supervisor_on_those_of_the_tenant() -> None:
    office = Office()
    desk, lead, admin = signed_in(office), office.desk(), office.desk("admin")
    lead.sign_in("8019", "lead")
    assert desk.refusal("seat.pause", seat="8002", reason="rest") == "NO_RIGHT"
    assert desk.ask("seat.pause", seat="8001", reason="rest")["reason"] == "rest"
    assert lead.ask("seat.ready", seat="8001")["presence"] == "ready"
    assert lead.refusal("seat.ready", seat="9001") == "NO_SUCH_SEAT"
    assert lead.refusal("seat.ready", seat="8003") == "NOT_LOGGED_IN"
    assert admin.refusal("seat.ready") == "NOT_LOGGED_IN"
    assert admin.refusal("seat.ready", seat="9001") == "NOT_LOGGED_IN"


def test_another_phone_is_bound_while_idle() -> None:
    office = Office()
    desk = signed_in(office)
    bound = desk.ask("seat.bind", phone={"kind": "pstn"})
    assert bound["phone"] == {"kind": "pstn", "number": "13800000000", "reachable": True}
    assert desk.refusal("seat.bind", phone={"kind": "extension"}) == "PHONE_NOT_REGISTERED"
    other = office.desk()
    other.sign_in("8002")
    assert other.refusal("seat.bind", phone={"kind": "pstn", "number": "13800000000"}) == "PHONE_IN_USE"
    desk.ask("seat.bind", phone={"kind": "softphone"})
    other.ask("seat.pause", reason="rest")
    office.talk()
    assert desk.refusal("seat.bind", phone={"kind": "pstn"}) == "STATUS_NOT_IDLE"


def test_wrap_up_is_extended_and_ended() -> None:
    office = Office()
    desk = in_wrap_up(office)
    assert desk.ask("seat.get")["wrapup_left"] == 30.0
    assert desk.ask("seat.wrapup_extend", seconds=30)["wrapup_left"] == 60.0
    for seconds in (29.9, 601, True, "30"):
        assert desk.refusal("seat.wrapup_extend", seconds=seconds) == "-32602"
    assert desk.ask("seat.wrapup_end")["presence"] == "ready"
    assert desk.refusal("seat.wrapup_end") == "BAD_STATE"
    assert desk.refusal("seat.wrapup_extend", seconds=30) == "BAD_STATE"


def test_rights_come_before_parameters() -> None:
    desk = Office().desk()
    assert desk.refusal("seat.get", seat=5) == "NO_RIGHT"
    assert desk.refusal("seat.get", nonsense=1) == "NO_RIGHT"


def test_a_pause_in_some_queues_and_back() -> None:
    desk = signed_in(Office())
    paused = desk.ask("seat.pause", reason="rest", queues=["junior"])
    assert (paused["presence"], paused["paused_in"]) == ("ready", {"junior": "rest"})
    assert desk.refusal("seat.pause", reason="rest", queues=["other"]) == "NOT_IN_QUEUE"
    assert desk.refusal("seat.pause", reason="rest", queues=[]) == "-32602"
    assert desk.ask("seat.ready", queues=["junior"])["paused_in"] == {}
    assert desk.refusal("seat.ready", queues=["junior"]) == "ALREADY_READY"


def test_what_follows_each_call() -> None:
    office = Office()
    desk = signed_in(office)
    assert desk.ask("seat.get")["after_call"] == "ready"
    assert desk.ask("seat.after_call", mode="pause")["after_call"] == "pause"
    assert desk.refusal("seat.after_call", mode="sleep") == "-32602"
    office.talk()
    assert desk.ask("seat.get")["pending"] == "paused:after_call"
