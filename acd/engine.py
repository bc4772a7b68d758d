"""The engine: the face of distribution. Inputs in, commands, events and rows out; one turn at a time.

A turn applies one input and then pairs what it has freed, so that between turns no eligible pair of call and
seat is unmatched. Seat operations that cannot be done raise
:class:`~kernel.errors.OperationRefused` with the word of the API and change nothing.
"""

from collections.abc import Callable, Sequence
from typing import Any

from acd.attendance import Attendance
from acd.board import Board
from acd.callback import Callbacks
from acd.changes import Changes
from acd.commands import Command
from acd.counting import Counting
from acd.desk import Desk
from acd.distribution import Distribution
from acd.events import AcdEvent
from acd.explain import Explainer
from acd.figures import Figures
from acd.history import AcdRow, History
from acd.inputs import (
    AfterCallSet,
    CallbackAnswered,
    CallbackBooked,
    CallbackCancelled,
    CallbackChosen,
    CallbackFailed,
    CallbackRestored,
    CallerRestored,
    CallJoined,
    CallLeft,
    CallMoved,
    CallPicked,
    CallPickedUp,
    DialWanted,
    DrainBegan,
    FollowupClosed,
    FollowupRestored,
    Input,
    KeyChosen,
    LineChanged,
    ListEntryAdded,
    ListEntryRemoved,
    ListEntryRestored,
    OfferAnswered,
    OfferFailed,
    OfferMissed,
    OfferPickedUp,
    OfferRang,
    OfferRefused,
    OfferTaken,
    PauseAsked,
    PhoneBound,
    PhoneReachable,
    PlaceRestored,
    QualityRestored,
    QualityScored,
    QueuesPaused,
    QueuesReady,
    ReadyAsked,
    Reconfigured,
    SeatEngaged,
    SeatHeld,
    SeatMoved,
    SeatMoveRestored,
    SeatRestored,
    SignedIn,
    SignedOut,
    SupervisionWanted,
    TalkEnded,
    WrapUpEnded,
    WrapUpExtended,
)
from acd.invariants import check
from acd.lists import AsWritten, CallerLists, NumberReader
from acd.offer import Input as OfferInput
from acd.offer import Offer
from acd.phone import PhoneKey
from acd.quality import Quality
from acd.queuepause import QueuePauses
from acd.recovery import Recovered, Recovery
from acd.seat import Presence, Seat
from acd.settings import AcdSettings
from acd.supervision import Supervision
from acd.timetable import Timetables
from kernel.chance import Chance
from kernel.errors import OperationRefused
from kernel.ids import CallId, QueueName, SeatId
from kernel.outbox import Outbox
from kernel.rows import CountedRow, CountRow
from kernel.staterows import LeftStateRow, OfferStateRow, VisitStateRow
from kernel.timers import TimerQueue
from kernel.walltime import WallTime
from queues.hours import Hours
from queues.queue import Queue
from queues.waiting import WaitingCall

SAME_MOMENT = 0.05  # seconds


