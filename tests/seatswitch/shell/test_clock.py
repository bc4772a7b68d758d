from collections.abc import Callable
from typing import Any

import pytest

from seatswitch.shell.clock import TICK, Ticker, wall_offset


class FakeLoop:
    """Keeps what was to be called later, for the test to call when it likes."""

    def __init__(self) -> None:
        self.later: list[Callable[[], None]] = []

    def call_later(self, after: float, what: Callable[[], None]) -> Any:
        self.later.append(what)
        return None


def test_lateness_is_told_every_tick() -> None:
    """Fault list, "CPU starvation": a loop that wakes 3 s late says so, once."""
    loop: Any = FakeLoop()
    clock, lags = [100.0], list[float]()
    ticker = Ticker(loop, lags.append, print, now=lambda: clock[0], offset=lambda: 0.0)
    ticker.start()
    for woke_at in (100.1, 103.2, 103.3):
        clock[0] = woke_at
        loop.later.pop()()
    assert lags == pytest.approx([0.0, 3.0, 0.0], abs=1e-9)


def test_clock_that_was_moved_is_told_within_a_second() -> None:
    """Fault list, "clock jump": the node hears the new offset; nothing else changes."""
    loop: Any = FakeLoop()
    offset, told = [5.0], list[float]()
    ticker = Ticker(loop, lambda lag: None, told.append, now=lambda: 0.0, offset=lambda: offset[0])
    ticker.start()
    offset[0] = 3605.0
    for _ in range(round(1.0 / TICK)):
        loop.later.pop()()
    assert told == [3605.0]
    for _ in range(round(1.0 / TICK)):
        loop.later.pop()()
    assert told == [3605.0]


def test_offset_is_wall_minus_monotonic() -> None:
    assert wall_offset() > 1_000_000_000
