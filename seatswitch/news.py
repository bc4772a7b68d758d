"""News: the node's numbered events, kept for a while so that a client that was away loses nothing.

Numbers have no gaps and begin, in each run, behind those of the runs before, so that a number from before a
restart is known to be old. While nobody listens, or has listened within the resume time, events are counted
but not built: a resume from before that moment is answered with a resync.
"""

from collections import deque
from collections.abc import Callable
from typing import Any

from kernel.limits import EVENT_BUFFER_MAX
from kernel.outbox import Outbox

Entry = tuple[int, float, str, dict[str, Any]]  # seq, at (monotonic), topic, data


class EventLog:
    """The last events of one node.

    ``seq`` is the number of the last one; while nobody wants any, whoever would put one may count it there.
    """

    def __init__(self, base: int = 0) -> None:
        """The first event gets the number after ``base``: epoch milliseconds of the start."""
        self.seq = base
        self.wanted = False
        self.fresh: Outbox[Entry] = Outbox()
        self._kept: deque[Entry] = deque(maxlen=EVENT_BUFFER_MAX)
        self._built = base  # the last number that was not counted only
        self._gap_at = base  # the last before it that was, or was another run's

    def put(self, topic: str, build: Callable[[], dict[str, Any]], now: float) -> None:
        """Count an event; build its data only while somebody may want it."""
        self.seq += 1
        if not self.wanted:
            return
        if self._built != self.seq - 1:
            self._gap_at = self.seq - 1
        self._built = self.seq
        entry = (self.seq, now, topic, build())
        self._kept.append(entry)
        self.fresh.put(entry)

    def since(self, seq: int) -> list[Entry] | None:
        """Return what came after number ``seq``, or None if some of that is no longer (or was never) kept."""
        gap_at = self._gap_at if self._built == self.seq else self.seq
        if seq > self.seq or seq < gap_at:
            return None
        if seq == self.seq:
            return []
        if not self._kept or self._kept[0][0] > seq + 1:
            return None
        return [entry for entry in self._kept if entry[0] > seq]
