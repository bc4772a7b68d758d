import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import event

from kernel.errors import OperatorError
from kernel.rows import AnyRow, PresenceRow
from seatswitch import main
from seatswitch.shell.store import writer as row_writer
from seatswitch.shell.store.database import migrate, open_engine
from seatswitch.shell.store.records import build_record, journal_files, journal_path
from seatswitch.shell.store.writer import RowWriter, Told, WriterProcess
from tests.seatswitch.shell.stubs import WAIT_MAX, WRITER_COMMAND, seat_state

Writer = subprocess.Popen[bytes]


def presence(number: int) -> PresenceRow:
    return PresenceRow(f"8001.{number}", "8001", "8001", float(number), "ready", "", "idle", "test", "")


def add_rows(folder: Path, file: int, rows: list[AnyRow]) -> None:
    folder.mkdir(exist_ok=True)
    with journal_path(folder, file).open("ab") as journal:
        journal.write(build_record(rows))


def select(database: Path, sql: str) -> list[Any]:
    with sqlite3.connect(database, timeout=10.0) as connection:
        found = connection.execute(sql).fetchall()
    connection.close()
    return found


def wait_for(condition: Any, what: str) -> None:
    deadline = time.monotonic() + WAIT_MAX
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come true"
        time.sleep(0.01)


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    return tmp_path / "journal", tmp_path / "switch.db"


