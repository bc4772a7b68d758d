"""Trunk caps: how many calls at once, and how many new ones a second (a bucket that holds one second's
worth).
"""

from calls.settings import TrunkSettings


class TrunkGate:
    """Counts a node's calls per trunk and says whether one more may come in."""

    def __init__(self) -> None:
        self._calls: dict[str, int] = {}
        self._buckets: dict[str, tuple[float, float]] = {}  # trunk -> (tokens, filled at)

    def admit(self, trunk: TrunkSettings, now: float) -> str:
        """Count a new call in and return "", or return why it must be refused."""
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

    def release(self, trunk: str) -> None:
        """Count a call of ``trunk`` out."""
        self._calls[trunk] -= 1

    def calls(self, trunk: str) -> int:
        """Return how many calls a trunk has now."""
        return self._calls.get(trunk, 0)

    def total(self) -> int:
        """Return how many calls all trunks have."""
        return sum(self._calls.values())
