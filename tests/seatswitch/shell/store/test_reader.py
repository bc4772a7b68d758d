import sqlite3
from pathlib import Path

import msgspec
import pytest

from kernel.errors import OperatorError
from kernel.rows import (
    AnyRow,
    BindingRow,
    CallerSeatRow,
    FollowupRow,
    ListEntryRow,
    QualityRow,
    SeatMoveRow,
    VoicemailRow,
)
from seatswitch.shell.store.database import migrate, open_engine
from seatswitch.shell.store.reader import read_state
from seatswitch.shell.store.records import build_record, journal_path
from seatswitch.shell.store.writer import RowWriter
from tests.seatswitch.shell.stubs import seat_state


def binding(user: str, expires_at: float) -> BindingRow:
    contact = f"sip:{user}@127.0.0.1:5090"
    return BindingRow(
        f"{user} {contact}", user, contact, "udp/0/127.0.0.1/5090/0", "", "", "c", 1, 1.0, expires_at
    )


def add_rows(folder: Path, rows: list[AnyRow]) -> None:
    folder.mkdir(exist_ok=True)
    with journal_path(folder, 1).open("ab") as journal:
        journal.write(build_record(rows))


def carry_over(folder: Path, url: str) -> None:
    engine = open_engine(url)
    migrate(engine)
    while RowWriter(folder, engine).step():
        pass
    engine.dispose()


def test_state_is_the_database_and_then_the_journal_behind_it(tmp_path: Path) -> None:
    folder, url = tmp_path / "journal", f"sqlite:///{tmp_path}/switch.db"
    add_rows(
        folder, [seat_state("8001"), seat_state("8002"), binding("8001", 2000.0), binding("8002", 2000.0)]
    )
    carry_over(folder, url)
    add_rows(folder, [seat_state("8002", "paused"), seat_state("8003"), binding("8002", 0.0)])
    assert read_state(folder, url, wall=1000.0) == [
        seat_state("8001"),
        seat_state("8002", "paused"),
        seat_state("8003"),
        binding("8001", 2000.0),
    ]
    carry_over(folder, url)
    assert len(read_state(folder, url, wall=1000.0)) == 4
    assert len(read_state(folder, url, wall=2000.0)) == 3  # the last binding has expired


def test_first_start_finds_nothing(tmp_path: Path) -> None:
    assert read_state(tmp_path / "journal", f"sqlite:///{tmp_path}/switch.db", wall=0.0) == []


def test_locked_database_leaves_the_journal(tmp_path: Path) -> None:
    folder, url = tmp_path / "journal", f"sqlite:///{tmp_path}/switch.db"
    add_rows(folder, [seat_state("8001")])
    other = sqlite3.connect(tmp_path / "switch.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")  # not yet a database in WAL mode: even readers must wait
    assert read_state(folder, url, wall=0.0) == [seat_state("8001")]
    other.close()


def test_url_of_no_known_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match=r"store\.url"):
        read_state(tmp_path, "nonsense", wall=0.0)


def test_callers_seats_come_back_oldest_first(tmp_path: Path) -> None:
    """Of one caller the last row counts, wherever it is; the bounded memory then keeps the newest."""
    folder, url = tmp_path / "journal", f"sqlite:///{tmp_path}/switch.db"
    old = CallerSeatRow("junior 1", "junior", "1", "8001", 5.0)
    other = CallerSeatRow("junior 2", "junior", "2", "8001", 7.0)
    add_rows(folder, [old, other])
    carry_over(folder, url)
    newer = CallerSeatRow("junior 1", "junior", "1", "8002", 9.0)
    add_rows(folder, [newer])
    assert read_state(folder, url, wall=1000.0) == [other, newer]


