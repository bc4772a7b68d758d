"""Visits that survive keep id and place; told whole by tests/seatswitch/test_restoring.py."""

from tests.simulator.phones import Errand, Manner
from tests.simulator.stories import staffed


def test_lost_visit_is_withdrawn_as_interrupted() -> None:
    world = staffed(Manner(answers_after=None))
    world.trunk.dial(Errand(hangs_up_after=60.0))
    world.run(2.0)
    kept = [row for row in world.living.rows() if not hasattr(row, "caller_leg")]
    world.restart_switch()
    world.living.rows()
    assert {type(row).__name__ for row in kept} == {"VisitStateRow", "OfferStateRow"}
    world.trunk.vanish()
    world.run(6.0)
    (visit,) = world.visit_rows
    assert (visit.outcome, visit.cause) == ("withdrawn", "interrupted")
