"""Figures: the counters of a queue, a seat, a level or a tenant for people, and how things stand now.

They are asked for in all, between two moments, or by quarters of an hour.

A level is the queues that start at it and the seats that have it; a tenant is its queues and its seats.
"""

from collections.abc import Iterable
from math import inf
from typing import Any, TypeVar

from acd.board import Board
from acd.counting import state_of
from acd.seat import Seat
from acd.worktime import SeatCounters
from kernel.ids import QueueName, SeatId
from kernel.limits import INTERVAL
from kernel.walltime import epoch_text
from queues.queue import Queue
from queues.statistics import Counters, Statistics
from queues.sums import Sums

C = TypeVar("C", bound=Sums)


class Span:
    """What is asked for: everything, or the quarters of an hour that begin in ``begin <= t < end``."""

    def __init__(
        self, begin: float | None = None, end: float | None = None, *, by_interval: bool = False
    ) -> None:
        self.begin = begin  # epoch seconds
        self.end = end
        self.by_interval = by_interval

    @property
    def bounds(self) -> tuple[float, float]:
        """Its moments, where left out the first and the last there are."""
        return -inf if self.begin is None else self.begin, inf if self.end is None else self.end

    @property
    def is_everything(self) -> bool:
        """All that has been counted."""
        return self.begin is None and self.end is None

    def of(self, statistics: Statistics[C]) -> C:
        """Return the counters of the span."""
        if self.is_everything:
            return statistics.total
        return statistics.between(*self.bounds)


class Figures:
    """Answers of one engine. Reading counts the time until now, and changes nothing else."""

    def __init__(self, board: Board) -> None:
        self._board = board

    def queue(self, name: QueueName, span: Span, now: float) -> dict[str, Any]:
        """Return the figures of a queue."""
        queue = self._board.queues[name]
        statistics = queue.statistics
        intervals = None
        if span.by_interval:
            intervals = [_interval(at, found) for at, found in statistics.each(*span.bounds)]
        return {
            "queue": name,
            **self._head(span, intervals),
            "now": self._now([queue], self._board.seats_of(name), now),
            **span.of(statistics).as_dict(),
        }

    def seat(self, name: SeatId, span: Span, now: float) -> dict[str, Any]:
        """Return the figures of a seat."""
        self._look(now)
        statistics = self._board.counting.seat(name).statistics
        intervals = None
        if span.by_interval:
            intervals = [_interval(at, found) for at, found in statistics.each(*span.bounds)]
        return {"seat": name, **self._head(span, intervals), **span.of(statistics).as_dict()}

    def level(self, level: int, tenant: str, span: Span, now: float) -> dict[str, Any]:
        """Return the figures of a level of ``tenant`` ("" all tenants)."""
        board = self._board
        queues = [it for it in board.queues.values() if it.settings.requires.lowest == level]
        seats = [it for it in board.seats.values() if it.level == level]
        name = board.level_name(level)
        return {"level": name, **self._both(name, tenant, queues, seats, span, now)}

    def tenant(self, tenant: str, span: Span, now: float) -> dict[str, Any]:
        """Return the figures of a tenant."""
        queues, seats = self._board.queues.values(), self._board.seats.values()
        return {"tenant": tenant, **self._both("", tenant, queues, seats, span, now)}

    def _both(
        self, level: str, tenant: str, queues: Iterable[Queue], seats: Iterable[Seat], span: Span, now: float
    ) -> dict[str, Any]:
        """Return what callers found and what seats did, of a level ("" any) and a tenant ("" any)."""
        self._look(now)
        counting = self._board.counting
        mine = [it for it in queues if not tenant or it.settings.tenant == tenant]
        desks = [it for it in seats if not tenant or it.tenant == tenant]
        groups = [
            group
            for (its_level, its_tenant), group in counting.groups.items()
            if (not level or its_level == level) and (not tenant or its_tenant == tenant)
        ]
        callers, by_queue = [group.callers for group in groups], [it.statistics for it in mine]
        work, by_seat = [group.work for group in groups], [counting.seat(it.id).statistics for it in desks]
        intervals = None
        if span.by_interval:
            found, done = _by_interval(callers, by_queue, span), _by_interval(work, by_seat, span)
            intervals = [
                {
                    "begin": epoch_text(at),
                    "callers": found.get(at, Counters()).as_dict(),
                    "work": done.get(at, SeatCounters()).as_dict(),
                }
                for at in sorted({**found, **done})
            ]
        return {
            **self._head(span, intervals),
            "now": self._now(mine, desks, now),
            "queues": [it.name for it in mine],
            "seats": len(desks),
            "callers": _sum(Counters(), callers, by_queue, span).as_dict(),
            "work": _sum(SeatCounters(), work, by_seat, span).as_dict(),
        }

    def _look(self, now: float) -> None:
        self._board.counting.look(self._board.walltime.epoch(now))

    def _head(self, span: Span, intervals: list[dict[str, Any]] | None) -> dict[str, Any]:
        return {
            "from": None if span.begin is None else epoch_text(span.begin),
            "to": None if span.end is None else epoch_text(span.end),
            "interval": INTERVAL,
            "intervals": intervals,
        }

    def _now(self, queues: Iterable[Queue], seats: Iterable[Seat], now: float) -> dict[str, Any]:
        """Return who waits, for how long, and how many seats are in each state."""
        waits = [
            (now - call.entered_at, queue.settings.service_level)
            for queue in queues
            for call in queue.waiting.values()
        ]
        states: dict[str, int] = {}
        for seat in seats:
            state = state_of(seat.presence.value, seat.activity.value)
            states[state] = states.get(state, 0) + 1
        return {
            "waiting": len(waits),
            "waiting_late": sum(waited > threshold for waited, threshold in waits),
            "longest_wait": round(max(waited for waited, _ in waits), 3) if waits else None,
            "seats": states,
        }


def _interval(at: float, counters: Counters | SeatCounters) -> dict[str, Any]:
    return {"begin": epoch_text(at), **counters.as_dict()}


def _sum(result: C, closed: Iterable[Statistics[C]], members: Iterable[Statistics[C]], span: Span) -> C:
    """Return ``result`` plus the span's counters of ``members``, whose closed intervals are ``closed``."""
    if span.is_everything:
        for statistics in members:
            result.add(statistics.past)
            result.add(statistics.open)
        return result
    for counters in _by_interval(closed, members, span).values():
        result.add(counters)
    return result


def _by_interval(
    closed: Iterable[Statistics[C]], members: Iterable[Statistics[C]], span: Span
) -> dict[float, C]:
    """Return the span's counters of all ``members`` by the begin of their interval."""
    begin, end = span.bounds
    found: dict[float, C] = {}
    parts = [part for statistics in closed for part in statistics.each(begin, end)]
    parts += [(it.begins_at, it.open) for it in members if begin <= it.begins_at < end and it.ends_at]
    for at, counters in parts:
        known = found.get(at)
        if known is None:
            known = found[at] = type(counters)()
        known.add(counters)
    return found
