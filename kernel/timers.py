"""The timer queue of a node: every deadline of every floor, in one place.

A timer has an owner and a name, never a closure, so that it can be printed, checked and counted. Delays that
never change (RFC 3261's T1, 64*T1 and their like) go through :meth:`TimerQueue.arm_after`, one
first-in-first-out lane per delay: arming is an append. Everything else goes through :meth:`TimerQueue.arm`,
one heap. Disarming is a mark; the dead are dropped when they surface, or all at once when they outnumber the
living.

Rule: timers fire in the order of (moment, arming), whatever lane or heap they stand in.
"""

from collections import defaultdict, deque
from heapq import heapify, heappop, heappush
from typing import Protocol

import msgspec

GRAIN = 0.01  # seconds; the shell wakes at most once per grain
_COMPACT_FROM = 512  # dead entries in the heap before compaction is considered


class TimerOwner(Protocol):
    """Whoever arms a timer."""

    def on_timer(self, name: str, now: float) -> None:
        """Act on the timer called ``name``; it is no longer armed."""


class Timer(msgspec.Struct, order=True):
    """One armed deadline. ``owner`` is None once it has fired or was disarmed.

    Timers are compared field by field: by moment, then by ``order``, which no two share.
    """

    at: float
    order: int
    name: str
    owner: TimerOwner | None
    is_in_heap: bool = False

    def __repr__(self) -> str:
        return f"<Timer {self.name} of {type(self.owner).__name__} at {self.at:.3f}>"


class TimerQueue:
    """All deadlines of one node. The shell asks :meth:`next_deadline` and nobody else's."""

    def __init__(self) -> None:
        self._heap: list[Timer] = []
        self._lanes: defaultdict[float, deque[Timer]] = defaultdict(deque)
        self._order = 0
        self._dead_in_heap = 0
        self._next_at: float | None = None  # never later than the earliest living timer

    def arm(self, owner: TimerOwner, name: str, at: float) -> Timer:
        """Call ``owner.on_timer(name, ...)`` at the moment ``at``; any delay."""
        self._order += 1
        timer = Timer(at, self._order, name, owner, True)
        heappush(self._heap, timer)
        if self._next_at is None or at < self._next_at:
            self._next_at = at
        return timer

    def arm_after(self, owner: TimerOwner, name: str, after: float, now: float) -> Timer:
        """Call ``owner.on_timer(name, ...)`` ``after`` seconds from now; for delays that are constants."""
        self._order += 1
        at = now + after
        timer = Timer(at, self._order, name, owner)
        lane = self._lanes[after]
        if lane and lane[-1].at > at:
            # A caller handed in an older ``now``; a lane stays sorted only if nobody jumps it.
            timer.is_in_heap = True
            heappush(self._heap, timer)
        else:
            lane.append(timer)
        if self._next_at is None or at < self._next_at:
            self._next_at = at
        return timer

    def disarm(self, timer: Timer | None) -> None:
        """Forget ``timer``; disarming None, a fired or a disarmed timer does nothing."""
        if timer is None or timer.owner is None:
            return
        timer.owner = None
        if timer.is_in_heap:
            self._dead_in_heap += 1
            if self._dead_in_heap > _COMPACT_FROM and self._dead_in_heap * 2 > len(self._heap):
                self._compact()

    def next_deadline(self) -> float | None:
        """Return when to call :meth:`fire_due`; it may turn out that nothing was due."""
        return self._next_at

    def fire_due(self, now: float) -> int:
        """Fire everything due by ``now``, in order, and return how many timers fired."""
        if self._next_at is None or self._next_at > now:
            return 0
        fired = 0
        while (timer := self._pop_due(now)) is not None:
            owner = timer.owner
            if owner is not None:
                timer.owner = None
                fired += 1
                owner.on_timer(timer.name, now)
        return fired

    def armed(self) -> list[Timer]:
        """Return every living timer in firing order; for checks and for operators, not for the hot path."""
        living = [timer for timer in self._heap if timer.owner is not None]
        for lane in self._lanes.values():
            living.extend(timer for timer in lane if timer.owner is not None)
        return sorted(living)

    def _pop_due(self, now: float) -> Timer | None:
        """Remove and return the earliest living timer if it is due; else note when it will be."""
        heap = self._heap
        while heap and heap[0].owner is None:
            heappop(heap)
            self._dead_in_heap -= 1
        first: Timer | None = heap[0] if heap else None
        source: deque[Timer] | None = None
        for lane in self._lanes.values():
            while lane:
                earliest = lane[0]
                if earliest.owner is not None:
                    if first is None or earliest < first:
                        first, source = earliest, lane
                    break
                lane.popleft()
        if first is None:
            self._next_at = None
            return None
        self._next_at = first.at
        if first.at > now:
            return None
        if source is None:
            heappop(heap)
        else:
            source.popleft()
        return first

    def _compact(self) -> None:
        self._heap = [timer for timer in self._heap if timer.owner is not None]
        heapify(self._heap)
        self._dead_in_heap = 0
