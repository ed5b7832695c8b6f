"""What is kept of a score: spans, language, reasons; masked personal data."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from persistence.migrations import tenancy

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_CELL = "workspace_id, hour, model"


def _scored(rows: str, sign: int = 1) -> str:
    """How much feedback a model has scored, of each hour, in rows of feedback."""
    return f"""
        SELECT workspace_id, date_trunc('hour', occurred_at, 'UTC') AS hour,
            sentiment_model AS model, {sign} AS feedback
        FROM {rows} WHERE sentiment_label IS NOT NULL AND sentiment_model IS NOT NULL"""  # noqa: S608 - names of this file


def _sums(changes: str) -> str:
    return f"""
        INSERT INTO model_hour ({_CELL}, feedback)
        SELECT {_CELL}, sum(feedback) FROM ({changes}) AS change
        GROUP BY {_CELL} HAVING sum(feedback) <> 0"""  # noqa: S608 - names of this file


def _count_models() -> None:
    """Statement by statement, whoever writes in whatever way; what is there is counted first."""
    op.create_table(
        "model_hour",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("hour", _TIME, nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("feedback", sa.Integer(), nullable=False),
        sa.Column("folded", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.create_index("model_hour_cell_idx", "model_hour", ["workspace_id", "hour"])
    op.create_index(
        "model_hour_loose_idx", "model_hour", ["folded"], postgresql_where=sa.text("NOT folded")
    )
    op.execute(_sums(_scored("feedback")))
    op.execute("UPDATE model_hour SET folded = true")
    for event, tables, changes in (
        ("INSERT", "NEW TABLE AS added", _scored("added")),
        (
            "UPDATE",
            "OLD TABLE AS gone NEW TABLE AS added",
            f"{_scored('gone', -1)} UNION ALL {_scored('added')}",
        ),
        ("DELETE", "OLD TABLE AS gone", _scored("gone", -1)),
    ):
        name = f"earful_feedback_modelled_on_{event.lower()}"
        op.execute(f"""
            CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN {_sums(changes)};
                RETURN NULL;
            END $$
        """)
        op.execute(
            f"CREATE TRIGGER feedback_modelled_on_{event.lower()} AFTER {event} ON feedback"
            f" REFERENCING {tables} FOR EACH STATEMENT EXECUTE FUNCTION {name}()"
        )


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    # Nobody writes feedback until all of it is counted and the triggers count on.
    op.execute("LOCK TABLE feedback IN SHARE ROW EXCLUSIVE MODE")
    op.add_column("feedback", sa.Column("sentiment_spans", postgresql.JSONB(), nullable=True))
    op.add_column("feedback", sa.Column("unscored_reason", sa.Text(), nullable=True))
    op.add_column("source", sa.Column("masking", postgresql.JSONB(), nullable=True))
    op.create_table(
        "feedback_original",
        sa.Column("feedback_id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["feedback_id"], ["feedback.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("feedback_id"),
    )
    op.create_index("feedback_original_source_id_idx", "feedback_original", ["source_id"])
    tenancy.secure("feedback_original")
    op.create_table(
        "active_model",
        sa.Column("is_only", sa.Boolean(), nullable=False),
        sa.Column("directory", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("activated_at", _TIME, nullable=False),
        sa.Column("activated_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint("is_only", name="one"),
        sa.ForeignKeyConstraint(["activated_by"], ["user.id"], ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("is_only"),
    )
    _count_models()


def downgrade() -> None:
    for event in ("insert", "update", "delete"):
        op.execute(f"DROP TRIGGER feedback_modelled_on_{event} ON feedback")
        op.execute(f"DROP FUNCTION earful_feedback_modelled_on_{event}()")
    op.drop_table("model_hour")
    op.drop_table("active_model")
    op.drop_table("feedback_original")
    op.drop_column("source", "masking")
    op.drop_column("feedback", "unscored_reason")
    op.drop_column("feedback", "sentiment_spans")
