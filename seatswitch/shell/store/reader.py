"""The state at start: the last state of every seat and every live binding.

What the row writer has not carried over yet is read from the journal, so that a lagging writer or a locked
database changes nothing.
"""

from collections.abc import Sequence
from pathlib import Path

import structlog
from sqlalchemy import Connection, text

from kernel.rows import (
    AnyRow,
    BindingRow,
    CallbackRow,
    CallerSeatRow,
    FollowupRow,
    ListEntryRow,
    QualityRow,
    RecordingRow,
    SeatMoveRow,
    SeatStateRow,
    VoicemailRow,
)
from kernel.staterows import JournalRow
from seatswitch.shell.store.database import DATABASE_ERRORS, READS, explain, open_engine, public_url
from seatswitch.shell.store.records import Follower, Position
from seatswitch.shell.store.writer import read_position

CALLERS_MAX = 50_000  # as many as distribution remembers

RECORDINGS_MAX = 20_000  # as many as can be listed
FOLLOWUPS_FOR = 35 * 86_400.0  # seconds that an ended follow-up is read for, to be counted
QUALITY_FOR = 400 * 86_400.0  # seconds that a check is read for

StateAtStart = (
    SeatStateRow
    | SeatMoveRow
    | BindingRow
    | CallerSeatRow
    | ListEntryRow
    | CallbackRow
    | FollowupRow
    | QualityRow
    | RecordingRow
    | VoicemailRow
)

log = structlog.get_logger()


def read_state(folder: Path, url: str, wall: float) -> list[StateAtStart]:
    """Return one row per seat, per seat that was moved and per binding that lives at ``wall`` (epoch
    seconds), sorted by key, then the callers whose seats are remembered, oldest first, what operators said of
    lists of callers, the open callbacks, follow-ups that are open or ended in the last five weeks, checks of
    the last thirteen months, and voicemails that are not removed, oldest first.

    Raises OperatorError for a database URL of no known kind. A database that cannot be read now is said once
    in the log, and the journal alone is asked.
    """
    kept = _Kept()
    position = Position(0, 0)
    engine = open_engine(url)
    try:
        with engine.connect().execution_options(**{READS: True}) as connection:
            kept.take(_select(connection, wall))
            position = read_position(connection)
    except DATABASE_ERRORS as error:
        log.warning(
            "! the database cannot be read: seats are restored from the journal alone",
            database=public_url(url),
            why=explain(error),
        )
    finally:
        engine.dispose()
    follower = Follower(folder, position)
    while rows := follower.next_rows():
        kept.take(rows)
    if follower.bytes_skipped:
        log.warning("! damaged bytes in the journal", bytes=follower.bytes_skipped)
    return kept.rows(wall)


def _select(connection: Connection, wall: float) -> list[AnyRow]:
    rows: list[AnyRow] = []
    last = f' ORDER BY "at" DESC LIMIT {CALLERS_MAX}'
    for row_type, table, which in (
        (SeatStateRow, "seat_states", ""),
        (SeatMoveRow, "seat_moves", " WHERE NOT is_removed"),
        (BindingRow, "bindings", ""),
        (CallerSeatRow, "caller_seats", last),
        (ListEntryRow, "list_entries", f' WHERE "until" IS NULL OR "until" > {float(wall)!r}'),
        (CallbackRow, "callbacks", " WHERE state <> 'ended'"),
        (RecordingRow, "recordings", f" ORDER BY ended_at DESC LIMIT {RECORDINGS_MAX}"),
        (FollowupRow, "followups", f" WHERE ended_at IS NULL OR changed_at > {wall - FOLLOWUPS_FOR!r}"),
        (VoicemailRow, "voicemails", " WHERE state IN ('new', 'heard', 'done')"),
        (QualityRow, "quality", f' WHERE "at" > {wall - QUALITY_FOR!r}'),
    ):
        names = ", ".join(f'"{name}"' for name in row_type.__struct_fields__)
        found = connection.execute(text(f'SELECT {names} FROM "{table}"{which}'))
        rows += [row_type(*line) for line in found]
    return rows


class _Kept:
    """The last row of everything that is restored, by its first field."""

    def __init__(self) -> None:
        self._seats: dict[str, SeatStateRow] = {}
        self._moves: dict[str, SeatMoveRow] = {}
        self._bindings: dict[str, BindingRow] = {}
        self._callers: dict[str, CallerSeatRow] = {}
        self._listed: dict[str, ListEntryRow] = {}
        self._callbacks: dict[str, CallbackRow] = {}
        self._followups: dict[str, FollowupRow] = {}
        self._recordings: dict[str, RecordingRow] = {}
        self._quality: dict[str, QualityRow] = {}
        self._voicemails: dict[str, VoicemailRow] = {}

    def take(self, rows: Sequence[JournalRow]) -> None:
        """Follow ``rows``, in the order in which they were written."""
        for row in rows:
            if isinstance(row, SeatStateRow):
                self._seats[row.seat] = row
            elif isinstance(row, SeatMoveRow):
                self._moves[row.seat] = row
            elif isinstance(row, BindingRow):
                self._bindings[row.binding] = row
            elif isinstance(row, CallerSeatRow):
                self._callers[row.caller] = row
            elif isinstance(row, ListEntryRow):
                self._listed[row.entry] = row
            elif isinstance(row, CallbackRow):
                self._callbacks[row.callback] = row
            elif isinstance(row, FollowupRow):
                self._followups[row.followup] = row
            elif isinstance(row, RecordingRow):
                self._recordings[row.recording] = row
            elif isinstance(row, QualityRow):
                self._quality[row.check] = row
            elif isinstance(row, VoicemailRow):
                self._voicemails[row.voicemail] = row

    def rows(self, wall: float) -> list[StateAtStart]:
        """Return what still means something at ``wall``."""
        bindings, callbacks, listed = self._bindings, self._callbacks, self._listed
        moves = self._moves
        return [
            *(self._seats[key] for key in sorted(self._seats)),
            *(moves[key] for key in sorted(moves) if not moves[key].is_removed),
            *(bindings[key] for key in sorted(bindings) if bindings[key].expires_at > wall),
            *sorted(self._callers.values(), key=lambda row: (row.at, row.caller)),
            *(listed[key] for key in sorted(listed) if (listed[key].until or wall + 1) > wall),
            *(callbacks[key] for key in sorted(callbacks) if callbacks[key].state != "ended"),
            *sorted(self._followups.values(), key=lambda row: (row.changed_at, row.followup)),
            *sorted(self._recordings.values(), key=lambda row: (row.ended_at, row.recording)),
            *sorted(self._quality.values(), key=lambda row: (row.at, row.check)),
            *sorted(
                (row for row in self._voicemails.values() if row.state in ("new", "heard", "done")),
                key=lambda row: (row.began_at, row.voicemail),
            ),
        ]
