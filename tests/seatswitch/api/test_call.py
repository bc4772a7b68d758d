"""call.*: who may see and end which call."""

from acd.inputs import CallJoined
from kernel.ids import CallId, QueueName
from tests.seatswitch.api.stub import Office


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


def test_what_is_not_built_yet_says_so() -> None:
    desk = Office().desk("admin")
    for method in ("call.answer", "call.dial", "supervisor.monitor", "recording.get"):
        assert desk.refusal(method) == "NOT_AVAILABLE"
