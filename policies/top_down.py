"""Top down: the first free seat in the order of the configuration."""

from policies.policy import Policy
from policies.views import SeatKey, SeatView


class TopDown(Policy):
    """The seats at the end get the peaks only."""

    name = "top-down"

    def seat_key(self, seat: SeatView) -> SeatKey:
        """Return ``(seat.order, seat.id)``."""
        return (seat.order, seat.id)
