"""Longest idle first: fair between equals."""

from policies.policy import Policy
from policies.views import SeatKey, SeatView


class LongestIdle(Policy):
    """Idle time is shared in proportion to speed."""

    name = "longest-idle"

    def seat_key(self, seat: SeatView) -> SeatKey:
        """Return ``(seat.idle_since, seat.id)``."""
        return (seat.idle_since, seat.id)
