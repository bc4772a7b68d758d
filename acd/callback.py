"""Callbacks: a place in a queue without anybody on the line. The seat is found first, then the customer is
dialled.

A callback stands in its queue like a call, at the place of the caller it goes on from, so that who waits on
the line and who waits at home are served in one order. It keeps that place through every attempt, over the
night and over a restart.

Rules: at most one per number and queue; one that a caller rings in for is taken over by the call; it never
stands, or is dialled, twice at once; no more are due at a time than the seats can work off; each is in
exactly one row, which the last change wins.
"""

from collections.abc import Iterator
from math import inf
from typing import TYPE_CHECKING, Any

from acd.abandoned import BOOKED_BY
from acd.board import Board
from acd.callbackstate import Callback, Input, State
from acd.commands import PlaceCall
from acd.events import CallbackChanged
from acd.followup import Followups
from acd.inputs import (
    CallbackAnswered,
    CallbackBooked,
    CallbackCancelled,
    CallbackChosen,
    CallbackFailed,
    CallbackRestored,
    CallJoined,
    CallLeft,
)
from kernel.errors import OperationRefused
from kernel.ids import CallId, QueueName, SeatId
from kernel.limits import CALLBACKS_MAX
from kernel.rows import CallbackAttemptRow, CallbackRow
from queues.events import Outcome
from queues.hours import is_open, next_change
from queues.queue import Queue
from queues.settings import CallbackSettings
from queues.waiting import WaitingCall

if TYPE_CHECKING:
    from acd.distribution import Distribution

LOOK_AGAIN_AFTER = 3600.0  # seconds at most between two looks at the clock, which may have been set
NUMBER_DIGITS_MIN = 3
NEVER = 366 * 86_400.0  # seconds: when a follow-up lapses, which its deadline does not make it


