"""The journal: every row goes here first, before anything of its turn is sent.

The rows of a turn are one record, and a record is one write into the system's cache: from then on it
survives the death of the process, and it is on the disk within :data:`SYNC_WITHIN`, because a thread of its
own syncs. How records and files look is in :mod:`seatswitch.shell.store.records`.

Files are numbered upwards and never reopened: each start and each ``size_max`` bytes begin a new one, which
opens with the state rows of all that lives. So the last file alone says what lived when the process died.

Rules: a turn's rows are all there or none; a full disk costs no row while memory lasts, and no call ever.
"""

import asyncio
import errno
import os
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Protocol

import structlog

from kernel.errors import OperatorError
from kernel.staterows import JournalRow, Living, StateRow
from seatswitch.shell.rounds import CallLater, Handle
from seatswitch.shell.store.records import build_record, journal_files, journal_path, read_last

SYNC_WITHIN = 0.1  # seconds until a row is on the disk, not only in the system's cache
RETRY_AFTER = 1.0  # seconds after a failed write
SIZE_MAX = 64 * 1024 * 1024  # bytes of one file: the state rows that open it cost 15 ms at 1,000 calls/s
ROWS_HELD_MAX = 200_000  # rows kept in memory while the disk is full: about 60 MB, 5 minutes at 100 calls/s
_FULL = (errno.ENOSPC, errno.EDQUOT)
BEGUN = ".begun"  # behind the name of a file that has no place in the journal yet

log = structlog.get_logger()


class JournalFile(Protocol):
    """What the journal asks of a file; tests put a failing one here."""

    def write(self, data: bytes) -> None: ...
    def sync(self) -> None: ...
    def truncate(self, size: int) -> None: ...
    def close(self) -> None: ...


