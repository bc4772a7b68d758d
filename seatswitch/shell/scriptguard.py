"""The guard of scripts in Python, which run in the switch's own turn: while one computes nobody is served.

One that has computed for :data:`SLOW` seconds is named in the log. After :data:`LIMIT` seconds TookTooLong
is raised in the middle of it, by a signal: its call ends like that of any script that fails, and the switch
goes on. The signal does nothing wherever else it comes.
"""

import signal
import threading
from types import FrameType

import structlog

from calls.script import Script, TookTooLong
from seatswitch.shell.clock import monotonic

SLOW = 0.1  # seconds without a yield that an operator must know of
LIMIT = 1.0  # and that end it
TAKES_LONG = "a script takes long, and nobody is served meanwhile"

log = structlog.get_logger()


class ScriptGuard:
    """Looks at the clock while a script runs."""

    def __init__(self, limit: float = LIMIT, slow: float = SLOW) -> None:
        self._limit, self._slow = limit, slow
        self._name = ""
        self._script: Script | None = None
        self._begun_at = 0.0
        self._is_armed = False

    def begin(self, name: str, script: Script) -> None:
        """The code of ``script`` is about to run."""
        self._name, self._script, self._begun_at = name, script, monotonic()
        if threading.current_thread() is threading.main_thread():  # elsewhere no signal arrives
            if signal.getsignal(signal.SIGALRM) != self._alarm:
                signal.signal(signal.SIGALRM, self._alarm)
            # Again and again: a script may catch whatever is raised in it.
            signal.setitimer(signal.ITIMER_REAL, self._limit, self._limit)
            self._is_armed = True

    def end(self) -> None:
        """It has yielded, or is over."""
        if self._is_armed:
            signal.setitimer(signal.ITIMER_REAL, 0.0)
        self._is_armed, self._script = False, None
        took = monotonic() - self._begun_at
        if took >= self._slow:
            log.warning(TAKES_LONG, script=self._name, took=round(took, 3))

    def _alarm(self, number: int, frame: FrameType | None) -> None:
        script = self._script
        inside = getattr(script, "gi_frame", None)
        while frame is not None and inside is not None:
            if frame is inside:
                raise TookTooLong
            frame = frame.f_back
