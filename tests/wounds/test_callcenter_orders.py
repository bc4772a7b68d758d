"""mod_callcenter's orders of agents, which are in its SQL and tested nowhere there, each beside ours.

There tier level comes first in every order; here levels open by ``relax``, and inside an open range a policy
is the whole order, but for least-skilled-first, which begins with the level.
"""

from collections import Counter

from tests.acd.conftest import Floor, Kit
from tests.simulator.phones import Errand
from tests.simulator.stories import ONE_SEAT, settle
from tests.simulator.world import World

NUMBERS = ("8001", "8002", "8003")


def floor_of(kit: Kit, policy: str, numbers: tuple[str, ...] = NUMBERS) -> Floor:
    floor = kit.floor((kit.queue(policy=policy, highest=2),), tuple(map(kit.seat, numbers)))
    floor.sign_in(*numbers)
    return floor


def call(floor: Floor, name: str, talk: float) -> str:
    """Let one call be answered and talk; return the seat."""
    floor.join(name)
    seat = floor.ringing()[name]
    floor.answer(seat)
    floor.after(talk)
    floor.end_talk(seat)
    return seat


def test_longest_idle_agent(kit: Kit) -> None:
    """``level, last_bridge_end, position``: whose last talk ended longest ago."""
    floor = floor_of(kit, "longest-idle")
    first = [call(floor, f"a{index}", talk) for index, talk in enumerate((30.0, 5.0, 1.0))]
    assert first == list(NUMBERS)
    floor.join("x")
    assert floor.ringing() == {"x": "8001"}


def test_agent_with_least_talk_time(kit: Kit) -> None:
    """``level, talk_time, position``."""
    floor = floor_of(kit, "least-talk-time")
    for index, talk in enumerate((30.0, 5.0, 10.0)):
        call(floor, f"a{index}", talk)
    assert [call(floor, f"b{index}", 6.0) for index in range(3)] == ["8002", "8003", "8002"]


def test_agent_with_fewest_calls(kit: Kit) -> None:
    """``level, calls_answered, position``: however long they were."""
    floor = floor_of(kit, "fewest-calls")
    assert [call(floor, f"a{index}", 1.0 + index) for index in range(6)] == [*NUMBERS, *NUMBERS]


def test_sequentially_by_agent_order_and_top_down(kit: Kit) -> None:
    """``level, position``: always the first that is free. Theirs resumes top-down after the last offered
    one when a ring was in vain; here who has not taken a call is not offered it again for
    ``pair_back_off``.
    """
    floor = floor_of(kit, "top-down")
    assert [call(floor, f"a{index}", 1.0) for index in range(3)] == ["8001"] * 3
    floor.join("x")
    floor.refuse("8001")
    assert floor.ringing() == {"x": "8002"}
    floor.refuse("8002")
    assert floor.ringing() == {"x": "8003"}


def test_round_robin(kit: Kit) -> None:
    """After the last offered position, round again; more than 1,000 seats:
    tests/acd/test_distribution.py::test_a_thousand_seats_take_turns.
    """
    floor = floor_of(kit, "round-robin")
    assert [call(floor, f"a{index}", 1.0) for index in range(7)] == [NUMBERS[index % 3] for index in range(7)]


def test_random(kit: Kit) -> None:
    """``level, random()``: every ready seat with the same chance, from one injected source."""
    floor = floor_of(kit, "random")
    drawn = Counter(call(floor, f"a{index}", 0.5) for index in range(900))
    assert sorted(drawn) == list(NUMBERS)
    assert all(230 <= count <= 370 for count in drawn.values())  # five standard deviations of 300 +- 14


def test_ring_all(kit: Kit) -> None:
    """All at once, one winner."""
    floor = floor_of(kit, "ring-all")
    floor.join("x")
    assert sorted(seat for _, seat in floor.rings()) == list(NUMBERS)
    floor.answer("8002")
    assert sorted(cause for _, cause in floor.withdrawn()) == ["answered_elsewhere"] * 2


def test_ring_progressively(kit: Kit) -> None:
    """One more every few seconds, those who ring already go on."""
    floor = floor_of(kit, "ring-progressively")
    floor.join("x")
    rung = []
    for moment in (0.0, 5.0, 10.0):
        floor.at(moment)
        rung.append([seat for _, seat in floor.rings()])
    assert rung == [["8001"], ["8001", "8002"], ["8001", "8002", "8003"]]


def test_waiting_callers_survive_a_start() -> None:
    """There, at module load, every waiting caller is set Abandoned and every agent Waiting. Here both are
    taken over (tests/seatswitch/test_restoring.py).
    """
    world = World(1, ONE_SEAT)
    world.trunk.dial(Errand(hangs_up_after=60.0))
    world.run(5.0)
    world.restart_switch()
    world.run(1.0)
    assert [view["state"] for view in world.node.calls_view(world.time.now)] == ["waiting"]
    world.run(60.0)
    assert [row.outcome for row in world.visit_rows] == ["abandoned"]
    settle(world)
