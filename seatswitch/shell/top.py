"""The live board: queues above, seats as coloured cells, the calls that wait, and what came in a minute.

Every second the switch is asked for everything at once. In a pipe one frame is printed.
"""

import os
import select
import sys
import termios
import tty
from collections import deque
from collections.abc import Sequence
from types import TracebackType
from typing import Any

from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from seatswitch.shell.client import Client
from seatswitch.shell.clock import monotonic, wall_offset
from seatswitch.shell.tables import (
    CALLS,
    QUEUES,
    View,
    build_table,
    duration,
    elapsed,
    plain,
    seat_state,
    styled_state,
)

METHODS = ("queue.list", "seat.list", "call.list", "admin.status")
EVERY = 1.0  # seconds between frames
RATE_OVER = 60.0  # seconds that rates are taken over
SEATS_SHOWN = 400
CALLS_SHOWN = 20


class Keyboard:
    """Single key presses of a terminal; nothing but time where the input is none."""

    def __init__(self, fd: int | None = None) -> None:
        self._fd = _standard_input() if fd is None else fd
        self._before: list[Any] | None = None

    def __enter__(self) -> "Keyboard":
        if self._fd >= 0 and os.isatty(self._fd):
            self._before = termios.tcgetattr(self._fd)
            tty.setcbreak(self._fd, termios.TCSADRAIN)  # what was typed ahead counts
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._before is not None:
            termios.tcsetattr(self._fd, termios.TCSADRAIN, self._before)

    def wait(self, seconds: float) -> str:
        """Return the key pressed within ``seconds``, or nothing."""
        watched = [self._fd] if self._before is not None else []
        ready, _, _ = select.select(watched, [], [], seconds)
        return os.read(self._fd, 1).decode("ascii", "replace") if ready else ""


def _standard_input() -> int:
    try:
        return sys.stdin.fileno()
    except (ValueError, OSError, AttributeError):  # closed, not a file, or absent
        return -1


class Board:
    """Frames out of answers; remembers counters, so that it can say what came in a minute."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int, int]] = deque()  # moment, answered, abandoned

    def frame(self, answers: Sequence[Any], now: float, wall: float, width: int = 0) -> RenderableType:
        """Return one frame of the answers to :data:`METHODS`, for lines of ``width`` characters if not 0."""
        queues, seats, calls, status = answers
        waiting = [
            call for call in calls if call.get("state") in ("waiting", "ringing") and call.get("queue")
        ]
        waiting.sort(key=lambda call: -(call.get("waited") or 0))
        parts: list[RenderableType] = [
            self._head(queues, seats, calls, status, now),
            build_table(QUEUES, queues, wall, "Queues", width),
            Text("Seats"),
            Columns([_cell(seat, wall) for seat in seats[:SEATS_SHOWN]], padding=(0, 2)),
            *_more(len(seats) - SEATS_SHOWN, "seats"),
            Text(),
        ]
        if waiting:
            parts.append(build_table(CALLS, waiting[:CALLS_SHOWN], wall, "Waiting", width))
            parts.extend(_more(len(waiting) - CALLS_SHOWN, "calls"))
        else:
            parts.append(Text("Nobody waits", "dim"))
        return Group(*parts)

    def _head(
        self, queues: Sequence[View], seats: Sequence[View], calls: Sequence[View], status: View, now: float
    ) -> Text:
        answered = sum(int(queue.get("answered") or 0) for queue in queues)
        abandoned = sum(int(queue.get("abandoned") or 0) for queue in queues)
        self._seen.append((now, answered, abandoned))
        while now - self._seen[0][0] > RATE_OVER:
            self._seen.popleft()
        since, answered_then, abandoned_then = self._seen[0]
        span = now - since
        signed_in = sum(seat.get("presence") != "offline" for seat in seats)
        head = Text("seatswitch", "bold")
        if status.get("uptime") is not None:
            head.append(f"  up {duration(status['uptime'])}", "")
        head.append(f"   calls {len(calls)}   seats {signed_in} of {len(seats)} signed in")
        if span >= 1:
            head.append(f"   answered {60 * max(0, answered - answered_then) / span:.0f}/min")
            head.append(f"   abandoned {60 * max(0, abandoned - abandoned_then) / span:.0f}/min")
        for flag in ("draining", "overloaded"):
            if status.get(flag):
                head.append(f"   {flag.upper()}", "bold red")
        return head


def _cell(seat: View, wall: float) -> Text:
    word = seat_state(seat)
    text = Text(plain(seat.get("seat")), "bold")
    text.append(" ").append(styled_state(seat))
    if word != "offline":
        text.append(f" {duration(elapsed(seat.get('since'), wall))}", "dim")
    return text


def _more(count: int, what: str) -> list[RenderableType]:
    return [Text(f"... and {count} more {what}", "dim")] if count > 0 else []


def run_top(client: Client, console: Console, keyboard: Keyboard, every: float = EVERY) -> None:
    """Show the board until q or Ctrl-C; one frame where the output is no terminal, or a dumb one."""
    board = Board()

    def look() -> RenderableType:
        now = monotonic()
        width = console.width if console.is_terminal else 0
        return board.frame(client.batch(METHODS), now, now + wall_offset(), width)

    if not console.is_terminal or console.is_dumb_terminal:
        console.print(look())
        return
    live = Live(look(), console=console, screen=True, auto_refresh=False)
    try:
        with keyboard:
            live.start(refresh=True)
            while keyboard.wait(every) not in ("q", "Q", "\x1b"):
                live.update(look(), refresh=True)
    except KeyboardInterrupt:
        return
    finally:
        live.stop()  # even where Ctrl-C comes in the first frame: the terminal gets its own screen back
