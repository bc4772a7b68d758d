"""supervisor.*: forced states, and the line each action leaves in the log."""

from tests.seatswitch.api.stub import Desk, Office


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
        ("seat forced to pause", {"by": "8019", "seat": "8001", "reason": "training"}),
        ("seat forced to ready", {"by": "8019", "seat": "8001"}),
    ]


def test_a_forced_sign_out_waits_for_the_conversation() -> None:
    office, desk, lead = office_with_lead()
    lead.ask("supervisor.force_pause", seat="8019")
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
