"""Files of recordings on a real disk: written by a thread, whole up to the last write, never outside."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from media.recorder import wav_header
from seatswitch.shell import recording_files
from seatswitch.shell.recording_files import RecordingFile, RecordingFiles, file_path
from tests.media.wires import wav_channels

WAIT_MAX = 20.0


def wait_until_closed(file: RecordingFile) -> None:
    until = time.monotonic() + WAIT_MAX
    while not file.is_closed:
        assert time.monotonic() < until, "the file is not closed"
        time.sleep(0.005)


def test_what_is_written_is_there_when_it_says_closed(tmp_path: Path) -> None:
    files = RecordingFiles()
    file = files.create(str(tmp_path), "a1")
    file.write(b"", wav_header(1, 0))
    file.write(b"\x01" * 800, wav_header(1, 800))
    file.write(b"\x02" * 801, wav_header(1, 1601))
    file.close()
    wait_until_closed(file)
    assert file.error == ""
    assert wav_channels((tmp_path / "a1.wav").read_bytes()) == (b"\x01" * 800 + b"\x02" * 801,)
    assert (tmp_path / "a1.wav").stat().st_mode & 0o777 == 0o600, "for this user alone"
    files.close()


@pytest.mark.parametrize("name", ["../a", "a/b", "", ".hidden", "a" * 101, "a\0b", "ä", "a b", "a\n"])
def test_a_name_that_is_no_id_leads_nowhere(tmp_path: Path, name: str) -> None:
    """A-INJ: ``../`` in the name of a recording."""
    folder = tmp_path / "recordings"
    folder.mkdir()
    assert file_path(str(folder), name) is None
    file = RecordingFiles().create(str(folder), name)
    file.write(b"\x01", wav_header(1, 1))
    file.close()
    wait_until_closed(file)
    assert file.error == "this is no name of a recording"
    assert list(tmp_path.rglob("*")) == [folder]


def test_nothing_is_overwritten_nor_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"precious")
    (tmp_path / "b.wav").symlink_to(tmp_path / "elsewhere")
    for name in ("a", "b"):
        file = RecordingFiles().create(str(tmp_path), name)
        file.write(b"\x01", wav_header(1, 1))
        file.close()
        wait_until_closed(file)
        assert file.error == "File exists"
        assert file.size == 0
    assert (tmp_path / "a.wav").read_bytes() == b"precious"
    assert not (tmp_path / "elsewhere").exists()


def test_a_folder_is_made_for_this_user_alone_and_one_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for folder, error in (("new", ""), ("file", "File exists")):
        file = RecordingFiles().create(str(tmp_path / folder), "a")
        file.write(b"", wav_header(1, 0))
        file.close()
        wait_until_closed(file)
        assert file.error == error
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "new" / "a.wav").stat().st_size == 58


FILL = """
import resource, signal, sys
from media.recorder import wav_header
from seatswitch.shell.recording_files import RecordingFiles
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
files = RecordingFiles()
file = files.create(sys.argv[1], "full")
for number in range(10):
    file.write(bytes((number,)) * 8_000, wav_header(1, 8_000 * (number + 1)))
file.close()
files.close()
print(file.is_closed, file.error, file.size)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
files = RecordingFiles()
file = files.create(sys.argv[1], "room")
file.write(b"1" * 80_000, wav_header(1, 80_000))
file.close()
files.close()
print(file.is_closed, repr(file.error))
"""


def test_a_disk_that_is_full_is_told_and_what_fitted_can_be_played(tmp_path: Path) -> None:
    """Here the system takes 20,000 bytes of a file, some of the third write, and then no more."""
    told = subprocess.run(
        (sys.executable, "-c", FILL, str(tmp_path)), capture_output=True, text=True, timeout=60, check=True
    )
    assert told.stdout.splitlines() == ["True File too large 16058", "True ''"]
    audio = bytes((0,)) * 8_000 + bytes((1,)) * 8_000
    assert wav_channels((tmp_path / "full.wav").read_bytes()) == (audio,)
    assert (tmp_path / "full.wav").stat().st_size == 16_058, "what nobody can play is off the disk"
    assert wav_channels((tmp_path / "room.wav").read_bytes()) == (b"1" * 80_000,)


def test_a_disk_without_room_for_the_first_byte_has_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pwrite(descriptor: int, data: bytes, at: int) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(recording_files.os, "pwrite", pwrite)
    file = RecordingFiles().create(str(tmp_path), "a")
    file.write(b"", wav_header(1, 0))
    file.write(b"1" * 800, wav_header(1, 800))
    file.close()
    wait_until_closed(file)
    assert (file.error, file.size, list(tmp_path.iterdir())) == ("No space left on device", 0, [])


WRITE_FOR_EVER = """
import sys, time
from media.recorder import wav_header
from seatswitch.shell.recording_files import RecordingFiles
files = RecordingFiles()
file = files.create(sys.argv[1], "cut")
for number in range(1, 100_000):
    file.write(b"2" * 400, wav_header(2, 200 * number))
    if number % 500 == 0:
        print(number, flush=True)
        time.sleep(0.01)
"""


def test_a_file_whose_writer_is_killed_can_be_played_up_to_the_last_write(tmp_path: Path) -> None:
    writer = subprocess.Popen((sys.executable, "-c", WRITE_FOR_EVER, str(tmp_path)), stdout=subprocess.PIPE)
    assert writer.stdout is not None
    for _ in range(3):
        writer.stdout.readline()
    os.kill(writer.pid, signal.SIGKILL)
    writer.wait(WAIT_MAX)
    writer.stdout.close()
    left, other = wav_channels((tmp_path / "cut.wav").read_bytes())
    assert len(left) == len(other) >= 200 * 400
    assert set(left + other) == {ord("2")}


def test_a_disk_that_is_too_slow_ends_the_recording_and_not_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording_files, "UNWRITTEN_MAX", 10_000)
    files = RecordingFiles()
    monkeypatch.setattr(files, "_run", lambda: None)
    file = files.create(str(tmp_path), "a")
    for _ in range(3):
        file.write(b"1" * 5_000, wav_header(1, 5_000))
    assert file.error == "the disk is too slow"
