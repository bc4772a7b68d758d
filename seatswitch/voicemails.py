"""Voicemails: the messages that are there, by mailbox; what people have done with them; when they go.

Rows of messages that have ended come from call control and, after a restart, from the store. A message is
``new``, ``heard`` or ``done``; after its tenant's time it is ``removed``, and its file with it. One that was
too short is ``discarded`` at once. Rule: ``removals`` names each file that is to go exactly once.
"""

from collections.abc import Iterable, Mapping
from heapq import heapify, heappop, heappush
from typing import Any

from msgspec.structs import replace

from acd.inputs import CallbackBooked
from calls.settings import VoicemailSettings
from kernel.errors import OperationRefused
from kernel.ids import QueueName
from kernel.outbox import Outbox
from kernel.rows import VoicemailRow
from kernel.timers import Timer, TimerQueue
from kernel.walltime import WallTime, epoch_text

THERE = ("new", "heard", "done")
LOOK_AGAIN_AFTER = 3600.0  # seconds at most between two looks at the clock, which may have been set
KEPT_MAX = 100_000  # about 60 MB; the oldest go first

_SPARE = 64  # ends of messages that are no more, which are kept before they are swept
_DEFAULT = VoicemailSettings()


class Voicemails:
    """The messages of one node, oldest first."""

    def __init__(
        self, settings: Mapping[str, VoicemailSettings], timers: TimerQueue, walltime: WallTime
    ) -> None:
        self._settings = settings
        self._timers = timers
        self._walltime = walltime
        self._kept: dict[str, VoicemailRow] = {}
        self._ends: list[tuple[float, str]] = []  # heap of (epoch, voicemail)
        self._timer: Timer | None = None
        self.rows: Outbox[VoicemailRow] = Outbox()
        self.removals: Outbox[str] = Outbox()  # names of files
        self.events: Outbox[tuple[str, dict[str, Any]]] = Outbox()  # new, changed or removed, and the object

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
        self._kept[voicemail] = changed
        self.rows.put(changed)
        self.events.put(("changed", view(changed)))
        return changed

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

    def check(self) -> None:
        """Assert what must hold between turns."""
        assert all(row.state in THERE for row in self._kept.values()), "a message that is gone is there"
        assert not self._kept or self._timer is not None, "messages are kept for ever"

    # How it is done.

    def _keep(self, row: VoicemailRow) -> None:
        self._kept[row.voicemail] = row
        heappush(self._ends, (self._ends_at(row), row.voicemail))
        if len(self._ends) > 2 * len(self._kept) + _SPARE:
            self._ends = [(self._ends_at(each), each.voicemail) for each in self._kept.values()]
            heapify(self._ends)

    def _ends_at(self, row: VoicemailRow) -> float:
        return row.began_at + self.settings_of(row.tenant).keep

    def _remove(self, row: VoicemailRow, now: float) -> None:
        del self._kept[row.voicemail]
        gone = replace(row, state="removed", changed_by="", changed_at=self._walltime.epoch(now))
        self.rows.put(gone)
        self.removals.put(row.file)
        self.events.put(("removed", view(gone)))

    def _sweep(self, now: float) -> None:
        epoch = self._walltime.epoch(now)
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
            self._timer = self._timers.arm(self, "oldest message", max(due, now))


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
