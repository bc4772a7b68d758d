"""The tables: one per row type, columns in the order of its fields, keyed by the first.

The row types in kernel/rows.py are the one place that says what a row holds; migrations say how a database
got there, and a test holds the two together.
"""

from types import UnionType
from typing import Any, get_args

import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
)

from kernel.rows import AnyRow, Row

# Beside the primary keys: by what a start looks for what counters do not hold yet.
INDEXES = (
    ("visits", "left_at"),
    ("offers", "ended_at"),
    ("presences", "at"),
    ("queue_intervals", "begin_at"),
    ("seat_intervals", "begin_at"),
    ("quality", "at"),
    ("voicemails", "state"),
)

POSITION = "journal_position"  # how far the row writer has come; one line

_TYPES: dict[Any, Any] = {str: Text, float: Double, int: BigInteger, bool: Boolean}


def row_types() -> tuple[type[Row], ...]:
    """Return every row type, in the order of ``AnyRow``."""
    return get_args(AnyRow)


def table_name(row_type: type[Row]) -> str:
    """Return the table a row type is written to: its tag."""
    return str(row_type.__struct_config__.tag)


def build_tables() -> MetaData:
    """Return the schema as it should be now."""
    metadata = MetaData()
    for row_type in row_types():
        fields = msgspec.structs.fields(row_type)
        columns = [
            Column(
                field.name,
                _TYPES[_plain(field.type)](),
                primary_key=place == 0,
                nullable=_is_optional(field.type),
            )
            for place, field in enumerate(fields)
        ]
        Table(table_name(row_type), metadata, *columns)
    for name, column in INDEXES:
        Index(f"{name}_{column}", metadata.tables[name].columns[column])
    Table(
        POSITION,
        metadata,
        Column("id", Integer(), primary_key=True, autoincrement=False),
        Column("file", BigInteger(), nullable=False),
        Column("place", BigInteger(), nullable=False),
    )
    return metadata


def build_upsert(row_type: type[Row], paramstyle: str) -> str:
    """Return the SQL that writes one row or replaces the one with the same first field.

    SQLite 3.24 and PostgreSQL share this syntax; ``paramstyle`` is the driver's (PEP 249).
    """
    names = row_type.__struct_fields__
    mark = "?" if paramstyle == "qmark" else "%s"
    marks = ", ".join([mark] * len(names))
    changes = ", ".join(f'"{name}" = excluded."{name}"' for name in names[1:])
    columns = ", ".join(f'"{name}"' for name in names)
    return (
        f'INSERT INTO "{table_name(row_type)}" ({columns}) VALUES ({marks}) '
        f'ON CONFLICT ("{names[0]}") DO UPDATE SET {changes}'
    )


def _is_optional(annotation: Any) -> bool:
    return isinstance(annotation, UnionType) and type(None) in get_args(annotation)


def _plain(annotation: Any) -> Any:
    if _is_optional(annotation):
        return next(part for part in get_args(annotation) if part is not type(None))
    return annotation
