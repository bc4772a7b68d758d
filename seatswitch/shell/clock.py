"""The clock: the only file that reads time, and the meter of how late the loop is."""

import asyncio
import time
from collections.abc import Callable

monotonic = time.monotonic

TICK = 0.1  # seconds between two looks at the loop's lateness
_TICKS_PER_OFFSET = 10  # the wall clock is compared once a second
OFFSET_SLACK = 0.005  # seconds the wall clock may drift before the node is told


def wall_offset() -> float:
    """Return epoch seconds minus monotonic seconds, of the same instant."""
    return time.time() - time.monotonic()


class Ticker:
    """Wakes every :data:`TICK`: tells how late the loop was, and when the wall clock was moved.

    ``note_lag(lag)`` gets seconds, every tick; ``set_clock(offset)`` only after a change.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        note_lag: Callable[[float], None],
        set_clock: Callable[[float], None],
        *,
        now: Callable[[], float] = monotonic,
        offset: Callable[[], float] = wall_offset,
    ) -> None:
        self._loop = loop
        self._note_lag = note_lag
        self._set_clock = set_clock
        self._now = now
        self._read_offset = offset
        self._offset = offset()
        self._ticks = 0
        self._handle: asyncio.TimerHandle | None = None
        self._due_at = 0.0

    def start(self) -> None:
        """Begin to tick."""
        self._due_at = self._now() + TICK
        self._handle = self._loop.call_later(TICK, self._tick)

    def stop(self) -> None:
        """Tick no more."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _tick(self) -> None:
        now = self._now()
        late = max(0.0, now - self._due_at)
        self._due_at = now + TICK
        self._handle = self._loop.call_later(TICK, self._tick)
        self._ticks += 1
        if self._ticks % _TICKS_PER_OFFSET == 0:
            offset = self._read_offset()
            if abs(offset - self._offset) > OFFSET_SLACK:
                self._offset = offset
                self._set_clock(offset)
        self._note_lag(late)
