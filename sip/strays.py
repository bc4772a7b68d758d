"""Strays: messages that belong to nothing - answers nobody waits for, requests inside no dialog, floods.

Each is answered without keeping anything, or dropped, and counted; the operator hears of a storm of them
once per window, not once per message (A-FLOOD3).
"""

from collections.abc import Callable

from sip.events import StraysSeen

WINDOW = 10.0  # seconds
STORM = 100  # strays in one window that are worth a word


class Strays:
    """Counts the strays of one stack."""

    __slots__ = ("_put_event", "_seen", "_window_ends_at", "total")

    def __init__(self, put_event: Callable[[StraysSeen], None]) -> None:
        self.total = 0
        self._seen = 0  # in this window
        self._window_ends_at = float("-inf")
        self._put_event = put_event

    def note(self, what: str, host: str, now: float) -> None:
        """Count one stray of ``host``."""
        self.total += 1
        if now >= self._window_ends_at:
            self._window_ends_at = now + WINDOW
            self._seen = 0
        self._seen += 1
        if self._seen == STORM:
            self._put_event(StraysSeen(what, host, self.total))
