"""The tests that the wounds of others suggest (anchors 5, point 10), where no other of this folder is one."""

import pytest

from tests.simulator.phones import Errand, Manner
from tests.simulator.stories import settle, staffed
from tests.simulator.town import Town

TWO = Town(juniors=2, intermediates=0, seniors=0, wrap_up=0.0)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (486, "refused"),
        (480, "refused"),
        (603, "refused"),
        (600, "refused"),
        (408, "failed"),
        (487, "failed"),
        (488, "failed"),
    ],
)
def test_each_final_answer_of_a_phone_costs_its_own_and_the_next_seat_rings(
    status: int, outcome: str
) -> None:
    """486, 480, 603, 408, 487, 488 per offer: who refuses, whose phone fails; the caller keeps its place."""
    world = staffed(Manner(answers_after=1.0, refuses=status), TWO)
    world.phones["8002"].manner = Manner(answers_after=1.0, talks_for=3.0)
    caller = world.trunk.dial(Errand(hangs_up_after=60.0))
    world.run(10.0)
    assert caller.why == "bye"
    first, second = world.offer_rows
    assert (first.seat, first.outcome, first.sip_status) == ("8001", outcome, status)
    assert (second.seat, second.outcome) == ("8002", "answered")
    assert [row.outcome for row in world.visit_rows] == ["answered"]
    settle(world)


def test_an_answer_that_nobody_acknowledges_frees_the_seat() -> None:
    """Our ACK is lost for good: the phone repeats its 200, gives up after 64*T1, the seat is free again."""
    world = staffed(Manner(answers_after=1.0))
    caller = world.trunk.dial(Errand())
    world.run(0.5)
    host = world.phones["8001"].address[0]
    world.network.block("192.0.2.1", host, both_ways=False)
    world.run(40.0)
    world.network.heal()
    world.run(70.0)
    assert caller.has_ended
    assert world.admin.ask("seat.get", {"seat": "8001"})["activity"] in ("idle", "unreachable")
    settle(world)
