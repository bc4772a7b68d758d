"""The one clock of a simulated world: a heap of things to do, and a jump to the next.

Ties are broken by the order of planning, so one seed is one history.
"""

from collections.abc import Callable
from heapq import heappop, heappush


class Planned:
    """Something that will happen at ``at`` unless it is called off."""

    __slots__ = ("action", "at", "order")

    def __init__(self, at: float, order: int, action: Callable[[], None]) -> None:
        self.at = at
        self.order = order
        self.action: Callable[[], None] | None = action

    def __lt__(self, other: "Planned") -> bool:
        return (self.at, self.order) < (other.at, other.order)

    def call_off(self) -> None:
        """Forget it; calling off twice, or what has happened, does nothing."""
        self.action = None


class Timeline:
    """Virtual time in seconds and what is planned in it."""

    __slots__ = ("_heap", "_order", "now")

    def __init__(self, now: float = 0.0) -> None:
        self.now = now
        self._heap: list[Planned] = []
        self._order = 0

    def at(self, moment: float, action: Callable[[], None]) -> Planned:
        """Plan ``action`` for ``moment``, or for now where that is past."""
        self._order += 1
        planned = Planned(max(moment, self.now), self._order, action)
        heappush(self._heap, planned)
        return planned

    def after(self, delay: float, action: Callable[[], None]) -> Planned:
        """Plan ``action`` for ``delay`` seconds from now."""
        return self.at(self.now + delay, action)

    def next_at(self) -> float | None:
        """Return when the next planned thing happens."""
        heap = self._heap
        while heap and heap[0].action is None:
            heappop(heap)
        return heap[0].at if heap else None

    def step(self) -> bool:
        """Jump to the next planned thing and do it; False when nothing is planned."""
        if self.next_at() is None:
            return False
        planned = heappop(self._heap)
        action = planned.action
        assert action is not None
        planned.action = None
        self.now = planned.at
        action()
        return True

    def run(self, until: float) -> None:
        """Do everything planned up to ``until``, and stand there."""
        while (next_at := self.next_at()) is not None and next_at <= until:
            self.step()
        self.now = max(self.now, until)
