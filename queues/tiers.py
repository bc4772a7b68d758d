"""Tiers: which seats serve which queue. Membership only; a queue never holds a copy of a seat's state."""

from collections.abc import Iterable

from kernel.ids import QueueName, SeatId

_NOBODY: tuple[SeatId, ...] = ()


class Tiers:
    """Seats by queue and queues by seat, in the order of the configuration.

    To move one seat costs by its own queues; who stands where in a queue it has come to is found out when
    somebody asks.
    """

    __slots__ = ("_listed", "_order", "_queues", "_seats")

    def __init__(self, members: Iterable[tuple[SeatId, Iterable[QueueName]]]) -> None:
        self._queues: dict[SeatId, tuple[QueueName, ...]] = {}
        self._order: dict[SeatId, int] = {}
        self._seats: dict[QueueName, dict[SeatId, None]] = {}
        self._listed: dict[QueueName, tuple[SeatId, ...]] = {}  # in order; of queues that were asked for
        for seat, queues in members:
            self.move(seat, queues)

    def move(self, seat: SeatId, queues: Iterable[QueueName]) -> None:
        """Let ``seat`` name ``queues``, and no others; a new seat comes last."""
        self._order.setdefault(seat, len(self._order))
        before = self._queues.get(seat, ())
        after = self._queues[seat] = tuple(dict.fromkeys(queues))
        for queue in before:
            if queue not in after:
                del self._seats[queue][seat]
                self._listed.pop(queue, None)
        for queue in after:
            if queue not in before:
                self._seats.setdefault(queue, {})[seat] = None
                self._listed.pop(queue, None)

    def seats_of(self, queue: QueueName) -> tuple[SeatId, ...]:
        """Return the seats that name ``queue``."""
        listed = self._listed.get(queue)
        if listed is None:
            seats = self._seats.get(queue)
            if seats is None:
                return _NOBODY
            listed = self._listed[queue] = tuple(sorted(seats, key=self._order.__getitem__))
        return listed

    def queues_of(self, seat: SeatId) -> tuple[QueueName, ...]:
        """Return the queues that ``seat`` names."""
        return self._queues.get(seat, ())
