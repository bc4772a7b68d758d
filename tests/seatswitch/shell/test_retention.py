"""Old recordings: their files go, their rows stay and say so."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
import structlog

from kernel.rows import RecordingRow, VoicemailRow
from seatswitch.shell import retention
from seatswitch.shell.clock import monotonic, wall_offset
from seatswitch.shell.retention import BEGIN, Place, keep_removing, remove_left, remove_old
from seatswitch.shell.steady import STEADY_FOR, Seen, Steady
from seatswitch.shell.store.database import migrate, open_engine
from seatswitch.shell.store.records import build_record, journal_path
from seatswitch.shell.store.writer import RowWriter


def row(recording: str, ended_at: float, state: str = "kept") -> RecordingRow:
    about = (recording, "c1", "demo", "junior", "8001", "8001", "139", ended_at - 60.0, ended_at)
    return RecordingRow(*about, 60.0, 960_058, 0.0, state, "asked")


def house(tmp_path: Path, *rows: RecordingRow | VoicemailRow) -> tuple[str, str]:
    """Return the folder of the recordings, with a file of each, and the database's URL."""
    url, folder, journal = f"sqlite:///{tmp_path}/switch.db", tmp_path / "recordings", tmp_path / "journal"
    folder.mkdir()
    journal.mkdir()
    for one in rows:
        name = one.recording if isinstance(one, RecordingRow) else one.voicemail
        (folder / f"{name}.wav").write_bytes(b"audio")
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
    removed, place = remove_old(folder, url, before=1500.0)
    assert place is None
    assert [(one.recording, one.state, one.bytes) for one in removed] == [
        ("d", "removed", 960_058),
        ("a", "removed", 960_058),
    ]
    assert sorted(path.name for path in Path(folder).iterdir()) == ["b.wav", "c.wav"]


def test_a_file_that_cannot_be_deleted_is_kept_for_the_next_time(tmp_path: Path) -> None:
    folder, url = house(tmp_path, row("a", 1000.0), row("b", 1001.0))
    (tmp_path / "recordings" / "a.wav").unlink()
    (tmp_path / "recordings" / "a.wav").mkdir()
    assert [one.recording for one in remove_old(folder, url, before=1500.0)[0]] == ["b"]


def test_files_that_cannot_be_deleted_keep_no_other_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are the oldest, and as many as one look takes; the log says so once for each look."""
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    moments = (1.0, 1.0, 1.0, 2.0, 3.0)
    folder, url = house(tmp_path, *(row(name, at) for name, at in zip("abcde", moments, strict=True)))
    for name in "abc":
        (tmp_path / "recordings" / f"{name}.wav").unlink()
        (tmp_path / "recordings" / f"{name}.wav").mkdir()
    removed: list[str] = []
    place: Place | None = BEGIN
    with structlog.testing.capture_logs() as lines:
        for _ in range(3):
            assert place is not None
            rows, place = remove_old(folder, url, 1500.0, place)
            removed += [one.recording for one in rows]
    assert (removed, place) == (["d", "e"], None)
    assert [(Path(line["file"]).name, line["more"]) for line in lines] == [("a.wav", 1), ("c.wav", 0)]


def test_the_file_of_a_voicemail_that_is_no_more_goes_if_it_was_left_behind(tmp_path: Path) -> None:
    """The row is written before the file is deleted, and the switch was killed in between."""
    states = {"a": "removed", "b": "discarded", "c": "new", "d": "removed", "e": "done"}
    at = {"d": 10.0}
    rows = [
        VoicemailRow(
            name, "demo", "public", "c1", "", "139", "", "96198", 1.0, 9.0, 8.0, 64_058, f"{name}.wav",
            "hung_up", state, changed_at=at.get(name, 1000.0),
        )
        for name, state in states.items()
    ]  # fmt: skip
    folder, url = house(tmp_path, *rows)
    remove_left(folder, url, since=500.0)
    assert sorted(path.name for path in Path(folder).iterdir()) == ["c.wav", "d.wav", "e.wav"]
    remove_left(folder, url, since=0.0)
    assert sorted(path.name for path in Path(folder).iterdir()) == ["c.wav", "e.wav"]


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
    assert remove_old(str(tmp_path), url, before=1500.0) == ([], None)
    remove_left(str(tmp_path), url, since=0.0)


def steady_clock(folder: Path) -> Steady:
    """Return what has seen the clock go steadily for long enough until an hour ago."""
    wall = monotonic() + wall_offset() - 3600.0
    (folder / "clock.json").write_bytes(msgspec.json.encode(Seen(wall, wall - STEADY_FOR)))
    return Steady(folder / "clock.json", lambda is_steady: None)


def test_while_the_clock_is_not_believed_every_file_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was set a year ahead by mistake, and what is kept for 30 days was two hours old."""
    monkeypatch.setattr(retention, "EVERY", 0.01)
    wall, year = monotonic() + wall_offset(), 365 * 86_400.0
    folder, url = house(tmp_path, row("a", wall - 7200.0))
    steady = steady_clock(tmp_path)
    offset = [year]
    monkeypatch.setattr(retention, "wall_offset", lambda: wall_offset() + offset[0])
    told: list[Sequence[RecordingRow]] = []
    looks: list[bool] = []
    look = steady.look

    def counts(wall: float) -> bool:
        looks.append(look(wall))
        return looks[-1]

    monkeypatch.setattr(steady, "look", counts)

    async def keep() -> None:
        looking = asyncio.create_task(
            keep_removing(folder, url, lambda: 30 * 86_400.0, told.append, steady)
        )
        while len(looks) < 5:
            await asyncio.sleep(0.01)
        assert (told, looks[:5]) == ([], [False] * 5)
        assert [path.name for path in Path(folder).iterdir()] == ["a.wav"]
        for _ in range(4):  # it goes on for three days: the machine was really off for a year
            offset[0] += 0.9 * 86_400.0
            before = len(looks)
            while len(looks) == before:
                await asyncio.sleep(0.01)
        while not told:
            await asyncio.sleep(0.01)
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)

    asyncio.run(asyncio.wait_for(keep(), 20.0))
    assert list(Path(folder).iterdir()) == []
    assert (tmp_path / "clock.json").exists()


def test_it_looks_again_and_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "EVERY", 0.0)
    folder, url = house(tmp_path, row("a", 1000.0))
    told: list[Sequence[RecordingRow]] = []

    async def look() -> None:
        steady = steady_clock(tmp_path)
        looking = asyncio.create_task(keep_removing(folder, url, lambda: 86_400.0, told.append, steady))
        while len(told) < 2:  # the row writer would have said by then that it is removed
            await asyncio.sleep(0.01)
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)

    asyncio.run(asyncio.wait_for(look(), 20.0))
    assert [[one.recording for one in rows] for rows in told[:2]] == [["a"], ["a"]]
