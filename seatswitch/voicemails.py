"""Voicemails: the messages that are there, by mailbox; what people have done with them; when they go.

Rows of messages that have ended come from call control and, after a restart, from the store. A message is
``new``, ``heard`` or ``done``; after its tenant's time it is ``removed``, and its file with it. One that was
too short is ``discarded`` at once. While the clock is not to be believed none is old enough to go. Rule:
``removals`` names each file that is to go exactly once.
"""

from collections.abc import Iterable, Mapping
from heapq import heapify, heappop, heappush
from math import inf
from typing import Any

from msgspec.structs import replace

from acd.engine import Engine
from acd.inputs import CallbackBooked
from calls.settings import VoicemailSettings
from calls.voicemail import PUBLIC
from kernel.errors import OperationRefused
from kernel.ids import QueueName, SeatId
from kernel.outbox import Outbox
from kernel.rows import VoicemailRow
from kernel.timers import Timer, TimerQueue
from kernel.walltime import WallTime, epoch_text
from sip.mailboxes import Waiting
from sip.stack import Stack

THERE = ("new", "heard", "done")
LOOK_AGAIN_AFTER = 3600.0  # seconds at most between two looks at the clock, which may have been set
KEPT_MAX = 100_000  # about 60 MB; the oldest go first

_SPARE = 64  # ends of messages that are no more, which are kept before they are swept
_DEFAULT = VoicemailSettings()


class Voicemails:
    """The messages of one node, oldest first."""

    def __init__(
        self,
        settings: Mapping[str, VoicemailSettings],
        timers: TimerQueue,
        walltime: WallTime,
        rows: Outbox[Any] | None = None,
    ) -> None:
        """``rows`` is for rows of other parts, too; None: for its own."""
        self._settings = settings
        self._timers = timers
        self._walltime = walltime
        self._kept: dict[str, VoicemailRow] = {}
        self._ends: list[tuple[float, str]] = []  # heap of (epoch, voicemail)
        self._timer: Timer | None = None
        self._is_held = False  # nothing is removed because of its age
        self.rows: Outbox[VoicemailRow] = Outbox() if rows is None else rows
        self.removals: Outbox[str] = Outbox()  # names of files
        self.events: Outbox[tuple[str, dict[str, Any]]] = Outbox()  # new, changed or removed, and the object
        self.changed: dict[str, bool] = {}  # boxes in which something has changed
        self._waiting: dict[str, dict[str, int]] = {}  # by box: how many are in which state

    def configure(self, settings: Mapping[str, VoicemailSettings], now: float) -> None:
        """Take new settings: how long messages are kept may have changed."""
        self._settings = settings
        self._ends = []
        for row in self._kept.values():
            heappush(self._ends, (self._ends_at(row), row.voicemail))
        self._arm(now)

    def settings_of(self, tenant: str) -> VoicemailSettings:
        """Return what a tenant wants."""
        return self._settings.get(tenant, _DEFAULT)

    # Their life.

    def left(self, row: VoicemailRow, now: float) -> None:
        """A caller has left a message, or nothing worth keeping."""
        self.rows.put(row)
        if row.state == "discarded":
            self.removals.put(row.file)
            return
        self._keep(row)
        self.events.put(("new", view(row)))
        while len(self._kept) > KEPT_MAX:
            self._remove(next(iter(self._kept.values())), now)
        self._arm(now)

    def restore(self, rows: Iterable[VoicemailRow], now: float) -> None:
        """Take back what was there before a restart, oldest first; what is too old meanwhile goes now."""
        for row in rows:
            if row.state in THERE:
                self._keep(row)
        self._sweep(now)

    def mark(self, voicemail: str, state: str, remark: str | None, by: str, now: float) -> VoicemailRow:
        """Say what was done with a message; the remark stays where none is given."""
        row = self.get(voicemail)
        said = row.remark if remark is None else remark
        changed_at = self._walltime.epoch(now)
        changed = replace(row, state=state, remark=said, changed_by=by, changed_at=changed_at)
        self._count(row, -1)
        self._kept[voicemail] = changed
        self._count(changed, 1)
        self.rows.put(changed)
        self.events.put(("changed", view(changed)))
        return changed

    def hold(self, now: float, *, is_held: bool) -> None:
        """Remove nothing because of its age from now on: the clock is not to be believed; or do so again."""
        self._is_held = is_held
        self._arm(now)

    def on_timer(self, name: str, now: float) -> None:
        """The oldest may be old enough to go."""
        self._timer = None
        self._sweep(now)

    # What is seen.

    def get(self, voicemail: str) -> VoicemailRow:
        """Return a message; raise OperationRefused if it is not there."""
        row = self._kept.get(voicemail)
        if row is None:
            raise OperationRefused("NO_SUCH_VOICEMAIL", f"there is no voicemail {voicemail}")
        return row

    def all(self) -> Iterable[VoicemailRow]:
        """Return every message that is there, oldest first."""
        return self._kept.values()

    def waiting(self, box: str) -> Waiting:
        """Return what waits in a box: the messages nobody has heard, and those heard and not done with."""
        states = self._waiting.get(box, {})
        return Waiting(states.get("new", 0), states.get("heard", 0))

    def check(self) -> None:
        """Assert what must hold between turns."""
        assert all(row.state in THERE for row in self._kept.values()), "a message that is gone is there"
        assert not self._kept or self._timer is not None, "messages are kept for ever"
        waiting: dict[str, dict[str, int]] = {}
        for row in self._kept.values():
            states = waiting.setdefault(box_name(row.tenant, row.mailbox), {})
            states[row.state] = states.get(row.state, 0) + 1
        assert waiting == self._waiting, "a lamp shows other messages than there are"

    # How it is done.

    def _keep(self, row: VoicemailRow) -> None:
        self._kept[row.voicemail] = row
        self._count(row, 1)
        heappush(self._ends, (self._ends_at(row), row.voicemail))
        if len(self._ends) > 2 * len(self._kept) + _SPARE:
            self._ends = [(self._ends_at(each), each.voicemail) for each in self._kept.values()]
            heapify(self._ends)

    def _count(self, row: VoicemailRow, by: int) -> None:
        box = box_name(row.tenant, row.mailbox)
        states = self._waiting.setdefault(box, {})
        states[row.state] = states.get(row.state, 0) + by
        if not states[row.state]:
            del states[row.state]
        if not states:
            del self._waiting[box]
        self.changed[box] = True

    def _ends_at(self, row: VoicemailRow) -> float:
        return row.began_at + self.settings_of(row.tenant).keep

    def _remove(self, row: VoicemailRow, now: float) -> None:
        del self._kept[row.voicemail]
        self._count(row, -1)
        gone = replace(row, state="removed", changed_by="", changed_at=self._walltime.epoch(now))
        self.rows.put(gone)
        self.removals.put(row.file)
        self.events.put(("removed", view(gone)))

    def _sweep(self, now: float) -> None:
        epoch = -inf if self._is_held else self._walltime.epoch(now)
        while self._ends and (self._ends[0][0] <= epoch or self._ends[0][1] not in self._kept):
            _, voicemail = heappop(self._ends)
            row = self._kept.get(voicemail)
            if row is not None:
                self._remove(row, now)
        self._arm(now)

    def _arm(self, now: float) -> None:
        self._timers.disarm(self._timer)
        self._timer = None
        if self._kept:
            due = min(self._walltime.monotonic(self._ends[0][0]), now + LOOK_AGAIN_AFTER)
            due = now + LOOK_AGAIN_AFTER if self._is_held else max(due, now)
            self._timer = self._timers.arm(self, "oldest message", due)


