"""The row writer: a process of its own that carries the journal into the database.

It follows the journal, upserts rows by their first field and keeps its position in the same transaction, so
that every row is written once in effect, whatever kills it. A locked, full or absent database makes it wait,
never lose. It tells its parent what happens in JSON lines on standard output, and ends when it is terminated
or its standard input closes, after everything that can be written has been.
"""

import fcntl
import gc
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
from sqlalchemy import Connection, Engine, text

from kernel.errors import OperatorError
from kernel.rows import Row
from seatswitch.shell.store.database import (
    DATABASE_ERRORS,
    READS,
    explain,
    is_hopeless,
    migrate,
    open_engine,
    public_url,
)
from seatswitch.shell.store.records import Follower, Position, forget_before
from seatswitch.shell.store.tables import POSITION, build_upsert, row_types

FOLLOW_EVERY = 1.0  # seconds between looks at the journal
RETRY_FIRST = 0.5  # seconds after a failure, doubled up to RETRY_MAX
RETRY_MAX = 10.0
FINISH_WITHIN = 5.0  # seconds of retries once asked to end; the journal keeps the rest
NICENESS = 10  # calls come first
BINDING_KEPT = 86_400.0  # seconds an expired binding stays in the table

_SAVE_POSITION = (
    f"INSERT INTO {POSITION} (id, file, place) VALUES (1, :file, :place) "
    "ON CONFLICT (id) DO UPDATE SET file = excluded.file, place = excluded.place"
)
_ROWS_PER_COMMIT = 20_000


