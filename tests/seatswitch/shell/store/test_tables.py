import msgspec
from sqlalchemy import create_engine

from seatswitch.shell.store.tables import build_tables, build_upsert, row_types, table_name


def test_columns_are_the_fields_in_their_order_keyed_by_the_first() -> None:
    tables = build_tables().tables
    assert len(tables) == len(row_types()) + 1  # and how far the journal has been read
    for row_type in row_types():
        table = tables[table_name(row_type)]
        assert tuple(table.columns.keys()) == row_type.__struct_fields__
        assert [column.name for column in table.primary_key] == [row_type.__struct_fields__[0]]


def test_moments_that_may_be_missing_are_nullable_and_nothing_else() -> None:
    calls = build_tables().tables["calls"]
    assert [column.name for column in calls.columns if column.nullable] == ["answered_at"]


def test_upsert_keeps_one_line_per_key_and_the_last_one_wins() -> None:
    row_type = next(it for it in row_types() if table_name(it) == "seat_states")
    engine = create_engine("sqlite://")
    build_tables().create_all(engine)
    old = ("8001", "a", "s", "ready", "", 1.0, None, "", "softphone", "8001", "", "ready", "")
    new = ("8001", "a", "s", "paused", "rest", 2.0, 9.5, "", "softphone", "8001", "", "ready", "")
    assert len(old) == len(msgspec.structs.fields(row_type))
    with engine.begin() as connection:
        connection.exec_driver_sql(build_upsert(row_type, "qmark"), [old, new, new])
        assert connection.exec_driver_sql("SELECT * FROM seat_states").all() == [new]
    engine.dispose()


def test_drivers_of_servers_get_their_own_marks() -> None:
    sql = build_upsert(row_types()[0], "pyformat")
    assert sql.count("%s") == len(row_types()[0].__struct_fields__)
    assert "?" not in sql
