"""Tiers: which seats serve which queue. Membership only; a queue never holds a copy of a seat's state."""

from collections.abc import Iterable

from kernel.ids import QueueName, SeatId

_NOBODY: tuple[SeatId, ...] = ()


class Tiers:
    """Seats by queue and queues by seat, in the order of the configuration."""

    __slots__ = ("_queues", "_seats")

    def __init__(self, members: Iterable[tuple[SeatId, Iterable[QueueName]]]) -> None:
        self._queues: dict[SeatId, tuple[QueueName, ...]] = {}
        seats: dict[QueueName, list[SeatId]] = {}
        for seat, queues in members:
            self._queues[seat] = tuple(dict.fromkeys(queues))
            for queue in self._queues[seat]:
                seats.setdefault(queue, []).append(seat)
        self._seats = {queue: tuple(group) for queue, group in seats.items()}

    def seats_of(self, queue: QueueName) -> tuple[SeatId, ...]:
        """Return the seats that name ``queue``."""
        return self._seats.get(queue, _NOBODY)

    def queues_of(self, seat: SeatId) -> tuple[QueueName, ...]:
        """Return the queues that ``seat`` names."""
        return self._queues.get(seat, ())
