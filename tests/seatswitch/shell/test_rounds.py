import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from seatswitch.shell.rounds import Rounds


class StubTimer:
    """A timer of the loop that has not fired."""

    def __init__(self, delay: float, fire: Callable[[], None]) -> None:
        self.delay, self.fire, self.is_cancelled = delay, fire, False

    def cancel(self) -> None:
        self.is_cancelled = True


class StubLoop:
    """Keeps the timers it is asked for."""

    def __init__(self) -> None:
        self.timers: list[StubTimer] = []

    def call_later(self, delay: float, callback: Callable[..., None], *arguments: Any) -> StubTimer:
        timer = StubTimer(delay, lambda: callback(*arguments))
        self.timers.append(timer)
        return timer

    def armed(self) -> list[float]:
        return [round(timer.delay, 6) for timer in self.timers if not timer.is_cancelled]


class Scene:
    """Rounds on a clock of our own; ``done`` says what was done when."""

    def __init__(self) -> None:
        self.now = 100.0
        self.loop = StubLoop()
        loop: Any = self.loop
        self.rounds = Rounds(loop, lambda: self.now)
        self.done: list[tuple[float, str]] = []

    def chore(self, name: str) -> Callable[[], None]:
        return lambda: self.done.append((self.now, name))


def test_without_rounds_a_chore_is_a_timer_of_the_loop() -> None:
    scene = Scene()
    scene.rounds.call_later(0.1, scene.chore("sync"))
    assert scene.loop.armed() == [0.1]
    scene.now = 100.1
    scene.loop.timers[0].fire()
    assert scene.done == [(100.1, "sync")]


def test_rounds_do_chores_when_they_are_due_and_no_timer_wakes_for_them() -> None:
    scene = Scene()
    scene.rounds.call_later(0.1, scene.chore("before"))
    scene.rounds.begin()
    scene.rounds.call_later(0.05, scene.chore("within"))
    assert scene.loop.armed() == []
    for moment in (100.04, 100.06, 100.08, 100.1):
        scene.now = moment
        scene.rounds.run()
    assert scene.done == [(100.06, "within"), (100.1, "before")]


def test_what_rounds_leave_wakes_the_loop_again() -> None:
    scene = Scene()
    scene.rounds.begin()
    scene.rounds.begin()
    scene.rounds.call_later(0.1, scene.chore("sync"))
    scene.now = 100.03
    scene.rounds.end()
    assert scene.loop.armed() == []  # the other socket still runs
    scene.rounds.end()
    assert scene.loop.armed() == [pytest.approx(0.07)]
    scene.now = 100.5
    scene.rounds.begin()
    scene.rounds.end()
    assert scene.loop.armed() == [0.0]  # late already


def test_a_chore_may_call_off_another_and_ask_for_the_next() -> None:
    scene = Scene()
    scene.rounds.begin()
    second = scene.rounds.call_later(0.0, scene.chore("second"))

    def first() -> None:
        second.cancel()
        scene.rounds.call_later(0.0, scene.chore("third"))

    scene.rounds.call_later(0.0, first)
    scene.rounds.run()
    assert scene.done == [(100.0, "second")]  # it was there first; calling it off again is harmless
    scene.rounds.run()
    assert scene.done[1:] == [(100.0, "third")]
    called_off = scene.rounds.call_later(0.0, scene.chore("never"))
    called_off.cancel()
    scene.rounds.run()
    assert len(scene.done) == 2


async def test_on_a_real_loop() -> None:
    rounds = Rounds(asyncio.get_running_loop())
    done = asyncio.Event()
    rounds.call_later(0.001, done.set)
    await asyncio.wait_for(done.wait(), 10.0)
