"""Recordings of calls."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision: str | None = "0017"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_TEXTS = ("call", "tenant", "queue", "seat", "seats", "number")


def upgrade() -> None:
    """One table."""
    op.create_table(
        "recordings",
        sa.Column("recording", sa.Text(), nullable=False, primary_key=True),
        *(sa.Column(name, sa.Text(), nullable=False) for name in _TEXTS),
        *(sa.Column(name, sa.Double(), nullable=False) for name in ("began_at", "ended_at", "seconds")),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("suspended", sa.Double(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
    )


def downgrade() -> None:
    """Take it away again."""
    op.drop_table("recordings")
