"""Rounds: what a busy switch does together, so that it wakes less often.

A busy UDP socket is read in rounds (:mod:`seatswitch.shell.udp`). While one is, the shell's own chores (the
journal's sync, commands gathered for media workers) are done in its rounds instead of waking the loop each
for itself: a wake-up from sleep was measured at 120 us, more than any of them. Otherwise a chore is a timer
of the loop.

Rule: a chore is done at most one round late (two, under more load than can be read), and nothing is lost when
the rounds begin or end.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from seatswitch.shell.clock import monotonic


class Handle(Protocol):
    """What can be called off; done at most once."""

    def cancel(self) -> None: ...


CallLater = Callable[[float, Callable[[], None]], Handle]


class Chore:
    """One callback that waits for its moment."""

    __slots__ = ("_rounds", "at", "callback", "timer")

    def __init__(self, rounds: "Rounds", at: float, callback: Callable[[], None]) -> None:
        self._rounds = rounds
        self.at = at
        self.callback = callback
        self.timer: asyncio.TimerHandle | None = None  # None while rounds do it

    def cancel(self) -> None:
        """Never do it; harmless when it has been done."""
        self._rounds.forget(self)


class Rounds:
    """The chores that wait, and who wakes for them. There are a handful: a list will do."""

    def __init__(self, loop: asyncio.AbstractEventLoop, now: Callable[[], float] = monotonic) -> None:
        self._loop = loop
        self._now = now
        self._holders = 0  # sockets that are read in rounds
        self._chores: list[Chore] = []

    def call_later(self, delay: float, callback: Callable[[], None]) -> Handle:
        """Do ``callback`` in ``delay`` seconds or in the round after that."""
        chore = Chore(self, self._now() + delay, callback)
        self._chores.append(chore)
        if self._holders == 0:
            self._arm(chore)
        return chore

    def begin(self) -> None:
        """Somebody calls :meth:`run` every round from now on, when all that came has been taken."""
        self._holders += 1
        if self._holders == 1:
            for chore in self._chores:
                self._disarm(chore)

    def end(self) -> None:
        """That somebody has stopped."""
        self._holders -= 1
        if self._holders == 0:
            for chore in self._chores:
                self._arm(chore)

    def run(self) -> None:
        """Do what is due."""
        now = self._now()
        for chore in [chore for chore in self._chores if chore.at <= now]:
            if chore in self._chores:  # not called off by the one before it
                self._do(chore)

    def forget(self, chore: Chore) -> None:
        """Call a chore off."""
        if chore in self._chores:
            self._chores.remove(chore)
            self._disarm(chore)

    def _do(self, chore: Chore) -> None:
        self.forget(chore)
        chore.callback()

    def _arm(self, chore: Chore) -> None:
        chore.timer = self._loop.call_later(max(0.0, chore.at - self._now()), self._do, chore)

    def _disarm(self, chore: Chore) -> None:
        if chore.timer is not None:
            chore.timer.cancel()
            chore.timer = None
