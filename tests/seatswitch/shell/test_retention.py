"""Old recordings: their files go, their rows stay and say so."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from kernel.rows import RecordingRow
from seatswitch.shell import retention
from seatswitch.shell.retention import keep_removing, remove_old
from seatswitch.shell.store.database import migrate, open_engine
from seatswitch.shell.store.records import build_record, journal_path
from seatswitch.shell.store.writer import RowWriter


def row(recording: str, ended_at: float, state: str = "kept") -> RecordingRow:
    about = (recording, "c1", "demo", "junior", "8001", "8001", "139", ended_at - 60.0, ended_at)
    return RecordingRow(*about, 60.0, 960_058, 0.0, state, "asked")


def house(tmp_path: Path, *rows: RecordingRow) -> tuple[str, str]:
    """Return the folder of the recordings, with a file of each, and the database's URL."""
    url, folder, journal = f"sqlite:///{tmp_path}/switch.db", tmp_path / "recordings", tmp_path / "journal"
    folder.mkdir()
    journal.mkdir()
    for one in rows:
        (folder / f"{one.recording}.wav").write_bytes(b"audio")
    journal_path(journal, 1).write_bytes(build_record(list(rows)))
    engine = open_engine(url)
    migrate(engine)
    while RowWriter(journal, engine).step():
        pass
    engine.dispose()
    return str(folder), url


def test_what_is_old_is_deleted_and_said_to_be(tmp_path: Path) -> None:
    folder, url = house(
        tmp_path, row("a", 1000.0), row("b", 2000.0), row("c", 500.0, "removed"), row("d", 600.0)
    )
    (tmp_path / "recordings" / "d.wav").unlink()  # somebody was faster
    removed = remove_old(folder, url, before=1500.0)
    assert [(one.recording, one.state, one.bytes) for one in removed] == [
        ("d", "removed", 960_058),
        ("a", "removed", 960_058),
    ]
    assert sorted(path.name for path in Path(folder).iterdir()) == ["b.wav", "c.wav"]


def test_a_file_that_cannot_be_deleted_is_kept_for_the_next_time(tmp_path: Path) -> None:
    folder, url = house(tmp_path, row("a", 1000.0), row("b", 1001.0))
    (tmp_path / "recordings" / "a.wav").unlink()
    (tmp_path / "recordings" / "a.wav").mkdir()
    assert [one.recording for one in remove_old(folder, url, before=1500.0)] == ["b"]


def test_a_name_that_leads_out_of_the_folder_leads_nowhere(tmp_path: Path) -> None:
    folder, url = house(tmp_path)
    (tmp_path / "precious.wav").write_bytes(b"")
    (tmp_path / "journal" / "0000000001.journal").write_bytes(build_record([row("../precious", 1.0)]))
    engine = open_engine(url)
    while RowWriter(tmp_path / "journal", engine).step():
        pass
    engine.dispose()
    remove_old(folder, url, before=1500.0)
    assert (tmp_path / "precious.wav").exists()


def test_without_a_database_nothing_is_removed(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/nothing/switch.db"
    assert remove_old(str(tmp_path), url, before=1500.0) == []


def test_it_looks_again_and_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "EVERY", 0.0)
    folder, url = house(tmp_path, row("a", 1000.0))
    told: list[Sequence[RecordingRow]] = []

    async def look() -> None:
        looking = asyncio.create_task(keep_removing(folder, url, lambda: 86_400.0, told.append))
        while len(told) < 2:  # the row writer would have said by then that it is removed
            await asyncio.sleep(0.01)
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)

    asyncio.run(asyncio.wait_for(look(), 20.0))
    assert [[one.recording for one in rows] for rows in told[:2]] == [["a"], ["a"]]
