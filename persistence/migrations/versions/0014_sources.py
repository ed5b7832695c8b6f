"""Sources: settings, secrets that overlap, quarantine, refusals counted by the hour, and what feedback was before."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from persistence.migrations import tenancy

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_TABLES = ("source_secret", "quarantined", "source_refusal", "feedback_revision")
_TIME = sa.DateTime(timezone=True)


def _of(table: str) -> tuple[sa.Column, sa.ForeignKeyConstraint]:
    return (
        sa.Column(f"{table}_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint([f"{table}_id"], [f"{table}.id"], ondelete="CASCADE"),
    )


def _change_source() -> None:
    op.add_column(
        "source",
        sa.Column(
            "settings",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
    )
    op.add_column("source", sa.Column("publishable_key", sa.Text(), nullable=True))
    op.add_column("source", sa.Column("deliveries_per_minute", sa.Integer(), nullable=True))
    op.add_column("source", sa.Column("closed_at", _TIME, nullable=True))
    op.create_index("source_publishable_key_key", "source", ["publishable_key"], unique=True)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    _change_source()
    op.create_table(
        "source_secret",
        sa.Column("id", sa.Uuid(), nullable=False),
        *_of("source"),
        *_of("workspace"),
        sa.Column("sealed_secret", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("source_secret_source_id_idx", "source_secret", ["source_id"])
    op.create_table(
        "quarantined",
        sa.Column("id", sa.Uuid(), nullable=False),
        *_of("source"),
        *_of("workspace"),
        sa.Column("delivery", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("problems", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("is_part", sa.Boolean(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("received_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "quarantined_delivery_key", "quarantined", ["source_id", "delivery"], unique=True
    )
    op.create_index("quarantined_newest_idx", "quarantined", ["source_id", "received_at", "id"])
    op.create_index("quarantined_received_at_idx", "quarantined", ["received_at"])
    op.create_table(
        "source_refusal",
        *_of("source"),
        sa.Column("hour", _TIME, nullable=False),
        *_of("workspace"),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("last_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("source_id", "hour"),
    )
    op.create_index("source_refusal_hour_idx", "source_refusal", ["hour"])
    op.create_table(
        "feedback_revision",
        sa.Column("id", sa.Uuid(), nullable=False),
        *_of("feedback"),
        *_of("workspace"),
        sa.Column("author_name", sa.Text(), nullable=True),
        sa.Column("author_email", sa.Text(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("rating", sa.SmallInteger(), nullable=True),
        sa.Column("metadata", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("replaced_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("feedback_revision_feedback_id_idx", "feedback_revision", ["feedback_id", "id"])
    for table in _TABLES:
        tenancy.secure(table)


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.drop_table(table)
    op.drop_index("source_publishable_key_key", "source")
    for column in ("closed_at", "deliveries_per_minute", "publishable_key", "settings"):
        op.drop_column("source", column)
