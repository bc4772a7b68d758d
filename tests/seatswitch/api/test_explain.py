"""explain.*: the engine's explanations, of what may be seen."""

from acd.inputs import CallJoined
from kernel.ids import CallId, QueueName
from tests.seatswitch.api.stub import Office


def test_why_a_call_waits_and_why_a_seat_gets_none() -> None:
    office = Office()
    desk, south = office.desk(), office.desk()
    desk.sign_in(presence="paused", reason="rest")
    south.sign_in("9001", hotline="96300")
    office.node.put_call("c1", queue="junior")
    join = CallJoined(CallId("c1"), QueueName("junior"), "139")
    office.turn(lambda now: office.node.handle(join, now))
    call = desk.ask("explain.call", call="c1")
    assert (call["call"], call["waiting"], call["position"]) == ("c1", True, 1)
    assert desk.ask("explain.seat")["seat"] == "8001"
    assert south.refusal("explain.call", call="c1") == "NO_SUCH_CALL"
    assert south.refusal("explain.seat", seat="8001") == "NO_SUCH_SEAT"


def test_an_agent_asks_about_its_own_seat_a_supervisor_about_any() -> None:
    office = Office()
    desk, lead, admin = office.desk(), office.desk(), office.desk("admin")
    desk.sign_in()
    lead.sign_in("8019", "lead")
    assert desk.refusal("explain.seat", seat="8002") == "NO_RIGHT"
    assert lead.ask("explain.seat", seat="8002")["seat"] == "8002"
    assert admin.ask("explain.seat", seat="9001")["seat"] == "9001"
    assert admin.refusal("explain.seat") == "NOT_LOGGED_IN"
