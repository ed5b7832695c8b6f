"""Tokens that are mailed, second factors and their recovery codes, devices; sessions outlive their user."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def _moment(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _of_user(ondelete: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["user_id"], ["user.id"], ondelete=ondelete)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("user", _moment("password_changed_at", nullable=True))
    op.add_column("user", sa.Column("sealed_totp_secret", sa.LargeBinary(), nullable=True))
    op.add_column("user", _moment("totp_enabled_at", nullable=True))
    op.add_column("user", sa.Column("totp_step", sa.BigInteger(), nullable=True))
    op.create_check_constraint(
        "totp",
        "user",
        "totp_enabled_at IS NULL OR sealed_totp_secret IS NOT NULL AND totp_step IS NOT NULL",
    )
    op.add_column("session", sa.Column("device", sa.LargeBinary(), nullable=True))
    # Who is gone is signed out: revoked sessions are known until they run out.
    op.alter_column("session", "user_id", nullable=True)
    op.drop_constraint("session_user_id_fkey", "session", type_="foreignkey")
    op.create_foreign_key(
        "session_user_id_fkey", "session", "user", ["user_id"], ["id"], ondelete="SET NULL"
    )
    op.create_table(
        "account_token",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        _moment("expires_at"),
        sa.CheckConstraint(
            "purpose IN ('VERIFY_EMAIL', 'RESET_PASSWORD', 'CHANGE_EMAIL')", name="purpose"
        ),
        _of_user("CASCADE"),
        sa.PrimaryKeyConstraint("hash"),
    )
    op.create_index("ix_account_token_user_id", "account_token", ["user_id"])
    op.create_index("ix_account_token_expires_at", "account_token", ["expires_at"])
    op.create_table(
        "recovery_code",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        _of_user("CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "hash"),
    )


def downgrade() -> None:
    op.drop_table("recovery_code")
    op.drop_table("account_token")
    op.execute("DELETE FROM session WHERE user_id IS NULL")
    op.drop_constraint("session_user_id_fkey", "session", type_="foreignkey")
    op.create_foreign_key(
        "session_user_id_fkey", "session", "user", ["user_id"], ["id"], ondelete="CASCADE"
    )
    op.alter_column("session", "user_id", nullable=False)
    op.drop_column("session", "device")
    op.drop_constraint("totp", "user", type_="check")
    for name in ("totp_step", "totp_enabled_at", "sealed_totp_secret", "password_changed_at"):
        op.drop_column("user", name)
