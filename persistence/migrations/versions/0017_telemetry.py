"""The trace that an event or a job belongs to."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for table in ("outbox", "job"):
        op.add_column(table, sa.Column("trace", sa.Text(), nullable=True))


def downgrade() -> None:
    for table in ("outbox", "job"):
        op.drop_column(table, "trace")
