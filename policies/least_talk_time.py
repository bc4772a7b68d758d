"""Least talk time: the seat that has talked least."""

from policies.policy import Policy
from policies.views import SeatKey, SeatView


class LeastTalkTime(Policy):
    """Counts seconds of queue calls since the start, longest idle between equals."""

    name = "least-talk-time"

    def seat_key(self, seat: SeatView) -> SeatKey:
        """Return ``(seat.talked_for, seat.idle_since, seat.id)``."""
        return (seat.talked_for, seat.idle_since, seat.id)
