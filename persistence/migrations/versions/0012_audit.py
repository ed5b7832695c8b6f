"""The audit log of workspaces, the security log of people, and receipts of erasures: added to, and never changed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from persistence.migrations import tenancy

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# What goes with whom or what it is about: the workspace, the user.
_PARENTS = {
    "audit_entry": "workspace",
    "erasure_receipt": "workspace",
    "security_event": "user",
}
_TIMESTAMP = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    _entries()
    _events()
    _receipts()
    _only_append()


def _entries() -> None:
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("at", _TIMESTAMP, nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("before", postgresql.JSONB(), nullable=True),
        sa.Column("after", postgresql.JSONB(), nullable=True),
        sa.Column("ip", sa.Text(), nullable=True),
        sa.Column("user_agent", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], ondelete="CASCADE"),
    )
    op.create_index("audit_entry_at_idx", "audit_entry", ["workspace_id", "at", "id"])
    op.create_index(
        "audit_entry_actor_idx", "audit_entry", ["workspace_id", "actor_id", "at", "id"]
    )
    op.create_index("audit_entry_action_idx", "audit_entry", ["workspace_id", "action", "at", "id"])
    tenancy.secure("audit_entry")


def _events() -> None:
    op.create_table(
        "security_event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("at", _TIMESTAMP, nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("ip", sa.Text(), nullable=True),
        sa.Column("user_agent", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], ondelete="CASCADE"),
    )
    op.create_index("security_event_at_idx", "security_event", ["user_id", "at", "id"])
    op.create_index("security_event_old_idx", "security_event", ["at"])


def _receipts() -> None:
    op.create_table(
        "erasure_receipt",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("at", _TIMESTAMP, nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("identified_by", sa.Text(), nullable=False),
        sa.Column("identifier_hash", sa.Text(), nullable=False),
        sa.Column("erased_by", sa.Uuid(), nullable=True),
        sa.Column("erased_by_name", sa.Text(), nullable=False),
        sa.Column("feedback", sa.Integer(), nullable=False),
        sa.Column("files", sa.Integer(), nullable=False),
        sa.Column("log_entries", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], ondelete="CASCADE"),
    )
    op.create_index("erasure_receipt_at_idx", "erasure_receipt", ["workspace_id", "at", "id"])
    tenancy.secure("erasure_receipt")


def _only_append() -> None:
    """Rows are refused to whoever would change them or take them away, but for two.

    The duty that expunges what has run out says so in its transaction; and what a log is about takes it along.
    """
    for table, parent in _PARENTS.items():
        op.execute(f"""
            CREATE FUNCTION earful_{table}_kept() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF TG_OP = 'DELETE' THEN
                    IF current_setting('earful.expunging', true) = 'on'
                        OR NOT EXISTS (SELECT FROM "{parent}" WHERE id = OLD.{parent}_id)
                    THEN
                        RETURN OLD;
                    END IF;
                END IF;
                RAISE EXCEPTION '{table} is only added to' USING ERRCODE = 'insufficient_privilege';
            END $$
        """)
        for name, event, each in (
            ("kept", "UPDATE OR DELETE", "ROW"),
            ("not_emptied", "TRUNCATE", "STATEMENT"),
        ):
            op.execute(
                f"CREATE TRIGGER {table}_{name} BEFORE {event} ON {table}"
                f" FOR EACH {each} EXECUTE FUNCTION earful_{table}_kept()"
            )


def downgrade() -> None:
    for table in _PARENTS:
        op.drop_table(table)
        op.execute(f"DROP FUNCTION earful_{table}_kept()")
