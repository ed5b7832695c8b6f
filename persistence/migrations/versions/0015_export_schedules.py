"""Exports that are sent by mail again and again; the index by which a workspace's unscored feedback is found."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from persistence.migrations import tenancy

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_UNSCORED = sa.text("scored_at IS NULL")
_TIME = sa.DateTime(timezone=True)


def _index_unscored(*columns: str) -> None:
    op.drop_index("feedback_unscored_idx", table_name="feedback")
    op.create_index("feedback_unscored_idx", "feedback", list(columns), postgresql_where=_UNSCORED)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    _index_unscored("workspace_id", "received_at", "id")
    op.create_table(
        "export_schedule",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("filter", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("user_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("updated_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("updated_at", _TIME, nullable=False),
        sa.CheckConstraint("period IN ('DAY', 'WEEK', 'MONTH')", name="period"),
        sa.CheckConstraint("hour BETWEEN 0 AND 23", name="hour"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["updated_by"], ["user.id"], ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "export_schedule_workspace_id_idx", "export_schedule", ["workspace_id", "created_at"]
    )
    tenancy.secure("export_schedule")


def downgrade() -> None:
    op.drop_table("export_schedule")
    _index_unscored("received_at")
