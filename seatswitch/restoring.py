"""Restoring: what the store and the journal kept of the switch before is put back into a new node.

Order matters. Counters first, before any new row joins the sums; then registrations, so that seats have
phones; then calls, so that distribution knows which go on; then seats, conversations and places in queues,
all before anything is paired; and at last what cannot go on is ended, and whoever is on a line is asked by
re-INVITE whether they are still there. It is one turn: its rows are one record, so a process that dies
within it leaves nothing half done.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from acd.inputs import (
    CallbackRestored,
    CallerRestored,
    FollowupRestored,
    ListEntryRestored,
    PlaceRestored,
    QualityRestored,
    SeatMoveRestored,
    SeatRestored,
    SeatTalks,
)
from acd.recovery import Recovered
from kernel.ids import QueueName, SeatId
from kernel.rows import (
    BindingRow,
    CallbackRow,
    CallerSeatRow,
    CountedRow,
    CountRow,
    FollowupRow,
    ListEntryRow,
    QualityRow,
    RecordingRow,
    SeatMoveRow,
    SeatStateRow,
    VoicemailRow,
)
from kernel.staterows import (
    CallStateRow,
    JournalRow,
    LeftStateRow,
    OfferStateRow,
    RecordingStateRow,
    VisitStateRow,
    VoicemailStateRow,
)
from kernel.walltime import WallTime
from media.events import NO_FILES, Written

if TYPE_CHECKING:
    from seatswitch.node import Node


_PAUSED_IN = msgspec.json.Decoder(dict[str, str])


def restore(
    node: "Node",
    rows: Sequence[JournalRow],
    now: float,
    died_at: float | None = None,
    files: Mapping[str, Written] = NO_FILES,
) -> None:
    """Put back what ``rows`` say of the switch before, which was last seen alive at ``died_at`` (epoch);
    ``files`` are what there is of the recordings and voicemails that it was writing, by name.
    """
    counted = [row for row in rows if isinstance(row, CountRow | CountedRow)]
    died_at = node.engine.recount(counted, now, died_at)
    for row in rows:
        if isinstance(row, BindingRow):
            node.stack.restore_binding(row, now, node.walltime)
    for row in rows:
        if isinstance(row, CallerSeatRow):
            queue, number = QueueName(row.queue), row.number
            node.engine.handle(CallerRestored(queue, number, SeatId(row.seat), row.at), now)
        elif isinstance(row, SeatMoveRow):
            node.engine.handle(SeatMoveRestored(row), now)
        elif isinstance(row, ListEntryRow):
            node.engine.handle(ListEntryRestored(row), now)
        elif isinstance(row, LeftStateRow):
            node.engine.handle(_place(row, node.walltime), now)
    node.settle(now)
    alive_at = node.walltime.epoch(now) if died_at is None else died_at
    taped = [row for row in rows if isinstance(row, RecordingStateRow)]
    recordings = [row for row in rows if isinstance(row, RecordingRow)]
    node.switchboard.recordings.restore(recordings, taped, alive_at, files)
    node.voicemails.restore([row for row in rows if isinstance(row, VoicemailRow)], now)
    spoken = [row for row in rows if isinstance(row, VoicemailStateRow)]
    node.switchboard.voicemails.restore(spoken, alive_at, files)
    recovery = node.switchboard.recovery
    kept = recovery.restore([row for row in rows if isinstance(row, CallStateRow)], now)
    goes_on = {str(call.id): True for call in kept}
    for call in kept:
        if call.visits:  # it has no visit now, and its next one must not be called like one before
            node.engine.remember_visits(call.id, call.visits)
    recovered = Recovered(
        seats=[_seat(row, node.walltime) for row in rows if isinstance(row, SeatStateRow)],
        talks=[
            SeatTalks(talk.seat, talk.call, talk.queue, talk.since, talk.held)
            for talk in recovery.conversations()
        ],
        visits=[row for row in rows if isinstance(row, VisitStateRow)],
        offers=[row for row in rows if isinstance(row, OfferStateRow)],
        died_at=died_at,
    )
    node.engine.restore(recovered, lambda call: call in goes_on, now)
    recovery.resume(now)
    for row in rows:
        if isinstance(row, CallbackRow):
            node.engine.handle(CallbackRestored(row), now)
    for row in rows:
        if isinstance(row, FollowupRow):
            node.engine.handle(FollowupRestored(row), now)
        elif isinstance(row, QualityRow):
            node.engine.handle(QualityRestored(row), now)
    node.engine.roll(now)
    node.settle(now)


def _seat(row: SeatStateRow, walltime: WallTime) -> SeatRestored:
    monotonic = walltime.monotonic
    return SeatRestored(
        SeatId(row.seat),
        row.agent,
        row.session,
        row.presence,
        row.reason,
        monotonic(row.since),
        None if row.wrapup_until is None else monotonic(row.wrapup_until),
        row.pending,
        row.phone_kind,
        row.phone_number,
        row.queue,
        row.after_call,
        tuple(_PAUSED_IN.decode(row.paused_in).items()) if row.paused_in else (),
    )


def _place(row: LeftStateRow, walltime: WallTime) -> PlaceRestored:
    monotonic = walltime.monotonic
    return PlaceRestored(
        row.visit,
        QueueName(row.queue),
        row.number,
        monotonic(row.joined_at),
        row.credit,
        monotonic(row.left_at),
    )
