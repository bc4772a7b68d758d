"""supervisor.*: who may do what to whom, and what each action leaves behind."""

from acd.inputs import CallJoined
from kernel.ids import CallId, QueueName
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


def test_only_who_is_signed_in_picks_a_call_up() -> None:
    office, _, _ = office_with_lead()
    admin = office.desk("admin")
    assert admin.refusal("supervisor.pickup", seat="8001") == "NOT_LOGGED_IN"


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
