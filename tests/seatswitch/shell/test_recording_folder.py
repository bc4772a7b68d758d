"""Files of recordings: read in pieces, removed, and nothing outside their folder."""

import asyncio
from pathlib import Path

import pytest

from seatswitch.shell.recording_folder import RecordingFolder


def test_a_file_is_read_in_pieces_with_its_size(tmp_path: Path) -> None:
    (tmp_path / "a-1.wav").write_bytes(bytes(range(100)))
    folder = RecordingFolder(str(tmp_path))
    assert folder.read("a-1.wav", 0, 10) == (bytes(range(10)), 100)
    assert folder.read("a-1.wav", 95, 10) == (bytes(range(95, 100)), 100)
    assert folder.read("a-1.wav", 100, 10) == (b"", 100)
    assert folder.read("b.wav", 0, 10) is None


@pytest.mark.parametrize("name", ["../secret.wav", "/etc/passwd", "a-1", "link.wav", "", ".wav", "a/b.wav"])
def test_what_is_not_in_the_folder_is_not_read_nor_removed(tmp_path: Path, name: str) -> None:
    secret = tmp_path / "secret.wav"
    secret.write_bytes(b"secret")
    here = tmp_path / "recordings"
    here.mkdir()
    (here / "link.wav").symlink_to(secret)
    folder = RecordingFolder(str(here))
    assert folder.read(name, 0, 10) is None

    async def remove() -> None:
        folder.remove(name)
        await asyncio.get_running_loop().shutdown_default_executor()

    asyncio.run(remove())
    assert secret.read_bytes() == b"secret"


def test_a_file_is_removed_by_a_thread_and_one_that_is_gone_is_no_trouble(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"audio")
    folder = RecordingFolder(str(tmp_path))

    async def remove() -> None:
        folder.remove("a.wav")
        folder.remove("b.wav")
        await asyncio.get_running_loop().shutdown_default_executor()

    asyncio.run(remove())
    assert list(tmp_path.iterdir()) == []
