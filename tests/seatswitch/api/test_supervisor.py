"""supervisor.*: who may do what to whom, and what each action leaves behind."""

from typing import Any

import pytest

from acd.inputs import CallJoined
from calls.controls import ModeSwitched, SupervisionAsked, TakeoverAsked
from kernel.ids import CallId, QueueName, SeatId
from tests.seatswitch.api.stub import CONFIG, Desk, Office


def office_with_lead() -> tuple[Office, Desk, Desk]:
    office = Office()
    desk, lead = office.desk(), office.desk()
    desk.sign_in("8001")
    lead.sign_in("8019", "lead")
    office.node.log.take()
    return office, desk, lead


def test_a_forced_pause_is_lifted_by_a_supervisor_only() -> None:
    office, desk, lead = office_with_lead()
    assert lead.ask("supervisor.force_pause", seat="8001", reason="training")["presence"] == "paused"
    assert desk.refusal("seat.ready") == "FORCED_PAUSE"
    assert desk.refusal("seat.pause", reason="rest") == "FORCED_PAUSE"
    assert lead.ask("supervisor.force_ready", seat="8001")["presence"] == "ready"
    assert office.node.log.take() == [
        ("supervisor: force_pause", {"by": "8019", "seat": "8001", "detail": "training"}),
        ("supervisor: force_ready", {"by": "8019", "seat": "8001"}),
    ]
    assert office.node.recorded == [
        ("force_pause", "8019", "north", {"seat": "8001", "detail": "training"}),
        ("force_ready", "8019", "north", {"seat": "8001"}),
    ]


def test_a_forced_sign_out_waits_for_the_conversation() -> None:
    office, desk, lead = office_with_lead()
    office.talk("c1", "8001")
    seat = lead.ask("supervisor.force_logout", seat="8001")
    assert (seat["activity"], seat["pending"]) == ("talking", "offline")
    assert desk.ask("seat.get")["activity"] == "talking"


def test_agents_are_no_supervisors_and_supervisors_stay_in_their_tenant() -> None:
    _, desk, lead = office_with_lead()
    for method in ("force_ready", "force_pause", "force_logout", "monitor"):
        assert desk.refusal(f"supervisor.{method}", seat="8001") == "NO_RIGHT"
    assert lead.refusal("supervisor.force_pause", seat="9001") == "NO_SUCH_SEAT"
    assert lead.refusal("supervisor.force_pause", seat="8002") == "NOT_LOGGED_IN"
    assert lead.refusal("supervisor.force_ready", seat="8001") == "ALREADY_READY"


def test_nobody_supervises_the_own_seat() -> None:
    _, _, lead = office_with_lead()
    for method in ("force_ready", "force_pause", "force_logout", "disconnect", "pickup"):
        assert lead.refusal(f"supervisor.{method}", seat="8019") == "NO_RIGHT"
    assert lead.refusal("supervisor.move_seat", seat="8019", queues=["junior"]) == "NO_RIGHT"


def test_a_supervisor_may_lead_some_queues_only() -> None:
    """Seats and calls of other queues are not its own to move."""
    led = CONFIG.replace('role = "supervisor"', 'role = "supervisor"\nsupervises = ["second"]').replace(
        "[[seat]]\n",
        '[[queue]]\nname = "second"\ntenant = "north"\n[[seat]]\nnumber = "8004"\ntenant = "north"\n'
        'password = "demo"\nlevel = "junior"\nqueues = ["second"]\n[[seat]]\n',
        1,
    )
    office = Office(config=led)
    desk, second, lead = office.desk(), office.desk(), office.desk()
    desk.sign_in("8001")
    second.sign_in("8004")
    lead.sign_in("8019", "lead")
    assert lead.refusal("supervisor.force_pause", seat="8001") == "NO_RIGHT"
    assert lead.ask("supervisor.force_pause", seat="8004")["presence"] == "paused"
    office.node.put_call("c1", queue="junior")
    assert lead.refusal("supervisor.move_call", call="c1", queue="second") == "NO_RIGHT"
    assert lead.refusal("call.hangup", call="c1") == "NO_RIGHT"
    admin = office.desk("admin")
    assert admin.ask("supervisor.force_pause", seat="8001")["presence"] == "paused"


def test_disconnect_ends_a_conversation_and_nothing_else() -> None:
    office, _, lead = office_with_lead()
    assert lead.refusal("supervisor.disconnect", seat="8001") == "TARGET_NOT_TALKING"
    office.talk("c1", "8001")
    assert lead.ask("supervisor.disconnect", seat="8001") == {"done": True}
    assert office.node.hung_up == [("c1", "disconnected", "switch")]
    assert office.node.recorded[-1] == ("disconnect", "8019", "north", {"seat": "8001", "call": "c1"})


