"""call.*: who may see and end which call."""

from acd.inputs import CallJoined
from calls.controls import (
    CallAnswered,
    CallHeld,
    CallMuted,
    CallRefused,
    CallTagged,
    CallUnheld,
    ConsultAsked,
    ConsultEnded,
    ConsultJoined,
    DigitsPressed,
    RecordingAsked,
    TransferAsked,
)
from kernel.ids import CallId, QueueName, SeatId
from seatswitch.api.methods import METHODS
from tests.seatswitch.api.stub import CONFIG, Office


def joined(call: str) -> CallJoined:
    return CallJoined(CallId(call), QueueName("junior"), "139")


def test_calls_of_other_tenants_do_not_exist() -> None:
    office = Office()
    office.node.put_call("c1", "north")
    office.node.put_call("c2", "south")
    desk, admin, lead = office.desk(), office.desk("admin"), office.desk()
    desk.sign_in()
    lead.sign_in("8019", "lead")
    assert [call["call"] for call in desk.ask("call.list")] == ["c1"]
    assert [call["call"] for call in admin.ask("call.list")] == ["c1", "c2"]
    assert lead.refusal("call.hangup", call="c2") == "NO_SUCH_CALL"
    assert lead.refusal("call.hangup", call="c3") == "NO_SUCH_CALL"


def test_a_seat_ends_its_own_call() -> None:
    office = Office()
    desk = office.desk()
    desk.sign_in()
    assert desk.refusal("call.hangup") == "NOT_IN_CALL"
    office.talk("c1")
    assert desk.ask("call.hangup") == {"done": True}
    assert office.node.hung_up == [("c1", "seat", "seat")]


def test_a_ringing_call_is_not_hung_up() -> None:
    """Domain 2.2: hangup when talking; what rings is refused."""
    office = Office()
    desk, other = office.desk(), office.desk()
    desk.sign_in("8001")
    office.talk("c1")
    other.sign_in("8002")
    office.node.put_call("c2", queue="junior")
    office.turn(lambda now: office.node.handle(joined("c2"), now))
    assert other.ask("seat.get")["activity"] in ("reserved", "ringing")
    assert other.refusal("call.hangup") == "NOT_IN_CALL"
    assert other.refusal("call.hangup", call="c2") == "NOT_IN_CALL"


def test_an_agent_ends_no_other_call_and_a_supervisor_any() -> None:
    office = Office()
    desk, other, lead = office.desk(), office.desk(), office.desk()
    desk.sign_in("8001")
    office.talk("c1")
    other.sign_in("8002")
    lead.sign_in("8019", "lead")
    assert other.refusal("call.hangup", call="c1") == "NO_RIGHT"
    assert desk.ask("call.hangup", call="c1") == {"done": True}
    office.node.put_call("c4")
    lead.ask("call.hangup", call="c4")
    assert office.node.hung_up[-1] == ("c4", "supervisor", "switch")
    assert ("supervisor: hangup", {"by": "8019", "call": "c4"}) in office.node.log.take()
    assert office.node.recorded == [("hangup", "8019", "north", {"call": "c4"})]


def test_without_a_seat_a_call_must_be_named() -> None:
    office = Office()
    admin = office.desk("admin")
    assert admin.refusal("call.hangup") == "NOT_LOGGED_IN"
    office.node.put_call("c1")
    assert admin.ask("call.hangup", call="c1") == {"done": True}


def test_everything_that_is_promised_is_built() -> None:
    assert [name for name, method in METHODS.items() if method.run is None] == []


def test_a_desk_asks_for_its_own_call() -> None:
    office = Office()
    desk = office.desk()
    desk.sign_in()
    assert desk.refusal("call.hold") == "NOT_IN_CALL"
    office.talk("c1")
    for method, more in (
        ("hold", {}),
        ("unhold", {}),
        ("mute", {}),
        ("record_pause", {}),
        ("record_resume", {}),
        ("unmute", {}),
        ("dtmf", {"digits": "12#"}),
        ("tag", {"tag": "billing"}),
        ("transfer", {"to": "queue:other"}),
        ("consult", {"to": "2001"}),
        ("consult_cancel", {}),
        ("consult_back", {}),
        ("consult_transfer", {}),
        ("consult_join", {}),
        ("refuse", {}),
        ("answer", {}),
    ):
        assert desk.ask(f"call.{method}", **more) == {"done": True}
    own = (CallId("c1"), SeatId("8001"))
    assert office.node.controls == [
        CallHeld(*own),
        CallUnheld(*own),
        CallMuted(*own, True),
        RecordingAsked(*own, True),
        RecordingAsked(*own, False),
        CallMuted(*own, False),
        DigitsPressed(*own, "12#"),
        CallTagged(*own, "billing"),
        TransferAsked(*own, "queue:other"),
        ConsultAsked(*own, "2001"),
        ConsultEnded(*own, "cancel"),
        ConsultEnded(*own, "back"),
        ConsultEnded(*own, "transfer"),
        ConsultJoined(*own),
        CallRefused(*own),
        CallAnswered(*own),
    ]


def test_digits_are_digits() -> None:
    desk = Office().desk()
    desk.sign_in()
    for digits in ("", "12x", "1" * 33):
        assert desk.refusal("call.dtmf", digits=digits) == "-32602"


def test_only_a_ready_seat_is_consulted_and_nobody_escalates_beyond_the_last_level() -> None:
    office = Office()
    desk = office.desk()
    desk.sign_in()
    office.talk("c1")
    for to in ("8002", "seat:8002"):
        assert desk.refusal("call.consult", to=to) == "TARGET_BUSY"
    assert desk.refusal("call.escalate") == "NO_SUCH_TARGET"
    assert office.node.controls == []


def test_a_seat_that_is_busy_dials_nobody() -> None:
    office = Office()
    desk = office.desk()
    desk.sign_in()
    office.talk("c1")
    assert desk.refusal("call.dial", number="139") == "BUSY"
    assert office.desk("admin").refusal("call.dial", number="139") == "NOT_LOGGED_IN"


def test_a_seat_picks_a_waiting_call_where_its_queue_allows_it() -> None:
    free = CONFIG.replace('requires = {level = "junior"}', 'requires = {level = "junior"}\npick = true', 1)
    for config, word in ((CONFIG, "NO_RIGHT"), (free, "")):
        office = Office(config=config)
        desk = office.desk()
        assert desk.refusal("call.pick", call="c1") in ("NO_RIGHT", "NOT_LOGGED_IN")
        desk.sign_in()
        desk.ask("seat.pause", reason="rest")
        assert desk.refusal("call.pick", call="c1") == "NO_SUCH_CALL"
        office.node.put_call("c1", queue="junior")
        office.turn(lambda now, node=office.node: node.handle(joined("c1"), now))
        if word:
            assert desk.refusal("call.pick", call="c1") == word
        else:
            assert desk.ask("call.pick", call="c1") == {"done": True}
            assert [(ring.call, ring.seat) for ring in office.node.rings] == [("c1", "8001")]
