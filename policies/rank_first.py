"""Rank first: seats in the order of the ranks that they have in the queue."""

from policies.policy import Policy
from policies.views import SeatKey, SeatView


class RankFirst(Policy):
    """The ready seat of the first rank, longest idle among equals. A rank is of a seat in one queue."""

    name = "rank-first"
    by_queue = True

    def seat_key_in(self, seat: SeatView, queue: str) -> SeatKey:
        """Return ``(its rank in the queue, seat.idle_since, seat.id)``."""
        return (seat.rank_in(queue), seat.idle_since, seat.id)
