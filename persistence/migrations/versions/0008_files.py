"""Files: what is in the bucket, whose it is, and how much room it takes; pictures of people."""

import sqlalchemy as sa
from alembic import op

from persistence.migrations import tenancy

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("user", sa.Column("avatar_key", sa.Text(), nullable=True))
    op.create_index("user_avatar_key_key", "user", ["avatar_key"], unique=True)
    op.add_column(
        "workspace",
        sa.Column("file_bytes", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
    )
    op.create_table(
        "file",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=True),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("upload", sa.Text(), nullable=True),
        sa.Column("feedback_id", sa.Uuid(), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "purpose IN ('IMPORT', 'ATTACHMENT', 'AVATAR', 'EXPORT')", name="purpose"
        ),
        sa.CheckConstraint("status IN ('PENDING', 'READY', 'REJECTED')", name="status"),
        sa.CheckConstraint("(status = 'REJECTED') = (reason IS NOT NULL)", name="reason"),
        sa.CheckConstraint("size >= 0", name="size"),
        sa.CheckConstraint("octet_length(sha256) = 32", name="sha256"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["feedback_id"], ["feedback.id"], ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["created_by"], ["user.id"], ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    op.create_index("ix_file_workspace_id", "file", ["workspace_id"])
    op.create_index(
        "file_expires_at_idx",
        "file",
        ["expires_at"],
        postgresql_where=sa.text("feedback_id IS NULL"),
    )
    op.create_index(
        "file_feedback_id_idx",
        "file",
        ["feedback_id"],
        postgresql_where=sa.text("feedback_id IS NOT NULL"),
    )
    tenancy.secure("file")


def downgrade() -> None:
    op.drop_table("file")
    op.drop_column("workspace", "file_bytes")
    op.drop_index("user_avatar_key_key", "user")
    op.drop_column("user", "avatar_key")
