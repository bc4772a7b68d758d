"""Waiting calls: one visit of a call to a queue, and the line it stands in.

A line is all calls of one queue with the same requirement. Inside a line calls stand by a key that never
changes while they wait (``joined_at - credit``: linear aging keeps its order for ever), ties by arrival.
Leaving is lazy: the entry stays until it surfaces or until the dead outnumber the living.

Rule: a call has an entry exactly while it stands in its line, that is, while it may be given a seat.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sized
from heapq import heapify, heappop, heappush
from math import inf
from types import MappingProxyType
from typing import Protocol, TypeAlias

from kernel.ids import CallId, OfferId, QueueName, SeatId, VisitId, offer_id
from kernel.timers import Timer
from queues.settings import Requirement

ANYONE = "anyone"

Entry: TypeAlias = "tuple[float, int, WaitingCall]"

_SPARE = 32  # dead entries a line may keep before it is swept
_NOBODY: Mapping[SeatId, Timer] = MappingProxyType({})  # shared: most calls are let go by by no seat


class Keeper(Protocol):
    """Who acts when a deadline of a waiting call has come."""

    def call_due(self, call: "WaitingCall", name: str, now: float) -> None:
        """Act on the timer ``name`` of ``call``."""


class Home(Protocol):
    """The queue of a waiting call, as far as a policy may look at it."""

    @property
    def waiting(self) -> Sized:
        """Every visit in it."""

    @property
    def handled_for(self) -> float:
        """Smoothed seconds that its calls keep a seat; 0: not known yet."""


class _Touched:
    """What an offer reads and writes of a call that has waited for long and is in no cache; see acd.seat."""

    __slots__ = (
        "alert",
        "back_off",
        "call",
        "entry",
        "fan_out",
        "is_callback",
        "line",
        "offered",
        "queue",
        "ringing",
        "visit",
        "widening",
    )


class WaitingCall(_Touched):
    """One visit of one call to one queue, from join to outcome."""

    __slots__ = (
        "called",
        "caller",
        "credit",
        "due_cause",
        "entered_at",
        "fallback",
        "home",
        "is_late",
        "is_overdue",
        "is_patient",
        "is_sticky",
        "joined_at",
        "keeper",
        "key",
        "position",
        "position_left",
        "priority",
        "resumes",
        "seat_for",
        "sequence",
        "skills",
        "starves_after",
        "step",
        "timer",
        "vip",
        "visits",
        "wanted_seat",
        "weight",
    )

    def __init__(
        self,
        call: CallId,
        visit: VisitId,
        visits: int,
        queue: QueueName,
        *,
        caller: str,
        called: str,
        joined_at: float,
        entered_at: float,
        credit: float,
        sequence: int,
        skills: tuple[tuple[str, int], ...],
        keeper: Keeper,
    ) -> None:
        self.call = call
        self.visit = visit
        self.visits = visits  # of this call so far, this one included
        self.queue = queue
        self.caller = caller
        self.called = called
        self.joined_at = joined_at  # of the first of a chain of overflows: what the caller feels
        self.entered_at = entered_at  # of this visit: what its row and its deadlines count from
        self.credit = credit
        self.vip = ""  # the list of callers that part of the credit is due to
        self.key = joined_at - credit
        self.sequence = sequence
        self.skills = skills  # wanted on top of the queue's requirement
        self.wanted_seat: SeatId | None = None  # the only one that may take it, for the first while
        self.seat_for = 0.0  # how long it waits for that one
        self.is_patient = False  # it waits for that one even while nobody is there
        self.is_sticky = False  # it did not ask for that one: it spoke to it last
        self.fallback = ANYONE  # and then: anybody may take it, or a target
        self.position = 0  # in its queue when it entered, counted from 1; 0: it never did
        self.position_left = 0  # when it left
        self.resumes = ""  # the visit, given up by the same caller, whose place it has taken over
        self.weight = 1
        self.priority = 0
        self.starves_after = inf  # credited wait from which on it is compared by that alone
        self.home: Home | None = None  # the queue itself, once it has entered
        self.step = 0  # relaxation reached; 0: none
        self.line: WaitingLine | None = None
        self.entry: Entry | None = None
        self.ringing: tuple[OfferId, ...] = ()  # live offers
        self.offered = 0  # offers made so far
        self.is_callback = False  # nobody is on the line: it stands for a customer who is to be called back
        self.is_overdue = False  # longest wait reached while a seat was ringing
        self.due_cause = "max_wait"  # and which one
        self.back_off: Mapping[SeatId, Timer] = _NOBODY  # seats that may not be offered this call yet
        self.timer: Timer | None = None
        self.alert: Timer | None = None  # armed until it has waited long enough to be told of
        self.is_late = False  # it has been
        self.fan_out = 1  # seats that may ring for it at present, where a policy widens
        self.widening: Timer | None = None
        self.keeper = keeper

    @property
    def place(self) -> tuple[float, int]:
        """What calls of one queue are ordered by."""
        return (self.key, self.sequence)

    @property
    def queue_length(self) -> int:
        """Visits in its queue, this one included."""
        return 0 if self.home is None else len(self.home.waiting)

    @property
    def handled_for(self) -> float:
        """Smoothed seconds that calls of its queue keep a seat; 0: not known yet."""
        return 0.0 if self.home is None else self.home.handled_for

    def keep_from(self, seat: SeatId, until: Timer) -> None:
        """Let ``seat`` not be offered this call until the timer is due."""
        if not isinstance(self.back_off, dict):
            self.back_off = {}
        self.back_off[seat] = until

    def may_have(self, seat: SeatId) -> None:
        """Let ``seat`` be offered this call again."""
        if isinstance(self.back_off, dict):
            self.back_off.pop(seat, None)

    def stop_ringing(self, offer: OfferId) -> None:
        """Forget an offer that has ended."""
        ringing = self.ringing
        at = ringing.index(offer)
        self.ringing = () if len(ringing) == 1 else ringing[:at] + ringing[at + 1 :]

    def next_offer_id(self) -> OfferId:
        """Return the id of the next offer, and count it."""
        self.offered += 1
        return offer_id(self.visit, self.offered)

    def on_timer(self, name: str, now: float) -> None:
        """Pass a deadline on to the keeper."""
        self.keeper.call_due(self, name, now)


class WaitingLine:
    """The calls of one queue that want the same; best first.

    Calls mostly come in the order in which they stand: those are a row, in which joining and being first cost
    the same however long it is. Whoever stands before the last of the row (with credit, or coming back) is in
    a heap beside it.
    """

    __slots__ = ("_early", "_row", "count", "is_configured", "members", "own_level", "queue", "requirement")

    def __init__(
        self, queue: QueueName, requirement: Requirement, own_level: int, *, is_configured: bool
    ) -> None:
        self.queue = queue
        self.requirement = requirement
        self.own_level = own_level  # the lowest level of the queue itself, whatever has been relaxed
        self.is_configured = (
            is_configured  # False: wanted by single calls only, forgotten with the last of them
        )
        self.count = 0  # calls standing here
        self.members = 0  # the same plus those that are ringing a seat just now
        self._row: deque[Entry] = deque()  # ordered
        self._early: list[Entry] = []  # a heap

    def add(self, call: WaitingCall) -> None:
        """Let ``call`` stand here, at the place its key gives it."""
        entry = call.entry = (call.key, call.sequence, call)
        row = self._row
        if not row or entry > row[-1]:
            row.append(entry)
        else:
            heappush(self._early, entry)
        self.count += 1

    def remove(self, call: WaitingCall) -> None:
        """Take ``call`` out, wherever it stands."""
        row, early = self._row, self._early
        entry = call.entry
        self.count -= 1
        call.entry = None
        if row and row[0] is entry:
            row.popleft()
        elif early and early[0] is entry:
            heappop(early)
        elif len(row) + len(early) > 2 * self.count + _SPARE:
            self._row = deque([entry for entry in row if entry[2].entry is entry])
            self._early = [entry for entry in early if entry[2].entry is entry]
            heapify(self._early)

    def head(self) -> WaitingCall | None:
        """Return the call that stands first."""
        row, early = self._row, self._early
        while row and row[0][2].entry is not row[0]:
            row.popleft()
        if not early:
            return row[0][2] if row else None
        while early and early[0][2].entry is not early[0]:
            heappop(early)
        if early and not (row and row[0] < early[0]):
            return early[0][2]
        return row[0][2] if row else None

    def first_for(self, seat: SeatId) -> WaitingCall | None:
        """Return the first call that ``seat`` may be offered: not one that it has just let go by."""
        passed: list[Entry] = []
        found = self.head()
        while found is not None and seat in found.back_off:
            entry = found.entry
            assert entry is not None
            if self._row and self._row[0] is entry:
                self._row.popleft()
            else:
                heappop(self._early)
            passed.append(entry)
            found = self.head()
        for entry in reversed(passed):
            if not self._row or entry < self._row[0]:
                self._row.appendleft(entry)
            else:
                heappush(self._early, entry)
        return found

    def calls(self) -> Iterator[WaitingCall]:
        """Yield the calls standing here, in no order that matters."""
        return (entry[2] for entry in (*self._row, *self._early) if entry[2].entry is entry)
