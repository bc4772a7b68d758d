"""Callers who gave up and are called back without having asked for it, where their queue does that.

Rules: the visit stays abandoned, and the promise goes on from it at its place. A number is promised so no
more often than its queue says in any 24 hours; a hidden number, one on a black list, one that is promised a
call already, or more than the seats can make, never. Whoever calls again is merged, as with any callback.
"""

from collections import OrderedDict
from typing import TYPE_CHECKING

from acd.board import Board
from acd.memory import UNKNOWN
from kernel.ids import QueueName
from queues.queue import Queue
from queues.waiting import WaitingCall

if TYPE_CHECKING:
    from acd.distribution import Distribution

BOOKED_BY = "abandoned"
DAY = 86_400.0
NUMBERS_MAX = 50_000  # remembered, of all queues together


class AbandonedCallers:
    """Promises calls to those who gave up."""

    def __init__(self, board: Board, calls: "Distribution") -> None:
        self._board = board
        self._calls = calls
        self._promised: OrderedDict[tuple[QueueName, str], list[float]] = OrderedDict()

    def gave_up(self, call: WaitingCall, queue: Queue, now: float) -> None:
        """A caller has hung up while it waited; its visit has ended."""
        rule = queue.settings.callback.abandoned
        if rule is None or call.is_callback or now - call.joined_at < rule.min_waited:
            return
        epoch = self._board.walltime.epoch(now)
        settings, lists = queue.settings, self._calls.entry.lists
        is_barred = bool(lists.bars(settings, call.caller, epoch))
        if is_barred or call.caller.lower() in UNKNOWN or lists.forbids(settings.tenant, call.caller, epoch):
            return
        key = (queue.name, call.caller)
        lately = [at for at in self._promised.get(key, ()) if now - at < DAY]
        if len(lately) >= rule.per_number:
            return
        callback = self._calls.callbacks.keep_place(call, BOOKED_BY, now, after=rule.after)
        if callback is not None:
            self.promised(queue.name, call.caller, now)
            self._calls.callbacks.begin(callback, now)

    def promised(self, queue: QueueName, number: str, now: float) -> None:
        """Remember that ``number`` has been promised a call that it had not asked for."""
        key = (queue, number)
        lately = [at for at in self._promised.pop(key, ()) if now - at < DAY]
        self._promised[key] = [*lately, now]
        while len(self._promised) > NUMBERS_MAX:
            self._promised.popitem(last=False)
