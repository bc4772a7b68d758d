"""Indexes of ready seats: order, dead entries, runners-up."""

from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from acd.readiness import _FRONT_MAX, RUNNERS_UP_MAX, Pool, RequirementClass
from kernel.ids import QueueName
from policies.longest_idle import LongestIdle
from queues.settings import Requirement
from queues.waiting import WaitingLine

CALL: Any = SimpleNamespace(back_off={})


def index(own_level: int = 0) -> RequirementClass:
    line = WaitingLine(QueueName("q"), Requirement(0, 2), own_level, is_configured=True)
    return RequirementClass(line, LongestIdle())


def ready(it: RequirementClass, name: str, since: float, number: int, pool: Any = None) -> Any:
    seat = SimpleNamespace(id=name, idle_since=since, ready_number=number, pool=pool)
    it.add((it.policy.seat_key(seat), number, seat))  # type: ignore[arg-type]
    return seat


def leave(it: RequirementClass, seat: Any) -> None:
    seat.ready_number = 0
    it.remove_one()


def names(entries: Any) -> list[str]:
    return [entry[2].id for entry in entries]


def test_best_and_the_next_three() -> None:
    it = index()
    for number in range(1, 8):
        ready(it, f"s{number}", 10.0 - number, number)
    best, runners = it.best(CALL)
    assert best is not None
    assert best[2].id == "s7"
    assert names(runners) == ["s6", "s5", "s4"]
    assert len(it.ready()) == it.count == 7


def test_the_dead_are_passed_over() -> None:
    it = index()
    seats = [ready(it, f"s{number}", float(number), number) for number in range(1, 7)]
    for seat in (seats[0], seats[1], seats[3]):
        leave(it, seat)
    best, runners = it.best(CALL)
    assert best is not None
    assert best[2].id == "s3"
    assert names(runners) == ["s5", "s6"]


def test_a_seat_that_left_and_came_back_stands_once() -> None:
    it = index()
    seat = ready(it, "a", 1.0, 1)
    leave(it, seat)
    seat.ready_number = 2
    it.add((it.policy.seat_key(seat), 2, seat))
    assert names(it.ready()) == ["a"]


def test_the_dead_are_swept_when_they_outnumber_the_living() -> None:
    it = index()
    ready(it, "stays", 0.0, 1)
    for number in range(2, 2000):
        leave(it, ready(it, "goes", float(number), number))
    assert len(it._heap) < 100
    assert names(it.ready()) == ["stays"]


def test_back_off_of_a_call_and_nobody_else() -> None:
    it = index()
    for number in range(1, 4):
        ready(it, f"s{number}", float(number), number)
    best, runners = it.best(SimpleNamespace(back_off={"s1": None, "s3": None}))  # type: ignore[arg-type]
    assert best is not None
    assert best[2].id == "s2"
    assert runners == []
    assert names(it.ready()) == ["s1", "s2", "s3"]


def test_held_back_only_from_queues_that_start_lower() -> None:
    pool = Pool("demo", 2, 1)
    for own_level, found in ((0, False), (2, True)):
        it = index(own_level)
        seat = ready(it, "s1", 1.0, 1, pool)
        pool.idle = {seat.id: seat}
        assert (it.best(CALL)[0] is not None) == found


@pytest.mark.parametrize("seed", range(20))
def test_whoever_comes_and_goes_the_best_and_the_next_are_those_of_a_sorted_list(seed: int) -> None:
    draw, it = Random(seed), index()
    there: list[Any] = []
    for number in range(1, 1501):
        kind = draw.random()
        if kind < 0.5 or not there:
            since = number if draw.random() < 0.7 else draw.randrange(number)
            there.append(ready(it, f"s{number:04}", float(since), number))
        elif kind < 0.8:
            leave(it, there.pop(draw.randrange(len(there))))
        else:
            first = min(there, key=lambda seat: (seat.idle_since, seat.id))
            leave(it, first)  # offered, and back where it was
            first.ready_number = number
            it.add((it.policy.seat_key(first), number, first))
        tired = draw.sample([seat.id for seat in there], min(len(there), draw.choice((0, 0, 1, 5, 100))))
        able = sorted((seat.idle_since, seat.id) for seat in there if seat.id not in tired)
        best, runners = it.best(SimpleNamespace(back_off=dict.fromkeys(tired)))  # type: ignore[arg-type]
        assert names(([] if best is None else [best]) + runners) == [each for _, each in able[:4]]
        assert (len(able) > RUNNERS_UP_MAX) == (len(runners) == RUNNERS_UP_MAX)
    assert names(it.ready()) == [seat.id for seat in sorted(there, key=lambda it: (it.idle_since, it.id))]


def test_a_front_that_has_grown_gives_back_to_the_heap() -> None:
    it = index()
    for number in range(1, 500):
        ready(it, f"s{number:03}", float(number), number)
    tired = {f"s{number:03}": None for number in range(1, 400)}
    best, _ = it.best(SimpleNamespace(back_off=tired))  # type: ignore[arg-type]
    assert best is not None
    assert best[2].id == "s400"
    assert len(it._front) > _FRONT_MAX
    ready(it, "early", 0.5, 500)
    assert len(it._front) <= _FRONT_MAX
    assert names(it.ready())[:2] == ["early", "s001"]
    best, runners = it.best(SimpleNamespace(back_off=tired))  # type: ignore[arg-type]
    assert best is not None
    assert [best[2].id, *names(runners)] == ["early", "s400", "s401", "s402"]