class Lamps:
    """Which boxes phones are told of: their seat's own, by its number; the tenant's, by ``public``; those of
    the queues that it serves, by their names. An extension has one of its own, in which nothing ever is.
    """

    def __init__(
        self, voicemails: Voicemails, engine: Engine, stack: Stack, changed: dict[str, bool]
    ) -> None:
        """``changed`` is what is looked at at the end of the turn."""
        self._voicemails, self._engine = voicemails, engine
        voicemails.changed = changed
        self._core = stack.watchers.core
        stack.watchers.show(self)

    def box_of(self, user: str, named: str) -> str:
        """Return the box that the phone of ``user`` means by ``named``, "" if it may not know of it."""
        seat = self._engine.seats.get(SeatId(user))
        if seat is None:
            account = self._core.settings.accounts.get(user)
            return box_name(account.tenant, f"seat:{user}") if account and named == user else ""
        settings = seat.settings
        if self._voicemails.settings_of(settings.tenant).agents == "none":
            return ""
        mailbox = named if named == PUBLIC else f"queue:{named}"
        if named == user:
            mailbox = f"seat:{named}"
        return box_name(settings.tenant, mailbox) if belongs(mailbox, user, seat.queues) else ""

    def owner_of(self, box: str) -> str:
        """Return the seat whose own box it is, "" for one of several."""
        kind, _, number = box.partition("/")[2].partition(":")
        return number if kind == "seat" else ""

    def waiting(self, box: str) -> Waiting:
        """Return what waits there."""
        return self._voicemails.waiting(box)


def box_name(tenant: str, mailbox: str) -> str:
    """Return the name of a mailbox among those of all tenants; its "/" tells it from a number."""
    return f"{tenant}/{mailbox}"


def belongs(mailbox: str, seat: str, queues: Iterable[str]) -> bool:
    """Say whether a mailbox is one of ``seat``, which serves ``queues``: its own, theirs and the tenant's."""
    kind, _, name = mailbox.partition(":")
    if kind == "seat":
        return name == seat
    return kind != "queue" or name in tuple(queues)


def booking_of(row: VoicemailRow, followup: str, callback: str) -> CallbackBooked:
    """Return the follow-up, of the class ``followup``, by which the caller of a message is owed a call."""
    return CallbackBooked(
        callback,
        QueueName(row.queue),
        row.caller,
        booked_by=f"voicemail:{row.voicemail}",
        followup=followup,
    )


def view(row: VoicemailRow) -> dict[str, Any]:
    """Return a voicemail object."""
    return {
        "voicemail": row.voicemail,
        "tenant": row.tenant,
        "mailbox": row.mailbox,
        "call": row.call,
        "queue": row.queue or None,
        "caller": row.caller,
        "caller_name": row.caller_name,
        "called": row.called,
        "began_at": epoch_text(row.began_at),
        "ended_at": epoch_text(row.ended_at),
        "seconds": row.seconds,
        "file": row.file,
        "cause": row.cause,
        "state": row.state,
        "remark": row.remark,
        "changed_by": row.changed_by or None,
        "changed_at": epoch_text(row.changed_at),
    }
