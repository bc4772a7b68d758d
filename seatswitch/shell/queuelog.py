"""``seatswitch queue-log``: the rows of the store, and of the journal behind it, as Asterisk's queue_log.

The database is read up to the row writer's position and the journal from there on, in one look, so that every
row is there once, carried over or not.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from heapq import merge
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, text

from acd.queuelog import QueueLog
from kernel.errors import OperatorError
from kernel.rows import CallRow, OfferRow, OperationRow, PresenceRow, Row, VisitRow
from kernel.staterows import CallStateRow, JournalRow, VisitStateRow
from seatswitch.shell.store.database import (
    DATABASE_ERRORS,
    READS,
    database_file,
    explain,
    open_engine,
    store_folder,
)
from seatswitch.shell.store.records import Follower, Position
from seatswitch.shell.store.tables import table_name
from seatswitch.shell.store.writer import read_position

R = TypeVar("R", bound=Row)
Moment = tuple[float, JournalRow | None, tuple[Any, ...]]  # at, a row, or what is known of a call

BEFORE = 86_400.0  # seconds of rows that are read to know what goes on when the first line is written
LOOK_EVERY = 0.5  # seconds between looks at a journal that is followed
_AT_ONCE = 1_000  # rows fetched at once

_HANDED_ON = (
    "SELECT old.ended_at, new.call, new.called, new.arrived_at FROM calls AS old JOIN calls AS new "
    "ON old.continued_as = new.call WHERE old.ended_at >= :begin ORDER BY old.ended_at"
)
_ENTERED = (
    "SELECT visits.visit, visits.call, visits.queue, visits.joined_at, visits.position, calls.caller "
    "FROM visits LEFT JOIN calls ON visits.call = calls.call "
    "WHERE visits.joined_at >= :begin AND visits.position > 0 ORDER BY visits.joined_at"
)


def parse_moment(given: str) -> float:
    """Return epoch seconds of ``2026-11-28``, ``2026-11-28T18:00`` (UTC) or a moment with its own zone.

    Raises ValueError for anything else.
    """
    moment = datetime.fromisoformat(given)
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()


def write_queue_log(
    url: str,
    begin: float,
    end: float,
    write: Callable[[str], object],
    wait: Callable[[float], bool] | None = None,
) -> None:
    """Write the lines of ``[begin, end)`` (epoch seconds), oldest first.

    Goes on with what the journal gets while ``wait(seconds)`` says so; None: what there is now. Raises
    OperatorError where the database cannot be read.
    """
    file = database_file(url)
    if file is not None and not file.exists():
        raise OperatorError("store.url", f"there is no {file}: the switch has written no rows here")
    folder = store_folder(url) / "journal"
    log = QueueLog()
    callers = _callers_of_living(folder)
    engine = open_engine(url)
    try:
        with engine.connect().execution_options(**{READS: True}) as connection:
            position = read_position(connection)
            for at, row, known in _stored(connection, begin - BEFORE, callers):
                lines = list(log.know(*known)) if row is None else log.take(row)
                _put(lines, at, begin, end, write)
    except DATABASE_ERRORS as error:
        raise OperatorError("store.url", f"the database cannot be read: {explain(error)}") from error
    finally:
        engine.dispose()
    follower = Follower(folder, position)
    while True:
        for row in follower.next_rows():
            _put(log.take(row), _moment(row), begin, end, write)
        if wait is None or not wait(LOOK_EVERY):
            return


def _put(lines: list[str], at: float, begin: float, end: float, write: Callable[[str], object]) -> None:
    if begin <= at < end:
        for line in lines:
            write(line)


def _moment(row: JournalRow) -> float:
    """Return when what ``row`` says happened."""
    if isinstance(row, VisitStateRow):
        return row.entered_at
    if isinstance(row, VisitRow):
        return row.left_at
    if isinstance(row, CallRow | OfferRow):
        return row.ended_at
    if isinstance(row, CallStateRow):
        return row.arrived_at
    return row.at if isinstance(row, PresenceRow | OperationRow) else 0.0


def _callers_of_living(folder: Path) -> dict[str, str]:
    """Return the callers of calls that have no row of their own yet: the journal has them."""
    follower = Follower(folder, Position(0, 0))
    callers: dict[str, str] = {}
    while rows := follower.next_rows():
        for row in rows:
            if isinstance(row, VisitStateRow):
                callers[row.call] = row.caller
    return callers


def _stored(connection: Connection, begin: float, callers: dict[str, str]) -> Iterator[Moment]:
    """Yield what the database has since ``begin``, in the order in which it happened."""
    number = count()
    kinds: list[Iterator[Moment]] = [
        _entered(connection, begin, callers),
        ((row.ended_at, row, ()) for row in _rows(connection, OfferRow, "ended_at", begin)),
        ((row.left_at, row, ()) for row in _rows(connection, VisitRow, "left_at", begin)),
        ((at, None, tuple(known)) for at, *known in _select(connection, _HANDED_ON, begin)),
        ((row.ended_at, row, ()) for row in _rows(connection, CallRow, "ended_at", begin)),
        ((row.at, row, ()) for row in _rows(connection, OperationRow, "at", begin)),
        ((row.at, row, ()) for row in _rows(connection, PresenceRow, "at", begin)),
    ]

    def ranked(rank: int, kind: Iterator[Moment]) -> Iterator[Any]:
        return ((at, rank, next(number), row, known) for at, row, known in kind)

    for at, _, _, row, known in merge(*(ranked(rank, kind) for rank, kind in enumerate(kinds))):
        yield at, row, known


def _entered(connection: Connection, begin: float, callers: dict[str, str]) -> Iterator[Moment]:
    for visit, call, queue, at, position, caller in _select(connection, _ENTERED, begin):
        known = caller if caller is not None else callers.get(call, "")
        yield at, VisitStateRow(visit, call, 0, queue, known, "", at, at, 0.0, (), position=position), ()


def _rows(connection: Connection, row_type: type[R], moment: str, begin: float) -> Iterator[R]:
    names = ", ".join(f'"{name}"' for name in row_type.__struct_fields__)
    wanted = f'SELECT {names} FROM "{table_name(row_type)}" WHERE "{moment}" >= :begin ORDER BY "{moment}"'
    return (row_type(*line) for line in _select(connection, wanted, begin))


def _select(connection: Connection, wanted: str, begin: float) -> Iterator[Any]:
    options = {"stream_results": True, "yield_per": _AT_ONCE}
    return iter(connection.execute(text(wanted), {"begin": begin}, execution_options=options))
