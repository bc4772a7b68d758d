"""Retention: recordings that have been kept for long enough are removed, and their rows say so.

Once an hour a thread asks the database which those are and deletes their files, unless the clock has jumped
(:mod:`seatswitch.shell.steady`). A database that is locked or
a file that cannot be deleted is looked at again an hour later, and keeps no other file waiting. Voicemails
go by themselves; a file that was left behind, because the switch was killed just then or the disk could not
be written to, goes here.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec
import structlog
from sqlalchemy import text

from kernel.rows import RecordingRow
from seatswitch.shell.clock import monotonic, wall_offset
from seatswitch.shell.recording_files import file_path
from seatswitch.shell.recording_folder import SUFFIX
from seatswitch.shell.steady import Steady
from seatswitch.shell.store.database import DATABASE_ERRORS, READS, explain, open_engine

EVERY = 3600.0  # seconds
AT_ONCE = 1_000  # recordings of one look
PAUSE = 1.0  # seconds between two looks, where one was not enough
LEFT_FOR = 7 * 86_400.0  # seconds after its end in which the file of a voicemail is tried again

log = structlog.get_logger()


class Place(NamedTuple):
    """How far a look has come among old recordings."""

    ended_at: float
    recording: str


BEGIN = Place(0.0, "")


async def keep_removing(
    folder: str,
    url: str,
    keep: Callable[[], float],
    removed: Callable[[Sequence[RecordingRow]], None],
    steady: Steady,
) -> None:
    """Look every hour for ever; ``keep()`` are seconds, ``removed`` is told rows as they are from now on."""
    while True:
        wall = monotonic() + wall_offset()
        place: Place | None = BEGIN if steady.look(wall) else None
        await asyncio.to_thread(steady.save)
        while place is not None:
            rows, place = await asyncio.to_thread(remove_old, folder, url, wall - keep(), place)
            if rows:
                removed(rows)
            if place is not None:
                await asyncio.sleep(PAUSE)
        await asyncio.to_thread(remove_left, folder, url, wall - LEFT_FOR)
        await asyncio.sleep(EVERY)


def remove_old(
    folder: str, url: str, before: float, place: Place = BEGIN
) -> tuple[list[RecordingRow], Place | None]:
    """Delete the files of recordings that ended before that moment (epoch), from ``place`` on, oldest first;
    return their new rows, and where to go on, None at the end.
    """
    names = ", ".join(f'"{name}"' for name in RecordingRow.__struct_fields__)
    found = _select(
        url,
        f"SELECT {names} FROM recordings WHERE state <> 'removed' AND ended_at < :before AND "
        "(ended_at > :ended_at OR (ended_at = :ended_at AND recording > :recording)) "
        f"ORDER BY ended_at, recording LIMIT {AT_ONCE}",
        before=before,
        ended_at=place.ended_at,
        recording=place.recording,
    )
    rows = [RecordingRow(*line) for line in found]
    gone = _unlink(folder, [row.recording for row in rows])
    removed = [msgspec.structs.replace(row, state="removed") for row in rows if row.recording in gone]
    is_all = len(rows) < AT_ONCE
    return removed, None if is_all else Place(rows[-1].ended_at, rows[-1].recording)


def remove_left(folder: str, url: str, since: float) -> None:
    """Delete what is left of voicemails that have been removed, or discarded, since that moment (epoch)."""
    which = "state IN ('removed', 'discarded') AND changed_at > :since"
    found = _select(url, f"SELECT file FROM voicemails WHERE {which}", since=since)
    _unlink(folder, [file.removesuffix(SUFFIX) for (file,) in found])


def _select(url: str, statement: str, **values: Any) -> list[Any]:
    engine = open_engine(url)
    try:
        with engine.connect().execution_options(**{READS: True}) as connection:
            return list(connection.execute(text(statement), values))
    except DATABASE_ERRORS as error:
        log.warning("! old recordings are not removed", why=explain(error))
        return []
    finally:
        engine.dispose()


def _unlink(folder: str, names: Sequence[str]) -> dict[str, bool]:
    """Delete files; return those that are gone. What cannot be deleted is one line of the log."""
    gone: dict[str, bool] = {}
    failed: list[tuple[str, str]] = []
    for name in names:
        path = file_path(folder, name)
        try:
            if path is not None:
                path.unlink(missing_ok=True)
        except OSError as error:
            failed.append((str(path), error.strerror or str(error)))
        else:
            gone[name] = True
    if failed:
        (file, why), *more = failed
        log.warning("! old recordings cannot be removed", file=file, why=why, more=len(more))
    return gone
