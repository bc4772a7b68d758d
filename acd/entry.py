"""Entry: who gets into a queue, where those go whom it does not take or does not keep.

Rule: every queue that a call came to leaves exactly one row of a visit, whose cause says why it did not stay
there and whose target says where it went instead.
"""

from typing import TYPE_CHECKING

from acd.board import Board
from acd.commands import ReleaseCall
from acd.events import QueueChanged
from acd.inputs import CallJoined
from kernel.ids import QueueName
from kernel.timers import Timer
from policies.overflow import HANG_UP, outcome_of, overflow_queue, release_target
from queues.events import Outcome
from queues.queue import Queue
from queues.settings import QueueSettings, Requirement
from queues.waiting import WaitingCall

if TYPE_CHECKING:
    from acd.distribution import Distribution

VISITS_OF_A_CALL_MAX = 20  # overflows in a circle end here


class Entry:
    """The doors of all queues."""

    def __init__(self, board: Board, calls: "Distribution") -> None:
        self._board = board
        self._calls = calls
        self._emptying: dict[QueueName, Timer] = {}  # by queue: when somebody has waited for nobody too long

    def join(self, what: CallJoined, now: float) -> None:
        """Begin a visit, or say at once where the call goes instead."""
        board = self._board
        assert what.call not in board.calls, f"{what.call} waits already"
        queue = board.queues.get(what.queue)
        credit = what.credit + (0.0 if queue is None else queue.settings.priority_credit)
        visit = self._calls.build_visit(what, now, now, credit)
        if queue is None:
            self._end_at_door(visit, _nowhere(what.queue), "no_such_queue", HANG_UP, now)
        else:
            self._let_in(visit, queue, now)

    def send_on(self, call: WaitingCall, cause: str, now: float) -> None:
        """Do with a call what its queue says of those who have waited too long; no seat rings for it."""
        board = self._board
        queue = board.queues[call.queue]
        target = target_of(queue.settings, cause)
        there = self._following(target, call, now)
        if there is None:
            outcome, leads = outcome_of(target, Outcome.TIMED_OUT), release_target(target)
            self._calls.end_visit(call, outcome, cause, "", now, leads)
            board.commands.put(ReleaseCall(call.call, call.queue, outcome.value, cause, leads))
            return
        self._calls.end_visit(call, Outcome.OVERFLOWED, cause, "", now, target)
        self._let_in(self._next_visit(call, there, now), there, now)

    def _let_in(self, visit: WaitingCall, queue: Queue, now: float) -> None:
        """Begin the visit, here or in the queue that this one's refusal leads to."""
        while True:
            cause = self._refusal(queue, visit.key, now)
            if not cause:
                self._calls.enter(visit, queue, now)
                if queue.settings.entry.max_wait_empty and not queue.present:
                    self.look_after(queue, now)
                return
            target = target_of(queue.settings, cause)
            there = self._following(target, visit, now)
            if there is None:
                self._end_at_door(visit, queue, cause, target, now)
                return
            self._write(visit, queue, Outcome.OVERFLOWED, cause, target, now)
            visit, queue = self._next_visit(visit, there, now), there

    def _refusal(self, queue: Queue, key: float, now: float) -> str:
        """Say why a call that would stand by ``key`` may not enter ``queue``; "" when it may."""
        board = self._board
        if board.tenant(queue.settings.tenant).suspended:
            return "suspended"
        if not queue.is_open(board.walltime.epoch(now)):
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
        return ""

    def _following(self, target: str, call: WaitingCall, now: float) -> Queue | None:
        """Return the queue that ``target`` leads to, if it takes the call or knows where to send it."""
        name = overflow_queue(target)
        there = None if name is None else self._board.queues.get(name)
        if there is None or call.visits >= VISITS_OF_A_CALL_MAX:
            return None
        cause = self._refusal(there, call.joined_at - self._credit(call, there), now)
        return None if cause and target_of(there.settings, cause) == HANG_UP else there

    def _credit(self, call: WaitingCall, there: Queue) -> float:
        return max(call.credit, there.settings.priority_credit)

    def _next_visit(self, call: WaitingCall, there: Queue, now: float) -> WaitingCall:
        """Return the call's visit to ``there``: with the time waited and the greater credit."""
        what = CallJoined(call.call, there.name, call.caller, call.called, skills=call.skills)
        return self._calls.build_visit(what, call.joined_at, now, self._credit(call, there))

    def _end_at_door(self, visit: WaitingCall, queue: Queue, cause: str, target: str, now: float) -> None:
        outcome, leads = outcome_of(target, Outcome.REFUSED), release_target(target)
        self._write(visit, queue, outcome, cause, leads, now)
        self._board.commands.put(ReleaseCall(visit.call, queue.name, outcome.value, cause, leads))

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
        first = next((call for call in queue.waiting.values() if not call.is_overdue), None)
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
    if cause == "estimate":
        return entry.on_estimate
    return entry.on_barred if cause == "barred" else HANG_UP


def _nowhere(name: QueueName) -> Queue:
    """Return what a call to a queue that does not exist is counted in: nothing that lasts."""
    return Queue(QueueSettings(name, "", Requirement(0, 0)))