class _File:
    """A file opened for appending, unbuffered."""

    def __init__(self, path: Path) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC
        self._fd = os.open(path, flags, 0o600)
        self._folder = path.parent
        self._is_named = False

    def write(self, data: bytes) -> None:
        written = os.write(self._fd, data)
        if written < len(data):  # the disk is nearly full: the next write says so
            rest = memoryview(data)[written:]
            while rest:
                rest = rest[os.write(self._fd, rest) :]

    def sync(self) -> None:
        os.fdatasync(self._fd)
        if not self._is_named:
            folder = os.open(self._folder, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
            self._is_named = True

    def truncate(self, size: int) -> None:
        os.ftruncate(self._fd, size)

    def close(self) -> None:
        os.close(self._fd)


class _Sync(NamedTuple):
    """A sync under way in the thread."""

    done: Future[None]
    file: JournalFile
    size: int  # of the file when it began
    records: list[tuple[bytes, int]]  # that it makes safe


class Journal:
    """Appends rows. All methods belong to the loop; one thread of its own syncs."""

    def __init__(
        self,
        folder: Path,
        *,
        open_file: Callable[[Path], JournalFile] = _File,
        size_max: int = SIZE_MAX,
        rows_held_max: int = ROWS_HELD_MAX,
        retry_after: float = RETRY_AFTER,
        call_later: CallLater | None = None,
    ) -> None:
        """``call_later`` is who wakes for the next sync; by default the running loop."""
        self._call_later = asyncio.get_running_loop().call_later if call_later is None else call_later
        self.folder = folder
        self.rows_written = 0  # synced
        self.rows_lost = 0
        self.trouble = ""  # why rows are held in memory; empty when all is well
        self.died_at: float | None = None  # when the process before last touched it, epoch seconds
        self.checkpoint: Callable[[], list[StateRow]] = list  # what lives now; opens every new file
        self._open_file = open_file
        self._size_max = size_max
        self._rows_held_max = rows_held_max
        self._retry_after = retry_after
        self._held: list[tuple[bytes, int]] = []  # records the disk has refused, and their rows
        self._rows_held = 0
        self._unsynced: list[tuple[bytes, int]] = []
        self._syncing: _Sync | None = None
        self._timer: Handle | None = None
        self._is_closed = False
        self._thread = ThreadPoolExecutor(1, "journal")
        self._file: JournalFile | None = None
        self._number = 0
        self._size = 0
        self._safe_size = 0  # what a failed sync leaves standing: what was synced before, at least what lives
        self._full_at = size_max

    def touch(self) -> None:
        """Say by the file's own time that this process lives; to be called about once a second."""
        with suppress(OSError):  # a disk in trouble says so when rows are written
            os.utime(journal_path(self.folder, self._number))

    def open(self) -> list[StateRow]:
        """Begin a new file and return the state rows of what lived when the last one ended.

        A torn record at its end, which a crash may have left, is cut off; a damaged one is put aside. Raises
        OperatorError when the folder cannot be written.
        """
        living = Living()
        try:
            files = journal_files(self.folder)
            if files:
                self._number = files[-1]
                # Before a torn tail is cut off, which touches it, too.
                self.died_at = journal_path(self.folder, files[-1]).stat().st_mtime
                living.take(read_last(self.folder, files[-1]))
            self._begin_file(living.rows())
        except OSError as error:
            if error.errno in _FULL:  # calls go on without a disk, so they may begin without one
                self._note_trouble(error)
                return living.rows()
            why = f"the journal cannot be written ({error.strerror})"
            raise OperatorError(str(error.filename or self.folder), why) from error
        return living.rows()

    def append(self, rows: list[JournalRow]) -> None:
        """Take the rows of a turn over: they outlive this process when this returns, unless the disk refuses.

        They are on the disk within about :data:`SYNC_WITHIN` seconds.
        """
        if self._is_closed:
            self.rows_lost += len(rows)
            return
        record = build_record(rows)
        if self.trouble:
            self._hold(record, len(rows))
            return
        try:
            if self._file is None or self._size >= self._full_at:
                # What lives now includes what these rows say.
                self._begin_file(self.checkpoint())
            assert self._file is not None
            self._file.write(record)
        except OSError as error:
            self._hold(record, len(rows))
            self._write_failed(error)
            return
        self._size += len(record)
        self._unsynced.append((record, len(rows)))
        if self._timer is None:
            self._timer = self._call_later(SYNC_WITHIN, self._on_timer)

    async def flush(self) -> bool:
        """Write and sync everything; True when it is on the disk, False when the disk refused."""
        while True:
            sync = self._syncing
            if sync is not None:
                await asyncio.gather(asyncio.wrap_future(sync.done), return_exceptions=True)
                if self._syncing is sync:
                    self._take_sync()
                if self.trouble:
                    return False
            elif self._held or self._unsynced:
                self._on_timer()
                if self.trouble:
                    return False
            else:
                return True

    async def close(self) -> None:
        """Flush once more and close; rows that the disk refuses now are lost, and said to be."""
        if not await self.flush():
            self.rows_lost += self._rows_held
            log.error("! rows lost: the journal could not be written", rows=self._rows_held, why=self.trouble)
        self._is_closed = True
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
            "rows_held": self._rows_held,
            "rows_lost": self.rows_lost,
            "trouble": self.trouble,
        }

    def _on_timer(self) -> None:
        """Hear how the last sync went, write what the disk refused before, and sync what came since."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        # The thread does not wake the loop when it is done: there is a look every SYNC_WITHIN.
        if self._syncing is not None and not (self._syncing.done.done() and self._take_sync()):
            self._arm(SYNC_WITHIN)
            return
        if self._held:
            try:
                if self._file is None:
                    self._begin_file(self.checkpoint())
                self._write_held()
            except OSError as error:
                self._write_failed(error)
                return
        if not self._unsynced:
            return
        assert self._file is not None
        records, self._unsynced = self._unsynced, []
        done = self._thread.submit(self._file.sync)
        self._syncing = _Sync(done, self._file, self._size, records)
        self._arm(SYNC_WITHIN)

    def _arm(self, after: float) -> None:
        if self._timer is None and not self._is_closed:
            self._timer = self._call_later(after, self._on_timer)

    def _write_held(self) -> None:
        assert self._file is not None
        held = self._held
        self._file.write(b"".join(record for record, _ in held))
        self._size += sum(len(record) for record, _ in held)
        self._unsynced += held
        self._held, self._rows_held = [], 0

    def _take_sync(self) -> bool:
        """Take what has become of the sync that is done; False if its file cannot be trusted."""
        assert self._syncing is not None
        done, file, size, records = self._syncing
        self._syncing = None
        error = done.exception()
        if error is not None:
            # After a failed sync the kernel may have dropped the pages. Rows that are there after all come
            # twice, which an upsert does not mind.
            self._unsynced = records + self._unsynced
            if file is self._file:
                file.truncate(self._safe_size)
                self._give_up(file)
            self._note_trouble(error)
            return False
        self.rows_written += sum(count for _, count in records)
        if file is self._file:
            self._safe_size = size
        if self.trouble and not self._held:
            log.warning("the journal is written again", rows_lost=self.rows_lost)
            self.trouble = ""
        return True

    def _hold(self, record: bytes, rows: int) -> None:
        """Keep a record in memory until the disk takes it."""
        if self._rows_held + rows > self._rows_held_max:
            self.rows_lost += rows
            return
        self._held.append((record, rows))
        self._rows_held += rows

    def _note_trouble(self, error: BaseException | None) -> None:
        if not self.trouble:
            self.trouble = getattr(error, "strerror", None) or str(error or "") or "cancelled"
            log.error(
                "! the journal cannot be written: rows are kept in memory, calls go on",
                folder=str(self.folder),
                why=self.trouble,
            )
        self._arm(self._retry_after)

    def _write_failed(self, error: OSError) -> None:
        """The disk refused a record: take back what it took of it, and try again later."""
        if self._file is not None:
            try:
                self._file.truncate(self._size)
            except OSError:
                log.warning("! a torn record stays in the journal", file=self._number)
                self._give_up(self._file)
        self._note_trouble(error)

    def _give_up(self, file: JournalFile) -> None:
        """Never trust this file's end again; what is not safely in it comes again in the next."""
        self._held = self._unsynced + self._held
        self._rows_held = sum(count for _, count in self._held)
        self._unsynced = []
        self._file = None
        # A sync may be under way in the thread: it comes first.
        self._thread.submit(file.close)

    def _begin_file(self, living: list[StateRow]) -> None:
        """Begin a file with what lives. It takes its place in the journal whole, or not at all."""
        # Numbered by the clock, so that a wiped folder does not begin behind the writer's position.
        number = max(self._number + 1, int(time.time()))
        path = journal_path(self.folder, number)
        begun = path.with_name(path.name + BEGUN)
        file = self._open_file(begun)
        try:
            first = build_record(list(living)) if living else b""
            if first:
                file.write(first)
            os.rename(begun, path)
        except OSError:
            file.close()
            begun.unlink(missing_ok=True)
            raise
        before, self._file = self._file, file
        if before is not None:
            self._thread.submit(_finish, before)
        self._number, self._size, self._safe_size = number, len(first), len(first)
        # A file that is half full of what lives would be followed by the next too soon.
        self._full_at = max(self._size_max, 4 * len(first))
        self._unsynced.append((b"", 0))  # the file itself wants to be synced


def _finish(file: JournalFile) -> None:
    """Sync and close a file that another has followed."""
    try:
        file.sync()
    finally:
        file.close()