class Engine:
    """One node's distribution."""

    def __init__(
        self,
        settings: AcdSettings,
        timers: TimerQueue,
        chance: Chance,
        walltime: WallTime,
        *,
        now: float = 0.0,
        keeps_history: bool = True,
        numbers: NumberReader | None = None,
        rows: Outbox[Any] | None = None,
        log: Outbox[tuple[str, dict[str, Any]]] | None = None,
    ) -> None:
        """Seats have been offline since ``now``. Without history there are no rows and no statistics.

        ``numbers`` brings callers' numbers and those on lists into one form; None: as they are written.
        ``rows`` and ``log`` are for those of other parts, too, in the order in which they are written; None:
        for its own.
        """
        board = self._board = Board(
            settings, timers, chance, walltime, keeps_history=keeps_history, rows=rows, log=log
        )
        self.commands: Outbox[Command] = board.commands
        self.events: Outbox[AcdEvent] = board.events
        self.rows: Outbox[AcdRow] = board.rows
        self.log = board.log  # what an operator should read
        desk = self._desk = Desk(board)
        self._distribution = Distribution(board, desk, self, self, numbers or AsWritten())
        self._attendance = Attendance(board, desk, self._distribution)
        self._changes = Changes(board, desk, self._distribution, self)
        self._changes.configure(settings, now)
        self._timetables = Timetables(board, self._attendance, self._distribution)
        self._timetables.configure(now)
        self._supervision = Supervision(board, desk, self._distribution, self._changes)
        self._queue_pauses = QueuePauses(board, desk, self._changes)
        self._recovery = Recovery(board, desk, self._distribution, self._changes, self)
        self._explainer = Explainer(board)
        self.figures = Figures(board)
        self.quality = Quality(board)
        self._hours = {hours.name: Hours(hours) for hours in settings.hours}
        self._actions = self._build_actions()

    def _build_actions(self) -> dict[type, Callable[[Any, float], None]]:
        calls, seats, changes = self._distribution, self._attendance, self._changes
        supervision = self._supervision
        return {
            CallJoined: calls.entry.join,
            CallLeft: calls.leave,
            OfferRang: lambda what, now: calls.rang(what.offer, now),
            OfferAnswered: lambda what, now: calls.answered(what.offer, now),
            OfferPickedUp: lambda what, now: calls.picked_up(what.offer, what.within, now),
            OfferTaken: lambda what, now: calls.taken(what.offer, what.within, now),
            OfferMissed: lambda what, now: calls.missed(what.offer, OfferInput.MISSED, 0, now),
            OfferRefused: lambda what, now: calls.missed(what.offer, OfferInput.REFUSED, what.status, now),
            OfferFailed: lambda what, now: calls.missed(what.offer, OfferInput.FAILED, what.status, now),
            TalkEnded: seats.talk_ended,
            SeatEngaged: seats.engaged,
            SeatHeld: seats.held,
            PhoneReachable: seats.phone_reachable,
            LineChanged: seats.line_changed,
            SignedIn: self._sign_in,
            SignedOut: seats.sign_out,
            ReadyAsked: seats.ready,
            PauseAsked: seats.pause,
            AfterCallSet: seats.set_after_call,
            QueuesPaused: self._queue_pauses.pause,
            QueuesReady: self._queue_pauses.ready,
            PhoneBound: seats.bind,
            WrapUpEnded: seats.end_wrap_up,
            WrapUpExtended: seats.extend_wrap_up,
            DialWanted: seats.dial,
            SeatMoved: supervision.move_seat,
            SeatMoveRestored: lambda what, now: changes.restore_move(what.row, now),
            CallMoved: supervision.move_call,
            CallPickedUp: supervision.pick_up,
            CallPicked: supervision.pick,
            SupervisionWanted: supervision.may_attend,
            Reconfigured: self._reconfigure,
            SeatRestored: changes.restore,
            CallerRestored: lambda what, _: calls.entry.restore(what),
            PlaceRestored: lambda what, _: calls.entry.restore_place(what),
            DrainBegan: lambda _, now: calls.callbacks.hold(now),
            CallbackBooked: calls.callbacks.book,
            CallbackChosen: calls.callbacks.choose,
            KeyChosen: calls.entry.key_pressed,
            CallbackCancelled: calls.callbacks.cancel,
            CallbackAnswered: calls.callbacks.answered,
            CallbackFailed: calls.callbacks.failed,
            CallbackRestored: calls.callbacks.restore,
            FollowupClosed: calls.callbacks.followups.close,
            FollowupRestored: calls.callbacks.followups.restore,
            ListEntryAdded: calls.entry.lists.add,
            ListEntryRemoved: calls.entry.lists.remove,
            ListEntryRestored: calls.entry.lists.restore,
            QualityScored: self.quality.score,
            QualityRestored: self.quality.restore,
        }

    # Turns.

    def _sign_in(self, what: SignedIn, now: float) -> None:
        self._queue_pauses.forget(what.seat, now)
        self._attendance.sign_in(what, now)

    def handle(self, what: Input, now: float) -> None:
        """Take one input; raise OperationRefused if it asks a seat for what cannot be done now."""
        self._actions[type(what)](what, now)
        self._distribution.settle(now)

    def _reconfigure(self, what: Reconfigured, now: float) -> None:
        self._changes.configure(what.settings, now)
        self._hours = {hours.name: Hours(hours) for hours in what.settings.hours}
        self._timetables.configure(now)

    def set_clock(self) -> None:
        """Wall time has been set: what is due by it is due at another moment."""
        self._timetables.arm()

    def restore(self, what: Recovered, goes_on: Callable[[str], bool], now: float) -> None:
        """Put back what lived when the process before died, then pair; ``goes_on(call)``: call control has
        taken that call over.
        """
        self._recovery.restore(what, goes_on, now)
        self._distribution.settle(now)

    def recount(
        self, rows: Sequence[CountRow | CountedRow], now: float, died_at: float | None = None
    ) -> float | None:
        """Take the counters back from their rows; before :meth:`restore`, whose rows are counted like any.

        ``died_at``: when the switch before was last seen alive (epoch seconds). Returns that moment where no
        row says it, for :meth:`restore` to write.
        """
        board = self._board
        until = 0.0 if died_at is None else min(died_at, board.walltime.epoch(now))
        moment = board.counting.recount(rows, until)
        for seat in board.seats.values():
            total = board.counting.seat(seat.id).statistics.total
            seat.offered, seat.answered = total.offers, total.offers_answered
            seat.refused, seat.missed = total.offers_refused, total.offers_missed
            seat.talked_for = float(total.talk + total.hold)  # sums begin as whole numbers
            self._desk.daily.look(seat, now)
        return until if until > moment + SAME_MOMENT else None

    def roll(self, now: float) -> None:
        """Close the intervals of the counters that are over; to be called often, and cheap."""
        self._board.counting.sweep(self._board.walltime.epoch(now))

    def living(self) -> list[VisitStateRow | OfferStateRow | LeftStateRow]:
        """Return the state rows of every visit and offer, and of callers who gave up a moment ago."""
        board = self._board
        history = board.history
        assert isinstance(history, History), "nothing is kept without a history"
        visits = map(history.visit_state, board.calls.values())
        left = (history.left_state(*each) for each in self._distribution.entry.left.items())
        return [*visits, *map(history.offer_state, board.offers.values()), *left]

    def call_due(self, call: WaitingCall, name: str, now: float) -> None:
        """A deadline of a waiting call: next step, longest wait, alert, a ring more, end of a back-off."""
        if name == "wait":
            self._distribution.wait_due(call, now)
        elif name == "alert":
            self._distribution.alerts.due(call, now)
        elif name == "widen":
            self._distribution.widen(call, now)
        else:
            self._distribution.back_off_ended(call, SeatId(name.partition(" ")[2]))
        self._distribution.settle(now)

    def offer_due(self, offer: Offer, name: str, now: float) -> None:
        """An offer has rung long enough."""
        assert name == "ring", f"offers have no timer {name}"
        self._distribution.missed(offer.id, OfferInput.MISSED, 0, now)
        self._distribution.settle(now)

    def seat_due(self, seat: Seat, name: str, now: float) -> None:
        """The wrap-up or the rest of a seat is over."""
        self._attendance.due(seat, name, now)
        self._distribution.settle(now)

    # Views.

    @property
    def seats(self) -> dict[SeatId, Seat]:
        """All seats, in the order of the configuration. To be read only."""
        return self._board.seats

    def seats_of(self, queue: QueueName) -> list[Seat]:
        """Return the seats that serve ``queue``, in the order of the configuration."""
        return self._board.seats_of(queue)

    @property
    def queues(self) -> dict[QueueName, Queue]:
        """All queues. To be read only."""
        return self._board.queues

    @property
    def counting(self) -> Counting:
        """All counters. To be read only."""
        return self._board.counting

    @property
    def callbacks(self) -> Callbacks:
        """Who is to be called back. To be read only."""
        return self._distribution.callbacks

    @property
    def lists(self) -> CallerLists:
        """Who is kept out, and who is not. To be read only."""
        return self._distribution.entry.lists

    @property
    def settings(self) -> AcdSettings:
        """The settings in force."""
        return self._board.settings

    def waiting(self, call: CallId) -> WaitingCall | None:
        """Return the visit that ``call`` is in, or None if it waits in no queue."""
        return self._board.calls.get(call)

    def seat_of(self, kind: str, number: str) -> SeatId | None:
        """Return the signed-in seat that has bound this phone."""
        return self._board.phones.holder(PhoneKey((kind, number)))

    def queues_of(self, seat: SeatId) -> tuple[str, ...]:
        """Return the queues of a seat; of one that was moved also those that the configuration gives it."""
        written = self._changes.moves.as_written(seat)
        return self.seats[seat].settings.queues + (() if written is None else written.queues)

    def phone_of(self, seat: SeatId) -> tuple[str, str] | None:
        """Return kind and number of the phone bound to ``seat``, or None while nobody is signed in."""
        known = self._board.seats.get(seat)
        if known is None or known.presence is Presence.OFFLINE:
            return None
        return known.phone.kind, known.phone.number

    def bars(self, tenant: str, caller: str, now: float) -> bool:
        """Say whether ``caller`` is kept off all of ``tenant``'s numbers."""
        return bool(self.lists.bars_from(tenant, caller, self._board.walltime.epoch(now)))

    def is_open(self, hours: str, now: float) -> bool:
        """Say whether a calendar of the configuration is open; one that there is not is closed."""
        known = self._hours.get(hours)
        return known is not None and known.is_open(self._board.walltime.epoch(now))

    def is_listed(self, tenant: str, name: str, caller: str, now: float) -> bool:
        """Say whether ``caller`` is on a list of ``tenant``."""
        return self.lists.holds(tenant, name, caller, self._board.walltime.epoch(now))

    def visits_of(self, call: CallId) -> int:
        """Return how many visits a call has had."""
        return self._board.visits_of(call)

    def remember_visits(self, call: CallId, number: int) -> None:
        """Count the visits of a call from before a restart on from ``number``."""
        self._board.remember_visit(call, number)

    def level_name(self, level: int) -> str:
        """Return the name of a level's rank."""
        return self._board.level_name(level)

    def position(self, call: CallId, now: float) -> int | None:
        """Return the call's place in its queue, counted from 1; None if it does not wait."""
        visit = self._board.calls.get(call)
        return None if visit is None else self._board.queues[visit.queue].position(visit)

    def estimate(self, call: CallId, now: float) -> tuple[float, float] | None:
        """Return how long the call is likely to wait from now on, (low, high) seconds; None if unknown."""
        visit = self._board.calls.get(call)
        if visit is None or visit.line is None:
            return None
        queue = self._board.queues[visit.queue]
        if visit.wanted_seat is not None:
            return None  # how long one person takes is nobody's guess
        wanted = self._board.matcher.class_of(visit.line)
        return queue.estimate(queue.position(visit), wanted.working)

    def is_quiet(self) -> bool:
        """Say whether nobody waits and no seat is offered anything."""
        return not self._board.calls and not self._board.offers

    def explain_call(self, call: CallId, now: float) -> dict[str, Any]:
        """Say why ``call`` still waits: the tests its seats fail, with numbers (:mod:`acd.explain`)."""
        return self._explainer.call(call, now)

    def explain_seat(self, seat: SeatId, now: float) -> dict[str, Any]:
        """Say why ``seat`` is not offered calls; raise OperationRefused if there is no such seat."""
        if seat not in self._board.seats:
            raise OperationRefused("NO_SUCH_SEAT", f"there is no seat {seat}")
        return self._explainer.seat(seat, now)

    def seat_object(self, number: SeatId, now: float) -> dict[str, Any]:
        """Return the seat object of the API; raise OperationRefused if there is no such seat."""
        seat = self._board.seats.get(number)
        if seat is None:
            raise OperationRefused("NO_SUCH_SEAT", f"there is no seat {number}")
        return {
            "seat": seat.id,
            "tenant": seat.tenant,
            "level": self._board.level_name(seat.level),
            "skills": seat.skills,
            "presence": seat.presence.value,
            "reason": seat.reason,
            "activity": seat.activity.value,
            "held": seat.held,
            "pending": seat.pending,
            "since": self._board.walltime.text(seat.since),
            "phone": {
                "kind": seat.phone.kind,
                "number": seat.phone.number,
                "reachable": seat.phone.reachable,
            },
            "call": seat.call,
            "queues": list(seat.queues),
            "moved": self._changes.moves.is_moved(seat.id),
            "after_call": seat.after_call,
            "paused_in": dict(seat.paused_in) if seat.is_signed_in else {},
            "counters": self._board.counting.seat_counters(seat.id, self._board.walltime.epoch(now)),
            "agent": seat.agent,
            "wrapup_left": None if seat.wrapup_until is None else round(seat.wrapup_until - now, 3),
        }

    def snapshot(self, now: float = 0.0) -> dict[str, object]:
        """Return what an operator may see of it all."""
        board = self._board
        return {
            "seats": {name: self.seat_object(name, now) for name in board.seats},
            "queues": {
                name: {
                    "waiting": [
                        {"call": call.call, "position": number, "waited": round(now - call.joined_at, 3)}
                        for number, call in enumerate(
                            sorted(queue.waiting.values(), key=lambda each: each.place), 1
                        )
                    ],
                    "signed_in": queue.signed_in,
                    "counters": queue.statistics.total.as_dict(),
                }
                for name, queue in board.queues.items()
            },
            "offers": {
                offer.id: {"call": offer.call.call, "seat": offer.seat.id, "state": offer.state.value}
                for offer in board.offers.values()
            },
        }

    def check(self) -> None:
        """Assert what must hold between turns."""
        check(self._board)
        self.callbacks.check()
        self.lists.check()
        self._changes.moves.check()
        self.quality.check()
