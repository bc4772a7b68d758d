"""Where a caller stood when it entered its queue, and when it left."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision: str | None = "0009"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

COLUMNS = ("position", "position_left")


def upgrade() -> None:
    """Two columns; of older visits nobody knows."""
    for name in COLUMNS:
        op.add_column("visits", sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))


def downgrade() -> None:
    """Take them away again."""
    for name in COLUMNS:
        op.drop_column("visits", name)
