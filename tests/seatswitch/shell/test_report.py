"""``seatswitch report``: every quarter once, wherever its row is, and output that nobody's name can steer."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner, Result

from acd.reports import COLUMNS, Wanted
from kernel.errors import OperatorError
from kernel.rows import QueueIntervalRow, QueueTotalRow, SeatIntervalRow
from kernel.staterows import JournalRow
from seatswitch.shell import cli
from seatswitch.shell.report import cell, read_report
from seatswitch.shell.store.records import build_record, journal_path
from tests.seatswitch.shell.store.test_reader import carry_over
from tests.seatswitch.shell.test_reportpage import Page

T = 1_800_000_000.0
EVIL = '=HYPERLINK("http://x","<script>alert(1)</script>")'
EVERYTHING = Wanted(0.0, 1e12)


def queue(name: str, at: float, kind: type[QueueIntervalRow] = QueueIntervalRow, **more: Any) -> Any:
    counted = dict.fromkeys(QueueIntervalRow.__struct_fields__[5:-1], 0) | {"answered_within": 3}
    counted |= {"answered_wait": 12.0, "wait": 12.0, "wait_longest": 5.0} | more
    return kind(f"{name} {T + at:.0f}", name, "demo", "junior", T + at, **counted, waits="0:3")


def seat(name: str, at: float, **more: Any) -> SeatIntervalRow:
    counted = dict.fromkeys(SeatIntervalRow.__struct_fields__[5:-2], 0) | {"time_ready": 450.0}
    counted |= {"time_talking": 450.0, "talk": 450.0, "handled": 5} | more
    return SeatIntervalRow(
        f"{name} {T + at:.0f}", name, "demo", "junior", T + at, **counted, paused_for="{}", doing="[]"
    )


def put(tmp_path: Path, rows: list[JournalRow]) -> None:
    folder = tmp_path / "journal"
    folder.mkdir(exist_ok=True)
    with journal_path(folder, 1).open("ab") as journal:
        journal.write(build_record(rows))


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Two quarters: the first is in the database, the second in the journal alone."""
    put(tmp_path, [queue("junior", 0), queue("junior", 0, QueueTotalRow), seat("8001", 0)])
    carry_over(tmp_path / "journal", f"sqlite:///{tmp_path}/switch.db")
    put(tmp_path, [queue("junior", 900), queue(EVIL, 900), seat("8001", 900, handled=7)])
    return tmp_path


@pytest.fixture
def configuration(store: Path) -> str:
    path = store / "seatswitch.toml"
    path.write_text(f'[store]\nurl = "sqlite:///{store}/switch.db"\n')
    return str(path)


def invoke(configuration: str, *arguments: str) -> Result:
    return CliRunner().invoke(cli.app, ["report", "-c", configuration, *arguments])


def read(store: Path, wanted: Wanted = EVERYTHING) -> dict[tuple[str, str], dict[str, Any]]:
    lines = read_report(f"sqlite:///{store}/switch.db", wanted)
    return {(line["kind"], line["name"]): line for line in lines}


def test_every_quarter_counts_once_wherever_its_row_is(store: Path) -> None:
    before = read(store)
    assert before["queue", "junior"]["answered"] == 6
    assert before["seat", "8001"]["handled"] == 12
    assert before["tenant", "demo"]["answered"] == 9
    carry_over(store / "journal", f"sqlite:///{store}/switch.db")
    assert read(store) == before


def test_a_row_that_is_written_again_counts_as_it_was_last(store: Path) -> None:
    """A switch that was killed counts the quarter anew, under the same id."""
    put(store, [queue("junior", 0, answered_late=1)])
    assert read(store)["queue", "junior"]["answered"] == 7
    carry_over(store / "journal", f"sqlite:///{store}/switch.db")
    assert read(store)["queue", "junior"]["answered"] == 7


def test_from_and_to(store: Path) -> None:
    assert read(store, Wanted(T + 900, 1e12))["seat", "8001"]["handled"] == 7
    assert read(store, Wanted(0.0, T + 900))["seat", "8001"]["handled"] == 5


def test_no_store_is_one_message(tmp_path: Path, configuration: str) -> None:
    with pytest.raises(OperatorError, match="has written no rows here"):
        read_report(f"sqlite:///{tmp_path}/nothing.db", EVERYTHING)


