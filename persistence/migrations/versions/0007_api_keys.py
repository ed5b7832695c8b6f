"""API keys: a key is a member of its workspace, and so every tenant predicate knows it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from persistence.migrations import tenancy

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_TABLES = ("api_key", "api_key_secret")
_ROLES = "role IN ('VIEWER', 'ANALYST', 'ADMIN', 'OWNER')"


def _time(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "api_key",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("allowed_ips", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        _time("created_at"),
        _time("expires_at", nullable=True),
        _time("last_used_at", nullable=True),
        _time("overlap_ends_at", nullable=True),
        _time("revoked_at", nullable=True),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["created_by"], ["user.id"], ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_api_key_workspace_id", "api_key", ["workspace_id"])
    op.create_table(
        "api_key_secret",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("api_key_id", sa.Uuid(), nullable=False),
        _time("expires_at", nullable=True),
        sa.ForeignKeyConstraint(["api_key_id"], ["api_key.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("hash"),
    )
    op.create_index("ix_api_key_secret_api_key_id", "api_key_secret", ["api_key_id"])
    for table in _TABLES:
        tenancy.secure(table)
    _let_keys_be_members()


def _let_keys_be_members() -> None:
    op.add_column("member", sa.Column("api_key_id", sa.Uuid(), nullable=True))
    op.alter_column("member", "user_id", nullable=True)
    op.add_column(
        "member",
        sa.Column(
            "principal_id",
            sa.Uuid(),
            sa.Computed("coalesce(user_id, api_key_id)", persisted=True),
            nullable=False,
        ),
    )
    op.create_foreign_key(
        "member_api_key_id_fkey", "member", "api_key", ["api_key_id"], ["id"], ondelete="CASCADE"
    )
    op.drop_constraint("member_workspace_id_user_id_key", "member")
    op.create_unique_constraint(
        "member_workspace_id_principal_id_key", "member", ["workspace_id", "principal_id"]
    )
    op.create_index("ix_member_api_key_id", "member", ["api_key_id"])
    op.create_index("ix_member_principal_id", "member", ["principal_id"])
    op.drop_constraint("role", "member")
    op.create_check_constraint(
        "role",
        "member",
        f"CASE WHEN api_key_id IS NULL THEN {_ROLES}"
        " ELSE user_id IS NULL AND starts_with(role, 'KEY ') END",
    )


def downgrade() -> None:
    op.execute("""
        DO $$
        DECLARE tenant uuid;
        BEGIN
            FOR tenant IN SELECT DISTINCT workspace_id FROM api_key LOOP
                PERFORM set_config('earful.workspace_id', tenant::text, true);
                DELETE FROM member WHERE workspace_id = tenant AND api_key_id IS NOT NULL;
            END LOOP;
        END $$
    """)
    op.drop_constraint("role", "member")
    op.drop_constraint("member_workspace_id_principal_id_key", "member")
    op.drop_column("member", "principal_id")
    op.drop_column("member", "api_key_id")
    op.create_check_constraint("role", "member", _ROLES)
    op.alter_column("member", "user_id", nullable=False)
    op.create_unique_constraint(
        "member_workspace_id_user_id_key", "member", ["workspace_id", "user_id"]
    )
    op.drop_table("api_key_secret")
    op.drop_table("api_key")
