"""The journal: every row goes here first, and is never lost once it is synced.

Rows are collected in the loop and written in batches by one thread: a record is ``SWJ1``, the payload's
length and CRC-32 (big-endian), and a msgpack array of rows. Files are numbered upwards and never reopened:
each start and each ``size_max`` bytes begin a new one. The row writer follows them and deletes what it has
taken over.

Rules: a record is whole or it is not there; what stands behind a torn record is found by its mark; a full
disk costs no row while memory lasts, and no call ever.
"""

import asyncio
import os
import struct
import time
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, Protocol

import msgspec
import structlog

from kernel.errors import OperatorError
from kernel.rows import AnyRow

SYNC_WITHIN = 0.1  # seconds a row waits for company before it is written
RETRY_AFTER = 1.0  # seconds after a failed write
SIZE_MAX = 16 * 1024 * 1024  # bytes of one file
ROWS_PER_RECORD = 2_000  # about 0.5 MB
ROWS_HELD_MAX = 200_000  # rows kept in memory while the disk is full: about 100 MB, 5 minutes at 100 calls/s
SUFFIX = ".journal"

_MARK = b"SWJ1"
_HEAD = struct.Struct(">4sII")
_ENCODE = msgspec.msgpack.Encoder().encode
_DECODE = msgspec.msgpack.Decoder(list[AnyRow]).decode

log = structlog.get_logger()


class Position(NamedTuple):
    """A place in the journal: the number of a file and the bytes of it that are behind."""

    file: int
    offset: int


class JournalFile(Protocol):
    """What the journal asks of a file; tests put a failing one here."""

    def write(self, data: bytes) -> None: ...
    def sync(self) -> None: ...
    def truncate(self, size: int) -> None: ...
    def close(self) -> None: ...


