"""Status, assignee, notes and history of feedback; saved views."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from persistence.migrations import tenancy

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_TEXTS = postgresql.ARRAY(sa.Text())
_NEW = ("feedback_change", "feedback_note", "saved_view")


def _of_feedback(table: str, *columns: sa.Column[object] | sa.CheckConstraint) -> None:
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("feedback_id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        *columns,
        sa.ForeignKeyConstraint(["feedback_id"], ["feedback.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )


def _add_triage() -> None:
    """What nobody has looked at costs nothing: it is in neither index."""
    op.add_column(
        "feedback",
        sa.Column("status", sa.Text(), nullable=False, server_default=sa.text("'OPEN'")),
    )
    op.add_column("feedback", sa.Column("assignee_id", sa.Uuid(), nullable=True))
    op.create_check_constraint("status", "feedback", "status IN ('OPEN', 'IN_PROGRESS', 'CLOSED')")
    op.create_foreign_key(
        "feedback_assignee_id_fkey",
        "feedback",
        "member",
        ["assignee_id"],
        ["id"],
        ondelete="SET NULL",
    )
    newest = (sa.text("occurred_at DESC"), sa.text("id DESC"))
    op.create_index(
        "feedback_status_idx",
        "feedback",
        ["workspace_id", "status", *newest],
        postgresql_where=sa.text("status <> 'OPEN'"),
    )
    op.create_index(
        "feedback_assignee_idx",
        "feedback",
        ["assignee_id", *newest],
        postgresql_where=sa.text("assignee_id IS NOT NULL"),
    )


def _create_history() -> None:
    _of_feedback(
        "feedback_change",
        sa.Column("at", _TIME, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("removed", _TEXTS, nullable=False),
        sa.Column("added", _TEXTS, nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('STATUS', 'ASSIGNEE', 'TAGS')", name="kind"),
    )
    op.create_index("feedback_change_feedback_id_idx", "feedback_change", ["feedback_id", "id"])


def _create_notes() -> None:
    _of_feedback(
        "feedback_note",
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("edited_at", _TIME, nullable=True),
    )
    op.create_index(
        "feedback_note_feedback_id_idx", "feedback_note", ["feedback_id", "created_at", "id"]
    )


def _create_views() -> None:
    op.create_table(
        "saved_view",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("filter", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("order_by", sa.Text(), nullable=False),
        sa.Column("private_to", sa.Uuid(), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("updated_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["private_to"], ["member.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["created_by"], ["member.id"], ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("saved_view_workspace_id_idx", "saved_view", ["workspace_id"])
    op.create_index("saved_view_private_to_idx", "saved_view", ["private_to"])
    op.create_index("saved_view_created_by_idx", "saved_view", ["created_by"])


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    _add_triage()
    _create_history()
    _create_notes()
    _create_views()
    for table in _NEW:
        tenancy.secure(table)


def downgrade() -> None:
    for table in reversed(_NEW):
        op.drop_table(table)
    op.drop_index("feedback_assignee_idx", table_name="feedback")
    op.drop_index("feedback_status_idx", table_name="feedback")
    op.drop_column("feedback", "assignee_id")
    op.drop_column("feedback", "status")
