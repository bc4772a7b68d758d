"""The counters at start: the database, and then the journal behind it, each row once."""

import sqlite3
from pathlib import Path

import pytest

from kernel.errors import OperatorError
from kernel.limits import INTERVAL
from kernel.rows import PresenceRow, Row, SeatIntervalRow, SeatTotalRow, VisitRow
from seatswitch.shell.store.counts import read_counts
from tests.seatswitch.shell.store.test_reader import add_rows, carry_over
from tests.seatswitch.shell.stubs import seat_state

DAY = 1_800_000_000.0


def visit(number: int, left_at: float) -> VisitRow:
    return VisitRow(
        f"c{number}.1", f"c{number}", "junior", left_at - 5.0, left_at, 5.0, 0.0, "answered", "", "8001", True
    )


def presence(number: int, at: float) -> PresenceRow:
    return PresenceRow(f"8001.{number}", "8001", "", at, "ready", "", "idle", "test", "")


def interval(begin_at: float, kind: type[SeatIntervalRow] = SeatIntervalRow) -> SeatIntervalRow:
    key = "8001" if kind is SeatTotalRow else f"8001 {int(begin_at)}"
    ints, times = [0] * 6, [0.0] * 9
    head = (key, "8001", "demo", "junior", begin_at)
    return kind(*head, *ints, 0.0, 0, 0, 0.0, 0.0, 0.0, *times, "{}", '["time_ready","","",0,0,0]')


@pytest.fixture
def store(tmp_path: Path) -> tuple[Path, str]:
    return tmp_path / "journal", f"sqlite:///{tmp_path}/switch.db"


def ids(rows: object) -> list[str]:
    assert isinstance(rows, list)
    return [str(getattr(row, row.__struct_fields__[0])) for row in rows if isinstance(row, Row)]


def test_single_rows_count_from_the_newest_closed_interval_on(store: tuple[Path, str]) -> None:
    folder, url = store
    closed = DAY + INTERVAL
    rows = [visit(1, DAY + 10), presence(1, DAY + 20), interval(DAY), interval(DAY, SeatTotalRow)]
    rows += [visit(2, closed + 10), interval(closed), interval(closed, SeatTotalRow), presence(2, closed + 1)]
    add_rows(folder, rows)
    carry_over(folder, url)
    add_rows(folder, [visit(3, closed + 950), seat_state("8001")])
    found = ids(read_counts(folder, url, closed + 960))
    assert found == ["8001", f"8001 {int(DAY)}", f"8001 {int(closed)}", "c2.1", "8001.2", "c3.1"]


def test_without_a_closed_interval_a_week_is_counted_again(store: tuple[Path, str]) -> None:
    folder, url = store
    add_rows(folder, [visit(1, DAY - 8 * 86_400), visit(2, DAY - 6 * 86_400), visit(3, DAY - 1)])
    carry_over(folder, url)
    assert ids(read_counts(folder, url, DAY)) == ["c2.1", "c3.1"]


def test_what_cannot_be_read_leaves_the_journal(store: tuple[Path, str]) -> None:
    folder, url = store
    assert read_counts(folder, url, DAY) == []
    add_rows(folder, [visit(1, DAY)])
    lock = sqlite3.connect(url.removeprefix("sqlite:///"))
    lock.execute("CREATE TABLE other (x)")
    lock.close()
    assert ids(read_counts(folder, url, DAY)) == ["c1.1"]
    with pytest.raises(OperatorError):
        read_counts(folder, "nonsense", DAY)
