"""Messages of callers whom no seat served."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision: str | None = "0018"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_WHO = ("tenant", "mailbox", "call", "queue", "caller", "caller_name", "called")


def upgrade() -> None:
    """One table, and by what a start looks for what is there."""
    op.create_table(
        "voicemails",
        sa.Column("voicemail", sa.Text(), nullable=False, primary_key=True),
        *(sa.Column(name, sa.Text(), nullable=False) for name in _WHO),
        *(sa.Column(name, sa.Double(), nullable=False) for name in ("began_at", "ended_at", "seconds")),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("file", "cause", "state", "remark")),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.Double(), nullable=False),
    )
    op.create_index("voicemails_state", "voicemails", ["state"])


def downgrade() -> None:
    """Take it away again."""
    op.drop_table("voicemails")
