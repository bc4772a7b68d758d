"""Alerts: a caller who waits longer than the queue's ``alert_wait`` is told of, once per visit.

Rule: ``queue.late`` counts exactly the visits in it that have been told of.
"""

from acd.board import Board
from acd.events import WaitLimitReached
from queues.queue import Queue
from queues.waiting import WaitingCall


class Alerts:
    """Watches how long callers wait: for them it is one wait, from the first queue to the last."""

    __slots__ = ("_board",)

    def __init__(self, board: Board) -> None:
        self._board = board

    def watch(self, call: WaitingCall, queue: Queue, now: float) -> None:
        """Arm the alert of a visit that has just begun, or anew by other settings."""
        timers = self._board.timers
        timers.disarm(call.alert)
        call.alert = None
        limit = queue.settings.alert_wait
        if call.is_late and (not limit or call.joined_at + limit > now):
            call.is_late = False
            queue.late -= 1
        if not limit or call.is_callback or call.is_late:
            return
        if call.joined_at == now:
            call.alert = timers.arm_after(call, "alert", limit, now)
        else:
            call.alert = timers.arm(call, "alert", max(call.joined_at + limit, now))

    def due(self, call: WaitingCall, now: float) -> None:
        """Tell that the caller waits too long; nothing is done about it."""
        call.alert = None
        call.is_late = True
        queue = self._board.queues[call.queue]
        queue.late += 1
        waited = round(now - call.joined_at, 3)
        board, limit = self._board, queue.settings.alert_wait
        board.events.put(WaitLimitReached(queue.name, call.call, limit, waited))
        about = {"call": call.call, "queue": queue.name, "waited": waited}
        board.log.put(("a caller waits too long", about))

    def left(self, call: WaitingCall, queue: Queue) -> None:
        """The visit has ended."""
        self._board.timers.disarm(call.alert)
        call.alert = None
        if call.is_late:
            call.is_late = False
            queue.late -= 1