class Callbacks:
    """All open callbacks of one engine."""

    def __init__(self, board: Board, distribution: "Distribution") -> None:
        self._board = board
        self._distribution = distribution
        self._open: dict[str, Callback] = {}
        self._by_number: dict[tuple[QueueName, str], Callback] = {}
        self._by_call: dict[CallId, Callback] = {}
        self._by_tenant: dict[str, int] = {}
        self.followups = Followups(board, self)
        self._is_held = False  # the switch drains: nobody is dialled any more

    # Booking.

    def book(self, what: CallbackBooked, now: float) -> None:
        """Promise a customer to be called back."""
        queue = self._board.queues.get(what.queue)
        if queue is None:
            raise OperationRefused("NO_SUCH_QUEUE", f"there is no queue {what.queue}")
        at = now if what.at is None else max(what.at, now)
        tenant = queue.settings.tenant
        rule = self.followups.rule(tenant, what.followup) if what.followup else None
        if what.followup and rule is None:
            names = ", ".join(self.followups.names(tenant))
            raise OperationRefused("NO_SUCH_CLASS", f"no class {what.followup}: there are {names}")
        seat = self._wanted_seat(what, queue)
        # What is owed is never refused for want of room: it waits until there is some.
        self._check(what.queue, what.number, is_due=at <= now and rule is None)
        callback = self._open_new(what.callback, tenant, what.queue, what.number, now)
        callback.display = what.display
        callback.booked_by = what.booked_by
        callback.skills = what.skills
        callback.followup = "" if rule is None else rule.name
        callback.for_seat = seat
        callback.seat_until = inf if what.seat_wait is None else at + what.seat_wait
        callback.joined_at = callback.due_at = at
        callback.credit, _ = self._distribution.entry.credit(queue, what.number, now)
        callback.expires_at = at + (queue.settings.callback.expires_after if rule is None else NEVER)
        if rule is not None:
            self.followups.begin(callback, rule, now)
        self._changed(callback, "booked", now)
        self.begin(callback, now)

    def _wanted_seat(self, what: CallbackBooked, queue: Queue) -> SeatId | None:
        """Return the seat that a booking is for, if it is for one; it need not be there now."""
        if not what.seat:
            return None
        seat = self._board.seats.get(SeatId(what.seat))
        if seat is None or seat.is_removed or seat.tenant != queue.settings.tenant:
            raise OperationRefused("NO_SUCH_SEAT", f"there is no seat {what.seat}")
        if queue.name not in seat.queues:
            raise OperationRefused("NOT_IN_QUEUE", f"seat {seat.id} does not serve queue {queue.name}")
        return seat.id

    def choose(self, what: CallbackChosen, now: float) -> None:
        """Let a waiting caller go home with its place kept."""
        call = self._board.calls.get(what.call)
        if call is None or call.is_callback:
            raise OperationRefused("NO_SUCH_CALL", f"call {what.call} does not wait in a queue")
        self._check(call.queue, what.number or call.caller)
        self._distribution.call_back(call, "caller", now, what.number)

    def keep_place(
        self, call: WaitingCall, booked_by: str, now: float, number: str = "", after: float = 0.0
    ) -> Callback | None:
        """Book a callback at the place of ``call``, due ``after`` seconds, or return None if that cannot be.

        It is for :meth:`begin` to let it stand there, when the visit of ``call`` has ended.
        """
        board = self._board
        number = number or call.caller
        if self._refusal(call.queue, number) is not None:
            return None
        queue = board.queues[call.queue]
        callback = self._open_new(call.call, queue.settings.tenant, call.queue, number, now)
        callback.display = call.called
        callback.booked_by = booked_by
        callback.visit = call.visit
        callback.skills = call.skills
        callback.joined_at = call.joined_at
        callback.credit = call.credit
        callback.due_at = now + after
        callback.expires_at = callback.due_at + queue.settings.callback.expires_after
        self._changed(callback, "booked", now)
        return callback

    def merge(self, visit: WaitingCall, now: float) -> None:
        """Let a caller who is about to enter have the place of its own callback, which ends, if better."""
        callback = self._by_number.get((visit.queue, visit.caller))
        if callback is None or callback.state is State.DIALLING or callback.followup:
            return  # what is owed is owed still, whatever the customer calls for
        if callback.key < visit.key:
            visit.joined_at, visit.credit, visit.key = callback.joined_at, callback.credit, callback.key
        self._end(callback, "merged", now)

    def _refusal(self, queue_name: QueueName, number: str, *, is_due: bool = True) -> tuple[str, str] | None:
        """Return word and reason why this number cannot be promised a call, or None."""
        if sum(character.isdigit() for character in number) < NUMBER_DIGITS_MIN:
            return "BAD_NUMBER", f"{number!r} is not a number that can be called"
        known = self._by_number.get((queue_name, number))
        if known is not None:
            return "ALREADY_BOOKED", f"{number} has callback {known.id} in queue {queue_name} already"
        queue = self._board.queues[queue_name]
        if self._by_tenant.get(queue.settings.tenant, 0) >= CALLBACKS_MAX:
            return "CALLBACKS_FULL", f"{CALLBACKS_MAX} callbacks are open"
        most = self._due_max(queue_name)
        if is_due and self._due_count(queue_name) >= most:
            return (
                "CALLBACKS_FULL",
                f"queue {queue_name} has {most} callbacks due, as many as its seats can do",
            )
        return None

    def _check(self, queue: QueueName, number: str, *, is_due: bool = True) -> None:
        refusal = self._refusal(queue, number, is_due=is_due)
        if refusal is not None:
            raise OperationRefused(*refusal)

    def _due_max(self, queue: QueueName) -> int:
        board = self._board
        settings = board.queues[queue].settings.callback
        seats = board.queues[queue].signed_in or len(board.seats_of(queue))
        return int(settings.per_seat * seats)

    def _due_count(self, queue: QueueName) -> int:
        return sum(
            each.queue == queue and (each.state is not State.SCHEDULED or each.calls > 0 or each.visit != "")
            for each in self._open.values()
        )

    def _is_full(self, queue: QueueName) -> bool:
        """Say whether as many stand in a queue, or are dialled, as its seats can do."""
        standing = sum(it.queue == queue and it.state is not State.SCHEDULED for it in self._open.values())
        return standing >= self._due_max(queue)

    def _open_new(self, callback_id: str, tenant: str, queue: QueueName, number: str, now: float) -> Callback:
        callback = Callback(callback_id, tenant, queue, number, self)
        callback.booked_at = now
        self._open[callback_id] = callback
        self._by_number[queue, number] = callback
        self._by_tenant[tenant] = self._by_tenant.get(tenant, 0) + 1
        return callback

    def close(self, callback: Callback, now: float) -> None:
        """End a follow-up by its department's word; not while the customer is being rung."""
        if callback.state is State.DIALLING:
            raise OperationRefused("BAD_STATE", f"{callback.number} is being dialled")
        self._end(callback, "closed", now)

    def move(self, callback: Callback, queue: QueueName, now: float) -> bool:
        """Let an open callback that is not being dialled stand in another queue at once, with its place.

        False, and nothing is changed, where there is no such queue or the number has a callback there.
        """
        there = self._board.queues.get(queue)
        if there is None or (queue, callback.number) in self._by_number:
            return False
        if callback.state is State.WAITING:
            self._step_back(callback, "escalated", now, now)
        del self._by_number[callback.queue, callback.number]
        callback.queue = queue
        self._by_number[queue, callback.number] = callback
        credit, _ = self._distribution.entry.credit(there, callback.number, now)
        callback.credit = max(callback.credit, credit)
        callback.due_at = min(callback.due_at, now)
        self._changed(callback, "scheduled", now)
        self.begin(callback, now)
        return True

    def settle(self, now: float) -> None:
        """Pair what a deadline has freed."""
        self._distribution.settle(now)

    def cancel(self, what: CallbackCancelled, now: float) -> None:
        """Forget the promise; not while the customer is being rung."""
        callback = self._open.get(what.callback)
        if callback is None:
            raise OperationRefused("NO_SUCH_CALLBACK", f"there is no open callback {what.callback}")
        if callback.state is State.DIALLING:
            raise OperationRefused(
                "BAD_STATE", f"{callback.number} is being dialled; hang the call up instead"
            )
        self._end(callback, "cancelled", now)

    # Its turn.

    def on_deadline(self, callback: Callback, now: float) -> None:
        """A turn of its own: a deadline of ``callback`` has come."""
        self.begin(callback, now)
        self._distribution.settle(now)

    def begin(self, callback: Callback, now: float) -> None:
        """Look at the clock: stand in the queue, leave it, wait on or give up."""
        board = self._board
        board.timers.disarm(callback.timer)
        callback.timer = None
        if callback.state in (State.DIALLING, State.ENDED):
            return
        if now >= callback.expires_at:
            self._end(callback, "expired", now)
        elif callback.state is State.SCHEDULED:
            opens_at = self._opens_at(callback, now)
            if opens_at <= now and callback.followup and self._is_full(callback.queue):
                self._look_again(callback, now + self._settings(callback).retry_after, now)
            elif opens_at <= now:
                self._stand(callback, now)
            else:
                self._look_again(callback, opens_at, now)
        else:
            self._stay(callback, now)

    def _opens_at(self, callback: Callback, now: float) -> float:
        """Return when the customer may be dialled next, by its due moment, hours and the tenant's state."""
        board = self._board
        at = max(callback.due_at, now)
        if self._is_held or board.tenant(callback.tenant).suspended:
            return now + LOOK_AGAIN_AFTER
        hours = self._settings(callback).hours
        if hours is not None and not is_open(hours, board.walltime.epoch(at)):
            change = next_change(hours, board.walltime.epoch(at))
            return now + LOOK_AGAIN_AFTER if change is None else max(board.walltime.monotonic(change), now)
        return at

    def _stay(self, callback: Callback, now: float) -> None:
        """It stands in its queue: leave when its hours are over, unless a seat rings for it just now."""
        board = self._board
        hours = self._settings(callback).hours
        epoch = board.walltime.epoch(now)
        if hours is not None and not is_open(hours, epoch):
            assert callback.call is not None
            if board.calls[callback.call].ringing:
                self._look_again(callback, now + 1.0, now)
                return
            self._step_back(callback, "out_of_hours", callback.due_at, now)
            return
        closes = None if hours is None else next_change(hours, epoch)
        closes_at = callback.expires_at if closes is None else board.walltime.monotonic(closes)
        self._look_again(callback, closes_at, now)

    def _look_again(self, callback: Callback, at: float, now: float) -> None:
        at = min(at, callback.expires_at, now + LOOK_AGAIN_AFTER)
        callback.timer = self._board.timers.arm(callback, "callback", max(at, now))

    def _stand(self, callback: Callback, now: float) -> None:
        callback.move(Input.DUE)
        callback.calls += 1
        call = callback.call = CallId(f"{callback.id}-{callback.calls}")
        self._by_call[call] = callback
        what = CallJoined(call, callback.queue, callback.number, callback.display, skills=callback.skills)
        self._changed(callback, "waiting", now)
        self._distribution.enter_callback(
            what, callback.joined_at, callback.credit, now, callback.for_seat, callback.seat_until
        )
        self._stay(callback, now)

    def hold(self, now: float) -> None:
        """Dial nobody from now on: what stands in a queue, or rings a seat, steps back with its place.

        Who is being dialled is. The promises are kept by the switch that starts next.
        """
        self._is_held = True
        for callback in list(self._open.values()):
            if callback.state is State.WAITING:
                self._board.timers.disarm(callback.timer)
                self._step_back(callback, "draining", callback.due_at, now)

    def _step_back(self, callback: Callback, cause: str, due_at: float, now: float) -> None:
        """Take it out of its queue without an attempt."""
        call = callback.call
        assert call is not None
        callback.move(Input.BACK)
        callback.due_at = due_at
        self._forget_call(callback)
        self._changed(callback, "scheduled", now)
        self._distribution.leave(CallLeft(call, cause), now)
        self._look_again(callback, self._opens_at(callback, now), now)

    def _forget_call(self, callback: Callback) -> None:
        if callback.call is not None:
            del self._by_call[callback.call]
            callback.call = None

    def placed(self, call: WaitingCall) -> PlaceCall:
        """Return what call control must know before a seat is rung for a callback."""
        callback = self._by_call[call.call]
        settings = self._settings(callback)
        return PlaceCall(
            call.call, call.queue, callback.tenant, callback.number, callback.display, settings.ring_for
        )

    # What became of it.

    def visit_ended(self, call: WaitingCall, outcome: Outcome, cause: str, seat: str, now: float) -> None:
        """Follow the callback's stay in its queue to its end."""
        callback = self._by_call.get(call.call)
        if callback is None or callback.state is not State.WAITING:
            return  # it was taken out by its own hand
        if outcome is Outcome.ANSWERED:
            callback.move(Input.TAKEN)
            callback.attempts += 1
            callback.seat = seat
            callback.dialled_at = now
            self._board.timers.disarm(callback.timer)
            callback.timer = None
            self._changed(callback, "dialling", now)
        elif callback.queue not in self._board.queues or cause == "queue_removed":
            self._end(callback, "cancelled", now)
        else:
            callback.move(Input.BACK)
            callback.due_at = now + self._settings(callback).retry_after
            self._forget_call(callback)
            self._changed(callback, "scheduled", now)
            self._look_again(callback, self._opens_at(callback, now), now)

    def answered(self, what: CallbackAnswered, now: float) -> None:
        """The customer talks to the seat: the promise is kept."""
        callback = self._by_call.get(what.call)
        if callback is not None and callback.state is State.DIALLING:
            self._attempted(callback, "answered", 200, now)
            self._end(callback, "answered", now)

    def failed(self, what: CallbackFailed, now: float) -> None:
        """The customer did not take it: again later, or never."""
        callback = self._by_call.get(what.call)
        if callback is None or callback.state is not State.DIALLING:
            return
        self._attempted(callback, what.outcome, what.status, now)
        queue = self._board.queues.get(callback.queue)
        if queue is None:
            self._end(callback, "cancelled", now)
        elif not callback.followup and any(
            each.caller == callback.number for each in queue.waiting.values() if not each.is_callback
        ):
            self._end(callback, "merged", now)  # it is on the line itself meanwhile
        elif callback.attempts >= self._attempts_max(callback):
            self._end(callback, "exhausted", now)
        else:
            callback.move(Input.FAILED)
            callback.due_at = now + queue.settings.callback.retry_after
            self._forget_call(callback)
            self._changed(callback, "scheduled", now)
            self._look_again(callback, self._opens_at(callback, now), now)

    def _attempts_max(self, callback: Callback) -> int:
        rule = self.followups.rule_of(callback)
        return self._settings(callback).attempts if rule is None else rule.attempts_max

    def _attempted(self, callback: Callback, outcome: str, status: int, now: float) -> None:
        board = self._board
        callback.last_outcome = outcome
        board.rows.put(
            CallbackAttemptRow(
                callback.call or "",
                callback.id,
                callback.number,
                callback.attempts,
                callback.seat,
                board.walltime.epoch(callback.dialled_at),
                board.walltime.epoch(now),
                outcome,
                status,
            )
        )

    def _end(self, callback: Callback, outcome: str, now: float) -> None:
        call = callback.call
        assert callback.move(Input.END), f"{callback.id} has ended and is {outcome}"
        callback.outcome = outcome
        self._board.timers.disarm(callback.timer)
        callback.timer = None
        del self._open[callback.id]
        del self._by_number[callback.queue, callback.number]
        self._by_tenant[callback.tenant] -= 1
        self._forget_call(callback)
        callback.keeper = None
        self.followups.ended(callback, now)
        self._changed(callback, "ended", now)
        if call is not None:
            self._distribution.leave(CallLeft(call, outcome), now)

    # Configuration and restart.

    def configure(self, now: float) -> None:
        """Look at every callback with new settings; those of a queue that is gone are cancelled."""
        self.followups.configure(self._board.settings.followups)
        for callback in list(self._open.values()):
            if callback.queue not in self._board.queues:
                if callback.state is not State.DIALLING:
                    self._end(callback, "cancelled", now)
            elif callback.state is not State.DIALLING:
                self._look_again(callback, now, now)

    def restore(self, what: CallbackRestored, now: float) -> None:
        """Take a promise back from before a restart; a dial that was going on then is made again."""
        row = what.row
        monotonic = self._board.walltime.monotonic
        queue = QueueName(row.queue)
        if row.state == State.ENDED or row.callback in self._open or (queue, row.number) in self._by_number:
            return
        callback = self._open_new(row.callback, row.tenant, queue, row.number, monotonic(row.booked_at))
        callback.display, callback.booked_by, callback.visit = row.display, row.booked_by, row.visit
        callback.followup = row.followup
        callback.joined_at, callback.credit = monotonic(row.joined_at), row.credit
        callback.skills = _parse_skills(row.skills)
        callback.due_at = monotonic(row.due_at)
        callback.expires_at = monotonic(row.expires_at)
        callback.calls, callback.attempts = row.calls, row.attempts
        callback.last_outcome = row.outcome
        if row.booked_by == BOOKED_BY:
            self._distribution.abandoned.promised(queue, row.number, callback.booked_at)
        callback.for_seat = SeatId(row.for_seat) if row.for_seat else None
        callback.seat_until = inf if row.seat_until is None else monotonic(row.seat_until)
        if queue not in self._board.queues:
            self._end(callback, "cancelled", now)
            return
        callback.timer = self._board.timers.arm(callback, "callback", max(callback.due_at, now))

    def _settings(self, callback: Callback) -> CallbackSettings:
        queue = self._board.queues.get(callback.queue)
        return CallbackSettings() if queue is None else queue.settings.callback

    # Telling.

    def _changed(self, callback: Callback, what: str, now: float) -> None:
        board = self._board
        epoch = board.walltime.epoch
        board.rows.put(
            CallbackRow(
                callback.id,
                callback.tenant,
                callback.queue,
                callback.number,
                callback.display,
                callback.booked_by,
                callback.visit,
                callback.followup,
                epoch(callback.booked_at),
                epoch(callback.joined_at),
                callback.credit,
                ",".join(f"{name}={level}" for name, level in callback.skills),
                epoch(callback.due_at),
                epoch(callback.expires_at),
                callback.calls,
                callback.attempts,
                callback.state.value,
                callback.outcome,
                epoch(now),
                callback.for_seat or "",
                None if callback.seat_until == inf else epoch(callback.seat_until),
            )
        )
        board.events.put(CallbackChanged(callback.id, what, self.view(callback, now)))

    def view(self, callback: Callback, now: float) -> dict[str, Any]:
        """Return the callback object of the API."""
        text = self._board.walltime.text
        call = None if callback.call is None else self._board.calls.get(callback.call)
        queue = self._board.queues.get(callback.queue)
        return {
            "callback": callback.id,
            "tenant": callback.tenant,
            "queue": callback.queue,
            "number": callback.number,
            "state": callback.state.value,
            "outcome": callback.outcome or None,
            "booked_by": callback.booked_by,
            "booked_at": text(callback.booked_at),
            "joined_at": text(callback.joined_at),
            "due_at": text(callback.due_at),
            "expires_at": text(callback.expires_at),
            "attempts": callback.attempts,
            "attempts_max": self._attempts_max(callback),
            "last_outcome": callback.last_outcome or None,
            "position": None if call is None or queue is None else queue.position(call),
            "seat": callback.seat or None,
            "for_seat": callback.for_seat,
            "seat_until": None if callback.seat_until == inf else text(callback.seat_until),
            "call": callback.call,
            **self.followups.view(callback.id, now),
        }

    def views(self, now: float) -> Iterator[dict[str, Any]]:
        """Yield every open callback, in the order of their places."""
        for callback in sorted(self._open.values(), key=lambda each: (each.key, each.id)):
            yield self.view(callback, now)

    def view_of(self, callback: str, now: float) -> dict[str, Any]:
        """Return the object of an open callback; NO_SUCH_CALLBACK if there is none."""
        known = self._open.get(callback)
        if known is None:
            raise OperationRefused("NO_SUCH_CALLBACK", f"there is no open callback {callback}")
        return self.view(known, now)

    def get(self, callback: str) -> Callback | None:
        """Return an open callback."""
        return self._open.get(callback)

    def check(self) -> None:
        """Assert what must hold between turns."""
        board = self._board
        standing = {call.call for call in board.calls.values() if call.is_callback}
        for callback in self._open.values():
            assert self._by_number.get((callback.queue, callback.number)) is callback, (
                f"{callback.id} is lost"
            )
            stands = callback.call in standing
            assert stands is (callback.state is State.WAITING), f"{callback.id} is {callback.state}"
            assert (callback.call is None) is (callback.state is State.SCHEDULED), f"{callback.id}: its call"
            is_timed = callback.timer is not None and callback.timer.owner is callback
            assert is_timed is (callback.state is not State.DIALLING), f"{callback.id} waits for nothing"
            if callback.call is not None:
                assert self._by_call.get(callback.call) is callback, f"{callback.call} is lost"
        assert len(standing) == sum(each.state is State.WAITING for each in self._open.values())
        assert len(self._by_number) == len(self._open), "two callbacks of one number"
        self.followups.check()
        assert len(self._by_call) == sum(each.call is not None for each in self._open.values())


def _parse_skills(text: str) -> tuple[tuple[str, int], ...]:
    pairs = (pair.rpartition("=") for pair in text.split(",") if pair)
    return tuple((name, int(level)) for name, _, level in pairs)
