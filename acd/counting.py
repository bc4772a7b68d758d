"""Counting: every counter is a sum over rows, taken as the rows are written, and taken again after a restart.

A visit, an offer, a conversation, a wrap-up: each counts when it ends; time in a state as it passes. When a
quarter of an hour is over its counters are written as rows themselves, with the totals up to then, and a
start reads those and the single rows behind them: nothing is lost or counted twice, and nobody reads more
than about half an hour of rows.

While the switch was down no time passes: a seat's state ends when the switch died, which one row of the next
start says; where nobody knows that, with the last row before. But a conversation that was taken over went on.
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import msgspec

from acd.worktime import SeatCounters
from kernel.ids import QueueName, SeatId
from kernel.limits import INTERVAL, SEAT_INTERVALS_MAX
from kernel.rows import (
    CountedRow,
    CountRow,
    OfferRow,
    PresenceRow,
    QueueIntervalRow,
    QueueTotalRow,
    SeatIntervalRow,
    SeatTotalRow,
    VisitRow,
)
from queues.settings import QueueSettings
from queues.statistics import Counters, Statistics
from queues.sums import read_sketch

SWEPT_AT_ONCE = 200  # queues and seats whose interval is closed in one turn

TALKING = "time_talking"
HELD = "time_held"
WRAPUP = "time_wrapup"
PAUSED = "time_paused"
_TALKS = (TALKING, HELD)

# What a seat's time counts as, by presence and activity; "": not signed in.
_BUSY = ("reserved", "ringing", "dialling", "talking")
_STATES = {
    presence: {
        **{activity: f"time_{activity}" for activity in _BUSY},
        **dict.fromkeys(("idle", "unreachable"), f"time_{presence}"),
    }
    for presence in ("ready", "paused", "wrapup")
}
_STATES["ready"]["unreachable"] = "time_unreachable"
_STATES["offline"] = dict.fromkeys((*_BUSY, "idle", "unreachable"), "")

# The counters of the seat object.
_SHOWN = (
    ("offered", "offers"),
    ("answered", "offers_answered"),
    ("refused", "offers_refused"),
    ("missed", "offers_missed"),
    ("handled", "handled"),
    ("transferred", "transferred"),
    ("talked", "talk"),
    ("held", "hold"),
    ("wrapped_up", "wrap_up"),
)

_DOING = msgspec.json.Decoder(tuple[str, str, str, float, float, float])
_PAUSED = msgspec.json.Decoder(dict[str, float])


class QueueAccount:
    """A queue's counters, and where they belong."""

    __slots__ = ("level", "name", "settings", "statistics", "tenant")

    def __init__(self, name: QueueName) -> None:
        self.name = name
        self.tenant = self.level = ""
        self.settings: QueueSettings | None = None
        self.statistics = Statistics(Counters)


class SeatAccount:
    """A seat's counters, where they belong, and what the seat has been doing since ``at``."""

    __slots__ = (
        "at",
        "hold",
        "is_down",
        "level",
        "name",
        "open",
        "period",
        "queue",
        "reason",
        "state",
        "statistics",
        "talk",
        "tenant",
        "wrap_up",
    )

    def __init__(self, name: SeatId) -> None:
        self.name = name
        self.tenant = self.level = ""
        self.statistics = Statistics(SeatCounters, SEAT_INTERVALS_MAX)
        self.at = 0.0  # epoch seconds; everything before has been counted
        self.state = ""
        self.reason = ""
        self.queue = ""  # whose call it talks in or wraps up after
        self.talk = 0.0  # of the conversation or wrap-up that goes on
        self.hold = 0.0
        self.wrap_up = 0.0
        self.open = self.statistics.open
        self.period: object = None  # the interval that ``open`` is of
        self.is_down = False  # the switch is: no time passes before the seat's next row


class Group(NamedTuple):
    """The closed intervals of all queues that start at a level of a tenant, and of all seats that have it."""

    callers: Statistics[Counters]
    work: Statistics[SeatCounters]