def test_whoever_moves_a_seat_out_of_the_own_queues_may_bring_it_back() -> None:
    led = CONFIG.replace('role = "supervisor"', 'role = "supervisor"\nsupervises = ["junior"]').replace(
        "[[seat]]\n",
        '[[queue]]\nname = "second"\ntenant = "north"\n[[seat]]\n',
        1,
    )
    office = Office(config=led)
    lead = office.desk()
    lead.sign_in("8019", "lead")
    assert lead.ask("supervisor.move_seat", seat="8001", queues=["second"])["moved"] is True
    seat = lead.ask("supervisor.move_seat", seat="8001", reset=True)
    assert (seat["queues"], seat["moved"]) == (["junior"], False)


def test_only_who_is_signed_in_picks_a_call_up() -> None:
    office, _, _ = office_with_lead()
    admin = office.desk("admin")
    assert admin.refusal("supervisor.pickup", seat="8001") == "NOT_LOGGED_IN"


def test_a_waiting_call_is_picked_by_who_leads_its_queue() -> None:
    office, desk, lead = office_with_lead()
    desk.ask("seat.pause", reason="rest")
    office.node.put_call("c1", queue="junior")
    assert lead.refusal("supervisor.pickup") == "NO_SUCH_TARGET"
    assert lead.refusal("supervisor.pickup", seat="8001", call="c1") == "NO_SUCH_TARGET"
    assert lead.refusal("supervisor.pickup", call="c2") == "NO_SUCH_CALL"
    assert lead.refusal("supervisor.pickup", call="c1") == "BAD_STATE"  # it does not wait
    assert desk.refusal("supervisor.pickup", call="c1") == "NO_RIGHT"
    office.turn(lambda now: office.node.handle(CallJoined(CallId("c1"), QueueName("junior"), "139"), now))
    assert office.desk("admin").refusal("supervisor.pickup", call="c1") == "NOT_LOGGED_IN"
    assert lead.ask("supervisor.pickup", call="c1") == {"done": True}
    assert [(ring.call, ring.seat) for ring in office.node.rings] == [("c1", "8019")]
    assert office.node.recorded[-1] == ("pickup", "8019", "north", {"call": "c1", "queue": "junior"})


def test_a_leader_of_other_queues_picks_no_call() -> None:
    text = '[[queue]]\nname = "second"\ntenant = "north"\n[[seat]]\n'
    led = CONFIG.replace('role = "supervisor"', 'role = "supervisor"\nsupervises = ["second"]')
    office = Office(config=led.replace("[[seat]]\n", text, 1))
    lead = office.desk()
    lead.sign_in("8019", "lead")
    office.node.put_call("c1", queue="junior")
    office.turn(lambda now: office.node.handle(CallJoined(CallId("c1"), QueueName("junior"), "139"), now))
    assert lead.refusal("supervisor.pickup", call="c1") == "NO_RIGHT"


def test_moves_are_recorded() -> None:
    office, _, lead = office_with_lead()
    assert lead.ask("supervisor.move_seat", seat="8001", queues=["junior"], level="junior")["queues"] == [
        "junior"
    ]
    assert lead.refusal("supervisor.move_seat", seat="8001", queues=["other"]) == "NO_SUCH_QUEUE"
    assert (
        lead.refusal("supervisor.move_seat", seat="8001", queues=["junior"], level="boss") == "NO_SUCH_TARGET"
    )
    assert lead.refusal("supervisor.move_seat", seat="8001", queues=[]) == "NOT_IN_QUEUE"
    office.node.put_call("c1", queue="junior")
    assert lead.refusal("supervisor.move_call", call="c1", first=True) == "BAD_STATE"
    lead.ask("supervisor.force_pause", seat="8001")
    office.turn(lambda now: office.node.handle(CallJoined(CallId("c1"), QueueName("junior"), "139"), now))
    assert lead.ask("supervisor.move_call", call="c1", first=True) == {"done": True}
    assert lead.ask("supervisor.move_call", call="c1", credit=60) == {"done": True}
    assert lead.refusal("supervisor.move_call", call="c1", credit=59.5) == "BAD_STATE"
    assert lead.ask("supervisor.move_call", call="c1", credit=59.5, lower=True) == {"done": True}
    assert [(what, more) for what, _, _, more in office.node.recorded] == [
        ("move_seat", {"seat": "8001", "detail": "junior at level junior"}),
        ("force_pause", {"seat": "8001"}),
        ("move_call", {"call": "c1", "detail": "first"}),
        ("move_call", {"call": "c1", "detail": "credit 60 s"}),
        ("move_call", {"call": "c1", "detail": "credit 59.5 s"}),
    ]


