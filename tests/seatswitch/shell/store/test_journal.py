import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from kernel.errors import OperatorError
from kernel.rows import AnyRow
from seatswitch.shell.store.journal import (
    Follower,
    Journal,
    Position,
    build_record,
    cut_torn_tail,
    forget_before,
    journal_files,
    journal_path,
)
from tests.seatswitch.shell.stubs import seat_state, until

START = Position(0, 0)


def states(first: int, count: int) -> list[AnyRow]:
    return [seat_state(str(number)) for number in range(first, first + count)]


def read_all(follower: Follower) -> list[AnyRow]:
    found: list[AnyRow] = []
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


async def test_rows_are_on_the_disk_after_a_flush_and_read_back_in_order(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.open()
    journal.append(states(0, 3))
    journal.append(states(3, 2))
    assert await journal.flush()
    assert read_all(Follower(tmp_path, START)) == states(0, 5)
    assert journal.snapshot() == {"rows_written": 5, "rows_held": 0, "rows_lost": 0, "trouble": ""}
    await journal.close()


async def test_rows_are_written_without_a_flush_and_within_one_batch(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.open()
    for number in range(100):
        journal.append(states(number, 1))
    await until(lambda: journal.rows_written == 100, "the batch")
    data = journal_path(tmp_path, journal_files(tmp_path)[0]).read_bytes()
    assert data.count(b"SWJ1") == 1
    await journal.close()


async def test_torn_tail_is_cut_and_the_whole_records_stay(tmp_path: Path) -> None:
    """Fault list, "kill -9": every prefix of the last record is a possible end."""
    whole, torn = build_record(states(0, 2)), build_record(states(2, 1))
    path = journal_path(tmp_path, 7)
    for length in (1, 4, 8, 11, 12, 13, len(torn) - 1):
        path.write_bytes(whole + torn[:length])
        assert cut_torn_tail(path) == length
        assert path.read_bytes() == whole
    path.write_bytes(whole + torn)
    assert cut_torn_tail(path) == 0
    path.write_bytes(torn[:-1])
    journal = Journal(tmp_path)
    journal.open()
    assert path.read_bytes() == b""
    journal.append(states(5, 1))
    assert await journal.flush()
    assert read_all(Follower(tmp_path, START)) == states(5, 1)
    await journal.close()


def test_damage_in_the_middle_costs_only_what_is_damaged(tmp_path: Path) -> None:
    records = [build_record(states(number, 1)) for number in range(3)]
    broken = bytearray(records[1])
    broken[20] ^= 0xFF
    journal_path(tmp_path, 1).write_bytes(records[0] + bytes(broken) + records[2])
    follower = Follower(tmp_path, START)
    assert read_all(follower) == [*states(0, 1), *states(2, 1)]
    assert follower.bytes_skipped == len(broken)


def test_follower_waits_for_the_rest_of_a_record_that_is_being_written(tmp_path: Path) -> None:
    path, record = journal_path(tmp_path, 1), build_record(states(0, 4))
    path.write_bytes(record[:30])
    follower = Follower(tmp_path, START)
    assert follower.next_rows() == []
    path.write_bytes(record)
    assert follower.next_rows() == states(0, 4)
    assert follower.position == (1, len(record))
    assert follower.bytes_skipped == 0


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

    with pytest.raises(OperatorError, match=r"\.journal: the journal cannot be written \(Permission denied"):
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
