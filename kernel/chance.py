"""Chance: the one source of ids and random draws of a node.

The shell gives it the operating system's randomness, the simulator a seeded generator; nothing below the
shell draws from anywhere else, so that one seed is one history. Bytes are drawn in batches because a draw
costs far more than a slice.
"""

from collections.abc import Callable

from kernel.ids import CallId

_BATCH = 4096  # bytes per draw
_CALLS_IN_ROW = 2**24  # calls whose ids begin with the same ten digits


class Chance:
    """Ids and numbers from ``draw(n) -> n random bytes``."""

    def __init__(self, draw: Callable[[int], bytes]) -> None:
        self._draw = draw
        self._tokens: list[str] = []  # the last is the next
        self._row = ""  # what the ids of calls begin with now
        self._calls = _CALLS_IN_ROW  # whose ids have begun with it

    def token(self) -> str:
        """Return 16 hexadecimal digits: 64 random bits (tags, nonces, Call-IDs; RFC 3261 19.3 asks for 32).
        """
        tokens = self._tokens
        if not tokens:
            tokens = self._tokens = self._draw(_BATCH).hex(" ", 8).split(" ")
            tokens.reverse()
        return tokens.pop()

    def branch(self) -> str:
        """Return a Via branch with RFC 3261's magic cookie (8.1.1.7)."""
        return "z9hG4bK" + self.token()

    def call_id(self) -> CallId:
        """Return the id of a new call: ten random digits and six that count.

        Calls that follow each other are neighbours in every index of the database, which then changes a few
        pages for them instead of one or more for each. Nobody may do anything by knowing an id.
        """
        calls = self._calls
        if calls == _CALLS_IN_ROW:
            self._row = self.token()[:10]
            calls = 0
        self._calls = calls + 1
        return CallId(f"{self._row}{calls:06x}")

    def number(self, below: int) -> int:
        """Return an integer in ``0 <= n < below``."""
        return int(self.token(), 16) % below

    def uniform(self, low: float, high: float) -> float:
        """Return a float in ``low <= x < high``."""
        return low + (high - low) * (int(self.token()[:13], 16) / 2**52)
