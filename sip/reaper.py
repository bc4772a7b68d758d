"""What a finished transaction leaves behind: a small record for as long as repetitions may come.

The cyclic collector neither looks at records nor counts them: 32 s of them at 1,000 calls/s would set it off
every few seconds, for the time it takes to look at all that lives. Entries stand in one first-in-first-out
lane per delay, all lanes share one timer, and an entry goes up to ``SLACK`` seconds late.

Rule: what is in a lane is in the table, or has been replaced by a later entry of the same key.
"""

from collections import deque
from typing import Any

import msgspec

from kernel.timers import Timer, TimerQueue
from sip.flows import Flow

SLACK = 0.5  # seconds an entry may outstay its time, so that a busy switch wakes for many at once
LINGERING_MAX = 400_000  # entries; 32 s at 12,500 requests a second, beyond which repetitions are not known

Key = Any  # str or a plain tuple of them


class Lingering(msgspec.Struct, gc=False):
    """What is left of one transaction; the flow stands field by field, because a tuple would be counted."""

    gone_at: float
    method: str
    data: bytes  # to repeat
    word: str  # of the owner
    transport: str
    local: int
    host: str
    port: int
    connection: int
    name: str


def flow_of(entry: Lingering) -> Flow:
    """Return the flow that an entry's bytes go out on."""
    return Flow(entry.transport, entry.local, entry.host, entry.port, entry.connection, entry.name)


class Reaper:
    """Puts entries into a table of transactions and takes them out when their time has come."""

    __slots__ = ("_lanes", "_table", "_timer", "_timers")

    def __init__(self, table: dict[Key, Any], timers: TimerQueue) -> None:
        self._table = table
        self._timers = timers
        self._timer: Timer | None = None
        self._lanes: dict[float, tuple[deque[float], deque[Key]]] = {}  # gone at, key: no tuple for each

    def linger(
        self, key: Key, method: str, data: bytes, flow: Flow, after: float, now: float, word: str = ""
    ) -> None:
        """Replace ``key``'s transaction by a record for ``after`` seconds; at once gone if that is 0."""
        if after <= 0.0 or len(self._table) >= LINGERING_MAX:
            self._table.pop(key, None)
            return
        at = now + after
        self._table[key] = Lingering(at, method, data, word, *flow)
        lane = self._lanes.get(after)
        if lane is None:
            lane = self._lanes[after] = (deque(), deque())
        lane[0].append(at)
        lane[1].append(key)
        if self._timer is None:
            self._timer = self._timers.arm(self, "reap", at)
        elif at < self._timer.at:
            self._timers.disarm(self._timer)
            self._timer = self._timers.arm(self, "reap", at)

    def on_timer(self, name: str, now: float) -> None:
        """Take out what is due (``name`` is always ``reap``)."""
        table = self._table
        next_at: float | None = None
        for gone_at, keys in self._lanes.values():
            while gone_at and gone_at[0] <= now:
                gone_at.popleft()
                key = keys.popleft()
                entry = table.get(key)
                if type(entry) is Lingering and entry.gone_at <= now:
                    del table[key]
            if gone_at and (next_at is None or gone_at[0] < next_at):
                next_at = gone_at[0]
        self._timer = None
        if next_at is not None:
            self._timer = self._timers.arm(self, "reap", max(next_at, now + SLACK))

    def check(self) -> None:
        """Assert that every record of the table will be taken out."""
        lingering = sum(1 for entry in self._table.values() if type(entry) is Lingering)
        lanes = self._lanes.values()
        assert all(len(gone_at) == len(keys) for gone_at, keys in lanes), "a lane has lost its step"
        assert lingering <= sum(len(keys) for _, keys in lanes), "a record would stay for ever"
        assert (self._timer is not None) == any(keys for _, keys in lanes), "the reaper sleeps"
