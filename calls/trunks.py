"""Trunk caps: how many calls at once, and how many new ones a second (a bucket that holds one second's
worth). Both directions count together.
"""

import msgspec

from calls.settings import TrunkSettings


class TrunkCounters(msgspec.Struct):
    """What has happened at a trunk since the start."""

    calls_in: int = 0
    calls_out: int = 0
    over_cap: int = 0  # refused, or sent elsewhere, because of max_calls or max_cps
    failovers: int = 0  # not taken here and tried elsewhere


class TrunkGate:
    """Counts a node's calls per trunk and says whether one more may come in."""

    def __init__(self) -> None:
        self._calls: dict[str, int] = {}
        self._buckets: dict[str, tuple[float, float]] = {}  # trunk -> (tokens, filled at)
        self._counters: dict[str, TrunkCounters] = {}

    def admit(self, trunk: TrunkSettings, now: float, direction: str = "in") -> str:
        """Count a new call in and return "", or return why it must be refused."""
        refusal = self._take(trunk, now)
        counters = self.counters(trunk.name)
        if refusal:
            counters.over_cap += 1
        elif direction == "in":
            counters.calls_in += 1
        else:
            counters.calls_out += 1
        return refusal

    def counters(self, trunk: str) -> "TrunkCounters":
        """Return what has happened at a trunk since the start."""
        counters = self._counters.get(trunk)
        if counters is None:
            counters = self._counters[trunk] = TrunkCounters()
        return counters

    def note_failover(self, trunk: str) -> None:
        """A call that ``trunk`` did not take was tried elsewhere."""
        self.counters(trunk).failovers += 1

    def _take(self, trunk: TrunkSettings, now: float) -> str:
        count = self._calls.get(trunk.name, 0)
        if trunk.max_calls and count >= trunk.max_calls:
            return "us:trunk_calls"
        if trunk.max_cps:
            tokens, filled_at = self._buckets.get(trunk.name, (max(trunk.max_cps, 1.0), now))
            tokens = min(max(trunk.max_cps, 1.0), tokens + (now - filled_at) * trunk.max_cps)
            if tokens < 1.0:
                self._buckets[trunk.name] = (tokens, now)
                return "us:trunk_rate"
            self._buckets[trunk.name] = (tokens - 1.0, now)
        self._calls[trunk.name] = count + 1
        return ""

    def readmit(self, trunk: str) -> None:
        """Count a call in that came before this process did."""
        self._calls[trunk] = self._calls.get(trunk, 0) + 1

    def release(self, trunk: str) -> None:
        """Count a call of ``trunk`` out."""
        self._calls[trunk] -= 1

    def calls(self, trunk: str) -> int:
        """Return how many calls a trunk has now."""
        return self._calls.get(trunk, 0)

    def total(self) -> int:
        """Return how many calls all trunks have."""
        return sum(self._calls.values())
