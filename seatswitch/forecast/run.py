"""One replication: the engine in virtual time, every ring answered at once, every call as long as drawn.

Counted are the calls that arrive after the warm-up, until there are as many as asked for; then nobody calls
any more and those who are still waiting are seen out.
"""

from collections.abc import Callable
from heapq import heappop, heappush
from math import inf
from typing import Any

import msgspec

from acd.commands import ReleaseCall, RingSeat
from acd.engine import Engine
from acd.inputs import CallJoined, CallLeft, OfferAnswered, SignedIn, TalkEnded
from acd.seat import Seat
from kernel.chance import Chance
from kernel.ids import CallId, QueueName, SeatId
from kernel.timers import TimerQueue
from kernel.walltime import WallTime
from queues.events import Outcome
from seatswitch.forecast.people import BuildSource, Caller, People
from seatswitch.forecast.settings import Scenario
from seatswitch.forecast.tally import ClassTally, Tally

TELL_EVERY = 500  # calls

_CALLER = "caller"


class Run:
    """One replication of a scenario."""

    def __init__(
        self, scenario: Scenario, build_source: BuildSource, told: Callable[[int], None] | None = None
    ) -> None:
        """``build_source(name)`` must give sources of this replication alone; ``told`` hears now and then how
        many calls more have been counted.
        """
        self._scenario = scenario
        self._told = told
        self._queues = [QueueName(kind.name) for kind in scenario.classes]
        self._people = [People(kind, build_source) for kind in scenario.classes]
        idle = [0.0 for _ in scenario.groups]
        self.tally = Tally([ClassTally() for _ in scenario.classes], idle, squares=idle.copy())
        self._loads = [(0.0, 0) for _ in scenario.groups]  # since when how many seats work
        self._timers = TimerQueue()
        seats = tuple(seat for group in scenario.groups for seat in group.seats)
        acd = msgspec.structs.replace(scenario.acd, seats=seats)
        chance = Chance(build_source("seats").randbytes)
        self._engine = Engine(acd, self._timers, chance, WallTime(), keeps_history=False)
        self._desks: dict[SeatId, tuple[Seat, int, float]] = {}  # seat -> itself, its group, its speed
        for number, group in enumerate(scenario.groups):
            for settings in group.seats:
                seat = SeatId(settings.number)
                self._desks[seat] = (self._engine.seats[seat], number, group.speed)
                self._engine.handle(SignedIn(seat, "forecast"), 0.0)
        self._events: list[tuple[float, int, Callable[[Any, float], None], Any]] = []
        self._order = 0
        self._calls = 0  # that have come
        self._counted = 0
        self._callers: dict[CallId, Caller] = {}  # waiting or talking: each has a line
        self._end_at = inf  # of counting

    def run(self) -> Tally:
        """Play it to the end."""
        for kind in range(len(self._people)):
            self._plan_arrival(kind, 0.0)
        events, timers = self._events, self._timers
        while True:
            at = events[0][0] if events else inf
            due = timers.next_deadline()
            if due is not None and due <= at:
                if not self._callers and not events:
                    break
                timers.fire_due(due)
                self._obey(due)
            elif events:
                at, _, happens, what = heappop(events)
                happens(what, at)
            else:
                break
        if self._end_at < inf:
            self.tally.span = self._end_at - self._scenario.warm_up
        return self.tally

    def _plan(self, at: float, happens: Callable[[Any, float], None], what: Any) -> None:
        self._order += 1
        heappush(self._events, (at, self._order, happens, what))

    def _plan_arrival(self, kind: int, now: float) -> None:
        at = self._people[kind].arrivals.next_after(now)
        if at is not None:
            self._plan(at, self._arrive, kind)

    # Callers.

    def _arrive(self, kind: int, now: float) -> None:
        scenario = self._scenario
        if self._end_at < inf:
            return
        people, tally = self._people[kind], self.tally.classes[kind]
        self._calls += 1
        caller = people.caller(CallId(str(self._calls)), kind, now)
        self._plan_arrival(kind, now)
        if now >= scenario.warm_up:
            caller.is_counted = True
            tally.offered += 1
            self._counted += 1
            if self._counted == scenario.calls:
                self._end_at = now
            if self._told is not None and (not self._counted % TELL_EVERY or self._end_at == now):
                self._told(self._counted % TELL_EVERY or TELL_EVERY)
        if scenario.lines and len(self._callers) >= scenario.lines:
            tally.blocked += caller.is_counted
            return
        self._callers[caller.call] = caller
        self._engine.handle(CallJoined(caller.call, self._queues[kind], _CALLER), now)
        self._obey(now)
        if not caller.is_waiting:
            return
        if not people.is_queued:
            self._lose(caller, "withdrawn", now)
            tally.blocked += caller.is_counted
            return
        tally.waited += caller.is_counted
        if caller.patience >= 0:
            self._plan(now + caller.patience, self._tire, caller)

    def _tire(self, caller: Caller, now: float) -> None:
        """The caller's patience is over, if it is still needed."""
        if caller.is_waiting:
            self._lose(caller, "abandoned", now)
            if caller.is_counted:
                self.tally.classes[caller.kind].count_loss(now - caller.joined_at)

    def _lose(self, caller: Caller, cause: str, now: float) -> None:
        caller.is_waiting = False
        del self._callers[caller.call]
        self._engine.handle(CallLeft(caller.call, cause), now)
        self._obey(now)

    # Seats.

    def _obey(self, now: float) -> None:
        """Do what the engine asks for, and forget what it tells."""
        engine = self._engine
        commands = engine.commands
        while commands:
            for command in commands.take():
                if type(command) is RingSeat:
                    self._answer(command, now)
                elif type(command) is ReleaseCall:
                    self._released(command, now)
        engine.events.clear()

    def _answer(self, ring: RingSeat, now: float) -> None:
        caller = self._callers.get(ring.call)
        if caller is None or not caller.is_waiting:
            return  # several rang, and another was first
        caller.is_waiting = False
        self._engine.handle(OfferAnswered(ring.offer), now)
        if caller.is_counted:
            threshold = self._people[caller.kind].threshold
            self.tally.classes[caller.kind].count_answer(now - caller.joined_at, threshold)
        _, group, speed = self._desks[ring.seat]
        self._load(group, 1, now)
        self._plan(now + caller.handle / speed, self._hang_up, (caller, ring.seat, now))

    def _hang_up(self, talk: tuple[Caller, SeatId, float], now: float) -> None:
        caller, name, since = talk
        del self._callers[caller.call]
        self._engine.handle(TalkEnded(name, caller.call, True), now)
        seat, group, _ = self._desks[name]
        until = now if seat.wrapup_until is None else seat.wrapup_until
        busy = min(until, self._end_at) - max(since, self._scenario.warm_up)
        if busy > 0:
            self.tally.busy[group] += busy
        if until > now:
            self._plan(until, self._rested, group)
        else:
            self._load(group, -1, now)
        self._obey(now)

    def _rested(self, group: int, now: float) -> None:
        self._load(group, -1, now)

    def _load(self, group: int, change: int, now: float) -> None:
        """So many seats more work from now on."""
        since, count = self._loads[group]
        lasted = min(now, self._end_at) - max(since, self._scenario.warm_up)
        if lasted > 0:
            self.tally.squares[group] += count * count * lasted
        self._loads[group] = (now, count + change)

    def _released(self, release: ReleaseCall, now: float) -> None:
        """The queue has let the call go: at once, or after its longest wait."""
        caller = self._callers.pop(release.call)
        caller.is_waiting = False
        if not caller.is_counted:
            return
        tally = self.tally.classes[caller.kind]
        if release.outcome == Outcome.REFUSED.value:
            tally.blocked += 1
        else:
            tally.count_loss(now - caller.joined_at)
