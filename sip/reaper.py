"""What a finished transaction leaves behind: a plain tuple for as long as repetitions may come.

An object would cost the cyclic collector a look at every collection for 32 s after every request; a tuple of
strings and bytes costs nothing. Entries stand in one first-in-first-out lane per delay, all lanes share one
timer, and an entry goes up to ``SLACK`` seconds late.

Rule: what is in a lane is in the table, or has been replaced by a later entry of the same key.
"""

from collections import deque
from typing import Any

from kernel.timers import Timer, TimerQueue
from sip.flows import Flow

SLACK = 0.5  # seconds an entry may outstay its time, so that a busy switch wakes for many at once
LINGERING_MAX = 400_000  # entries; 32 s at 12,500 requests a second, beyond which repetitions are not known

# (gone at, method, bytes to repeat, word of the owner, transport, local, host, port, connection, name)
Lingering = tuple[float, str, bytes, str, str, int, str, int, int, str]
Key = Any  # str or a plain tuple of them


def flow_of(entry: Lingering) -> Flow:
    """Return the flow that an entry's bytes go out on."""
    return Flow(*entry[4:])


class Reaper:
    """Puts entries into a table of transactions and takes them out when their time has come."""

    __slots__ = ("_lanes", "_table", "_timer", "_timers")

    def __init__(self, table: dict[Key, Any], timers: TimerQueue) -> None:
        self._table = table
        self._timers = timers
        self._timer: Timer | None = None
        self._lanes: dict[float, deque[tuple[float, Key]]] = {}

    def linger(
        self, key: Key, method: str, data: bytes, flow: Flow, after: float, now: float, word: str = ""
    ) -> None:
        """Replace ``key``'s transaction by a tuple for ``after`` seconds; at once gone if that is 0."""
        if after <= 0.0 or len(self._table) >= LINGERING_MAX:
            self._table.pop(key, None)
            return
        at = now + after
        self._table[key] = (at, method, data, word, *flow)
        lane = self._lanes.get(after)
        if lane is None:
            lane = self._lanes[after] = deque()
        lane.append((at, key))
        if self._timer is None:
            self._timer = self._timers.arm(self, "reap", at)
        elif at < self._timer.at:
            self._timers.disarm(self._timer)
            self._timer = self._timers.arm(self, "reap", at)

    def on_timer(self, name: str, now: float) -> None:
        """Take out what is due (``name`` is always ``reap``)."""
        table = self._table
        next_at: float | None = None
        for lane in self._lanes.values():
            while lane and lane[0][0] <= now:
                key = lane.popleft()[1]
                entry = table.get(key)
                if type(entry) is tuple and entry[0] <= now:
                    del table[key]
            if lane and (next_at is None or lane[0][0] < next_at):
                next_at = lane[0][0]
        self._timer = None
        if next_at is not None:
            self._timer = self._timers.arm(self, "reap", max(next_at, now + SLACK))

    def check(self) -> None:
        """Assert that every tuple of the table will be taken out."""
        lingering = sum(1 for entry in self._table.values() if type(entry) is tuple)
        assert lingering <= sum(len(lane) for lane in self._lanes.values()), "a tuple would stay for ever"
        assert (self._timer is not None) == any(self._lanes.values()), "the reaper sleeps"
