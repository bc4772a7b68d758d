"""The starvation guard: priorities, weights and c-mu hold nobody back for ever, where a queue says so."""

from random import Random
from typing import Any

import pytest

from acd.inputs import CallJoined
from kernel.ids import CallId, QueueName

TALK = 30.0
BOUND = 60.0


def busy_floor(kit: Any, starve_after: float, policy: str = "least-skilled-first") -> Any:
    """One seat that serves a high and a low queue."""
    high = kit.queue("high", priority=5, weight=10, max_wait=0.0, max_waiting=0, policy=policy)
    low = kit.queue("low", starve_after=starve_after, max_wait=0.0, max_waiting=0, policy=policy)
    floor = kit.floor((high, low), (kit.seat("8001", 0, ("high", "low")),), keeps_history=True)
    floor.sign_in("8001")
    return floor


def run(floor: Any, until: float, *, low_every: float) -> None:
    """High calls come twice as fast as the seat can talk, low ones now and then; every ring is answered."""
    moments = [(second, "high") for second in range(0, int(until), 15)]
    moments += [(second + 0.5, "low") for second in range(0, int(until), int(low_every))]
    for number, (moment, name) in enumerate(sorted(moments)):
        _serve(floor, moment)
        floor.at(moment).join(f"{name}{number}", name)
        _answer(floor)
    _serve(floor, until)
    floor.at(until)


def _serve(floor: Any, until: float) -> None:
    seat = floor.seat("8001")
    while seat.talk_since + TALK <= until and seat.call is not None:
        floor.at(seat.talk_since + TALK).end_talk("8001")
        _answer(floor)


def _answer(floor: Any) -> None:
    if floor.ringing():
        floor.answer("8001")


def waits_of(floor: Any, queue: str) -> list[float]:
    return [row.waited for row in floor.visits() if row.queue == queue and row.outcome == "answered"]


@pytest.mark.parametrize("policy", ["least-skilled-first", "c-mu", "fixed-queue-ratio"])
def test_without_a_guard_a_strict_priority_starves_and_with_one_it_does_not(kit: Any, policy: str) -> None:
    """The seat is asked for twice its time. A low call is served within its bound and two conversations: the
    one going on, and that of the call which starved before it.
    """
    starved, guarded = busy_floor(kit, 0.0, policy), busy_floor(kit, BOUND, policy)
    for floor in (starved, guarded):
        run(floor, 3600.0, low_every=200.0)
    assert waits_of(starved, "low") == []
    waits = waits_of(guarded, "low")
    assert len(waits) == 18
    assert max(waits) <= BOUND + 2 * TALK
    assert len(waits_of(guarded, "high")) > 90


def test_a_credit_counts_as_waiting_and_the_call_says_when_it_starves(kit: Any) -> None:
    floor = busy_floor(kit, BOUND)
    floor.join("talking", "high")
    floor.answer("8001")
    floor.at(10.0).join("low", "low", credit=20.0)
    assert floor.engine.explain_call(CallId("low"), floor.now)["starves_in"] == 40.0
    floor.join("high", "high")
    assert floor.engine.explain_call(CallId("high"), floor.now)["starves_in"] is None
    floor.at(49.9).end_talk("8001")
    assert floor.ringing() == {"high": "8001"}
    floor.answer("8001")
    floor.join("higher", "high")
    floor.at(50.0).end_talk("8001")
    assert floor.ringing() == {"low": "8001"}
    assert floor.engine.explain_call(CallId("low"), floor.now)["starves_in"] == 0.0


@pytest.mark.parametrize("seed", range(40))
def test_a_free_seat_never_passes_over_a_call_that_starves(kit: Any, seed: int) -> None:
    """Property: whenever a seat becomes free, it takes the longest starving call that it may serve, if any.

    Three queues of three policies, priorities and bounds; three seats of two kinds; twice their capacity.
    """
    random = Random(seed)
    queues = (
        kit.queue("a", priority=2, policy="c-mu", starve_after=random.choice((0.0, 90.0)), max_wait=0.0),
        kit.queue("b", weight=3, policy="fixed-queue-ratio", starve_after=40.0, max_wait=0.0),
        kit.queue("c", priority_credit=15.0, starve_after=random.choice((25.0, 70.0)), max_wait=0.0),
    )
    everything = ("a", "b", "c")
    seats = (kit.seat("1", 0, everything), kit.seat("2", 0, everything), kit.seat("3", 0, ("a", "c")))
    floor = kit.floor(queues, seats)
    floor.sign_in("1", "2", "3")
    ends: dict[str, float] = {}
    passed = 0
    for number in range(250):
        due = floor.now + random.expovariate(1 / 5.0)
        while ends and min(ends.values()) <= due:
            seat = min(ends, key=lambda it: ends[it])
            floor.at(ends.pop(seat))
            names = floor.seat(seat).queues
            standing = [
                call
                for name in names
                for call in floor.engine.queues[name].waiting.values()
                if floor.now - call.key >= call.starves_after
            ]
            floor.end_talk(seat)
            if standing:
                first = min(standing, key=lambda call: call.place)
                assert floor.ringing() == {first.call: seat}
                passed += 1
            _take_all(floor, ends, random)
        name = random.choice(("a", "a", "a", "b", "c"))
        floor.at(due).do(CallJoined(CallId(str(number)), QueueName(name), "100"))
        _take_all(floor, ends, random)
    assert passed > 20


def _take_all(floor: Any, ends: dict[str, float], random: Random) -> None:
    for seat in list(floor.ringing().values()):
        floor.answer(seat)
        ends[seat] = floor.now + random.expovariate(1 / 30.0)
