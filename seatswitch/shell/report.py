"""``seatswitch report``: what queues, seats and levels came to, as tables, JSON or CSV.

It reads the rows of the store and of the journal behind it, so the switch may run or not. Names come from
people: in a table they cannot steer the terminal, in CSV no spreadsheet takes them for a formula.
"""

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import IO, Any, TypeVar

import msgspec
from rich.console import Console
from sqlalchemy import Connection, text

from acd.reports import COLUMNS, Report, Wanted
from kernel.errors import OperatorError
from kernel.rows import QueueIntervalRow, SeatIntervalRow
from seatswitch.shell.reportpage import build_page
from seatswitch.shell.store.database import (
    DATABASE_ERRORS,
    READS,
    database_file,
    explain,
    open_engine,
    store_folder,
)
from seatswitch.shell.store.records import Follower
from seatswitch.shell.store.tables import table_name
from seatswitch.shell.store.writer import read_position
from seatswitch.shell.tables import Column, View, build_table, duration, plain, share

Line = dict[str, Any]
R = TypeVar("R", QueueIntervalRow, SeatIntervalRow)

_AT_ONCE = 1_000  # rows fetched at once
_LAST = 1e12  # epoch seconds; a moment that is later is not looked for
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # with what a spreadsheet lets a formula begin


def read_report(url: str, wanted: Wanted) -> list[Line]:
    """Return the lines of a report; raises OperatorError where the database cannot be read."""
    file = database_file(url)
    if file is not None and not file.exists():
        raise OperatorError("store.url", f"there is no {file}: the switch has written no rows here")
    report = Report(wanted)
    newer: dict[str, QueueIntervalRow | SeatIntervalRow] = {}  # than what the database has
    engine = open_engine(url)
    try:
        with engine.connect().execution_options(**{READS: True}) as connection:
            follower = Follower(store_folder(url) / "journal", read_position(connection))
            while rows := follower.next_rows():
                for row in rows:
                    if isinstance(row, QueueIntervalRow | SeatIntervalRow) and _is_quarter(row):
                        newer[row.interval] = row
            for queue in _rows(connection, QueueIntervalRow, wanted):
                if queue.interval not in newer:
                    report.take(queue)
            for seat in _rows(connection, SeatIntervalRow, wanted):
                if seat.interval not in newer:
                    report.take(seat)
    except DATABASE_ERRORS as error:
        raise OperatorError("store.url", f"the database cannot be read: {explain(error)}") from error
    finally:
        engine.dispose()
    for row in newer.values():
        report.take(row)
    return report.lines()


def _is_quarter(row: QueueIntervalRow | SeatIntervalRow) -> bool:
    """Say whether it is a quarter of an hour, and no total up to one."""
    return type(row) is QueueIntervalRow or type(row) is SeatIntervalRow


def _rows(connection: Connection, kind: type[R], wanted: Wanted) -> Iterator[R]:
    names = ", ".join(f'"{name}"' for name in kind.__struct_fields__)
    told = f'SELECT {names} FROM "{table_name(kind)}" WHERE begin_at >= :begin AND begin_at < :end'
    options = {"stream_results": True, "yield_per": _AT_ONCE}
    moments = {"begin": wanted.begin, "end": min(wanted.end, _LAST)}
    for line in connection.execute(text(f"{told} ORDER BY begin_at"), moments, execution_options=options):
        yield kind(*line)


# What is written.


class Asked(msgspec.Struct, frozen=True):
    """What the command line asks for; ``page`` is a file for the page."""

    begin: str = ""  # as it was given
    end: str = ""
    part: float = 0.0
    queue: str = ""
    seat: str = ""
    tenant: str = ""
    page: str = ""
    as_csv: bool = False
    as_json: bool = False

    @property
    def title(self) -> str:
        """What it is about, in words."""
        about = (("queue", self.queue), ("seat", self.seat), ("tenant", self.tenant))
        of = ", ".join(f"{kind} {name}" for kind, name in about if name)
        time = (("from", self.begin), ("to", self.end))
        when = " ".join(f"{word} {moment}" for word, moment in time if moment)
        return plain(" ".join(word for word in ("Report", of and f"of {of}", when) if word))


