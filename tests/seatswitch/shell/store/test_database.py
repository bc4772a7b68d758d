from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from kernel.errors import OperatorError
from seatswitch.shell.store.database import (
    database_file,
    is_hopeless,
    migrate,
    open_engine,
    public_url,
    store_folder,
)
from seatswitch.shell.store.tables import build_tables


def test_migrations_lead_to_exactly_the_tables_of_the_row_types(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/switch.db")
    migrate(engine)
    migrate(engine)  # a second start changes nothing
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, build_tables()) == []
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    engine.dispose()


def test_folder_of_the_store_is_beside_the_file() -> None:
    assert store_folder("sqlite:///var/seatswitch.db") == Path("var")
    assert store_folder("sqlite:////srv/switch/rows.db") == Path("/srv/switch")
    assert store_folder("postgresql://localhost/switch") == Path("var")
    assert database_file("sqlite:///var/a.db?timeout=3") == Path("var/a.db")
    assert store_folder("sqlite:///file:/srv/switch/rows.db?mode=ro&uri=true") == Path("/srv/switch")


def test_password_is_not_shown() -> None:
    assert public_url("postgresql://me:secret@db/switch") == "postgresql://me:***@db/switch"
    assert "secret" not in public_url("no url: secret")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("sqlite://", "kept nowhere"),
        ("nonsense", "is not a database URL"),
        ("cobol://host/x", "is not a database URL"),
    ],
)
def test_url_of_no_known_kind_is_the_operators(url: str, why: str) -> None:
    with pytest.raises(OperatorError, match=why):
        open_engine(url)


def test_damaged_file_is_hopeless_and_a_lock_is_not(tmp_path: Path) -> None:
    """Fault list, "DB file corrupt"."""
    (tmp_path / "switch.db").write_bytes(b"this is no database" * 100)
    engine = open_engine(f"sqlite:///{tmp_path}/switch.db")
    with pytest.raises(Exception, match="not a database") as caught:
        migrate(engine)
    assert is_hopeless(caught.value)
    engine.dispose()


def test_schema_of_a_newer_version_is_the_operators_and_stays_as_it_is(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/switch.db")
    migrate(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(OperatorError, match=r"switch\.db: .* newer version \(its schema is 9999, this"):
        migrate(engine)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == "9999"
    engine.dispose()


def test_tables_of_another_program_are_hopeless(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/switch.db")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE calls (id INTEGER)")
    with pytest.raises(Exception, match="already exists") as caught:
        migrate(engine)
    assert is_hopeless(caught.value)
    engine.dispose()
