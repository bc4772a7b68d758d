"""Steady: whether the wall clock may be believed when files are removed because of their age.

A clock that is set a year ahead by mistake makes every recording old. So files stay while the clock has not
been steady for :data:`STEADY_FOR`: nobody knows yet whether it jumped or the switch was off for so long. A
small file keeps what was seen last, because the moments that rows name jump along with the clock, and a
restart in the middle of it should not believe them.
"""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec
import structlog

JUMP = 86_400.0  # seconds from one look to the next by which a clock jumps ahead; looks are an hour apart
STEADY_FOR = 3 * 86_400.0  # seconds: whoever sets clocks by mistake may be away for a weekend

log = structlog.get_logger()


class Seen(msgspec.Struct):
    """Moments of the wall clock (epoch)."""

    at: float  # of the last look
    since: float  # from when on it has gone steadily


class Steady:
    """Follows the wall clock."""

    def __init__(self, path: Path, on_change: Callable[[bool], None]) -> None:
        """``path`` is the file; ``on_change(is_steady)`` is told by the look that sees it."""
        self.is_steady = False
        self._path = path
        self._on_change = on_change
        self._seen = _read(path)

    def look(self, wall: float) -> bool:
        """Say whether the clock, which shows ``wall`` (epoch), may be believed; it was not, at first."""
        seen = self._seen
        if seen is None or wall < seen.since:  # there is nothing to compare with; or it was set back
            self._seen = Seen(wall, wall)
        elif wall - seen.at > JUMP:
            days = round((wall - seen.at) / 86_400.0, 1)
            log.warning("! the clock has jumped ahead: old recordings and voicemails are kept", days=days)
            self._seen = Seen(wall, wall)
        else:
            seen.at = wall
        assert self._seen is not None
        is_steady = wall - self._seen.since >= STEADY_FOR
        if is_steady != self.is_steady:
            self.is_steady = is_steady
            self._on_change(is_steady)
        return is_steady

    def save(self) -> None:
        """Write down what was seen. A disk that cannot be written to only makes the next start careful."""
        if self._seen is not None:
            beside = self._path.with_suffix(".new")
            with suppress(OSError):
                beside.write_bytes(msgspec.json.encode(self._seen))
                beside.replace(self._path)


def _read(path: Path) -> Seen | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Seen)
    except (OSError, msgspec.MsgspecError):
        return None
