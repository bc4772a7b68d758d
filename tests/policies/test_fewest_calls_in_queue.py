"""By how many calls of the queue a seat has answered, then the longest idle."""

from typing import Any

from policies.fewest_calls_in_queue import FewestCallsInQueue
from policies.views import SeatView


class Worker:
    def __init__(self, name: str, idle_since: float = 0.0, **answered: int) -> None:
        self.id, self.idle_since, self._answered = name, idle_since, answered

    def answered_in(self, queue: str) -> int:
        return self._answered.get(queue, 0)


def order(queue: str, *seats: Any) -> list[str]:
    views: list[SeatView] = list(seats)
    return [seat.id for seat in sorted(views, key=lambda it: FewestCallsInQueue().seat_key_in(it, queue))]


def test_calls_of_other_queues_do_not_count() -> None:
    seats = (Worker("a", sales=9), Worker("b", help=3), Worker("c", sales=2, help=1))
    assert order("sales", *seats) == ["b", "c", "a"]
    assert order("help", *seats) == ["a", "c", "b"]


def test_equals_by_idle_time_and_then_by_their_ids() -> None:
    assert order("q", Worker("b", 5.0), Worker("c", 1.0), Worker("a", 5.0)) == ["c", "a", "b"]
