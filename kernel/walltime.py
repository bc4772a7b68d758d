"""Wall time as a value: the offset between the node's monotonic seconds and the epoch.

Inside, moments are monotonic (``*_at``). Wall time appears only where rows leave, where calendars enter and
where a user reads it; the shell alone reads the clock and hands the offset in (``ClockSet``).
"""

from datetime import UTC, datetime


class WallTime:
    """Monotonic to wall time and back, for the offset last set."""

    __slots__ = ("_at", "_epoch", "_offset")

    def __init__(self, offset: float = 0.0) -> None:
        self.set_offset(offset)

    def set_offset(self, offset: float) -> None:
        """Take a new offset: epoch seconds minus monotonic seconds, of the same instant."""
        self._offset = offset
        # The last moment that was asked for: the rows of a turn have most of theirs in common.
        self._at = 0.0
        self._epoch = _milliseconds(offset)

    def epoch(self, at: float) -> float:
        """Return the moment ``at`` as epoch seconds, rounded to milliseconds."""
        if at == self._at:
            return self._epoch
        self._at = at
        epoch = self._epoch = _milliseconds(at + self._offset)
        return epoch

    def monotonic(self, epoch: float) -> float:
        """Return the monotonic moment of ``epoch`` seconds."""
        return epoch - self._offset

    def text(self, at: float) -> str:
        """Return the moment ``at`` as RFC 3339 in UTC with milliseconds: ``2026-03-01T08:00:00.000Z``."""
        return epoch_text(at + self._offset)


def _milliseconds(epoch: float) -> float:
    """Return ``round(epoch, 3)`` at a third of what that costs, and the same to the last digit."""
    return int(epoch * 1000.0 + 0.5) / 1000.0


def epoch_text(epoch: float) -> str:
    """Return epoch seconds as RFC 3339 in UTC with milliseconds."""
    moment = datetime.fromtimestamp(round(epoch, 3), UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
