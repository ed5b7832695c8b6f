"""Invitations, and people who sign in with a provider of identities."""

import sqlalchemy as sa
from alembic import op

from persistence.migrations import tenancy

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_TABLES = ("invitation", "invitation_token")


def _moment(name: str) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "invitation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("invited_by", sa.Uuid(), nullable=True),
        _moment("created_at"),
        _moment("expires_at"),
        sa.CheckConstraint("role IN ('VIEWER', 'ANALYST', 'ADMIN', 'OWNER')", name="role"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["invited_by"], ["user.id"], ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "invitation_workspace_id_email_key",
        "invitation",
        ["workspace_id", sa.text("lower(email)")],
        unique=True,
    )
    op.create_index("ix_invitation_invited_by", "invitation", ["invited_by"])
    op.create_index("ix_invitation_expires_at", "invitation", ["expires_at"])
    op.create_table(
        "invitation_token",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("invitation_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["invitation_id"], ["invitation.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("hash"),
    )
    op.create_index("ix_invitation_token_invitation_id", "invitation_token", ["invitation_id"])
    for table in _TABLES:
        tenancy.secure(table)
    op.create_table(
        "identity",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        _moment("created_at"),
        _moment("last_used_at"),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("issuer", "subject"),
    )
    op.create_index("ix_identity_user_id", "identity", ["user_id"])
    # Who came by a provider has no password until they set one.
    op.alter_column("user", "password_hash", nullable=True)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    # No password has such a hash; these people set one by "forgotten password".
    op.execute("UPDATE \"user\" SET password_hash = '' WHERE password_hash IS NULL")
    op.alter_column("user", "password_hash", nullable=False)
    op.drop_table("identity")
    op.drop_table("invitation_token")
    op.drop_table("invitation")
