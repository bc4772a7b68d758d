"""Follow-ups: callbacks that are owed by a moment, each of a class (urgent, complaint, general).

A follow-up is a callback with a deadline. It never lapses by itself, is not merged with a call of the
customer's own, and ends when the customer was reached, when the class's most attempts were in vain, or when a
person closes it, which takes the class's fewest attempts. Past its deadline it is escalated, once: told, and
moved to the queue that its class names, where it stands at once with its place.

Rule: a follow-up that is open has an open callback of the same id, and a deadline that is armed or behind it.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from acd.board import Board
from acd.events import CallbackChanged
from acd.inputs import FollowupClosed, FollowupRestored
from acd.settings import FollowupSettings
from kernel.errors import OperationRefused
from kernel.ids import QueueName
from kernel.rows import FollowupRow
from kernel.timers import Timer

if TYPE_CHECKING:
    from acd.callback import Callbacks
    from acd.callbackstate import Callback

REMEMBERED_FOR = 35 * 86_400.0  # seconds that one which has ended is counted: five weeks
REMEMBERED_MAX = 20_000
ASK_AGAIN_AFTER = 60.0  # seconds, where the customer is being rung when the deadline comes

Count = Callable[[Any, str, str], None]

COUNTS = (
    "accepted",
    "escalated",
    "returned",
    "on_time",
    "closed",
    "exhausted",
    "cancelled",
    "open",
    "overdue",
)


class Followup:
    """What is owed to one customer beside the call itself. Moments are monotonic."""

    __slots__ = (
        "attempts",
        "booked_at",
        "booked_by",
        "deadline",
        "ended_at",
        "escalated_at",
        "escalated_to",
        "id",
        "name",
        "note",
        "number",
        "outcome",
        "queue",
        "tenant",
        "timer",
    )

    def __init__(self, callback: "Callback", name: str, booked_at: float, deadline: float) -> None:
        self.id = callback.id
        self.tenant = callback.tenant
        self.queue = callback.queue
        self.number = callback.number
        self.booked_by = callback.booked_by
        self.attempts = callback.attempts
        self.name = name
        self.booked_at = booked_at
        self.deadline = deadline
        self.escalated_at: float | None = None
        self.escalated_to = ""
        self.ended_at: float | None = None
        self.outcome = ""
        self.note = ""
        self.timer: Timer | None = None


class Followups:
    """All open follow-ups of one engine, and those that have ended in the last weeks."""

    def __init__(self, board: Board, callbacks: "Callbacks") -> None:
        self._board = board
        self._callbacks = callbacks
        self._rules: dict[tuple[str, str], FollowupSettings] = {}
        self._open: dict[str, Followup] = {}
        self._ended: OrderedDict[str, FollowupRow] = OrderedDict()

    def configure(self, rules: Sequence[FollowupSettings]) -> None:
        """Take the classes; deadlines that were promised stay."""
        self._rules = {(rule.tenant, rule.name): rule for rule in rules}

    def rule(self, tenant: str, name: str) -> FollowupSettings | None:
        """Return a class by its name: the tenant's own, else everybody's."""
        return self._rules.get((tenant, name)) or self._rules.get(("", name))

    def names(self, tenant: str) -> list[str]:
        """Return the names of a tenant's classes."""
        return list(dict.fromkeys(name for whose, name in self._rules if whose in ("", tenant)))

    def rule_of(self, callback: "Callback") -> FollowupSettings | None:
        """Return the class of a follow-up; None for a callback that is none."""
        followup = self._open.get(callback.id)
        if followup is None:
            return None
        return self.rule(followup.tenant, followup.name) or FollowupSettings(followup.name)

    # Its life.

    def begin(self, callback: "Callback", rule: FollowupSettings, now: float) -> None:
        """Owe the customer of ``callback`` a call by the deadline of the class."""
        followup = Followup(callback, rule.name, now, now + rule.within)
        self._open[callback.id] = followup
        self._arm(followup, followup.deadline, now)
        self._write(followup, now)

    def ended(self, callback: "Callback", now: float) -> None:
        """The callback has ended, and with it what was owed."""
        followup = self._open.pop(callback.id, None)
        if followup is None:
            return
        self._board.timers.disarm(followup.timer)
        followup.timer = None
        followup.ended_at, followup.outcome = now, callback.outcome
        followup.attempts = callback.attempts
        self._remember(self._write(followup, now))

    def close(self, what: FollowupClosed, now: float) -> None:
        """End a follow-up whose customer could not be reached, with what the department has said."""
        callback = self._callbacks.get(what.callback)
        followup = self._open.get(what.callback)
        if callback is None or followup is None:
            raise OperationRefused("NO_SUCH_CALLBACK", f"there is no open follow-up {what.callback}")
        rule = self.rule_of(callback)
        assert rule is not None
        if callback.attempts < rule.attempts_min and not what.forced:
            raise OperationRefused(
                "BAD_STATE",
                f"{callback.attempts} of {rule.attempts_min} attempts were made: a {rule.name} follow-up is "
                "closed after them",
            )
        followup.note = what.note
        self._callbacks.close(callback, now)

    def on_timer(self, name: str, now: float) -> None:
        """The deadline of one has come."""
        followup = self._open.get(name.partition(" ")[2])
        if followup is not None:
            followup.timer = None
            self._overdue(followup, now)
            self._callbacks.settle(now)

    def _overdue(self, followup: Followup, now: float) -> None:
        callback = self._callbacks.get(followup.id)
        assert callback is not None, f"{followup.id} is owed to nobody"
        if callback.is_dialling:
            self._arm(followup, now + ASK_AGAIN_AFTER, now)
            return
        rule = self.rule(followup.tenant, followup.name)
        followup.escalated_at = now
        there = QueueName(rule.escalate_to if rule is not None else "")
        if there and self._callbacks.move(callback, there, now):
            followup.escalated_to = followup.queue = there
        followup.attempts = callback.attempts
        self._write(followup, now)
        view = self._callbacks.view(callback, now)
        self._board.events.put(CallbackChanged(callback.id, "escalated", view))

    def _arm(self, followup: Followup, at: float, now: float) -> None:
        self._board.timers.disarm(followup.timer)
        followup.timer = self._board.timers.arm(self, f"deadline {followup.id}", max(at, now))

    # Rows, and a restart.

    def _write(self, followup: Followup, now: float) -> FollowupRow:
        epoch = self._board.walltime.epoch
        escalated, ended = followup.escalated_at, followup.ended_at
        row = FollowupRow(
            followup.id,
            followup.tenant,
            followup.queue,
            followup.number,
            followup.name,
            followup.booked_by,
            epoch(followup.booked_at),
            epoch(followup.deadline),
            followup.attempts,
            None if escalated is None else epoch(escalated),
            followup.escalated_to,
            None if ended is None else epoch(ended),
            followup.outcome,
            followup.note,
            epoch(now),
        )
        self._board.rows.put(row)
        return row

    def _remember(self, row: FollowupRow) -> None:
        ended = self._ended
        ended[row.followup] = row
        oldest = row.changed_at - REMEMBERED_FOR
        while len(ended) > REMEMBERED_MAX or next(iter(ended.values())).changed_at < oldest:
            ended.popitem(last=False)

    def restore(self, what: FollowupRestored, now: float) -> None:
        """Take back what was owed before a restart; a deadline that has passed meanwhile is due now."""
        row = what.row
        callback = self._callbacks.get(row.followup)
        if row.ended_at is not None:
            self._remember(row)
        elif callback is not None and row.followup not in self._open:
            monotonic = self._board.walltime.monotonic
            deadline = monotonic(row.deadline)
            followup = Followup(callback, row.followup_class, monotonic(row.booked_at), deadline)
            followup.attempts, followup.note, followup.escalated_to = row.attempts, row.note, row.escalated_to
            self._open[callback.id] = followup
            if row.escalated_at is not None:
                followup.escalated_at = monotonic(row.escalated_at)
            else:
                self._arm(followup, deadline, now)

    # What is seen.

    def view(self, callback: str, now: float) -> dict[str, Any]:
        """Return what a callback object says of a follow-up; nulls where it is none."""
        followup = self._open.get(callback)
        text = self._board.walltime.text
        if followup is None:
            return {"class": None, "deadline": None, "overdue": False, "escalated_at": None}
        escalated = followup.escalated_at
        return {
            "class": followup.name,
            "deadline": text(followup.deadline),
            "overdue": now >= followup.deadline,
            "escalated_at": None if escalated is None else text(escalated),
        }

    def counts(self, begin: float, end: float, now: float) -> list[dict[str, Any]]:
        """Return, by tenant and class, what became of follow-ups in ``begin <= epoch < end``; ``open`` and
        ``overdue`` are of now.
        """
        epoch = self._board.walltime.epoch
        found: dict[tuple[str, str], dict[str, int]] = {}

        def count(row: Any, name: str, what: str) -> None:
            counted = found.setdefault((row.tenant, name), dict.fromkeys(COUNTS, 0))
            counted[what] += 1

        for row in self._ended.values():
            name = row.followup_class
            self._count_begun(count, row, name, row.booked_at, row.escalated_at, begin, end)
            if row.ended_at is not None and begin <= row.ended_at < end:
                what = _ENDS.get(row.outcome, "cancelled")
                count(row, name, what)
                if what == "returned" and row.ended_at <= row.deadline:
                    count(row, name, "on_time")
        for each in self._open.values():
            escalated = None if each.escalated_at is None else epoch(each.escalated_at)
            self._count_begun(count, each, each.name, epoch(each.booked_at), escalated, begin, end)
            count(each, each.name, "open")
            if now >= each.deadline:
                count(each, each.name, "overdue")
        return [{"tenant": tenant, "class": name, **counted} for (tenant, name), counted in found.items()]

    @staticmethod
    def _count_begun(
        count: Count,
        what: FollowupRow | Followup,
        name: str,
        booked_at: float,
        escalated_at: float | None,
        begin: float,
        end: float,
    ) -> None:
        if begin <= booked_at < end:
            count(what, name, "accepted")
        if escalated_at is not None and begin <= escalated_at < end:
            count(what, name, "escalated")

    def check(self) -> None:
        """Assert what must hold between turns."""
        for followup in self._open.values():
            assert self._callbacks.get(followup.id) is not None, f"{followup.id} is owed to nobody"
            is_timed = followup.timer is not None and followup.timer.owner is self
            assert is_timed is (followup.escalated_at is None), f"{followup.id} waits for nothing"


_ENDS = {"answered": "returned", "closed": "closed", "exhausted": "exhausted"}