class _File:
    """A file opened for appending, unbuffered."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._fd, rest) :]

    def sync(self) -> None:
        os.fdatasync(self._fd)

    def truncate(self, size: int) -> None:
        os.ftruncate(self._fd, size)

    def close(self) -> None:
        os.close(self._fd)


def journal_files(folder: Path) -> list[int]:
    """Return the numbers of the files in ``folder``, oldest first."""
    names = (path.name.removesuffix(SUFFIX) for path in folder.glob("*" + SUFFIX))
    return sorted(int(name) for name in names if name.isdigit())


def journal_path(folder: Path, file: int) -> Path:
    """Return the path of file number ``file``."""
    return folder / f"{file:010d}{SUFFIX}"


def build_record(rows: list[AnyRow]) -> bytes:
    """Return one record."""
    payload = _ENCODE(rows)
    return _HEAD.pack(_MARK, len(payload), zlib.crc32(payload)) + payload


class Journal:
    """Appends rows. All methods belong to the loop; one thread of its own writes."""

    def __init__(
        self,
        folder: Path,
        *,
        open_file: Callable[[Path], JournalFile] = _File,
        size_max: int = SIZE_MAX,
        rows_held_max: int = ROWS_HELD_MAX,
        retry_after: float = RETRY_AFTER,
    ) -> None:
        self.folder = folder
        self.rows_written = 0
        self.rows_lost = 0
        self.trouble = ""  # why rows are held in memory; empty when all is well
        self._open_file = open_file
        self._size_max = size_max
        self._rows_held_max = rows_held_max
        self._retry_after = retry_after
        self._held: list[AnyRow] = []
        self._writing: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._is_closing = False
        self._thread = ThreadPoolExecutor(1, "journal")
        self._file: JournalFile | None = None
        self._number = 0
        self._size = 0
        self._loop = asyncio.get_running_loop()

    def open(self) -> None:
        """Cut the torn tail that a crash may have left, and begin a new file.

        Raises OperatorError when the folder cannot be written.
        """
        try:
            files = journal_files(self.folder)
            self._number = files[-1] if files else 0
            if files:
                cut_torn_tail(journal_path(self.folder, files[-1]))
            self._begin_file()
        except OSError as error:
            why = f"the journal cannot be written ({error.strerror})"
            raise OperatorError(str(error.filename or self.folder), why) from error

    def append(self, rows: list[AnyRow]) -> None:
        """Take rows over; they are on the disk within about :data:`SYNC_WITHIN` seconds."""
        if self._is_closing or len(self._held) + len(rows) > self._rows_held_max:
            self.rows_lost += len(rows)
            return
        self._held += rows
        if self._timer is None and self._writing is None:
            self._timer = self._loop.call_later(SYNC_WITHIN, self._write_held)

    async def flush(self) -> bool:
        """Write everything held now; True when it is on the disk, False when the disk refused."""
        while True:
            if self._writing is not None:
                await asyncio.wait([self._writing])
                await asyncio.sleep(0)
            elif self._held:
                self._write_held()
                writing = self._writing
                if writing is not None:
                    await asyncio.wait([writing])
                    await asyncio.sleep(0)
                if self.trouble:
                    return False
            else:
                return True

    async def close(self) -> None:
        """Flush once more and close; rows that the disk refuses now are lost, and said to be."""
        self._is_closing = True
        if not await self.flush():
            self.rows_lost += len(self._held)
            log.error("! rows lost: the journal could not be written", rows=len(self._held), why=self.trouble)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._thread.shutdown(wait=True)
        if self._file is not None:
            self._file.close()
            self._file = None

    def snapshot(self) -> dict[str, object]:
        """Return what an operator may see."""
        return {
            "rows_written": self.rows_written,
            "rows_held": len(self._held),
            "rows_lost": self.rows_lost,
            "trouble": self.trouble,
        }

    def _write_held(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._writing is not None or not self._held:
            return
        rows, self._held = self._held, []
        self._writing = self._loop.run_in_executor(self._thread, self._write, rows)
        self._writing.add_done_callback(lambda done: self._written(rows, done))

    def _written(self, rows: list[AnyRow], done: asyncio.Future[None]) -> None:
        self._writing = None
        error = None if done.cancelled() else done.exception()
        if error is None and not done.cancelled():
            self.rows_written += len(rows)
            if self.trouble:
                lost = self.rows_lost
                log.warning("the journal is written again", rows_lost=lost, rows_held=len(self._held))
                self.trouble = ""
        else:
            self._held = rows + self._held
            if not self.trouble:
                self.trouble = getattr(error, "strerror", None) or str(error) or "cancelled"
                log.error(
                    "! the journal cannot be written: rows are kept in memory, calls go on",
                    folder=str(self.folder),
                    why=self.trouble,
                )
        if self._held and not self._is_closing:
            after = self._retry_after if self.trouble else SYNC_WITHIN
            self._timer = self._loop.call_later(after, self._write_held)

    def _write(self, rows: list[AnyRow]) -> None:
        """Append and sync ``rows``; on OSError the file is as it was before, or given up. In the thread."""
        if self._file is None or self._size >= self._size_max:
            self._begin_file()
        file = self._file
        assert file is not None
        records = [
            build_record(rows[at : at + ROWS_PER_RECORD]) for at in range(0, len(rows), ROWS_PER_RECORD)
        ]
        data = b"".join(records)
        try:
            file.write(data)
            file.sync()
        except OSError:
            # After a failed sync the kernel may have dropped the pages: never trust this file's end again.
            # Rows that are there after all come twice, which an upsert does not mind.
            self._give_up_file(file)
            raise
        self._size += len(data)

    def _give_up_file(self, file: JournalFile) -> None:
        self._file = None
        try:
            file.truncate(self._size)
        except OSError:
            log.warning("! a torn record stays in the journal", file=self._number)
        finally:
            file.close()

    def _begin_file(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
        # Numbered by the clock, so that a wiped folder does not begin behind the writer's position.
        number = max(self._number + 1, int(time.time()))
        self._file = self._open_file(journal_path(self.folder, number))
        self._number = number
        self._size = 0


def cut_torn_tail(path: Path) -> int:
    """Cut what a crash left behind the last whole record, and return how many bytes that were."""
    data = path.read_bytes()
    whole = _records(data, 0)
    end = whole[-1][1] if whole else 0
    if end < len(data):
        os.truncate(path, end)
        log.warning("the journal's torn tail was cut", file=path.name, bytes=len(data) - end)
    return len(data) - end


def _records(data: bytes, at: int) -> "list[tuple[bytes, int]]":
    """Return (payload, end) of every whole record from ``at``, passing over what is damaged between them."""
    found = []
    while (at := data.find(_MARK, at)) >= 0:
        begin = at + _HEAD.size
        if begin > len(data):
            break
        _, length, checksum = _HEAD.unpack_from(data, at)
        payload = data[begin : begin + length]
        if len(payload) == length and zlib.crc32(payload) == checksum:
            at = begin + length
            found.append((payload, at))
        else:
            at += 1
    return found


class Follower:
    """Reads the journal from a position onwards, file after file."""

    def __init__(self, folder: Path, position: Position) -> None:
        self.folder = folder
        self.position = position
        self.bytes_skipped = 0  # damaged or unreadable

    def next_rows(self) -> list[AnyRow]:
        """Return rows that have been added, at most one file's; none when nothing is new.

        The position is behind them afterwards.
        """
        files = journal_files(self.folder)
        for number in files:
            if number < self.position.file:
                continue
            start = self.position.offset if number == self.position.file else 0
            rows, end, length = self._read(number, start)
            if number != files[-1]:
                # Nobody appends to an older file: what is left of it is damage.
                self.bytes_skipped += length - end
                end = length
            self.position = Position(number, end)
            if rows:
                return rows
        return []

    def _read(self, number: int, start: int) -> tuple[list[AnyRow], int, int]:
        """Return new rows of one file, the end of the last whole record, and the file's length."""
        try:
            with journal_path(self.folder, number).open("rb") as file:
                file.seek(start)
                data = file.read()
        except FileNotFoundError:
            return [], start, start
        rows: list[AnyRow] = []
        behind = 0
        for payload, end in _records(data, 0):
            self.bytes_skipped += end - behind - _HEAD.size - len(payload)
            behind = end
            try:
                rows += _DECODE(payload)
            except msgspec.MsgspecError:
                self.bytes_skipped += len(payload)
        return rows, start + behind, start + len(data)


def forget_before(folder: Path, file: int) -> None:
    """Delete the files before number ``file``."""
    for number in journal_files(folder):
        if number < file:
            journal_path(folder, number).unlink(missing_ok=True)
