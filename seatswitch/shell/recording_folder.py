"""The folder of recordings, as the switch itself uses it: it reads what people hear, takes files away, and
looks at what workers that died have left.

A network disk that is gone answers nobody, for minutes: threads of their own read, and who has waited for
:data:`READ_WITHIN` is told that the disk does not answer.

Rules: nothing outside the folder is touched, whatever a row says a file is called. No more than
:data:`READS_MAX` pieces wait to be read, those that nobody waits for any more among them.
"""

import asyncio
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from threading import Thread

import structlog

from kernel.ids import RecordingId
from media.events import NOTHING, Written
from media.recorder import HEADER_BYTES, look_at
from seatswitch.api.audio import Found, Wanted
from seatswitch.shell.recording_files import file_path

SUFFIX = ".wav"
_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK  # a pipe would be waited for

READ_WITHIN = 3.0  # seconds
READS_MAX = 64
READERS = 2  # threads

_LATE = Found(why="AUDIO_LATE")

log = structlog.get_logger()


class RecordingFolder:
    """Reads, measures and removes files of one folder."""

    def __init__(
        self,
        folder: str,
        on_measured: Callable[[RecordingId, Written], None],
        on_read: Callable[[int, Found], None],
    ) -> None:
        """``on_measured`` is told what :meth:`look` has seen, ``on_read`` what :meth:`read` has found."""
        self._folder = folder
        self._on_measured = on_measured
        self._on_read = on_read
        self._readers: list[Thread] = []
        self._wanted: SimpleQueue[tuple[int, Wanted, asyncio.AbstractEventLoop] | None] = SimpleQueue()
        self._unread = 0  # pieces that no thread has come back with yet
        self._waiting: dict[int, asyncio.TimerHandle] = {}  # those that somebody waits for
        self._is_late = False  # which the operator knows

    def read(self, number: int, wanted: Wanted) -> None:
        """Read a piece of a file by a thread, and tell by its number what is there, soon or as late."""
        loop = asyncio.get_running_loop()
        if self._unread >= READS_MAX:
            loop.call_soon(self._on_read, number, _LATE)
            return
        if len(self._readers) < READERS:
            # Not of the loop's executor: its end would wait for a disk that never answers.
            self._readers.append(Thread(target=self._run, name="audio", daemon=True))
            self._readers[-1].start()
        self._unread += 1
        self._waiting[number] = loop.call_later(READ_WITHIN, self._late, number)
        self._wanted.put((number, wanted, loop))

    def close(self) -> None:
        """Read nothing more, and tell nobody of what is being read."""
        for timer in self._waiting.values():
            timer.cancel()
        self._waiting.clear()
        for _ in self._readers:
            self._wanted.put(None)
        self._readers = []

    def remove(self, file: str) -> None:
        """Take a file away, by a thread: a disk may be slow. One that is not there is no trouble."""
        path = self._path(file)
        if path is not None:
            asyncio.get_running_loop().run_in_executor(None, _unlink, path)

    def measure(self, recordings: Sequence[str]) -> dict[str, Written]:
        """Return what there is of each; takes as long as the disk does."""
        return {recording: _measure(self._folder, recording) for recording in recordings}

    def look(self, recording: RecordingId) -> None:
        """Measure one by a thread, and tell."""
        loop = asyncio.get_running_loop()
        seen = loop.run_in_executor(None, _measure, self._folder, recording)
        seen.add_done_callback(lambda done: self._on_measured(recording, done.result()))

    def _run(self) -> None:
        while (asked := self._wanted.get()) is not None:
            number, wanted, loop = asked
            path = self._path(wanted.file)
            is_wanted = path is not None and number in self._waiting
            found = _read(path, wanted) if path is not None and is_wanted else Found(why="NO_AUDIO")
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(self._found, number, found)

    def _found(self, number: int, found: Found) -> None:
        self._unread -= 1
        timer = self._waiting.pop(number, None)
        if timer is not None:
            timer.cancel()
            self._is_late = False
            self._on_read(number, found)

    def _late(self, number: int) -> None:
        del self._waiting[number]
        if not self._is_late:
            self._is_late = True
            log.warning("! the disk of the recordings does not answer", folder=self._folder)
        self._on_read(number, _LATE)

    def _path(self, file: str) -> Path | None:
        stem = file.removesuffix(SUFFIX)
        return file_path(self._folder, stem) if file != stem else None


def _read(path: Path, wanted: Wanted) -> Found:
    try:
        descriptor = os.open(path, _READ)
        try:
            data = os.pread(descriptor, wanted.length, wanted.offset)
            return Found(data, os.fstat(descriptor).st_size)
        finally:
            os.close(descriptor)
    except OSError:
        return Found(why="NO_AUDIO")


def _measure(folder: str, recording: str) -> Written:
    path = file_path(folder, recording)
    if path is None:
        return NOTHING
    try:
        descriptor = os.open(path, _READ)
        try:
            return look_at(os.pread(descriptor, HEADER_BYTES, 0), os.fstat(descriptor).st_size)
        finally:
            os.close(descriptor)
    except OSError:
        return NOTHING


def _unlink(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        log.warning("! a recording cannot be removed", file=path.name, why=error.strerror)
