"""The counters at start: those of closed intervals, and the rows that are in none yet.

The database is read up to the row writer's position and the journal behind it, in one look, so that every row
is there once. Rows count from the begin of the newest closed interval on: everything before is in one.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import structlog
from sqlalchemy import Connection, text

from kernel.limits import INTERVAL, INTERVALS_MAX, SEAT_INTERVALS_MAX
from kernel.rows import (
    CountedRow,
    CountRow,
    OfferRow,
    PresenceRow,
    QueueIntervalRow,
    QueueTotalRow,
    Row,
    SeatIntervalRow,
    SeatTotalRow,
    VisitRow,
)
from seatswitch.shell.store.database import DATABASE_ERRORS, READS, explain, open_engine, public_url
from seatswitch.shell.store.records import Follower, Position
from seatswitch.shell.store.tables import table_name
from seatswitch.shell.store.writer import read_position

R = TypeVar("R", bound=Row)

_WEEK = INTERVALS_MAX * INTERVAL

log = structlog.get_logger()


def read_counts(folder: Path, url: str, wall: float) -> list[CountRow | CountedRow]:
    """Return what the counters at ``wall`` (epoch seconds) follow from, oldest first of each kind.

    A database that cannot be read now is said in the log; the counters are then the journal's alone. Raises
    OperatorError for a database URL of no known kind.
    """
    rows: list[CountRow | CountedRow] = []
    position = Position(0, 0)
    engine = open_engine(url)
    try:
        with engine.connect().execution_options(**{READS: True}) as connection:
            rows += _select(connection, wall)
            position = read_position(connection)
    except DATABASE_ERRORS as error:
        why = explain(error)
        log.warning("! the database cannot be read: counters begin anew", database=public_url(url), why=why)
    finally:
        engine.dispose()
    follower = Follower(folder, position)
    while found := follower.next_rows():
        rows += [row for row in found if isinstance(row, CountRow | CountedRow)]
    return rows


def _select(connection: Connection, wall: float) -> Iterator[CountRow | CountedRow]:
    yield from _rows(connection, QueueTotalRow, "begin_at", 0.0)
    yield from _rows(connection, SeatTotalRow, "begin_at", 0.0)
    yield from _rows(connection, QueueIntervalRow, "begin_at", wall - _WEEK)
    yield from _rows(connection, SeatIntervalRow, "begin_at", wall - SEAT_INTERVALS_MAX * INTERVAL)
    newest = [
        connection.execute(text(f"SELECT max(begin_at) FROM {table}")).scalar()
        for table in ("queue_intervals", "seat_intervals")
    ]
    begin = max((moment for moment in newest if moment is not None), default=wall - _WEEK)
    yield from _rows(connection, VisitRow, "left_at", begin)
    yield from _rows(connection, OfferRow, "ended_at", begin)
    yield from _rows(connection, PresenceRow, "at", begin)


def _rows(connection: Connection, row_type: type[R], moment: str, begin: float) -> Iterator[R]:
    names = ", ".join(f'"{name}"' for name in row_type.__struct_fields__)
    wanted = f'SELECT {names} FROM "{table_name(row_type)}" WHERE "{moment}" >= :begin ORDER BY "{moment}"'
    for line in connection.execute(text(wanted), {"begin": begin}):
        yield row_type(*line)
