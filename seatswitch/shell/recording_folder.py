"""The folder of recordings, as the switch itself uses it: it reads what people hear and takes files away.

Rule: nothing outside the folder is touched, whatever a row says a file is called.
"""

import asyncio
import os
from pathlib import Path

import structlog

from seatswitch.shell.recording_files import file_path

SUFFIX = ".wav"

log = structlog.get_logger()


class RecordingFolder:
    """Reads and removes files of one folder."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def read(self, file: str, offset: int, length: int) -> tuple[bytes, int] | None:
        """Return bytes of a file from ``offset`` on, at most ``length``, and its size; None: it is not there.

        A caller asks for little at a time, so that this takes as long as a read from memory.
        """
        path = self._path(file)
        if path is None:
            return None
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
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

    def _path(self, file: str) -> Path | None:
        stem = file.removesuffix(SUFFIX)
        return file_path(self._folder, stem) if file != stem else None


def _unlink(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        log.warning("! a recording cannot be removed", file=path.name, why=error.strerror)