class Counting:
    """All counters of one engine."""

    def __init__(self, put: Callable[[CountRow], None]) -> None:
        """``put`` takes the rows of intervals that are over."""
        self.queues: dict[QueueName, QueueAccount] = {}
        self._named: dict[str, QueueAccount] = {}  # the same, for names as rows have them
        self.seats: dict[SeatId, SeatAccount] = {}
        self.groups: dict[tuple[str, str], Group] = {}  # by level and tenant
        self._put = put
        self._ends_at = 0.0  # of the present interval
        self._period = object()  # stands for it; compared by identity
        self._sweep_at = 0.0
        self._unswept: list[QueueAccount | SeatAccount] = []

    def queue(self, name: QueueName) -> QueueAccount:
        """Return the account of a queue; one that was removed and comes back finds its own."""
        known = self.queues.get(name)
        if known is None:
            known = self.queues[name] = self._named[name] = QueueAccount(name)
        return known

    def seat(self, name: SeatId) -> SeatAccount:
        """Return the account of a seat."""
        known = self.seats.get(name)
        if known is None:
            known = self.seats[name] = SeatAccount(name)
        return known

    def group(self, level: str, tenant: str) -> Group:
        """Return what is kept of a level of a tenant."""
        known = self.groups.get((level, tenant))
        if known is None:
            known = self.groups[(level, tenant)] = Group(
                Statistics(Counters), Statistics(SeatCounters, SEAT_INTERVALS_MAX)
            )
        return known

    # Rows, as they are written.

    def visit(self, row: VisitRow, settings: QueueSettings, statistics: Statistics[Counters]) -> None:
        """Count a visit that has ended."""
        if row.left_at >= statistics.ends_at:
            self._roll_queue(QueueName(settings.name), row.left_at, statistics)
        counters = statistics.open
        second = settings.service_level_2
        short = settings.short_abandon
        counters.count(row.outcome, row.waited, settings.service_level, short, second, row.cause)

    def offer(self, row: OfferRow, *, for_seat: bool = True, for_queue: bool = True) -> None:
        """Count an offer that has ended, for the seat and for the queue."""
        at = row.ended_at
        account = self.seats.get(SeatId(row.seat))
        if account is not None and for_seat:
            if at >= account.statistics.ends_at:
                self._pass(account, at)
            account.statistics.open.count_offer(row.outcome, row.rang)
        queue = self._open_queue(row.queue, at) if for_queue else None
        if queue is not None:
            queue.count_offer(row.outcome, row.rang)

    def presence(self, row: PresenceRow, account: SeatAccount) -> None:
        """Count the time in the state that has ended, and what ended with it."""
        at = row.at
        before = account.state
        if account.is_down:
            if before and _is_phone_of_nobody(row):
                return  # its phone is back before it is itself
            if before in _TALKS and row.queue == account.queue != "":
                account.is_down = not (row.cause == "restored" and row.activity == "talking")  # it went on
        if account.period is not self._period or at >= self._ends_at:
            self._pass(account, at)
        elif at > account.at:  # the short way for most: little is touched that is not in a cache
            self._add_time(account, at)
        state = _STATES[row.presence][row.activity]
        if row.held and state == TALKING:
            state = HELD
        if account.queue:
            is_other = row.queue != account.queue
            if account.state in _TALKS and (is_other or state not in _TALKS):
                self._count_talk(account, row)
            elif account.state == WRAPUP and (is_other or state != WRAPUP):
                self._count_wrap_up(account, row.at)
        account.state, account.queue, account.reason = state, row.queue, row.reason
        account.is_down = False

    def _count_talk(self, account: SeatAccount, row: PresenceRow) -> None:
        """A conversation with a caller of a queue has ended."""
        talk, hold, transferred = account.talk, account.hold, row.cause == "transferred"
        account.talk = account.hold = 0.0
        account.open.count_talk(talk, hold, transferred=transferred)
        queue = self._open_queue(account.queue, row.at)
        if queue is not None:
            queue.count_talk(talk, hold, transferred=transferred)

    def _count_wrap_up(self, account: SeatAccount, at: float) -> None:
        seconds, account.wrap_up = account.wrap_up, 0.0
        account.statistics.open.wrap_up += seconds
        queue = self._open_queue(account.queue, at)
        if queue is not None:
            queue.wrap_up += seconds

    def _open_queue(self, name: str, at: float) -> Counters | None:
        """Return the counters of the interval that ``at`` is in."""
        queue = self._named.get(name)
        if queue is None:
            return None
        statistics = queue.statistics
        if at >= statistics.ends_at:
            self._roll_queue(queue.name, at, statistics)
        return statistics.open

    # Time.

    def _pass(self, account: SeatAccount, at: float) -> None:
        """Count the time until ``at``, interval by interval."""
        statistics = account.statistics
        while at >= statistics.ends_at:
            ends_at = statistics.ends_at
            if account.is_down or not account.state:
                account.at = max(account.at, at)  # of which nothing is counted
            elif account.at < ends_at:
                self._add_time(account, ends_at)
            before = statistics.begins_at
            closed = statistics.roll(max(account.at, ends_at))
            account.open = statistics.open
            if closed is not None:
                self._write_seat(account, closed, before)
        self._add_time(account, at)
        if statistics.ends_at > self._ends_at:
            self._ends_at, self._period = statistics.ends_at, object()
        is_present = statistics.ends_at == self._ends_at and not account.is_down
        account.period = self._period if is_present else None
        account.open = statistics.open

    def _add_time(self, account: SeatAccount, at: float) -> None:
        seconds = at - account.at
        if seconds <= 0.0:
            return
        account.at = at
        state = account.state
        if not state or account.is_down:
            return
        counters = account.open
        setattr(counters, state, getattr(counters, state) + seconds)
        if state == PAUSED:
            counters.pause(account.reason, seconds)
        elif account.queue:
            if state == TALKING:
                account.talk += seconds
            elif state == HELD:
                account.hold += seconds
            elif state == WRAPUP:
                account.wrap_up += seconds

    def sweep(self, epoch: float) -> None:
        """Close the intervals that are over, some in each call; cheap while none is."""
        if epoch >= self._sweep_at:
            self._sweep_at = (epoch // INTERVAL + 1) * INTERVAL
            self._unswept = [*self.queues.values(), *self.seats.values()]
        for account in self._unswept[:SWEPT_AT_ONCE]:
            if isinstance(account, SeatAccount):
                self._pass(account, epoch)
            elif epoch >= account.statistics.ends_at:
                self._roll_queue(account.name, epoch, account.statistics)
        if self._unswept:
            del self._unswept[:SWEPT_AT_ONCE]

    def look(self, epoch: float) -> None:
        """Count all time until ``epoch``, for whoever wants to see it."""
        for account in self.seats.values():
            self._pass(account, epoch)

    def seat_counters(self, name: SeatId, epoch: float) -> dict[str, float]:
        """Return what a seat has done since counting began: the short form, for the seat object."""
        account = self.seat(name)
        self._pass(account, epoch)
        past, now = account.statistics.past, account.statistics.open
        return {shown: round(getattr(past, its) + getattr(now, its), 3) for shown, its in _SHOWN}

    def _roll_queue(self, name: QueueName, at: float, statistics: Statistics[Counters]) -> None:
        before = statistics.begins_at
        closed = statistics.roll(at)
        account = self.queues.get(name)
        if closed is None or account is None or account.statistics is not statistics:
            return
        self.group(account.level, account.tenant).callers.gather(before, closed)
        past = statistics.past
        head: tuple[Any, ...] = (name, account.tenant, account.level, before)
        interval = (*head, *closed.values(), closed.wait_longest, closed.waits.text())
        self._put(QueueIntervalRow(f"{name} {int(before)}", *interval))
        total = (*head, *past.values(), past.wait_longest, past.waits.text())
        self._put(QueueTotalRow(name, *total))

    def _write_seat(self, account: SeatAccount, closed: SeatCounters, before: float) -> None:
        self.group(account.level, account.tenant).work.gather(before, closed)
        past = account.statistics.past
        name = account.name
        head: tuple[Any, ...] = (name, account.tenant, account.level, before)
        doing = (account.state, account.reason, account.queue, account.talk, account.hold, account.wrap_up)
        interval = (*head, *closed.values(), _text(closed.paused_for), _text(doing))
        self._put(SeatIntervalRow(f"{name} {int(before)}", *interval))
        total = (*head, *past.values(), _text(past.paused_for), _text(doing))
        self._put(SeatTotalRow(name, *total))

    # After a restart.

    def recount(self, rows: Iterable[CountRow | CountedRow], died_at: float = 0.0) -> float:
        """Take the counters of closed intervals back, then count the rows behind them, and what seats did
        until ``died_at`` (epoch seconds). Returns the moment of the last row.
        """
        singles: dict[tuple[str, str], CountedRow] = {}
        closed: dict[tuple[str, str], CountRow] = {}
        for row in rows:
            if isinstance(row, VisitRow):
                singles[("visit", row.visit)] = row
            elif isinstance(row, OfferRow):
                singles[("offer", row.offer)] = row
            elif isinstance(row, PresenceRow):
                singles[("presence", row.change)] = row
            else:
                closed[(type(row).__name__, row.interval)] = row
        closed_queues: dict[QueueName, float] = {}
        closed_seats: dict[SeatId, float] = {}
        for each in sorted(closed.values(), key=lambda it: it.begin_at):
            self._take_back(each)
            if isinstance(each, QueueTotalRow):
                closed_queues[QueueName(each.queue)] = each.begin_at + INTERVAL
            elif isinstance(each, SeatTotalRow):
                closed_seats[SeatId(each.seat)] = each.begin_at + INTERVAL
        moment = before = 0.0
        for row in sorted(singles.values(), key=_moment):
            at = _moment(row)[0]
            if at > moment:
                moment, before = at, moment
            self._count_again(row, before, closed_queues, closed_seats)
        self._go_down(max(moment, died_at))
        return moment

    def _count_again(
        self,
        row: CountedRow,
        before: float,
        closed_queues: dict[QueueName, float],
        closed_seats: dict[SeatId, float],
    ) -> None:
        """Count ``row``, where it is not in a closed interval; ``before``: the last moment before its own."""
        if isinstance(row, VisitRow):
            queue = self.queues.get(QueueName(row.queue))
            if queue is not None and queue.settings is not None:
                if row.left_at >= closed_queues.get(queue.name, 0.0):
                    self.visit(row, queue.settings, queue.statistics)
        elif isinstance(row, PresenceRow):
            account = self.seats.get(SeatId(row.seat))
            is_new = account is not None and row.at >= closed_seats.get(account.name, 0.0)
            # A missed offer may sign a seat out as unreachable; nobody is signed out by a phone that is back.
            is_back = row.presence == "offline" and row.cause == "reachable"
            is_left = is_new and account is not None and account.state != "" and is_back
            if row.cause == "restored" or is_left:
                self._go_down(before)
            if account is not None and is_new:
                self.presence(row, account)
        else:
            self._count_offer_again(row, closed_queues, closed_seats)

    def _count_offer_again(
        self, row: OfferRow, closed_queues: dict[QueueName, float], closed_seats: dict[SeatId, float]
    ) -> None:
        self.offer(
            row,
            for_seat=row.ended_at >= closed_seats.get(SeatId(row.seat), 0.0),
            for_queue=row.ended_at >= closed_queues.get(QueueName(row.queue), 0.0),
        )

    def _go_down(self, at: float) -> None:
        """The switch was not there from ``at`` until the next row of each seat."""
        for account in self.seats.values():
            if not account.is_down:
                if at > account.at:
                    self._pass(account, at)
                account.is_down = True
                account.period = None

    def _take_back(self, row: CountRow) -> None:
        """Take back the counters of one interval, or all up to one."""
        if isinstance(row, QueueIntervalRow):
            self._take_back_queue(row)
        else:
            self._take_back_seat(row)

    def _take_back_queue(self, row: QueueIntervalRow) -> None:
        counters = Counters()
        counters.take(row_values(row))
        counters.wait_longest = row.wait_longest
        counters.waits = read_sketch(row.waits)
        account = self.queues.get(QueueName(row.queue))
        if type(row) is QueueTotalRow:
            if account is not None:
                account.statistics.take_back(counters, row.begin_at)
            return
        self.group(row.level, row.tenant).callers.gather(row.begin_at, counters)
        if account is not None:
            account.statistics.keep(row.begin_at, counters)

    def _take_back_seat(self, row: SeatIntervalRow) -> None:
        counters = SeatCounters()
        counters.take(row_values(row))
        counters.paused_for = _PAUSED.decode(row.paused_for)
        account = self.seats.get(SeatId(row.seat))
        if type(row) is SeatTotalRow:
            if account is not None:
                account.statistics.take_back(counters, row.begin_at)
                account.at = account.statistics.ends_at
                doing = _DOING.decode(row.doing)
                account.state, account.reason, account.queue = doing[:3]
                account.talk, account.hold, account.wrap_up = doing[3:]
            return
        self.group(row.level, row.tenant).work.gather(row.begin_at, counters)
        if account is not None:
            account.statistics.keep(row.begin_at, counters)


def state_of(presence: str, activity: str) -> str:
    """Return the one word for what a seat is doing: offline, ready, paused, talking, ..."""
    return "offline" if presence == "offline" else _STATES[presence][activity].removeprefix("time_")


def row_values(row: CountRow) -> tuple[int | float, ...]:
    """Return the sums that a row holds, in the order of their ``NAMES``."""
    return msgspec.structs.astuple(row)[5:-2]


def _is_phone_of_nobody(row: PresenceRow) -> bool:
    """Say whether ``row`` is of a phone and nobody is signed in; where somebody was, the switch died."""
    return row.presence == "offline" and row.cause in ("reachable", "unreachable")


def _moment(row: CountedRow) -> tuple[float, int]:
    """Return when ``row`` counts, and its place among those of the same moment."""
    if isinstance(row, VisitRow):
        return row.left_at, 0
    if isinstance(row, OfferRow):
        return row.ended_at, 0
    # Once the seat stood before the number, and such rows are kept.
    number = row.change.removeprefix(f"{row.seat}.").removesuffix(f".{row.seat}")
    return row.at, int(number) if number.isdigit() else 0


def _text(what: object) -> str:
    return msgspec.json.encode(what).decode()
