"""Files of recordings: read in pieces, removed, and nothing outside their folder."""

import asyncio
import os
from pathlib import Path

import pytest

from kernel.ids import RecordingId
from media.events import NOTHING, Written
from media.recorder import wav_header
from seatswitch.shell.recording_folder import RecordingFolder
from tests.seatswitch.shell.stubs import until


def nobody(recording: RecordingId, written: Written) -> None:
    raise AssertionError("nobody has asked")


def test_a_file_is_read_in_pieces_with_its_size(tmp_path: Path) -> None:
    (tmp_path / "a-1.wav").write_bytes(bytes(range(100)))
    folder = RecordingFolder(str(tmp_path), nobody)
    assert folder.read("a-1.wav", 0, 10) == (bytes(range(10)), 100)
    assert folder.read("a-1.wav", 95, 10) == (bytes(range(95, 100)), 100)
    assert folder.read("a-1.wav", 100, 10) == (b"", 100)
    assert folder.read("b.wav", 0, 10) is None


def test_what_a_dead_worker_has_left_is_measured(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(wav_header(2, 8_000) + bytes(20_000))
    (tmp_path / "b.wav").write_bytes(b"RIFF")
    (tmp_path / "d.wav").mkdir()
    told: list[tuple[str, Written]] = []
    folder = RecordingFolder(str(tmp_path), lambda recording, written: told.append((recording, written)))
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
    folder = RecordingFolder(str(tmp_path), nobody)
    assert [folder.read(name, 0, 10) for name in ("a.wav", "b.wav")] == [None, None]
    assert folder.measure(["a", "b"]) == {"a": NOTHING, "b": NOTHING}


@pytest.mark.parametrize("name", ["../secret.wav", "/etc/passwd", "a-1", "link.wav", "", ".wav", "a/b.wav"])
def test_what_is_not_in_the_folder_is_not_read_nor_removed(tmp_path: Path, name: str) -> None:
    secret = tmp_path / "secret.wav"
    secret.write_bytes(b"secret")
    here = tmp_path / "recordings"
    here.mkdir()
    (here / "link.wav").symlink_to(secret)
    folder = RecordingFolder(str(here), nobody)
    assert folder.measure([name.removesuffix(".wav")]) == {name.removesuffix(".wav"): NOTHING}
    assert folder.read(name, 0, 10) is None

    async def remove() -> None:
        folder.remove(name)
        await asyncio.get_running_loop().shutdown_default_executor()

    asyncio.run(remove())
    assert secret.read_bytes() == b"secret"


def test_a_file_is_removed_by_a_thread_and_one_that_is_gone_is_no_trouble(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"audio")
    folder = RecordingFolder(str(tmp_path), nobody)

    async def remove() -> None:
        folder.remove("a.wav")
        folder.remove("b.wav")
        await asyncio.get_running_loop().shutdown_default_executor()

    asyncio.run(remove())
    assert list(tmp_path.iterdir()) == []