@pytest.mark.parametrize("mode", ["monitor", "whisper", "barge"])
def test_a_supervisor_asks_to_be_in_a_conversation(mode: str) -> None:
    office, _, lead = office_with_lead()
    method = f"supervisor.{mode}"
    assert lead.refusal(method, seat="8001") == "TARGET_NOT_TALKING"
    office.talk("c1", "8001")
    call = lead.ask(method, seat="8001", follow=True)["call"]
    target, own = SeatId("8001"), SeatId("8019")
    assert office.node.controls == [SupervisionAsked(call, target, "8019", own, None, mode, follows=True)]
    more = {"seat": "8001", "call": call, "supervises": "8001"}
    assert office.node.recorded == [(mode, "8019", "north", more)]


def test_who_has_no_seat_names_a_phone_with_its_number() -> None:
    office, _, _ = office_with_lead()
    office.talk("c1", "8001")
    admin = office.desk("admin")
    assert admin.refusal("supervisor.monitor", seat="8001") == "NOT_LOGGED_IN"
    assert admin.refusal("supervisor.monitor", seat="8001", phone={"kind": "pstn"}) == "NO_SUCH_TARGET"
    admin.ask("supervisor.monitor", seat="8001", phone={"kind": "extension", "number": "2001"})
    (asked,) = office.node.controls
    assert isinstance(asked, SupervisionAsked)
    assert (asked.by, asked.seat, asked.phone) == ("admin", None, ("extension", "2001"))


def test_one_switches_and_takes_over_where_one_is_attached() -> None:
    office, _, lead = office_with_lead()
    office.talk("c1", "8001")
    for method, more in (("switch", {"mode": "barge"}), ("takeover", {})):
        params: dict[str, Any] = {"seat": "8001", **more}
        assert lead.refusal(f"supervisor.{method}", **params) == "NOT_ATTACHED"
        assert lead.refusal(f"supervisor.{method}", **more) == "NOT_ATTACHED"
    office.node.supervisions = {"8001": ("8019", "8019"), "8002": ("8019", "")}
    assert lead.refusal("supervisor.switch", mode="barge") == "NOT_ATTACHED"  # to which of both?
    del office.node.supervisions["8002"]
    lead.ask("supervisor.switch", mode="barge")
    lead.ask("supervisor.takeover", seat="8001")
    assert office.node.controls == [ModeSwitched(SeatId("8001"), "barge"), TakeoverAsked(SeatId("8001"))]
    recorded = [(it[0], it[3]["seat"]) for it in office.node.recorded]
    assert recorded == [("switch", "8001"), ("takeover", "8001")]


def test_what_another_supervises_is_not_mine() -> None:
    office, _, lead = office_with_lead()
    office.talk("c1", "8001")
    office.node.supervisions = {"8001": ("ops", "")}
    assert lead.refusal("supervisor.switch", mode="barge", seat="8001") == "NOT_ATTACHED"
    assert lead.refusal("supervisor.takeover") == "NOT_ATTACHED"


def test_agents_do_not_see_who_listens_to_them() -> None:
    """Neither in the objects, nor in lists, nor as an event; supervisors do."""
    office, desk, lead = office_with_lead()
    office.talk("c1", "8001")
    office.node.supervisions = {"8001": ("8019", "8019")}
    topics = ["call", "supervisor"]
    for each in (desk, lead):
        each.ask("events.subscribe", topics=topics)
    office.node.put_call("ear", supervises="8001", seat="8019")
    seen = [[view["call"] for view in each.ask("call.list")] for each in (desk, lead)]
    assert seen == [["c1"], ["c1", "ear"]]
    assert desk.refusal("call.hangup", call="ear") == "NO_SUCH_CALL"
    shown = [each.ask("seat.get", seat="8001")["supervised"] for each in (desk, lead)]
    assert (shown[0], shown[1]["by"]) == (None, "8019")
    shown = [each.ask("seat.get", seat="8019")["supervising"] for each in (desk, lead)]
    assert (shown[0], shown[1]["seat"]) == (None, "8001")
    assert [view["supervised"] for view in desk.ask("seat.list")] == [None] * 4
    told = [sum(it["data"].get("supervises") == "8001" for it in each.events) for each in (desk, lead)]
    assert told == [0, 1]
    for each, calls in ((desk, ["c1"]), (lead, ["c1", "ear"])):
        snapshot = each.ask("events.subscribe", topics=topics)["snapshot"]
        assert [view["call"] for view in snapshot["call"]] == calls
