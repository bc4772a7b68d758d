"""Callers who rate their calls."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision: str | None = "0013"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """One table."""
    op.create_table(
        "surveys",
        sa.Column("call", sa.Text(), nullable=False, primary_key=True),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("seat", sa.Text(), nullable=False),
        sa.Column("invited_at", sa.Double(), nullable=False),
        sa.Column("answered_at", sa.Double(), nullable=True),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=True),
    )


def downgrade() -> None:
    """Take it away again."""
    op.drop_table("surveys")
