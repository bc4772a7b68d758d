"""The state at start: the last state of every seat and every live binding.

What the row writer has not carried over yet is read from the journal, so that a lagging writer or a locked
database changes nothing.
"""

from collections.abc import Sequence
from pathlib import Path

import structlog
from sqlalchemy import Connection, text

from kernel.rows import AnyRow, BindingRow, CallbackRow, CallerSeatRow, SeatStateRow
from kernel.staterows import JournalRow
from seatswitch.shell.store.database import DATABASE_ERRORS, READS, explain, open_engine, public_url
from seatswitch.shell.store.records import Follower, Position
from seatswitch.shell.store.writer import read_position

CALLERS_MAX = 50_000  # as many as distribution remembers

log = structlog.get_logger()


def read_state(
    folder: Path, url: str, wall: float
) -> list[SeatStateRow | BindingRow | CallerSeatRow | CallbackRow]:
    """Return one row per seat and per binding that lives at ``wall`` (epoch seconds), sorted by key, then the
    callers whose seats are remembered, oldest first, then the open callbacks.

    Raises OperatorError for a database URL of no known kind. A database that cannot be read now is said once
    in the log, and the journal alone is asked.
    """
    seats: dict[str, SeatStateRow] = {}
    bindings: dict[str, BindingRow] = {}
    callers: dict[str, CallerSeatRow] = {}
    callbacks: dict[str, CallbackRow] = {}
    position = Position(0, 0)
    engine = open_engine(url)
    try:
        with engine.connect().execution_options(**{READS: True}) as connection:
            _keep(_select(connection), seats, bindings, callers, callbacks)
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
        _keep(rows, seats, bindings, callers, callbacks)
    if follower.bytes_skipped:
        log.warning("! damaged bytes in the journal", bytes=follower.bytes_skipped)
    living = [bindings[key] for key in sorted(bindings) if bindings[key].expires_at > wall]
    promised = [callbacks[key] for key in sorted(callbacks) if callbacks[key].state != "ended"]
    remembered = sorted(callers.values(), key=lambda row: (row.at, row.caller))
    return [*(seats[key] for key in sorted(seats)), *living, *remembered, *promised]


def _select(connection: Connection) -> list[AnyRow]:
    rows: list[AnyRow] = []
    last = f' ORDER BY "at" DESC LIMIT {CALLERS_MAX}'
    for row_type, table, which in (
        (SeatStateRow, "seat_states", ""),
        (BindingRow, "bindings", ""),
        (CallerSeatRow, "caller_seats", last),
        (CallbackRow, "callbacks", " WHERE state <> 'ended'"),
    ):
        names = ", ".join(f'"{name}"' for name in row_type.__struct_fields__)
        found = connection.execute(text(f'SELECT {names} FROM "{table}"{which}'))
        rows += [row_type(*line) for line in found]
    return rows


def _keep(
    rows: Sequence[JournalRow],
    seats: dict[str, SeatStateRow],
    bindings: dict[str, BindingRow],
    callers: dict[str, CallerSeatRow],
    callbacks: dict[str, CallbackRow],
) -> None:
    for row in rows:
        if isinstance(row, SeatStateRow):
            seats[row.seat] = row
        elif isinstance(row, BindingRow):
            bindings[row.binding] = row
        elif isinstance(row, CallerSeatRow):
            callers[row.caller] = row
        elif isinstance(row, CallbackRow):
            callbacks[row.callback] = row
