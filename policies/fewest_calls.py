"""Fewest calls: the seat that has answered least often."""

from policies.policy import Policy
from policies.views import SeatKey, SeatView


class FewestCalls(Policy):
    """Counts answered calls since the start, longest idle between equals."""

    name = "fewest-calls"

    def seat_key(self, seat: SeatView) -> SeatKey:
        """Return ``(seat.answered, seat.idle_since, seat.id)``."""
        return (seat.answered, seat.idle_since, seat.id)
