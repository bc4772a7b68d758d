"""Calls that survive: told by tests/seatswitch/test_restoring.py; here, what is kept while they live."""

from calls.recovery import INTERRUPTED, RESUME_WITHIN
from tests.simulator.phones import Errand, Manner
from tests.simulator.stories import staffed


def test_verdict_of_a_lost_call_is_ours_and_both_sides_know_within_five_seconds() -> None:
    assert INTERRUPTED.startswith("us:")
    assert RESUME_WITHIN < 5.0


def test_living_calls_have_a_state_row_with_what_their_dialogs_need() -> None:
    world = staffed(Manner(answers_after=1.0))
    world.trunk.dial(Errand(hangs_up_after=60.0))
    world.run(5.0)
    (row,) = world.node.switchboard.recovery.living()
    assert row.caller_leg is not None
    assert row.callee_leg is not None
    assert (row.callee_leg.seat, row.arrived, row.rings) == ("8001", None, ())
    assert row.caller_leg.dialog.sip_call_id != row.callee_leg.dialog.sip_call_id
    assert row in world.living.rows()
