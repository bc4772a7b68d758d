"""The folder of recordings, as the switch itself uses it: it reads what people hear, takes files away, and
looks at what workers that died have left.

Rule: nothing outside the folder is touched, whatever a row says a file is called.
"""

import asyncio
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from kernel.ids import RecordingId
from media.events import NOTHING, Written
from media.recorder import HEADER_BYTES, look_at
from seatswitch.shell.recording_files import file_path

SUFFIX = ".wav"
_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK  # a pipe would be waited for

log = structlog.get_logger()


class RecordingFolder:
    """Reads, measures and removes files of one folder."""

    def __init__(self, folder: str, on_measured: Callable[[RecordingId, Written], None]) -> None:
        """``on_measured`` is told what :meth:`look` has seen."""
        self._folder = folder
        self._on_measured = on_measured

    def read(self, file: str, offset: int, length: int) -> tuple[bytes, int] | None:
        """Return bytes of a file from ``offset`` on, at most ``length``, and its size; None: it is not there.

        A caller asks for little at a time, so that this takes as long as a read from memory.
        """
        path = self._path(file)
        if path is None:
            return None
        try:
            descriptor = os.open(path, _READ)
            try:
                return os.pread(descriptor, length, offset), os.fstat(descriptor).st_size
            finally:
                os.close(descriptor)
        except OSError:
            return None

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

    def _path(self, file: str) -> Path | None:
        stem = file.removesuffix(SUFFIX)
        return file_path(self._folder, stem) if file != stem else None


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
