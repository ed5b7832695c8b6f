"""Webhooks that leave: endpoints, their secrets, what is delivered to them, and each attempt at it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from persistence.migrations import tenancy

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_TABLES = ("webhook", "webhook_secret", "webhook_delivery", "webhook_attempt")


def _time(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _create_webhook() -> None:
    op.create_table(
        "webhook",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("event_types", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("source_ids", postgresql.ARRAY(sa.Uuid()), nullable=True),
        sa.Column("tag_ids", postgresql.ARRAY(sa.Uuid()), nullable=True),
        sa.Column("sentiments", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.Column("selection", sa.Text(), nullable=True),
        sa.Column("algorithm", sa.Text(), nullable=False),
        sa.Column("rate_per_second", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        _time("created_at"),
        _time("disabled_at", nullable=True),
        sa.Column("disabled_reason", sa.Text(), nullable=True),
        _time("failing_since", nullable=True),
        _time("failed_at", nullable=True),
        sa.Column(
            "failing", postgresql.ARRAY(sa.Uuid()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("probes", sa.Integer(), server_default="0", nullable=False),
        _time("resume_at", nullable=True),
        _time("second_at", nullable=True),
        sa.Column("sent", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint("algorithm IN ('HMAC', 'ED25519')", name="algorithm"),
        sa.CheckConstraint(
            "disabled_reason IN ('MANUAL', 'GONE', 'FAILING')", name="disabled_reason"
        ),
        sa.CheckConstraint("rate_per_second > 0", name="rate_per_second"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["created_by"], ["user.id"], ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_webhook_workspace_id", "webhook", ["workspace_id"])
    op.create_table(
        "webhook_secret",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("webhook_id", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        _time("created_at"),
        _time("expires_at", nullable=True),
        sa.ForeignKeyConstraint(["webhook_id"], ["webhook.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_webhook_secret_webhook_id", "webhook_secret", ["webhook_id"])


def _create_delivery() -> None:
    op.create_table(
        "webhook_delivery",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("webhook_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("payload", postgresql.JSONB(), nullable=False),
        _time("occurred_at"),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        _time("next_attempt_at", nullable=True),
        _time("created_at"),
        _time("finished_at", nullable=True),
        sa.CheckConstraint(
            "status IN ('PENDING', 'SUCCEEDED', 'FAILED', 'DROPPED')", name="status"
        ),
        sa.CheckConstraint("(status = 'PENDING') = (next_attempt_at IS NOT NULL)", name="due"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["webhook_id"], ["webhook.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("webhook_id", "event_id"),
    )
    op.create_index(
        "webhook_delivery_newest_idx",
        "webhook_delivery",
        ["webhook_id", sa.literal_column("created_at DESC"), sa.literal_column("id DESC")],
    )
    op.create_index(
        "webhook_delivery_due_idx",
        "webhook_delivery",
        ["webhook_id", "next_attempt_at", "id"],
        postgresql_where=sa.text("status = 'PENDING'"),
    )
    op.create_index(
        "webhook_delivery_oldest_idx", "webhook_delivery", ["workspace_id", "created_at"]
    )
    op.create_table(
        "webhook_attempt",
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        _time("at"),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("request_headers", postgresql.JSONB(), nullable=False),
        sa.Column("request_body", sa.Text(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=True),
        sa.Column("response_headers", postgresql.JSONB(), nullable=True),
        sa.Column("response_body", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["delivery_id"], ["webhook_delivery.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("delivery_id", "number"),
    )


def upgrade() -> None:
    _create_webhook()
    _create_delivery()
    for table in _TABLES:
        tenancy.secure(table)


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.drop_table(table)
