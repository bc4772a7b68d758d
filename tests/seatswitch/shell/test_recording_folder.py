"""Files of recordings: read in pieces, removed, and nothing outside their folder."""

import asyncio
import os
import threading
from pathlib import Path
from threading import Event

import pytest
import structlog

from kernel.ids import RecordingId
from media.events import NOTHING, Written
from media.recorder import wav_header
from seatswitch.api.audio import Found, Wanted
from seatswitch.shell import recording_folder
from seatswitch.shell.recording_folder import READERS, READS_MAX, RecordingFolder
from tests.seatswitch.shell.stubs import until

NO_AUDIO, LATE = Found(why="NO_AUDIO"), Found(why="AUDIO_LATE")


def nobody(recording: RecordingId, written: Written) -> None:
    raise AssertionError("nobody has asked")


def unheard(number: int, found: Found) -> None:
    raise AssertionError("nobody listens")


def pieces(folder: str, *wanted: Wanted) -> list[Found]:
    """Return what is found of each, in order."""
    told: dict[int, Found] = {}

    async def read() -> None:
        reader = RecordingFolder(folder, nobody, told.__setitem__)
        for number, one in enumerate(wanted):
            reader.read(number, one)
        assert told == {}, "a disk may be slow"
        await until(lambda: len(told) == len(wanted), "an answer for each")
        reader.close()

    asyncio.run(read())
    return [told[number] for number in range(len(wanted))]


def test_a_file_is_read_in_pieces_with_its_size(tmp_path: Path) -> None:
    (tmp_path / "a-1.wav").write_bytes(bytes(range(100)))
    wanted = [Wanted("a-1.wav", at, 10) for at in (0, 95, 100)]
    assert pieces(str(tmp_path), *wanted, Wanted("b.wav", 0, 10)) == [
        Found(bytes(range(10)), 100),
        Found(bytes(range(95, 100)), 100),
        Found(b"", 100),
        NO_AUDIO,
    ]


class Disk:
    """A disk of which every read waits until it is let go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_there = Event()
        self.reads: list[int] = []
        real = os.pread

        def pread(descriptor: int, length: int, offset: int) -> bytes:
            self.reads.append(offset)
            assert self.is_there.wait(20.0)
            return real(descriptor, length, offset)

        monkeypatch.setattr(recording_folder.os, "pread", pread)
        monkeypatch.setattr(recording_folder, "READ_WITHIN", 0.05)


def test_a_disk_that_hangs_holds_up_nobody_and_is_told_of_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever asks is answered in time, whatever the disk does; the loop goes on; as soon as the disk is back
    files are read again, and what nobody waits for any more is not read at all.
    """
    (tmp_path / "a.wav").write_bytes(bytes(range(100)))
    disk, told = Disk(monkeypatch), dict[int, Found]()

    async def listen() -> None:
        folder = RecordingFolder(str(tmp_path), nobody, told.__setitem__)
        for number in range(READS_MAX):
            folder.read(number, Wanted("a.wav", number, 1))
        await until(lambda: len(disk.reads) == READERS, "the threads")
        await until(lambda: len(told) == READS_MAX, "an answer for each")
        assert list(told.values()) == [LATE] * READS_MAX
        folder.read(100, Wanted("a.wav", 0, 1))  # as many wait as may: it is not even tried
        assert 100 not in told
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert told[100] == LATE
        disk.is_there.set()
        while told.get(101) in (None, LATE):
            told.pop(101, None)
            folder.read(101, Wanted("a.wav", 50, 2))
            await until(lambda: 101 in told, "an answer")
        assert told[101] == Found(b"23", 100)
        folder.close()

    with structlog.testing.capture_logs() as lines:
        asyncio.run(asyncio.wait_for(listen(), 30.0))
    assert [line["event"] for line in lines] == ["! the disk of the recordings does not answer"]
    assert disk.reads[:READERS] == [0, 1]
    assert 2 not in disk.reads


def test_a_disk_that_hangs_does_not_keep_the_switch_from_ending(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.wav").write_bytes(b"audio")
    disk = Disk(monkeypatch)

    async def listen() -> None:
        folder = RecordingFolder(str(tmp_path), nobody, unheard)
        folder.read(1, Wanted("a.wav", 0, 1))
        await until(lambda: disk.reads == [0], "the thread")
        folder.close()
        await asyncio.sleep(0.1)

    asyncio.run(asyncio.wait_for(listen(), 30.0))
    readers = [thread for thread in threading.enumerate() if thread.name == "audio"]
    assert all(thread.daemon for thread in readers)
    disk.is_there.set()
    for thread in readers:
        thread.join(20.0)
        assert not thread.is_alive()


def test_what_a_dead_worker_has_left_is_measured(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(wav_header(2, 8_000) + bytes(20_000))
    (tmp_path / "b.wav").write_bytes(b"RIFF")
    (tmp_path / "d.wav").mkdir()
    told: list[tuple[str, Written]] = []
    folder = RecordingFolder(
        str(tmp_path), lambda recording, written: told.append((recording, written)), unheard
    )
    wanted = {"a": Written(1.0, 20_058), "b": NOTHING, "c": NOTHING, "d": NOTHING}
    assert folder.measure(list(wanted)) == wanted

    async def look() -> None:
        for recording in wanted:
            folder.look(RecordingId(recording))
        assert told == [], "a disk may be slow"
        await until(lambda: len(told) == len(wanted), "an answer for each")

    asyncio.run(look())
    assert dict(told) == wanted


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.wav")
    (tmp_path / "b.wav").mkdir()
    folder = RecordingFolder(str(tmp_path), nobody, unheard)
    assert pieces(str(tmp_path), *(Wanted(name, 0, 10) for name in ("a.wav", "b.wav"))) == [NO_AUDIO] * 2
    assert folder.measure(["a", "b"]) == {"a": NOTHING, "b": NOTHING}


@pytest.mark.parametrize("name", ["../secret.wav", "/etc/passwd", "a-1", "link.wav", "", ".wav", "a/b.wav"])
def test_what_is_not_in_the_folder_is_not_read_nor_removed(tmp_path: Path, name: str) -> None:
    secret = tmp_path / "secret.wav"
    secret.write_bytes(b"secret")
    here = tmp_path / "recordings"
    here.mkdir()
    (here / "link.wav").symlink_to(secret)
    folder = RecordingFolder(str(here), nobody, unheard)
    assert folder.measure([name.removesuffix(".wav")]) == {name.removesuffix(".wav"): NOTHING}
    assert pieces(str(here), Wanted(name, 0, 10)) == [NO_AUDIO]

    async def remove() -> None:
        folder.remove(name)
        await asyncio.get_running_loop().shutdown_default_executor()

    asyncio.run(remove())
    assert secret.read_bytes() == b"secret"


def test_a_file_is_removed_by_a_thread_and_one_that_is_gone_is_no_trouble(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"audio")
    folder = RecordingFolder(str(tmp_path), nobody, unheard)

    async def remove() -> None:
        folder.remove("a.wav")
        folder.remove("b.wav")
        await asyncio.get_running_loop().shutdown_default_executor()

    asyncio.run(remove())
    assert list(tmp_path.iterdir()) == []
