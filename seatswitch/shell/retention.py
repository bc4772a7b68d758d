"""Retention: recordings that have been kept for long enough are removed, and their rows say so.

Once an hour a thread asks the database which those are and deletes their files. A database that is locked or
a file that cannot be deleted is looked at again an hour later.
"""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import structlog
from sqlalchemy import text

from kernel.rows import RecordingRow
from seatswitch.shell.clock import monotonic, wall_offset
from seatswitch.shell.recording_files import file_path
from seatswitch.shell.store.database import DATABASE_ERRORS, READS, explain, open_engine

EVERY = 3600.0  # seconds
AT_ONCE = 1_000  # recordings of one look

log = structlog.get_logger()


async def keep_removing(
    folder: str, url: str, keep: Callable[[], float], removed: Callable[[Sequence[RecordingRow]], None]
) -> None:
    """Look every hour for ever; ``keep()`` are seconds, ``removed`` is told rows as they are from now on."""
    while True:
        before = monotonic() + wall_offset() - keep()
        rows = await asyncio.to_thread(remove_old, folder, url, before)
        if rows:
            removed(rows)
        await asyncio.sleep(EVERY if len(rows) < AT_ONCE else 1.0)


def remove_old(folder: str, url: str, before: float) -> list[RecordingRow]:
    """Delete the files of recordings that ended before that moment (epoch); return their new rows."""
    names = ", ".join(f'"{name}"' for name in RecordingRow.__struct_fields__)
    which = f"state <> 'removed' AND ended_at < {before!r} ORDER BY ended_at LIMIT {AT_ONCE}"
    engine = open_engine(url)
    try:
        with engine.connect().execution_options(**{READS: True}) as connection:
            lines = connection.execute(text(f'SELECT {names} FROM "recordings" WHERE {which}'))
            rows = [RecordingRow(*line) for line in lines]
    except DATABASE_ERRORS as error:
        log.warning("! old recordings are not removed", why=explain(error))
        return []
    finally:
        engine.dispose()
    removed: list[RecordingRow] = []
    for row in rows:
        path = file_path(folder, row.recording)
        try:
            if path is not None:
                Path(path).unlink(missing_ok=True)
        except OSError as error:
            log.warning("! an old recording cannot be removed", file=str(path), why=error.strerror)
            continue
        removed.append(msgspec.structs.replace(row, state="removed"))
    return removed
