import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from kernel.errors import OperatorError
from kernel.rows import CallRow
from kernel.staterows import CallStateRow, JournalRow
from seatswitch.shell.store.journal import Journal
from seatswitch.shell.store.records import (
    Follower,
    Position,
    forget_before,
    journal_files,
    journal_path,
)
from tests.seatswitch.shell.stubs import seat_state, until

START = Position(0, 0)


def states(first: int, count: int) -> list[JournalRow]:
    return [seat_state(str(number)) for number in range(first, first + count)]


def read_all(follower: Follower) -> list[JournalRow]:
    found: list[JournalRow] = []
    while rows := follower.next_rows():
        found += rows
    return found


class FailingFile:
    """A file on a disk that is full while ``full`` says so; keeps half of a refused write, as disks do."""

    full = True
    syncs_fail = False

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)

    def write(self, data: bytes) -> None:
        if FailingFile.full:
            self._file.write(data[: len(data) // 2])
            raise OSError(28, "No space left on device")
        self._file.write(data)

    def sync(self) -> None:
        if FailingFile.syncs_fail:
            raise OSError(5, "Input/output error")

    def truncate(self, size: int) -> None:
        os.ftruncate(self._file.fileno(), size)

    def close(self) -> None:
        self._file.close()


async def test_rows_outlive_the_process_from_the_moment_they_are_appended(tmp_path: Path) -> None:
    """Fault list, "kill -9": what a turn has written is in the system's cache before anything is sent."""
    journal = Journal(tmp_path)
    journal.open()
    journal.append(states(0, 3))
    assert read_all(Follower(tmp_path, START)) == states(0, 3)
    journal.append(states(3, 2))
    assert read_all(Follower(tmp_path, START)) == states(0, 5)
    assert journal.rows_written == 0  # not synced yet
    await journal.close()
    assert journal.rows_written == 5


def living(call: str, queue: str = "junior") -> CallStateRow:
    return CallStateRow(
        call, "demo", "in", "1390", "96198", "carrier", "queue:junior", queue, 1.0, 2.0, None, None, 0.0, 0,
        False, None, None, None, (),
    )  # fmt: skip


def ended(call: str) -> CallRow:
    return CallRow(
        call, "demo", "in", "1390", "96198", "carrier", "queue:junior", 1.0, None, 2.0, 1.0, 0.0, 0.0, "",
        "caller", "caller:abandoned", 200,
    )  # fmt: skip


async def test_next_start_is_told_what_lived_and_only_that(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    assert journal.open() == []
    journal.append([living("a"), living("b")])
    journal.append([living("b", "senior"), ended("a")])
    after_kill = Journal(tmp_path)
    assert after_kill.open() == [living("b", "senior")]
    killed_again = Journal(tmp_path)  # before anything was done about it
    assert killed_again.open() == [living("b", "senior")]
    killed_again.append([ended("b")])
    last = Journal(tmp_path)
    assert last.open() == []
    for each in (journal, after_kill, killed_again, last):
        await each.close()


async def test_every_file_opens_with_what_lives(tmp_path: Path) -> None:
    """The last file alone says what lived, so that older ones can go as soon as they are carried over."""
    journal = Journal(tmp_path, size_max=300)
    journal.open()
    journal.checkpoint = lambda: [living("a")]
    journal.append([living("a")])
    for number in range(20):
        journal.append(states(number, 1))
    files = journal_files(tmp_path)
    assert len(files) > 2
    forget_before(tmp_path, files[-1])
    assert journal_files(tmp_path) == files[-1:]
    again = Journal(tmp_path)
    assert again.open() == [living("a")]
    await journal.close()
    await again.close()


async def test_rows_are_on_the_disk_after_a_flush_and_read_back_in_order(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.open()
    journal.append(states(0, 3))
    journal.append(states(3, 2))
    assert await journal.flush()
    assert read_all(Follower(tmp_path, START)) == states(0, 5)
    assert journal.snapshot() == {"rows_written": 5, "rows_held": 0, "rows_lost": 0, "trouble": ""}
    await journal.close()


async def test_rows_are_written_without_a_flush_and_within_one_sync(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.open()
    for number in range(100):
        journal.append(states(number, 1))
    await until(lambda: journal.rows_written == 100, "the batch")
    assert journal.snapshot()["rows_held"] == 0
    await journal.close()


async def test_full_files_are_followed_by_new_ones_and_forgotten_when_taken_over(tmp_path: Path) -> None:
    journal = Journal(tmp_path, size_max=100)
    journal.open()
    for number in range(5):
        journal.append(states(number * 3, 3))
        assert await journal.flush()
    files = journal_files(tmp_path)
    assert len(files) == 5
    follower = Follower(tmp_path, START)
    assert read_all(follower) == states(0, 15)
    assert follower.position.file == files[-1]
    forget_before(tmp_path, follower.position.file)
    assert journal_files(tmp_path) == files[-1:]
    assert read_all(Follower(tmp_path, START)) == states(12, 3)
    await journal.close()


async def test_full_disk_costs_no_row_while_memory_lasts(tmp_path: Path) -> None:
    """Fault list, "disk full": reported once, rows are kept and written in order when space returns."""
    FailingFile.full, FailingFile.syncs_fail = True, False
    journal = Journal(tmp_path, open_file=FailingFile, rows_held_max=10, retry_after=0.01)
    journal.open()
    journal.append(states(0, 4))
    assert not await journal.flush()
    assert journal.trouble == "No space left on device"
    journal.append(states(4, 6))
    journal.append(states(10, 1))  # one more than may be held
    assert journal.snapshot()["rows_held"] == 10
    assert journal.rows_lost == 1
    FailingFile.full = False
    await until(lambda: not journal.trouble, "the recovery")
    assert await journal.flush()
    assert read_all(Follower(tmp_path, START)) == states(0, 10)
    await journal.close()


async def test_failed_sync_begins_a_new_file_with_the_same_rows(tmp_path: Path) -> None:
    FailingFile.full, FailingFile.syncs_fail = False, True
    journal = Journal(tmp_path, open_file=FailingFile, retry_after=0.01)
    journal.open()
    journal.append(states(0, 2))
    assert not await journal.flush()
    FailingFile.syncs_fail = False
    await until(lambda: not journal.trouble, "the recovery")
    assert read_all(Follower(tmp_path, START)) == states(0, 2)
    await journal.close()


async def test_rows_that_cannot_be_saved_at_the_end_are_counted(tmp_path: Path) -> None:
    FailingFile.full, FailingFile.syncs_fail = True, False
    journal = Journal(tmp_path, open_file=FailingFile)
    journal.open()
    journal.append(states(0, 2))
    await journal.close()
    journal.append(states(2, 1))
    assert journal.rows_lost == 3


async def test_folder_that_cannot_be_written_is_the_operators(tmp_path: Path) -> None:
    def refuse(path: Path) -> Any:
        raise PermissionError(13, "Permission denied", str(path))

    with pytest.raises(
        OperatorError, match=r"\.journal\S*: the journal cannot be written \(Permission denied"
    ):
        Journal(tmp_path, open_file=refuse).open()


async def test_loop_is_free_while_the_disk_is_slow(tmp_path: Path) -> None:
    """Fault list, "DB locked" and slow disks: no stall of the loop."""
    rounds = 0

    class SlowFile(FailingFile):
        def sync(self) -> None:
            nonlocal rounds
            begun = rounds
            while rounds < begun + 20:  # goes on only if the loop does
                os.sched_yield()

    FailingFile.full, FailingFile.syncs_fail = False, False
    journal = Journal(tmp_path, open_file=SlowFile)
    journal.open()
    journal.append(states(0, 1))
    flushing = asyncio.ensure_future(journal.flush())
    while not flushing.done():
        rounds += 1
        await asyncio.sleep(0.001)
    assert await flushing
    await journal.close()


async def test_a_journal_knows_when_the_process_before_last_touched_it(tmp_path: Path) -> None:
    """Rows touch it, and whoever lives without rows does by hand; a torn tail that is cut off does not."""
    first = Journal(tmp_path)
    first.open()
    assert first.died_at is None
    first.append(states(1, 1))
    await first.flush()
    path = journal_path(tmp_path, journal_files(tmp_path)[-1])
    os.utime(path, (1000.0, 1000.0))
    first.touch()
    assert path.stat().st_mtime > 1_700_000_000
    await first.close()
    with path.open("ab") as journal:
        journal.write(b"SWJ1 torn")
    os.utime(path, (1000.5, 1000.5))
    second = Journal(tmp_path)
    second.open()
    assert second.died_at == 1000.5
    path.unlink()
    journal_path(tmp_path, journal_files(tmp_path)[-1]).unlink()
    second.touch()  # its file is gone: rows will say so
    await second.close()