def test_what_operators_said_of_numbers_comes_back_until_its_moment(tmp_path: Path) -> None:
    folder, url = tmp_path / "journal", f"sqlite:///{tmp_path}/switch.db"

    def entry(number: str, until: float | None, *, is_removed: bool = False) -> ListEntryRow:
        return ListEntryRow(f"l {number}", "l", number, until, "", "8019", 1.0, is_removed)

    add_rows(folder, [entry("1", 500.0), entry("2", 2000.0), entry("3", None), entry("4", None)])
    carry_over(folder, url)
    add_rows(folder, [entry("4", None, is_removed=True), entry("5", 900.0)])
    kept = [entry("2", 2000.0), entry("3", None), entry("4", None, is_removed=True)]
    assert read_state(folder, url, wall=1000.0) == kept
    carry_over(folder, url)
    assert read_state(folder, url, wall=1000.0) == kept


def test_follow_ups_come_back_while_they_are_open_or_counted(tmp_path: Path) -> None:
    """Open ones however old, ended ones for five weeks; oldest change first."""
    folder, url = tmp_path / "journal", f"sqlite:///{tmp_path}/switch.db"
    wall = 10_000_000.0

    def followup(name: str, changed_at: float, ended_at: float | None) -> FollowupRow:
        outcome = "" if ended_at is None else "answered"
        who = ("demo", "junior", "1", "urgent", "8001")
        return FollowupRow(name, *who, 1.0, 2.0, 0, None, "", ended_at, outcome, "", changed_at)

    old = followup("old", 1.0, 1.0)
    late, late_again = followup("late", 2.0, None), followup("late", wall - 5.0, wall - 5.0)
    waits = followup("waits", 3.0, None)
    add_rows(folder, [old, late, waits])
    carry_over(folder, url)
    add_rows(folder, [late_again])
    assert read_state(folder, url, wall) == [waits, late_again]


def test_the_last_move_of_a_seat_comes_back_unless_it_has_ended(tmp_path: Path) -> None:
    folder, url = tmp_path / "journal", f"sqlite:///{tmp_path}/switch.db"
    first, other = (
        SeatMoveRow(seat, '["senior"]', "senior", "{}", "[]", "8901", 5.0, False) for seat in ("8001", "8002")
    )
    add_rows(folder, [other, first])
    carry_over(folder, url)
    assert read_state(folder, url, wall=9.0) == [first, other]
    ended = msgspec.structs.replace(first, is_removed=True)
    add_rows(folder, [ended])
    assert read_state(folder, url, wall=9.0) == [other]
    carry_over(folder, url)
    assert read_state(folder, url, wall=9.0) == [other]


def test_checks_come_back_for_thirteen_months_oldest_first_and_as_they_were_said_last(tmp_path: Path) -> None:
    folder, url = tmp_path / "journal", f"sqlite:///{tmp_path}/switch.db"
    wall = 100_000_000.0

    def check(name: str, at: float, mean: float = 3.0) -> QualityRow:
        return QualityRow(name, "demo", "8001", name, "", "8019", at, '{"tone":3}', mean, "", at)

    add_rows(folder, [check("new", wall - 1.0), check("old", wall - 399 * 86_400.0), check("gone", 1.0)])
    carry_over(folder, url)
    add_rows(folder, [check("new", wall - 1.0, 5.0)])
    old, new = check("old", wall - 399 * 86_400.0), check("new", wall - 1.0, 5.0)
    assert read_state(folder, url, wall) == [old, new]


def test_voicemails_come_back_until_they_are_removed(tmp_path: Path) -> None:
    folder, url = tmp_path / "journal", f"sqlite:///{tmp_path}/switch.db"

    def message(name: str, at: float, state: str = "new") -> VoicemailRow:
        who = ("demo", "public", "c", "junior", "139", "", "96198")
        return VoicemailRow(name, *who, at, at + 9.0, 9.0, 72_058, f"{name}.wav", "hung_up", state)

    begun = [message("b", 5.0), message("a", 1.0), message("c", 2.0)]
    add_rows(folder, [*begun, message("d", 3.0, "discarded")])
    carry_over(folder, url)
    add_rows(folder, [message("b", 5.0, "done"), message("c", 2.0, "removed")])
    kept = [message("a", 1.0), message("b", 5.0, "done")]
    assert read_state(folder, url, wall=9.0) == kept
    carry_over(folder, url)
    assert read_state(folder, url, wall=9.0) == kept
