"""The database: opened from a URL, its schema brought up to date, and its errors told apart.

Three kinds: what the operator must mend before a start (a corrupt or read-only file, a missing driver), what
passes by waiting (locked, full, out of reach), and bugs of ours, which are neither.
"""

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from kernel.errors import OperatorError

READS = "seatswitch_reads"  # execution option of a connection that will not write
BUSY_FOR = 2.0  # seconds SQLite itself waits for a lock
# What an operation on the database may raise; a connect listener's errors come unwrapped.
DATABASE_ERRORS = (DBAPIError, sqlite3.Error)

_MIGRATIONS = Path(__file__).resolve().parent / "migrations"

# Parts of SQLite's messages that no waiting mends at a start.
_HOPELESS = ("not a database", "malformed", "unable to open", "readonly", "already exists")


def database_file(url: str) -> Path | None:
    """Return the file of an SQLite URL, relative to the working directory; None for a server's."""
    prefix = "sqlite:///"
    if not url.startswith(prefix):
        return None
    # SQLite takes a file as a URI, too: sqlite:///file:PATH?mode=ro&uri=true.
    return Path(url.removeprefix(prefix).removeprefix("file:").partition("?")[0])


def store_folder(url: str) -> Path:
    """Return where the journal and the lock live: beside the SQLite file, else ``var``."""
    file = database_file(url)
    return Path("var") if file is None else file.parent


def public_url(url: str) -> str:
    """Return ``url`` without its password, for logs and messages."""
    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return "(no URL)"


def open_engine(url: str) -> Engine:
    """Return an engine for ``url``; nothing is opened yet. Raises OperatorError for an unknown kind."""
    if url in {"sqlite://", "sqlite:///", "sqlite:///:memory:"}:
        raise OperatorError("store.url", f"{url} is kept nowhere; name a file: sqlite:///var/seatswitch.db")
    try:
        engine = create_engine(url, pool_size=1, max_overflow=0)
    except (ArgumentError, NoSuchModuleError) as error:
        raise OperatorError(
            "store.url", f"{public_url(url)} is not a database URL such as sqlite:///var/seatswitch.db"
        ) from error
    except ModuleNotFoundError as error:
        raise OperatorError(
            "store.url", f"{public_url(url)} needs the Python package {error.name!r}; install it"
        ) from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _set_up_sqlite(raw: Any, _record: object) -> None:
    # The driver's own BEGIN leaves schema changes outside of transactions; ours does not.
    raw.isolation_level = None
    cursor = raw.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {int(BUSY_FOR * 1000)}")
    cursor.execute("PRAGMA journal_mode = WAL")
    # FULL: a commit is on the disk before the journal file behind it is deleted.
    cursor.execute("PRAGMA synchronous = FULL")
    # Ids are random, so every batch touches pages all over the index: keep them, and fold the log rarely.
    # Measured with the batches of 400 calls/s: 7.5 instead of 12 us of CPU per row.
    cursor.execute("PRAGMA cache_size = -32000")
    cursor.execute("PRAGMA wal_autocheckpoint = 4000")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    reads = connection.get_execution_options().get(READS, False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def migrate(engine: Engine) -> None:
    """Bring the schema up to date, in one transaction.

    Raises OperatorError for a schema that this version does not know, which a newer one has made.
    """
    # Imported by the row writer alone: an eighth of a second of every start, and memory of the switch.
    from alembic import command
    from alembic.config import Config
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            found = MigrationContext.configure(connection).get_current_revision()
            newest = ScriptDirectory.from_config(config).get_current_head()
            raise OperatorError(
                engine.url.render_as_string(hide_password=True),
                f"the database is of a newer version (its schema is {found}, this one knows up to {newest}): "
                "install that version again, or restore the copy made before the upgrade",
            ) from error


def is_hopeless(error: Exception) -> bool:
    """True when the database cannot be used as it is and waiting will not mend it."""
    cause = getattr(error, "orig", error)
    # Only SQLite says so in its own process; a server out of reach may come back.
    return isinstance(cause, sqlite3.Error) and any(part in str(cause).lower() for part in _HOPELESS)


def explain(error: Exception) -> str:
    """Return the driver's words on one line."""
    return " ".join(str(getattr(error, "orig", error)).split())
