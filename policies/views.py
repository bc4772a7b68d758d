"""What a policy may see: read-only protocols. The engine passes its own objects, never copies."""

from typing import Protocol, TypeAlias

from kernel.ids import SeatId

SeatKey: TypeAlias = tuple[float | str, ...]
CallKey: TypeAlias = tuple[float, ...]


class SeatView(Protocol):
    """A ready seat."""

    @property
    def id(self) -> SeatId: ...
    @property
    def level(self) -> int:
        """Rank of its level, 0 = lowest."""

    @property
    def breadth(self) -> int:
        """Number of its queues plus number of its skills."""

    @property
    def idle_since(self) -> float: ...
    @property
    def offered_last(self) -> int:
        """Sequence number of the last offer made to it; 0: none yet."""

    @property
    def answered(self) -> int: ...
    @property
    def talked_for(self) -> float: ...
    @property
    def order(self) -> int:
        """Place in the configuration."""

    def answered_in(self, queue: str) -> int:
        """Calls of ``queue`` that it has answered since the start."""

    def rank_in(self, queue: str) -> int:
        """Rank of the seat in ``queue``: 1 first."""

    def share_in(self, queue: str) -> int:
        """What chance the seat has in ``queue``, by number: 2 is twice that of 1."""


class CallView(Protocol):
    """The call that stands first in its line."""

    @property
    def key(self) -> float:
        """When it joined, less its credit."""

    @property
    def sequence(self) -> int: ...
    @property
    def weight(self) -> int:
        """Weight of its queue."""

    @property
    def priority(self) -> int:
        """Strict priority of its queue, higher first."""

    @property
    def starves_after(self) -> float:
        """Credited wait from which on it is compared by that alone; infinite: never."""

    @property
    def queue_length(self) -> int:
        """Visits in its queue, this one included."""

    @property
    def handled_for(self) -> float:
        """Smoothed seconds that calls of its queue keep a seat, wrap-up included; 0: not known yet."""
