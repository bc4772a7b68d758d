"""Files of recordings, written by a thread of their own, so that no packet waits for a disk.

A worker gives each recording's audio once a second; the thread writes it to the file and lets go of the
interpreter meanwhile. A disk that is too slow or full ends the recording, not the call.

Rules: a file is made anew or not at all; its name is that of the recording and nothing else. No more than
:data:`UNWRITTEN_MAX` waits to be written, over all files.
"""

import os
import re
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from threading import Lock, Thread

UNWRITTEN_MAX = 32 * 1024 * 1024  # bytes
CLOSE_WITHIN = 2.0  # seconds that the end of a worker waits for its disk
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,99}", re.ASCII)


class RecordingFiles:
    """Makes files and writes them: a :class:`media.recorder.Files`."""

    def __init__(self) -> None:
        self._unwritten = 0  # bytes
        self._lock = Lock()
        self._queue: SimpleQueue[tuple[RecordingFile, bytes, bytes] | None] = SimpleQueue()
        self._thread: Thread | None = None

    def create(self, folder: str, name: str) -> "RecordingFile":
        """Return a new file, which does not exist until the thread has got to it."""
        if self._thread is None:
            self._thread = Thread(target=self._run, name="recordings", daemon=True)
            self._thread.start()
        return RecordingFile(self, file_path(folder, name))

    def put(self, file: "RecordingFile", data: bytes, header: bytes) -> bool:
        """Let the thread write to ``file``, or close it for want of a header; False if too much waits."""
        with self._lock:
            if data and self._unwritten + len(data) > UNWRITTEN_MAX:
                return False
            self._unwritten += len(data)
        self._queue.put((file, data, header))
        return True

    def close(self) -> None:
        """Write what waits, for a while, and end the thread."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join(CLOSE_WITHIN)

    def _run(self) -> None:
        while (work := self._queue.get()) is not None:
            file, data, header = work
            file.serve(data, header)
            with self._lock:
                self._unwritten -= len(data)


class RecordingFile:
    """One file: a :class:`media.recorder.Sink`. The thread alone touches the descriptor."""

    def __init__(self, files: RecordingFiles, path: Path | None) -> None:
        self.error = "" if path is not None else "this is no name of a recording"
        self.is_closed = False
        self._files = files
        self._path = path
        self.size = 0  # bytes that the header vouches for
        self._descriptor = -1
        self._written = 0  # bytes of audio

    def write(self, data: bytes, header: bytes) -> None:
        """Append ``data``, then put ``header`` in the place of the first bytes; soon."""
        if not self.error and not self._files.put(self, data, header):
            self.error = "the disk is too slow"

    def close(self) -> None:
        """Write nothing more; ``is_closed`` says when it is done."""
        self._files.put(self, b"", b"")

    def serve(self, data: bytes, header: bytes) -> None:
        """Do what waits. Called by the thread."""
        try:
            if header and not self.error:
                self._write(data, header)
            elif not header and self._descriptor >= 0:
                os.close(self._descriptor)
        except OSError as error:
            self.error = error.strerror or str(error)
            self._cut()
        if not header:
            self.is_closed = True

    def _cut(self) -> None:
        """Leave nothing on a full disk that nobody can play."""
        assert self._path is not None
        if self._descriptor < 0:
            return
        with suppress(OSError):
            if self.size:
                os.ftruncate(self._descriptor, self.size)
            else:
                self._path.unlink()

    def _write(self, data: bytes, header: bytes) -> None:
        assert self._path is not None
        if self._descriptor < 0:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
            self._descriptor = os.open(self._path, flags, 0o600)
        _write_all(self._descriptor, data, len(header) + self._written)
        self._written += len(data)
        # Behind the audio: what the header says is there, whenever the process dies.
        _write_all(self._descriptor, header, 0)
        self.size = len(header) + self._written


def file_path(folder: str, name: str) -> Path | None:
    """Return where the recording ``name`` is, None for what is no name of one (``../passwd``)."""
    return Path(folder) / f"{name}.wav" if _NAME.fullmatch(name) else None


def _write_all(descriptor: int, data: bytes, at: int) -> None:
    """Write all of ``data`` at the offset ``at``; the system may take less than it is given."""
    while data:
        count = os.pwrite(descriptor, data, at)
        data, at = data[count:], at + count