def test_tables(configuration: str) -> None:
    result = invoke(configuration)
    assert (result.exit_code, result.stderr) == (0, "")
    rows = [line.split() for line in result.stdout.splitlines()]
    (junior,) = [row for row in rows if row[:1] == ["junior"] and len(row) == 14]
    assert junior[1:3] == ["6", "6"]
    assert {"Queues", "Seats", "Levels", "Tenants"} <= {row[0] for row in rows if len(row) == 1}
    nothing = invoke(configuration, "--from", "2030-01-01").stdout
    assert nothing == "Nothing was counted in that time. Counted are quarters of an hour that are over.\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--queue", "juniors"), "--queue: neither rows nor configuration have a queue juniors"),
        (("--seat", "9999x"), "--seat: neither rows nor configuration have a seat 9999x"),
        (("--tenant", "\x1b[31m"), "--tenant: neither rows nor configuration have a tenant ?[31m"),
    ],
)
def test_name_that_is_nowhere_is_told(configuration: str, arguments: tuple[str, ...], message: str) -> None:
    result = invoke(configuration, *arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    assert message in result.stderr


def test_end_before_the_begin_is_wrong_usage(configuration: str) -> None:
    result = invoke(configuration, "--from", "2026-11-29", "--to", "2026-11-28")
    assert result.exit_code == 2
    assert "is not after --from" in result.stderr


def test_json_has_every_line_and_column(configuration: str) -> None:
    result = json.loads(invoke(configuration, "--json", "--interval", "15m", "--from", "2027-01-15").stdout)
    assert (result["from"], result["to"], result["interval"]) == ("2027-01-15", None, 900.0)
    assert [tuple(line) for line in result["lines"]] == [COLUMNS] * len(result["lines"])
    begins = [line["begin"] for line in result["lines"] if line["name"] == "8001"]
    assert begins == ["2027-01-15T08:00:00.000Z", "2027-01-15T08:15:00.000Z"]


def test_csv_has_no_formula_of_a_strangers_making(configuration: str) -> None:
    """A-INJ: ``=HYPERLINK()`` in a name is text."""
    text = invoke(configuration, "--csv").stdout
    head, *lines = list(csv.reader(io.StringIO(text)))
    assert tuple(head) == COLUMNS
    names = [line[1] for line in lines]
    assert "'" + EVIL in names
    assert not [each for line in lines for each in line if each[:1] in ("=", "+", "@", "\t", "\r")]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        *(("=1+1", "'=1+1"), ("+861380", "'+861380"), ("-2", "'-2"), ("@SUM(A1)", "'@SUM(A1)")),
        *(("\t=1", "'\t=1"), ("\r=1", "'\r=1"), ("plain", "plain"), (None, ""), (-2, -2), (0.5, 0.5)),
        ({"=a": 1}, '{"=a": 1}'),
    ],
)
def test_cells(value: object, shown: object) -> None:
    assert cell(value) == shown


def test_the_page_needs_nothing_and_runs_nothing(configuration: str, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    result = invoke(configuration, "--html", str(file), "--to", "2027-02-01")
    assert (result.exit_code, result.stdout) == (0, "")
    text = file.read_text(encoding="utf-8")
    page = Page(text)
    assert "script" not in page.tags
    assert page.links == []
    assert "default-src 'none'" in text.replace("&#x27;", "'")
    assert EVIL in page.texts
    assert "Report to 2027-02-01" in page.texts
    assert page.tags.count("table") == 4
    assert page.texts[page.texts.index("8001") + 1] == "0"  # offers


def test_one_seat_one_queue(configuration: str) -> None:
    found = json.loads(invoke(configuration, "--json", "--seat", "8001").stdout)["lines"]
    assert [(line["kind"], line["name"]) for line in found] == [("seat", "8001")]
    found = json.loads(invoke(configuration, "--json", "--queue", "junior").stdout)["lines"]
    assert [(line["kind"], line["name"]) for line in found] == [("queue", "junior")]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--from", "yesterday"), 2, "is no moment"),
        (("--csv", "--json"), 2, "one of them"),
        (("--seat", "1", "--queue", "a"), 2, "one of them"),
        (("--interval", "10m"), 2, "quarters of an hour"),
        (("--interval", "soon"), 2, "--interval"),
        (("--html", "/nowhere/page.html"), 1, "/nowhere/page.html: cannot be written"),
    ],
)
def test_mistakes_are_one_message(
    configuration: str, arguments: tuple[str, ...], code: int, message: str
) -> None:
    result = invoke(configuration, *arguments)
    assert result.exit_code == code
    assert message in result.stderr


def test_rows_are_as_this_page_thinks() -> None:
    assert msgspec.structs.asdict(queue("a", 0))["answered_within"] == 3
