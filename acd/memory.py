"""Memory of callers: which seat last served a number, for queues that ask that seat first; and who gave up
waiting a moment ago, for queues that give such a caller its place back.

Bounded in count (the longest unused is forgotten first) and, when asked, in age; kept over a restart by rows.
"""

from collections import OrderedDict
from typing import NamedTuple

from kernel.ids import QueueName, SeatId

CALLERS_MAX = 50_000  # numbers of all queues together
LEFT_MAX = 50_000  # who gave up, of all queues together
RESUME_MAX = 3_600.0  # seconds; longer no queue may ask for
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


class LeftPlace(NamedTuple):
    """The place of a caller who gave up waiting; moments are monotonic."""

    visit: str
    joined_at: float
    credit: float
    left_at: float


class LeftPlaces:
    """The newest place that each caller of each queue has given up, in the order of leaving."""

    __slots__ = ("_most", "_places")

    def __init__(self, most: int = LEFT_MAX) -> None:
        self._most = most
        self._places: OrderedDict[tuple[QueueName, str], LeftPlace] = OrderedDict()

    def __len__(self) -> int:
        return len(self._places)

    def remember(self, queue: QueueName, number: str, place: LeftPlace) -> bool:
        """Note that ``number`` has left; say whether that is worth a row (a number of somebody's)."""
        if number.lower() in UNKNOWN:
            return False
        places, key = self._places, (queue, number)
        places[key] = place
        places.move_to_end(key)
        while len(places) > self._most or next(iter(places.values())).left_at < place.left_at - RESUME_MAX:
            places.popitem(last=False)
        return True

    def take(self, queue: QueueName, number: str, within: float, now: float) -> LeftPlace | None:
        """Return, once, the place that ``number`` has given up within the last ``within`` seconds."""
        found = self._places.pop((queue, number), None)
        return found if found is not None and now - found.left_at <= within else None

    def items(self) -> list[tuple[QueueName, str, LeftPlace]]:
        """Return queue, number and place of all, in the order of leaving."""
        return [(queue, number, place) for (queue, number), place in self._places.items()]
