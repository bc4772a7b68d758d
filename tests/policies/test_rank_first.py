"""By the rank that a seat has in the queue, then the longest idle."""

from typing import Any

from policies.rank_first import RankFirst
from policies.views import SeatView


class Ranked:
    def __init__(self, name: str, idle_since: float = 0.0, **ranks: int) -> None:
        self.id, self.idle_since, self._ranks = name, idle_since, ranks

    def rank_in(self, queue: str) -> int:
        return self._ranks.get(queue, 1)


def order(queue: str, *seats: Any) -> list[str]:
    views: list[SeatView] = list(seats)
    return [seat.id for seat in sorted(views, key=lambda seat: RankFirst().seat_key_in(seat, queue))]


def test_a_seat_has_a_rank_in_each_queue() -> None:
    seats = (Ranked("a", sales=2), Ranked("b", help=2), Ranked("c", sales=3, help=3))
    assert order("sales", *seats) == ["b", "a", "c"]
    assert order("help", *seats) == ["a", "b", "c"]


def test_equals_by_idle_time_and_then_by_their_ids() -> None:
    assert order("q", Ranked("b", 5.0), Ranked("c", 1.0), Ranked("a", 5.0)) == ["c", "a", "b"]
