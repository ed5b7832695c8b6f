"""Links to identities that were asked for are kept until they are used."""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_constraint("purpose", "account_token")
    op.create_check_constraint(
        "purpose",
        "account_token",
        "purpose IN ('VERIFY_EMAIL', 'RESET_PASSWORD', 'CHANGE_EMAIL', 'LINK_IDENTITY')",
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("DELETE FROM account_token WHERE purpose = 'LINK_IDENTITY'")
    op.drop_constraint("purpose", "account_token")
    op.create_check_constraint(
        "purpose",
        "account_token",
        "purpose IN ('VERIFY_EMAIL', 'RESET_PASSWORD', 'CHANGE_EMAIL')",
    )
