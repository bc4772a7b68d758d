"""Where refused and overflowed calls went, caller lists, and the seats that callers spoke to."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Two columns and two tables."""
    for name in ("target", "resumes"):
        op.add_column("visits", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "list_entries",
        sa.Column("entry", sa.Text(), nullable=False, primary_key=True),
        sa.Column("list", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("until", sa.Double(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("added_by", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.Double(), nullable=False),
        sa.Column("is_removed", sa.Boolean(), nullable=False),
    )
    op.create_table(
        "caller_seats",
        sa.Column("caller", sa.Text(), nullable=False, primary_key=True),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("seat", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
    )


def downgrade() -> None:
    """Take them away again."""
    op.drop_table("caller_seats")
    op.drop_table("list_entries")
    for name in ("resumes", "target"):
        op.drop_column("visits", name)
