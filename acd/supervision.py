"""Supervision: what a shift leader does to seats and waiting calls while they are in use.

A call that is moved keeps the time it has waited and its credit, which nobody but a supervisor lowers; a seat
that is moved keeps its calls, its presence and its sign-in, and stays moved (:mod:`acd.moves`).
"""

import msgspec

from acd.board import Board
from acd.changes import Changes
from acd.desk import Desk
from acd.distribution import Distribution
from acd.inputs import CallMoved, CallPicked, CallPickedUp, SeatMoved, SupervisionWanted
from acd.offer import State
from acd.seat import Activity, Seat
from acd.settings import SeatSettings
from kernel.errors import OperationRefused
from kernel.ids import QueueName, SeatId
from queues.queue import Queue
from queues.waiting import WaitingCall

AHEAD = 0.001  # seconds of credit more than the first of a queue has


class Supervision:
    """Operations of supervisors that are more than a change of presence."""

    def __init__(self, board: Board, desk: Desk, distribution: Distribution, changes: Changes) -> None:
        self._board = board
        self._desk = desk
        self._distribution = distribution
        self._changes = changes

    def pick_up(self, what: CallPickedUp, now: float) -> None:
        """Let the call that rings at one seat ring at another instead."""
        offer = self._seat(what.seat).offer
        if offer is None or offer.state is not State.RINGING or offer.is_taken:
            raise OperationRefused("NOT_RINGING", f"no queue call rings at seat {what.seat}")
        self._distribution.pick(offer.call, self._picker(what.by), now)

    def pick(self, what: CallPicked, now: float) -> None:
        """Let a waiting call ring at the seat that has asked for it, whoever stands before it."""
        board, seat = self._board, self._seat(what.by)
        call = board.calls.get(what.call)
        queue = None if call is None else board.queues[call.queue]
        if call is None or queue is None or queue.settings.tenant != seat.tenant:
            raise OperationRefused("BAD_STATE", f"call {what.call} does not wait in a queue")
        if not (what.leads or (queue.settings.pick and queue.name in seat.queues)):
            raise OperationRefused("NO_RIGHT", f"seat {seat.id} picks no calls of queue {queue.name}")
        if any(board.offers[offer].is_taken for offer in call.ringing):
            raise OperationRefused("BAD_STATE", f"a seat has taken call {call.call} already")
        self._distribution.pick(call, self._picker(seat.id), now)

    def _picker(self, name: SeatId) -> Seat:
        """Return the seat that takes a call to its own phone."""
        seat = self._seat(name)
        if not seat.is_signed_in:
            raise OperationRefused("NOT_LOGGED_IN", f"nobody is signed in at seat {name}")
        if seat.activity is not Activity.IDLE:
            raise OperationRefused("STATUS_NOT_IDLE", f"seat {name} is {seat.activity}")
        return seat

    def may_attend(self, what: SupervisionWanted, now: float) -> None:
        """Say why a supervisor may not be in a seat's conversation now; its call is call control's."""
        target = self._seat(what.seat)
        if target.activity is not Activity.TALKING:
            raise OperationRefused("TARGET_NOT_TALKING", f"seat {target.id} is {target.activity}")
        if what.by is None:
            return
        own = self._seat(what.by)
        if not own.is_signed_in:
            raise OperationRefused("NOT_LOGGED_IN", f"nobody is signed in at seat {own.id}")
        if own.is_busy:
            raise OperationRefused("STATUS_NOT_IDLE", f"seat {own.id} is {own.activity}")
        if own.activity is Activity.UNREACHABLE and not what.has_phone:
            raise OperationRefused("PHONE_NOT_REGISTERED", f"{own.phone} of seat {own.id} is not there")

    def move_seat(self, what: SeatMoved, now: float) -> None:
        """Let a seat serve other queues, or work at another level or with other skills, from now on."""
        seat = self._seat(what.seat)
        moves = self._changes.moves
        if what.resets:
            written = moves.as_written(seat.id)
            if written is not None:
                self._move(seat, written, what.by, now)
            return
        level = seat.level if what.level is None else self._rank(what.level)
        names = seat.settings.queues if what.queues is None else tuple(dict.fromkeys(what.queues))
        skills = seat.settings.skills if what.skills is None else what.skills
        if not names and seat.settings.role != "supervisor":
            raise OperationRefused("NOT_IN_QUEUE", f"seat {seat.id} would serve no queue")
        for name in names:
            steps = self._board.steps[self._queue(name, seat.tenant).name]
            lowest = min(step.requirement.lowest for step in steps)
            highest = max(step.requirement.highest for step in steps)
            if not lowest <= level <= highest:
                named = self._board.level_name(level)
                raise OperationRefused("NOT_IN_QUEUE", f"level {named} never serves queue {name}")
        settings = msgspec.structs.replace(seat.settings, queues=names, level=level, skills=skills)
        self._move(seat, settings, what.by, now)

    def _move(self, seat: Seat, settings: SeatSettings, by: str, now: float) -> None:
        before = seat.settings
        self._changes.move(seat, settings, now)
        self._changes.moves.note(before, settings, by, self._board.walltime.epoch(now))
        self._desk.changed(seat, "moved", now)
        history = self._board.history
        for name in before.queues:
            if name not in settings.queues:
                history.seat_changed(seat, f"removed_from:{name}", now)
        for name in settings.queues:
            if name not in before.queues:
                history.seat_changed(seat, f"added_to:{name}", now)
        if settings.level != before.level:
            level = self._board.level_name(settings.level)
            history.seat_changed(seat, f"level:{settings.level}:{level}", now)

    def move_call(self, what: CallMoved, now: float) -> None:
        """Let a waiting call wait in another queue, before all others, or with another credit."""
        board = self._board
        call = board.calls.get(what.call)
        if call is None or call.is_callback:
            raise OperationRefused("BAD_STATE", f"call {what.call} does not wait in a queue")
        here = board.queues[call.queue]
        there = here if what.queue is None else self._queue(what.queue, here.settings.tenant)
        if there is here and not what.is_first and what.credit is None:
            raise OperationRefused("BAD_STATE", f"call {call.call} waits in queue {here.name} already")
        credit = self._credit(call, there, what)
        if there is here:
            self._distribution.advance(call, credit)
            return
        refusal = self._distribution.entry.refusal(there, call.caller, call.joined_at - credit, now)
        if refusal:
            raise OperationRefused("TARGET_BUSY", f"queue {there.name} takes nobody now: {refusal}")
        call.credit = credit
        self._distribution.move(call, there, now)

    @staticmethod
    def _credit(call: WaitingCall, queue: Queue, what: CallMoved) -> float:
        """Return the credit with which ``call`` is to stand in ``queue``; less only if said so."""
        credit = call.credit if what.credit is None else what.credit
        if credit < call.credit and not what.lowers:
            has = f"call {call.call} has a credit of {call.credit:g} s, which is more than {credit:g} s"
            raise OperationRefused("BAD_STATE", has)
        if what.is_first:
            others = (other.key for other in queue.waiting.values() if other is not call)
            credit = max(credit, call.joined_at - min(others, default=call.key) + AHEAD)
        return credit

    def _seat(self, name: SeatId) -> Seat:
        seat = self._board.seats.get(name)
        if seat is None or seat.is_removed:
            raise OperationRefused("NO_SUCH_SEAT", f"there is no seat {name}")
        return seat

    def _queue(self, name: str, tenant: str) -> Queue:
        queue = self._board.queues.get(QueueName(name))
        if queue is None or queue.settings.tenant != tenant:
            raise OperationRefused("NO_SUCH_QUEUE", f"there is no queue {name}")
        return queue

    def _rank(self, name: str) -> int:
        for rank, level in enumerate(self._board.settings.levels):
            if level.name == name:
                return rank
        raise OperationRefused("NO_SUCH_TARGET", f"there is no level {name}")
