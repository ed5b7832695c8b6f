"""Which file is to become a user's picture."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("user", sa.Column("wanted_avatar_id", sa.Uuid(), nullable=True))


def downgrade() -> None:
    op.drop_column("user", "wanted_avatar_id")