def write_report(
    url: str,
    asked: Asked,
    moments: tuple[float, float],
    console: Console,
    known: Mapping[str, Sequence[str]],
) -> None:
    """Read and write it; raises OperatorError where the store cannot be read or the page not be written.

    ``known`` are the queues, seats and tenants of the configuration: nothing is found of a name that neither
    they nor the rows have, and that is said.
    """
    wanted = Wanted(*moments, asked.part, asked.queue, asked.seat, asked.tenant)
    lines = read_report(url, wanted)
    if not lines:
        _check_names(asked, known)
    in_parts = bool(asked.part)
    if asked.page:
        page = build_page(sections(lines, in_parts=in_parts), asked.title)
        try:
            Path(asked.page).write_text(page, encoding="utf-8")
        except OSError as error:
            raise OperatorError(asked.page, f"cannot be written ({error.strerror})") from error
    elif asked.as_csv:
        write_csv(lines, console.file)
    elif asked.as_json:
        write_json(lines, wanted, (asked.begin, asked.end), console.file)
    else:
        for title, columns, found in sections(lines, in_parts=in_parts):
            console.print(build_table(columns, found, 0.0, title))
        if not lines:
            console.print("Nothing was counted in that time. Counted are quarters of an hour that are over.")


def _check_names(asked: Asked, known: Mapping[str, Sequence[str]]) -> None:
    for kind, name in (("queue", asked.queue), ("seat", asked.seat), ("tenant", asked.tenant)):
        if name and name not in known[kind]:
            close = get_close_matches(name, known[kind], n=1)
            meant = f" (did you mean {close[0]}?)" if close else ""
            raise OperatorError(
                f"--{kind}", f"neither rows nor configuration have a {kind} {plain(name)}{meant}"
            )


def write_csv(lines: Sequence[Line], file: IO[str]) -> None:
    """Write one head and one row per line; what is not known is empty."""
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for line in lines:
        writer.writerow([cell(line[column]) for column in COLUMNS])


def cell(value: object) -> object:
    """Return a value as it stands in CSV: text that a spreadsheet would run gets an apostrophe before it."""
    if isinstance(value, dict):
        value = json.dumps(value, ensure_ascii=False)
    if isinstance(value, str):
        return "'" + value if value.startswith(_FORMULA) else value
    return "" if value is None else value


def write_json(lines: Sequence[Line], wanted: Wanted, moments: tuple[str, str], file: IO[str]) -> None:
    """Write one object: from and to as given, seconds of a part, and the lines."""
    head = {"from": moments[0] or None, "to": moments[1] or None, "interval": wanted.part or None}
    json.dump({**head, "lines": list(lines)}, file, ensure_ascii=False, indent=2)
    file.write("\n")


def _shown(name: str, how: Callable[[object], str]) -> Callable[[View, float], str]:
    return lambda view, _wall: how(view[name])


def _columns(*columns: tuple[str, str, Callable[[object], str]]) -> tuple[Column, ...]:
    return tuple(Column(head, _shown(name, how), right=how is not plain) for head, name, how in columns)


def _count(value: object) -> str:
    return plain(value)


_CALLERS = _columns(
    ("offered", "offered", _count),
    ("answered", "answered", _count),
    ("gave up", "abandoned", _count),
    ("as it rang", "abandoned_ringing", _count),
    ("at once", "short_abandoned", _count),
    ("sent on", "overflowed", _count),
    ("too long", "timed_out", _count),
    ("refused", "refused", _count),
    ("in time", "service_level_negative", share),
    ("mean wait", "asa", duration),
    ("95 % by", "wait_p95", duration),
)
_WORK = _columns(
    ("offers", "offers", _count),
    ("no answer", "offers_missed", _count),
    ("declined", "offers_refused", _count),
    ("failed", "offers_failed", _count),
    ("handled", "handled", _count),
    ("handling", "aht", duration),
)
_TIME = _columns(
    ("signed in", "time_signed_in", duration),
    ("ready", "time_ready", duration),
    ("talking", "time_talking", duration),
    ("held", "time_held", duration),
    ("wrap-up", "time_wrapup", duration),
    ("paused", "time_paused", duration),
    ("occupied", "occupancy", share),
)
_HEAD = _columns(("name", "name", plain), ("from", "begin", plain))
SECTIONS: tuple[tuple[str, str, tuple[Column, ...]], ...] = (  # kind, title, columns
    ("queue", "Queues", (*_HEAD, *_CALLERS, *_WORK[-2:])),
    ("seat", "Seats", (*_HEAD, *_WORK, *_TIME)),
    ("level", "Levels", (*_HEAD, *_CALLERS, *_WORK[-2:], _TIME[-1])),
    ("tenant", "Tenants", (*_HEAD, *_CALLERS, *_WORK[-2:], _TIME[-1])),
)


def sections(
    lines: Sequence[Line], *, in_parts: bool
) -> Iterator[tuple[str, tuple[Column, ...], list[Line]]]:
    """Yield title, columns and lines of every table; without parts nobody needs to know when they begin."""
    for kind, title, columns in SECTIONS:
        found = [line for line in lines if line["kind"] == kind]
        if found:
            yield title, columns if in_parts else tuple(it for it in columns if it.head != "from"), found
