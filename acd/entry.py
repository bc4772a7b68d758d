"""Entry: who gets into a queue, where those go whom it does not take or does not keep.

Rule: every queue that a call came to leaves exactly one row of a visit, whose cause says why it did not stay
there and whose target says where it went instead.
"""

from typing import TYPE_CHECKING

from acd.board import Board
from acd.commands import ChangeQueue, ReleaseCall
from acd.events import QueueChanged
from acd.inputs import CallerRestored, CallJoined, KeyChosen, PlaceRestored
from acd.lists import CallerLists, NumberReader
from acd.memory import CallerSeats, LeftPlace, LeftPlaces
from kernel.ids import QueueName, SeatId
from kernel.timers import Timer
from policies.overflow import (
    CALLBACK,
    HANG_UP,
    outcome_of,
    overflow_queue,
    overflow_seat,
    release_target,
)
from policies.skills import serves, with_skills
from queues.events import Outcome
from queues.queue import Queue
from queues.settings import QueueSettings, Requirement
from queues.waiting import ANYONE, WaitingCall

if TYPE_CHECKING:
    from acd.distribution import Distribution

VISITS_OF_A_CALL_MAX = 20  # overflows in a circle end here


class Entry:
    """The doors of all queues."""

    def __init__(self, board: Board, calls: "Distribution", numbers: NumberReader) -> None:
        self._board = board
        self._calls = calls
        self.callers = CallerSeats()
        self.left = LeftPlaces()
        self.lists = CallerLists(board, numbers)
        self._emptying: dict[QueueName, Timer] = {}  # by queue: when somebody has waited for nobody too long

    def join(self, what: CallJoined, now: float) -> None:
        """Begin a visit, or say at once where the call goes instead."""
        board = self._board
        assert what.call not in board.calls, f"{what.call} waits already"
        queue = board.queues.get(what.queue)
        credit, vip = self.credit(queue, what.caller, now)
        visit = self._calls.build_visit(what, now, now, what.credit + credit)
        visit.vip = vip
        if queue is not None and what.seat:
            visit.wanted_seat = SeatId(what.seat)
            visit.seat_for = queue.settings.entry.seat_wait
            visit.fallback = queue.settings.entry.on_seat_wait
        if queue is None:
            self._end_at_door(visit, _nowhere(what.queue), "no_such_queue", HANG_UP, now)
        else:
            self._let_in(visit, queue, now)

    def send_on(self, call: WaitingCall, cause: str, now: float) -> None:
        """Do with a call what its queue says of those who have waited too long; no seat rings for it."""
        queue = self._board.queues[call.queue]
        target = call.fallback if cause == "seat_wait" else target_of(queue.settings, cause)
        if target == CALLBACK:
            if self._calls.call_back(call, cause, now):
                return
            target = HANG_UP
        self._lead(call, target, cause, Outcome.TIMED_OUT, now)

    def key_pressed(self, what: KeyChosen, now: float) -> None:
        """Do with a waiting caller what its queue says of a key; where that leads nowhere just now (full,
        closed, no such number to be called back), it waits on.
        """
        call = self._board.calls.get(what.call)
        target = None if call is None else dict(self._board.queues[call.queue].settings.keys).get(what.key)
        if call is None or call.is_callback or target is None:
            return
        if target == CALLBACK:
            self._calls.call_back(call, "caller", now)
            return
        is_ours = target != HANG_UP and not release_target(target)
        if is_ours and self._following(target, call, self._board.queues[call.queue], now) is None:
            return
        cause = f"key:{what.key}"
        self._calls.withdraw_all(call, cause, now)
        self._lead(call, target, cause, Outcome.WITHDRAWN, now)

    def _lead(self, call: WaitingCall, target: str, cause: str, otherwise: Outcome, now: float) -> None:
        """End a visit whose call leaves for ``target``; ``otherwise`` is how where that is the end."""
        board = self._board
        there = self._following(target, call, board.queues[call.queue], now)
        if there is None:
            outcome, leads = outcome_of(target, otherwise), release_target(target)
            self._calls.end_visit(call, outcome, cause, "", now, leads)
            board.commands.put(ReleaseCall(call.call, call.queue, outcome.value, cause, leads))
            return
        self._calls.end_visit(call, Outcome.OVERFLOWED, cause, "", now, target)
        self._let_in(self._next_visit(call, there, target, now), there, now)

    def _let_in(self, visit: WaitingCall, queue: Queue, now: float) -> None:
        """Begin the visit, here or in the queue that this one's refusal leads to."""
        while True:
            cause = self.refusal(queue, visit.caller, visit.key, now) if visit.fallback != HANG_UP else ""
            if not cause and visit.wanted_seat is not None and not self._is_there(visit.wanted_seat, queue):
                visit.wanted_seat = None
                cause = "" if visit.fallback == ANYONE else "seat_away"
            if not cause:
                self._calls.callbacks.merge(visit, now)
                if queue.settings.entry.resume_abandoned:
                    self._resume(visit, queue, now)
                if visit.wanted_seat is None and queue.settings.entry.sticky_for:
                    self._prefer(visit, queue, now)
                if visit.visits > 1:
                    self._board.commands.put(ChangeQueue(visit.call, queue.name))
                self._calls.enter(visit, queue, now)
                if queue.settings.entry.max_wait_empty and not queue.present:
                    self.look_after(queue, now)
                return
            target = target_of(queue.settings, cause)
            there = self._following(target, visit, queue, now)
            if there is None:
                self._end_at_door(visit, queue, cause, target, now)
                return
            self._write(visit, queue, Outcome.OVERFLOWED, cause, target, now)
            visit, queue = self._next_visit(visit, there, target, now), there

    def refusal(self, queue: Queue, caller: str, key: float, now: float) -> str:
        """Say why ``caller``, who would stand by ``key``, may not enter ``queue``; "" when it may."""
        board = self._board
        if board.tenant(queue.settings.tenant).suspended:
            return "suspended"
        epoch = board.walltime.epoch(now)
        if self.lists.bars(queue.settings, caller, epoch):
            return "barred"
        if not queue.is_open(epoch):
            return "closed"
        refusal = queue.refusal()
        if refusal:
            return refusal
        limit = queue.settings.entry.max_estimate
        if limit:
            working = board.classes[queue.name][0].working
            likely = queue.estimate(queue.place_of(key), working)
            if likely is not None and likely[0] > limit:
                return "estimate"
        ratio = queue.settings.entry.max_ratio
        if ratio and queue.waiting and len(queue.waiting) + 1 > ratio * board.classes[queue.name][0].working:
            return "ratio"
        return ""

    def _following(self, target: str, call: WaitingCall, here: Queue, now: float) -> Queue | None:
        """Return the queue that ``target`` leads to, if it takes the call or knows where to send it.

        A seat is waited for in the queue ``here``, whatever that refuses to others; nothing follows.
        """
        seat = overflow_seat(target)
        if seat is not None:
            return here if call.fallback != HANG_UP and self._is_there(seat, here) else None
        name = overflow_queue(target)
        there = None if name is None else self._board.queues.get(name)
        if there is None or call.visits >= VISITS_OF_A_CALL_MAX:
            return None
        credit, _ = self._credit(call, there, now)
        cause = self.refusal(there, call.caller, call.joined_at - credit, now)
        return None if cause and target_of(there.settings, cause) == HANG_UP else there

    def credit(self, queue: Queue | None, caller: str, now: float) -> tuple[float, str]:
        """Return the seconds that ``queue`` credits ``caller`` with, and the list that adds to them."""
        if queue is None:
            return 0.0, ""
        more, vip = self.lists.credit(queue.settings, caller, self._board.walltime.epoch(now))
        return queue.settings.priority_credit + more, vip

    def _credit(self, call: WaitingCall, there: Queue, now: float) -> tuple[float, str]:
        credit, vip = self.credit(there, call.caller, now)
        return (call.credit, call.vip) if call.credit > credit else (credit, vip)

    def _next_visit(self, call: WaitingCall, there: Queue, target: str, now: float) -> WaitingCall:
        """Return the call's visit to ``there``: with the time waited and the greater credit."""
        what = CallJoined(call.call, there.name, call.caller, call.called, skills=call.skills)
        credit, vip = self._credit(call, there, now)
        visit = self._calls.build_visit(what, call.joined_at, now, credit)
        visit.vip = vip
        seat = overflow_seat(target)
        if seat is not None:
            visit.wanted_seat, visit.seat_for = seat, there.settings.entry.seat_wait
            visit.fallback = HANG_UP
        return visit

    def transfer(self, call: WaitingCall, there: Queue, target: str, now: float) -> None:
        """Begin the visit to ``there`` of a call whose visit before has just ended."""
        self._let_in(self._next_visit(call, there, target, now), there, now)

    # A place given up, and taken again.

    def gave_up(self, call: WaitingCall, queue: Queue, now: float) -> None:
        """Remember the place of a caller who is gone, where its queue would give it back."""
        if queue.settings.entry.resume_abandoned and not call.is_callback:
            place = LeftPlace(call.visit, call.joined_at, call.credit, now)
            if self.left.remember(queue.name, call.caller, place):
                self._board.history.caller_left(queue.name, call.caller, place)

    def restore_place(self, what: PlaceRestored) -> None:
        """Take back who had given up before a restart."""
        place = LeftPlace(what.visit, what.joined_at, what.credit, what.left_at)
        self.left.remember(what.queue, what.number, place)

    def _resume(self, visit: WaitingCall, queue: Queue, now: float) -> None:
        """Let a caller who is about to enter have the place that it gave up just now, if that is better."""
        within = queue.settings.entry.resume_abandoned
        place = self.left.take(queue.name, visit.caller, within, now)
        if place is not None and place.joined_at - place.credit < visit.key:
            visit.joined_at, visit.credit = place.joined_at, place.credit
            visit.key = place.joined_at - place.credit
            visit.resumes = place.visit

    # One given seat.

    def _is_there(self, number: SeatId, queue: Queue) -> bool:
        """Say whether a caller of ``queue`` may wait for the seat: it is signed in and names the queue."""
        seat = self._board.seats.get(number)
        if seat is None or not seat.is_signed_in or seat.is_removed:
            return False
        return queue.name in seat.queues and queue.name not in seat.paused_in

    def _prefer(self, visit: WaitingCall, queue: Queue, now: float) -> None:
        """Let the caller wait for the seat that served it last, if that works and may serve it at all."""
        entry = queue.settings.entry
        epoch = self._board.walltime.epoch(now)
        number = self.callers.seat_of(queue.name, visit.caller, epoch, entry.sticky_memory)
        seat = None if number is None else self._board.seats.get(number)
        if seat is None or not seat.is_working or seat.is_removed:
            return
        # What it served under a step that is not open yet, it may serve again.
        widest = with_skills(self._board.steps[queue.name][-1].requirement, visit.skills)
        if queue.name in seat.queues and serves(seat.level, seat.skills, widest):
            visit.wanted_seat, visit.seat_for, visit.is_sticky = seat.id, entry.sticky_for, True

    def answered(self, call: WaitingCall, seat: SeatId, now: float) -> None:
        """Remember who served the caller, where the queue wants to know."""
        queue = self._board.queues[call.queue]
        if queue.settings.entry.sticky_for:
            epoch = self._board.walltime.epoch(now)
            if self.callers.remember(queue.name, call.caller, seat, epoch):
                self._board.history.caller_seat(queue.name, call.caller, seat, epoch)

    def restore(self, what: CallerRestored) -> None:
        """Take back what was remembered before a restart."""
        self.callers.remember(what.queue, what.number, what.seat, what.epoch)

    def _end_at_door(self, visit: WaitingCall, queue: Queue, cause: str, target: str, now: float) -> None:
        callback = self._calls.callbacks.keep_place(visit, cause, now) if target == CALLBACK else None
        if target == CALLBACK and callback is None:
            target = HANG_UP
        outcome, leads = outcome_of(target, Outcome.REFUSED), release_target(target)
        self._write(visit, queue, outcome, cause, leads, now)
        self._board.commands.put(ReleaseCall(visit.call, queue.name, outcome.value, cause, leads))
        if callback is not None:
            self._calls.callbacks.begin(callback, now)

    def _write(
        self, visit: WaitingCall, queue: Queue, outcome: Outcome, cause: str, target: str, now: float
    ) -> None:
        board = self._board
        board.history.visit_ended(visit, queue, outcome, cause, "", now, target)
        board.events.put(QueueChanged(queue.name, "left", visit.call, outcome.value))

    # Waiting where nobody is.

    def look_after(self, queue: Queue, now: float) -> None:
        """Arm the deadline of those who wait where nobody is there, or disarm it when somebody is."""
        limit = queue.settings.entry.max_wait_empty
        timers = self._board.timers
        timers.disarm(self._emptying.pop(queue.name, None))
        if queue.present:
            queue.empty_since = None
            return
        if queue.empty_since is None:
            queue.empty_since = now
        first = next((it for it in queue.waiting.values() if not (it.is_overdue or it.is_callback)), None)
        if limit and first is not None:
            due = max(queue.empty_since, first.entered_at) + limit
            self._emptying[queue.name] = timers.arm(self, f"empty {queue.name}", max(due, now))

    def on_timer(self, name: str, now: float) -> None:
        """Somebody has waited too long in a queue where nobody is there."""
        queue = self._board.queues.get(QueueName(name.partition(" ")[2]))
        if queue is None:
            return
        self._emptying.pop(queue.name, None)
        limit = queue.settings.entry.max_wait_empty
        if limit and queue.empty_since is not None and not queue.present:
            # Visits stand in the order in which they began, so the first that is not due ends the search.
            for call in list(queue.waiting.values()):
                if max(queue.empty_since, call.entered_at) + limit > now:
                    break
                self._calls.overdue(call, "empty", now)
        self.look_after(queue, now)
        self._calls.settle(now)


def target_of(settings: QueueSettings, cause: str) -> str:
    """Return where a queue sends those whom it turns away, or lets go, because of ``cause``."""
    entry = settings.entry
    if cause == "max_wait":
        return settings.on_timeout
    if cause == "full":
        return entry.on_full
    if cause == "empty":
        return entry.on_empty
    if cause == "closed":
        return entry.on_closed
    if cause == "seat_away":
        return entry.on_seat_wait
    if cause == "estimate":
        return entry.on_estimate
    if cause == "ratio":
        return entry.on_ratio
    return entry.on_barred if cause == "barred" else HANG_UP


def _nowhere(name: QueueName) -> Queue:
    """Return what a call to a queue that does not exist is counted in: nothing that lasts."""
    return Queue(QueueSettings(name, "", Requirement(0, 0)))
