"""Seats that supervisors have moved."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision: str | None = "0014"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """One table."""
    op.create_table(
        "seat_moves",
        sa.Column("seat", sa.Text(), nullable=False, primary_key=True),
        sa.Column("queues", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("skills", sa.Text(), nullable=False),
        sa.Column("moved_from", sa.Text(), nullable=False),
        sa.Column("moved_by", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.Double(), nullable=False),
        sa.Column("is_removed", sa.Boolean(), nullable=False),
    )


def downgrade() -> None:
    """Take it away again."""
    op.drop_table("seat_moves")
