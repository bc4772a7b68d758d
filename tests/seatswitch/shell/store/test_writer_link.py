import os
import signal
import sqlite3
import sys
from pathlib import Path

import pytest

from kernel.errors import OperatorError
from kernel.rows import AnyRow
from seatswitch.shell.store.journal import Journal
from seatswitch.shell.store.writer_link import WriterLink
from tests.seatswitch.shell.stubs import WRITER_COMMAND, seat_state, until


def make_link(folder: Path, url: str = "") -> WriterLink:
    (folder / "journal").mkdir()
    url = url or f"sqlite:///{folder}/switch.db"
    return WriterLink(folder / "journal", url, command=WRITER_COMMAND, restart_first=0.01)


async def test_writer_that_dies_is_started_again(tmp_path: Path) -> None:
    link = make_link(tmp_path)
    assert await link.start()
    first = link.pid
    os.kill(first, signal.SIGKILL)
    await until(lambda: link.restarts == 1 and link.pid and not link.trouble, "the second life")
    assert link.pid != first
    assert link.snapshot()["restarts"] == 1
    assert os.getsid(link.pid) == os.getsid(0)  # so that its niceness counts
    assert os.getpgid(link.pid) == link.pid  # so that Ctrl-C is for the switch
    await link.stop()
    assert link.pid == 0


async def test_stop_waits_until_everything_is_in_the_database(tmp_path: Path) -> None:
    link = make_link(tmp_path)
    assert await link.start()
    journal = Journal(tmp_path / "journal")
    journal.open()
    rows: list[AnyRow] = [seat_state(str(number)) for number in range(5000)]
    journal.append(rows)
    await journal.close()
    await link.stop()
    connection = sqlite3.connect(tmp_path / "switch.db")
    assert connection.execute("SELECT count(*) FROM seat_states").fetchall() == [(5000,)]
    connection.close()


async def test_refusal_of_the_database_is_the_operators(tmp_path: Path) -> None:
    (tmp_path / "switch.db").write_bytes(b"garbage " * 1000)
    link = make_link(tmp_path)
    with pytest.raises(OperatorError, match="the database is damaged"):
        await link.start()
    await link.stop()
    assert (link.pid, link.restarts) == (0, 0)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("UPDATE alembic_version SET version_num = '9999'", "the database is of a newer version"),
        ("DROP TABLE alembic_version", "the database has tables of another program"),
    ],
)
async def test_database_that_is_not_ours_ends_the_start(tmp_path: Path, change: str, why: str) -> None:
    link = make_link(tmp_path)
    assert await link.start()
    await link.stop()
    with sqlite3.connect(tmp_path / "switch.db") as connection:
        connection.execute(change)
    connection.close()
    again = WriterLink(tmp_path / "journal", f"sqlite:///{tmp_path}/switch.db", command=WRITER_COMMAND)
    with pytest.raises(OperatorError, match=rf"switch\.db: {why}"):
        await again.start()
    await again.stop()
    assert (again.pid, again.restarts) == (0, 0)


async def test_writer_that_cannot_be_started_ends_the_start(tmp_path: Path) -> None:
    (tmp_path / "journal").mkdir()
    absent = str(tmp_path / "python")
    link = WriterLink(tmp_path / "journal", f"sqlite:///{tmp_path}/switch.db", command=(absent,))
    with pytest.raises(OperatorError, match=r"python: the row writer cannot be started \(No such file"):
        await link.start()
    await link.stop()
    assert (link.pid, link.restarts) == (0, 0)


async def test_switch_starts_without_a_database_that_takes_too_long(tmp_path: Path) -> None:
    (tmp_path / "journal").mkdir()
    silent = (sys.executable, "-c", "import sys; sys.stdin.readline(); sys.stdin.read()")
    link = WriterLink(tmp_path / "journal", "sqlite:///x", command=silent)
    assert not await link.start(ready_within=0.05)
    await link.stop()


async def test_writer_that_does_not_end_is_killed(tmp_path: Path) -> None:
    (tmp_path / "journal").mkdir()
    deaf = (sys.executable, "-c", "import os; os.write(1, b'deaf\\n')\nwhile True: os.sched_yield()")
    link = WriterLink(tmp_path / "journal", "sqlite:///x", command=deaf)
    await link.start(ready_within=0.05)
    await until(lambda: link.pid, "the process")
    pid = link.pid
    await link.stop(within=0.05)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
