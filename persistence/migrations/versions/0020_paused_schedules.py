"""Schedules, and scheduled exports, that are paused: what is not enabled is never due."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_TABLES = ("schedule", "export_schedule")
_DUE = "schedule_next_run_at_idx"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for table in _TABLES:
        op.add_column(
            table, sa.Column("enabled", sa.Boolean(), nullable=False, server_default=sa.true())
        )
    op.drop_index(_DUE, table_name="schedule")
    op.create_index(_DUE, "schedule", ["next_run_at"], postgresql_where=sa.text("enabled"))


def downgrade() -> None:
    op.drop_index(_DUE, table_name="schedule")
    op.create_index(_DUE, "schedule", ["next_run_at"])
    for table in reversed(_TABLES):
        op.drop_column(table, "enabled")
