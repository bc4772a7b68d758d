"""The first tables."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def _create_calls() -> None:
    op.create_table(
        "calls",
        sa.Column("call", sa.Text(), nullable=False, primary_key=True),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("called", sa.Text(), nullable=False),
        sa.Column("trunk", sa.Text(), nullable=False),
        sa.Column("entry", sa.Text(), nullable=False),
        sa.Column("arrived_at", sa.Double(), nullable=False),
        sa.Column("answered_at", sa.Double(), nullable=True),
        sa.Column("ended_at", sa.Double(), nullable=False),
        sa.Column("waited", sa.Double(), nullable=False),
        sa.Column("talked", sa.Double(), nullable=False),
        sa.Column("held", sa.Double(), nullable=False),
        sa.Column("seat", sa.Text(), nullable=False),
        sa.Column("ended_by", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("sip_status", sa.BigInteger(), nullable=False),
        sa.Column("recording", sa.Text(), nullable=False),
    )


def _create_visits() -> None:
    op.create_table(
        "visits",
        sa.Column("visit", sa.Text(), nullable=False, primary_key=True),
        sa.Column("call", sa.Text(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("joined_at", sa.Double(), nullable=False),
        sa.Column("left_at", sa.Double(), nullable=False),
        sa.Column("waited", sa.Double(), nullable=False),
        sa.Column("priority_credit", sa.Double(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("seat", sa.Text(), nullable=False),
        sa.Column("within", sa.Boolean(), nullable=False),
    )


def _create_offers() -> None:
    op.create_table(
        "offers",
        sa.Column("offer", sa.Text(), nullable=False, primary_key=True),
        sa.Column("visit", sa.Text(), nullable=False),
        sa.Column("seat", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("rung_at", sa.Double(), nullable=False),
        sa.Column("ended_at", sa.Double(), nullable=False),
        sa.Column("rang", sa.Double(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("sip_status", sa.BigInteger(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("eligible", sa.BigInteger(), nullable=False),
        sa.Column("runners_up", sa.Text(), nullable=False),
    )


def _create_presences() -> None:
    op.create_table(
        "presences",
        sa.Column("change", sa.Text(), nullable=False, primary_key=True),
        sa.Column("seat", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("presence", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("activity", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("call", sa.Text(), nullable=False),
    )


def _create_seat_states() -> None:
    op.create_table(
        "seat_states",
        sa.Column("seat", sa.Text(), nullable=False, primary_key=True),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("session", sa.Text(), nullable=False),
        sa.Column("presence", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", sa.Double(), nullable=False),
        sa.Column("wrapup_until", sa.Double(), nullable=True),
        sa.Column("pending", sa.Text(), nullable=False),
        sa.Column("phone_kind", sa.Text(), nullable=False),
        sa.Column("phone_number", sa.Text(), nullable=False),
    )


def _create_bindings() -> None:
    op.create_table(
        "bindings",
        sa.Column("binding", sa.Text(), nullable=False, primary_key=True),
        sa.Column("user", sa.Text(), nullable=False),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("instance", sa.Text(), nullable=False),
        sa.Column("sip_call_id", sa.Text(), nullable=False),
        sa.Column("cseq", sa.BigInteger(), nullable=False),
        sa.Column("q", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
    )


def _create_streams() -> None:
    op.create_table(
        "streams",
        sa.Column("stream", sa.Text(), nullable=False, primary_key=True),
        sa.Column("call", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("codec", sa.Text(), nullable=False),
        sa.Column("closed_at", sa.Double(), nullable=False),
        sa.Column("packets_received", sa.BigInteger(), nullable=False),
        sa.Column("packets_sent", sa.BigInteger(), nullable=False),
        sa.Column("lost", sa.BigInteger(), nullable=False),
        sa.Column("jitter_ms", sa.Double(), nullable=False),
        sa.Column("foreign", sa.BigInteger(), nullable=False),
    )


def upgrade() -> None:
    """Create the tables of the first release."""
    _create_calls()
    _create_visits()
    _create_offers()
    _create_presences()
    _create_seat_states()
    _create_bindings()
    _create_streams()
    op.create_table(
        "journal_position",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False, nullable=False),
        sa.Column("file", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
    )


def downgrade() -> None:
    """Drop them, with every row."""
    for name in (
        "calls",
        "visits",
        "offers",
        "presences",
        "seat_states",
        "bindings",
        "streams",
        "journal_position",
    ):
        op.drop_table(name)
