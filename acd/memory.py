"""Memory of callers: which seat last served a number, for queues that ask that seat first.

Bounded in count (the longest unused is forgotten first) and, when asked, in age; kept over a restart by rows.
"""

from collections import OrderedDict

from kernel.ids import QueueName, SeatId

CALLERS_MAX = 50_000  # numbers of all queues together
UNKNOWN = ("", "anonymous", "unknown", "restricted", "unavailable", "asterisk")  # numbers that are nobody's


class CallerSeats:
    """Seats by queue and caller's number."""

    __slots__ = ("_most", "_seats")

    def __init__(self, most: int = CALLERS_MAX) -> None:
        self._most = most
        self._seats: OrderedDict[tuple[QueueName, str], tuple[SeatId, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._seats)

    def remember(self, queue: QueueName, number: str, seat: SeatId, epoch: float) -> bool:
        """Note that ``seat`` served ``number``; say whether that is worth a row (a number of somebody's)."""
        if number.lower() in UNKNOWN:
            return False
        key = (queue, number)
        known = self._seats.get(key)
        if known is not None and known[1] > epoch:
            return False
        self._seats[key] = (seat, epoch)
        self._seats.move_to_end(key)
        if len(self._seats) > self._most:
            self._seats.popitem(last=False)
        return True

    def seat_of(self, queue: QueueName, number: str, epoch: float, memory_for: float) -> SeatId | None:
        """Return the seat that served ``number`` last, if that was within ``memory_for`` seconds."""
        key = (queue, number)
        known = self._seats.get(key)
        if known is None:
            return None
        if epoch - known[1] > memory_for:
            del self._seats[key]
            return None
        return known[0]
