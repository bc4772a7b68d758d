"""Fewest calls in queue: the seat that has answered this queue's calls least often."""

from policies.policy import Policy
from policies.views import SeatKey, SeatView


class FewestCallsInQueue(Policy):
    """Counts answered calls of the queue alone, since the start, longest idle between equals."""

    name = "fewest-calls-in-queue"
    by_queue = True

    def seat_key_in(self, seat: SeatView, queue: str) -> SeatKey:
        """Return ``(its answered calls of the queue, seat.idle_since, seat.id)``."""
        return (seat.answered_in(queue), seat.idle_since, seat.id)
