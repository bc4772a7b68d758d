"""Which seat a callback is for, and until when."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision: str | None = "0011"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Two columns."""
    op.add_column("callbacks", sa.Column("for_seat", sa.Text(), nullable=False, server_default=""))
    op.add_column("callbacks", sa.Column("seat_until", sa.Double(), nullable=True))


def downgrade() -> None:
    """Take them away again."""
    op.drop_column("callbacks", "seat_until")
    op.drop_column("callbacks", "for_seat")
