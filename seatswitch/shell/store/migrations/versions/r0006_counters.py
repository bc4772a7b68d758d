"""Counters by quarter of an hour and in all; rows say the queue they are of."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_WORK = (
    *("offers", "offers_answered", "offers_missed", "offers_refused", "offers_failed", "offers_withdrawn"),
    "rang:",
    *("handled", "transferred", "talk:", "hold:", "wrap_up:"),
)
_VISITS = (
    *("answered_within", "answered_late", "answered_within_2"),
    *("abandoned_within", "abandoned_late", "abandoned_within_2", "abandoned_ringing", "short_abandoned"),
    *("refused", "timed_out", "overflowed", "withdrawn", "callback"),
    *("answered_wait:", "abandoned_wait:", "short_wait:", "wait:"),
)
_STATES = (
    *("time_ready:", "time_reserved:", "time_ringing:", "time_dialling:", "time_talking:"),
    *("time_held:", "time_wrapup:", "time_paused:", "time_unreachable:"),
)
# By what a start looks for the rows that are not in a closed interval yet.
_INDEXES = (("visits", "left_at"), ("offers", "ended_at"), ("presences", "at"))


def upgrade() -> None:
    """Four tables, four columns and five indexes."""
    for table in ("offers", "presences", "seat_states"):
        op.add_column(table, sa.Column("queue", sa.Text(), nullable=False, server_default=""))
    op.add_column("presences", sa.Column("held", sa.Boolean(), nullable=False, server_default=sa.false()))
    for table, column in _INDEXES:
        op.create_index(f"{table}_{column}", table, [column])
    for whose, names, last in (
        ("queue", (*_VISITS, *_WORK, "wait_longest:"), ("waits",)),
        ("seat", (*_WORK, *_STATES), ("paused_for", "doing")),
    ):
        for kind in ("intervals", "totals"):
            op.create_table(
                f"{whose}_{kind}",
                sa.Column("interval", sa.Text(), nullable=False, primary_key=True),
                *(sa.Column(name, sa.Text(), nullable=False) for name in (whose, "tenant", "level")),
                sa.Column("begin_at", sa.Double(), nullable=False),
                *(_number(name) for name in names),
                *(sa.Column(name, sa.Text(), nullable=False) for name in last),
            )
        op.create_index(f"{whose}_intervals_begin_at", f"{whose}_intervals", ["begin_at"])


def _number(name: str) -> sa.Column[int] | sa.Column[float]:
    """Return a column of seconds where the name ends in a colon, else of a count."""
    if name.endswith(":"):
        return sa.Column(name[:-1], sa.Double(), nullable=False)
    return sa.Column(name, sa.BigInteger(), nullable=False)


def downgrade() -> None:
    """Take them away again."""
    for whose in ("queue", "seat"):
        for kind in ("intervals", "totals"):
            op.drop_table(f"{whose}_{kind}")
    for table, column in _INDEXES:
        op.drop_index(f"{table}_{column}", table)
    op.drop_column("presences", "held")
    for table in ("offers", "presences", "seat_states"):
        op.drop_column(table, "queue")