class Told(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line to the parent.

    ``told`` is ready (schema is up to date), refused (the operator must act; the process ends), trouble
    (rows wait in the journal) or well (they are written again).
    """

    told: str
    where: str = ""
    why: str = ""


def read_position(connection: Connection) -> Position:
    """Return how far the journal has been written; the beginning, if never."""
    line = connection.execute(text(f"SELECT file, place FROM {POSITION} WHERE id = 1")).first()
    return Position(0, 0) if line is None else Position(int(line[0]), int(line[1]))


class RowWriter:
    """Carries rows from one journal folder into one database."""

    def __init__(self, folder: Path, engine: Engine) -> None:
        self.engine = engine
        self.rows_written = 0
        self._folder = folder
        self._follower: Follower | None = None
        style = engine.dialect.paramstyle
        self._upserts = {row_type: build_upsert(row_type, style) for row_type in row_types()}

    def step(self) -> int:
        """Write what is new, in one transaction, and return how many rows that were.

        Raises one of DATABASE_ERRORS when the database refuses; then nothing has changed.
        """
        if self._follower is None:
            with self.engine.connect().execution_options(**{READS: True}) as connection:
                reached = read_position(connection)
            self._follower = Follower(self._folder, reached, puts_aside=True, with_states=False)
            # A writer before this one may have died just before it deleted what it had written.
            forget_before(self._folder, self._follower.position.file)
        follower = self._follower
        before = follower.position
        rows = follower.next_rows()
        if follower.position == before:
            return 0
        try:
            with self.engine.begin() as connection:
                for at in range(0, len(rows), _ROWS_PER_COMMIT):
                    self._upsert(connection, rows[at : at + _ROWS_PER_COMMIT])
                position = {"file": follower.position.file, "place": follower.position.offset}
                connection.execute(text(_SAVE_POSITION), position)
        except DATABASE_ERRORS:
            follower.position = before
            raise
        if follower.position.file != before.file:
            forget_before(self._folder, follower.position.file)
        self.rows_written += len(rows)
        return len(rows)

    @property
    def is_behind(self) -> bool:
        """Say whether more was there to read than the last step has taken."""
        return self._follower is not None and self._follower.is_behind

    def forget_bindings(self, wall: float) -> None:
        """Delete bindings that expired long before ``wall`` (epoch seconds)."""
        with self.engine.begin() as connection:
            connection.execute(
                text("DELETE FROM bindings WHERE expires_at < :limit"), {"limit": wall - BINDING_KEPT}
            )

    def _upsert(self, connection: Connection, rows: Sequence[Row]) -> None:
        by_type: dict[type[Row], dict[object, tuple[object, ...]]] = {}
        astuple = msgspec.structs.astuple
        for row in rows:
            values = astuple(row)
            # Of an id that comes twice, as a seat's state does, the last row wins: no other need be written.
            by_type.setdefault(type(row), {})[values[0]] = values
        for row_type, parameters in by_type.items():
            connection.exec_driver_sql(self._upserts[row_type], list(parameters.values()))


class WriterProcess:
    """The loop around a RowWriter: start, follow, retry, finish."""

    def __init__(
        self,
        journal: Path,
        url: str,
        *,
        tell: Callable[[Told], None],
        wait: Callable[[float], bool],
        follow_every: float = FOLLOW_EVERY,
    ) -> None:
        """``wait(seconds)`` returns True when the process has been asked to end."""
        self._journal = journal
        self._url = url
        self._tell = tell
        self._wait = wait
        self._follow_every = follow_every
        self._trouble = ""

    def run(self) -> int:
        """Follow until asked to end; return 0, or 1 when rows are left to the next start.

        Raises OperatorError when the database cannot be used as it is.
        """
        engine = open_engine(self._url)
        writer = RowWriter(self._journal, engine)
        try:
            if not self._start(engine, writer):
                return 1
            gc.freeze()  # the libraries stay; the collector need not look at them again
            self._tell(Told("ready"))
            return self._follow(writer)
        finally:
            engine.dispose()

    def _start(self, engine: Engine, writer: RowWriter) -> bool:
        """Bring the schema up to date; False when asked to end before that was possible."""
        retry_after = RETRY_FIRST
        while True:
            try:
                migrate(engine)
                writer.forget_bindings(time.time())
            except DATABASE_ERRORS as error:
                if is_hopeless(error):
                    raise OperatorError(public_url(self._url), self._why_hopeless(error)) from error
                self._note_trouble(explain(error))
                if self._wait(retry_after):
                    return False
                retry_after = min(2 * retry_after, RETRY_MAX)
            else:
                self._note_well()
                return True

    def _follow(self, writer: RowWriter) -> int:
        retry_after = RETRY_FIRST
        finish_by: float | None = None  # set once asked to end
        while True:
            try:
                written = writer.step()
            except DATABASE_ERRORS as error:
                self._note_trouble(explain(error))
                if finish_by is not None and time.monotonic() > finish_by:
                    return 1
                pause = retry_after
                retry_after = min(2 * retry_after, RETRY_MAX)
            else:
                self._note_well()
                retry_after = RETRY_FIRST
                if finish_by is not None and not written:
                    return 0
                # What has come while the step was made can wait: it costs a transaction of its own.
                is_done = finish_by is None and not writer.is_behind
                pause = self._follow_every if is_done else 0.0
            if finish_by is not None:
                time.sleep(min(pause, 0.1))
            elif self._wait(pause):
                finish_by = time.monotonic() + FINISH_WITHIN

    def _note_trouble(self, why: str) -> None:
        if not self._trouble:
            self._tell(Told("trouble", public_url(self._url), why))
        self._trouble = why

    def _note_well(self) -> None:
        if self._trouble:
            self._trouble = ""
            self._tell(Told("well"))

    def _why_hopeless(self, error: Exception) -> str:
        why = explain(error)
        if "not a database" in why or "malformed" in why:
            return f"the database is damaged ({why}); restore a copy, or move the file away"
        if "already exists" in why:
            return f"the database has tables of another program ({why}); give the switch a file of its own"
        return f"the database cannot be written ({why}); give this user the right to write file and folder"


def run_words(words: list[str]) -> int:
    """Run the row writer that a command line of option names and values describes; return its exit code:
    0 done; 1 rows are left, or the database refuses; 2 wrong usage.
    """
    options = dict(zip(words[::2], words[1::2], strict=False))
    if len(words) % 2 or options.keys() != {"--journal", "--url"}:
        print("usage: seatswitch row-writer --journal FOLDER --url URL", file=sys.stderr)
        return 2
    return run_writer(options["--journal"], options["--url"])


def run_writer(journal: str, url: str) -> int:
    """Run the row writer in this process; return its exit code.

    ``url`` "-" means: the first line of standard input, which keeps a password out of the process list.
    """
    _step_back()
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write)
    signal.signal(signal.SIGTERM, lambda number, frame: None)
    signal.signal(signal.SIGINT, lambda number, frame: None)
    if url == "-":
        url = _read_line(sys.stdin.fileno())
    waited_for = [wake_read, sys.stdin.fileno()]

    def wait(seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while True:
            ready, _, _ = select.select(waited_for, [], [], max(0.0, deadline - time.monotonic()))
            if wake_read in ready or any(not os.read(fd, 4096) for fd in ready):
                return True
            if time.monotonic() >= deadline:
                return False

    folder = Path(journal)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (folder / "writer.lock").open("w") as lock:
            # A writer that outlived its switch may still be finishing; two would undo each other's position.
            while not _lock(lock.fileno()):
                if wait(0.1):
                    return 1
            return WriterProcess(folder, url, tell=_tell_parent, wait=wait).run()
    except OperatorError as error:
        _tell_parent(Told("refused", error.where, error.why))
        return 1


def _step_back() -> None:
    """Let calls come first, and Ctrl-C in the terminal be for the switch alone: a process group of its own.

    Not a session of its own: where the kernel shares the processor among sessions first (Linux autogroups, of
    every process that no control group holds), niceness counts only within one, and a row writer in its own
    took half of the switch's core once a second, for 20 ms at 1,000 calls/s.
    """
    if os.getpgrp() != os.getpid():
        os.setpgid(0, 0)
    os.nice(NICENESS)


def _read_line(fd: int) -> str:
    """Read one line, byte by byte: what follows it must stay in the pipe for select."""
    line = bytearray()
    while (byte := os.read(fd, 1)) not in {b"", b"\n"}:
        line += byte
    return line.decode()


def _lock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _tell_parent(what: Told) -> None:
    try:
        os.write(sys.stdout.fileno(), msgspec.json.encode(what) + b"\n")
    except OSError:
        return  # the switch is gone; standard input says so, too
