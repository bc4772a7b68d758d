"""Round robin: the seat whose last offer is longest ago."""

from policies.policy import Policy
from policies.views import SeatKey, SeatView


class RoundRobin(Policy):
    """Only seats that can be offered count, so nobody is passed over because of absent neighbours."""

    name = "round-robin"

    def seat_key(self, seat: SeatView) -> SeatKey:
        """Return ``(seat.offered_last, seat.order, seat.id)``."""
        return (seat.offered_last, seat.order, seat.id)
