"""What a seat does after each call, and the queues it takes no calls of."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision: str | None = "0010"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

COLUMNS = ("after_call", "paused_in")


def upgrade() -> None:
    """Two columns."""
    for name in COLUMNS:
        op.add_column("seat_states", sa.Column(name, sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    """Take them away again."""
    for name in COLUMNS:
        op.drop_column("seat_states", name)
