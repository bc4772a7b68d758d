"""Overload: a late loop refuses new calls, with hysteresis; calls there go on, and so do registrations."""

from functools import partial

from tests.simulator.phones import Errand, Manner
from tests.simulator.stories import settle, staffed


def test_a_late_loop_refuses_new_calls_until_it_has_caught_up() -> None:
    """503 from 0.25 s of lag on, taken again below 0.1 s: between the two nothing changes."""
    world = staffed(Manner(answers_after=1.0, talks_for=60.0))
    talking = world.trunk.dial(Errand())
    world.run(3.0)
    statuses = []
    for number, lag in enumerate((0.2, 0.3, 0.2, 0.11, 0.09, 0.2)):
        world.turn(partial(world.node.note_lag, lag))
        caller = world.trunk.dial(Errand(caller=f"1390000000{number}", hangs_up_after=1.0))
        world.run(2.0)
        statuses.append(caller.status)
    assert statuses == [200, 503, 503, 503, 200, 200]
    assert talking.status == 200
    assert not world.node.snapshot(world.time.now)["overloaded"]
    world.run(60.0)
    settle(world)