@pytest.fixture
def processes() -> Iterator[list[Writer]]:
    started: list[Writer] = []
    yield started
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def start_writer(processes: list[Writer], folder: Path, database: Path) -> Writer:
    process = subprocess.Popen(
        [*WRITER_COMMAND, "--journal", str(folder), "--url", f"sqlite:///{database}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    processes.append(process)
    return process


def hear(process: Writer) -> Told:
    assert process.stdout is not None
    return msgspec.json.decode(process.stdout.readline(), type=Told)


def test_rows_are_carried_over_and_taken_files_deleted(places: tuple[Path, Path]) -> None:
    folder, database = places
    add_rows(folder, 1, [presence(1), seat_state("8001"), presence(2)])
    add_rows(folder, 2, [seat_state("8001", "paused")])
    engine = open_engine(f"sqlite:///{database}")
    migrate(engine)
    writer = RowWriter(folder, engine)
    assert [writer.step(), writer.step(), writer.step()] == [3, 1, 0]
    assert select(database, "SELECT change FROM presences ORDER BY 1") == [("8001.1",), ("8001.2",)]
    assert select(database, "SELECT presence FROM seat_states") == [("paused",)]
    assert journal_files(folder) == [2]
    engine.dispose()


def test_the_last_row_of_an_id_is_the_one_that_is_written(
    places: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, database = places
    add_rows(folder, 1, [seat_state("8001"), seat_state("8002"), presence(1), seat_state("8001", "paused")])
    engine = open_engine(f"sqlite:///{database}")
    migrate(engine)
    written: list[object] = []

    @event.listens_for(engine, "before_cursor_execute")
    def note(_connection: Any, _cursor: Any, sql: str, parameters: Any, *_: object) -> None:
        if '"seat_states"' in sql:
            written.extend((values[0], values[3]) for values in parameters)

    assert RowWriter(folder, engine).step() == 4
    assert written == [("8001", "paused"), ("8002", "ready")]
    assert select(database, "SELECT seat, presence FROM seat_states ORDER BY 1") == written
    engine.dispose()


def test_writer_rests_after_what_there_was_and_catches_up_without_rest(places: tuple[Path, Path]) -> None:
    """Three files behind, then a row a rest: none of those is followed by a look that finds nothing."""
    folder, database = places
    for file in (1, 2, 3):
        add_rows(folder, file, [presence(file)])
    found: list[tuple[float, int]] = []

    def wait(seconds: float) -> bool:
        (rows,) = select(database, "SELECT count(*) FROM presences")[0]
        found.append((seconds, rows))
        add_rows(folder, 3, [presence(3 + len(found))])
        return len(found) > 3

    process = WriterProcess(folder, f"sqlite:///{database}", tell=print, wait=wait, follow_every=7.0)
    assert process.run() == 0
    assert found == [(0.0, 1), (0.0, 2), (7.0, 5), (7.0, 6)]
    assert select(database, "SELECT count(*) FROM presences") == [(7,)]


def test_every_row_is_written_once_although_the_writer_is_killed(
    places: tuple[Path, Path], processes: list[Writer]
) -> None:
    """Fault list, "kill -9": the position moves with the rows, in one transaction."""
    folder, database = places
    for first in range(0, 30_000, 100):
        add_rows(folder, 1 + first // 10_000, [presence(number) for number in range(first, first + 100)])
    count = "SELECT count(*) FROM presences"
    for wanted in (1, 10_001, 20_001):
        process = start_writer(processes, folder, database)
        assert hear(process).told == "ready"
        wait_for(lambda wanted=wanted: select(database, count)[0][0] >= wanted, "some rows")
        process.kill()
        process.wait()
    process = start_writer(processes, folder, database)
    assert hear(process).told == "ready"
    add_rows(folder, 3, [presence(30_000)])
    assert process.stdin is not None
    process.stdin.close()  # the switch is gone: everything is written, then the process ends
    assert process.wait(WAIT_MAX) == 0
    assert select(database, count) == [(30_001,)]
    assert select(database, "SELECT count(DISTINCT change) FROM presences") == [(30_001,)]
    assert journal_files(folder) == [3]


def test_locked_database_costs_no_row(places: tuple[Path, Path], processes: list[Writer]) -> None:
    """Fault list, "DB locked": told once, written when the lock is gone."""
    folder, database = places
    process = start_writer(processes, folder, database)
    assert hear(process).told == "ready"
    other = sqlite3.connect(database, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    add_rows(folder, 1, [presence(1), presence(2)])
    trouble = hear(process)
    assert (trouble.told, trouble.why) == ("trouble", "database is locked")
    add_rows(folder, 1, [presence(3)])
    other.execute("COMMIT")
    other.close()
    assert hear(process).told == "well"
    process.send_signal(signal.SIGTERM)
    assert process.wait(WAIT_MAX) == 0
    assert select(database, "SELECT count(*) FROM presences") == [(3,)]


def test_second_writer_waits_for_the_first(places: tuple[Path, Path], processes: list[Writer]) -> None:
    folder, database = places
    first = start_writer(processes, folder, database)
    assert hear(first).told == "ready"
    second = start_writer(processes, folder, database)
    first.send_signal(signal.SIGINT)
    assert first.wait(WAIT_MAX) == 0
    assert hear(second).told == "ready"
    second.send_signal(signal.SIGTERM)
    assert second.wait(WAIT_MAX) == 0


def test_damaged_database_is_refused_with_file_and_reason(
    places: tuple[Path, Path], processes: list[Writer]
) -> None:
    """Fault list, "DB file corrupt": refuses to start with a clear message."""
    folder, database = places
    database.write_bytes(b"garbage " * 1000)
    process = start_writer(processes, folder, database)
    told = hear(process)
    assert process.wait(WAIT_MAX) == 1
    assert told.told == "refused"
    assert told.where == f"sqlite:///{database}"
    assert told.why.startswith("the database is damaged (file is not a database)")


def test_folder_without_rights_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder").write_text("a file")
    process = WriterProcess(
        tmp_path / "journal", f"sqlite:///{tmp_path}/folder/switch.db", tell=print, wait=lambda seconds: True
    )
    with pytest.raises(OperatorError, match="cannot be written"):
        process.run()


@pytest.mark.parametrize("why", ["database or disk is full", "attempt to write a readonly database"])
def test_database_that_takes_nothing_more_is_told_once_and_tried_again(
    places: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    """Fault list, "disk full": the database's side; or its file system has become read-only."""
    folder, database = places
    add_rows(folder, 1, [presence(1)])
    told: list[Told] = []
    refusals = 3
    carry = RowWriter._upsert

    def upsert(writer: RowWriter, *arguments: Any) -> None:
        nonlocal refusals
        if refusals:
            refusals -= 1
            raise sqlite3.OperationalError(why)
        carry(writer, *arguments)

    monkeypatch.setattr(RowWriter, "_upsert", upsert)
    waits: list[float] = []

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        return len(waits) > 4

    process = WriterProcess(folder, f"sqlite:///{database}", tell=told.append, wait=wait, follow_every=0.0)
    assert process.run() == 0
    assert [it.told for it in told] == ["ready", "trouble", "well"]
    assert told[1].why == why
    assert waits[:3] == [0.5, 1.0, 2.0]
    assert select(database, "SELECT count(*) FROM presences") == [(1,)]


def test_writer_steps_back_for_calls(places: tuple[Path, Path], processes: list[Writer]) -> None:
    process = start_writer(processes, *places)
    assert hear(process).told == "ready"
    # Niceness counts only within a session (autogroups); Ctrl-C is for the foreground's process group.
    assert os.getsid(process.pid) == os.getsid(0)
    assert os.getpgid(process.pid) == process.pid
    assert os.getpriority(os.PRIO_PROCESS, process.pid) == min(19, os.getpriority(os.PRIO_PROCESS, 0) + 10)


def test_it_is_started_without_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[tuple[str, str]] = []
    monkeypatch.setattr(row_writer, "run_writer", lambda *them: ran.append(them) or 3)
    monkeypatch.setattr(sys, "argv", ["seatswitch", "row-writer", "--url", "-", "--journal", "var/journal"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert (ended.value.code, ran) == (3, [("var/journal", "-")])


@pytest.mark.parametrize(
    "words",
    [[], ["--journal", "a"], ["--journal", "a", "--url"], ["--journal", "a", "--url", "-", "--more", "1"]],
)
def test_other_words_are_told_how_it_is_used(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert row_writer.run_words(words) == 2
    assert capsys.readouterr().err == "usage: seatswitch row-writer --journal FOLDER --url URL\n"
