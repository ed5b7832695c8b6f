"""Imports: which feedback and tags came with which, and the rows that were refused."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_MINE = "workspace_id = nullif(current_setting('earful.workspace_id', true), '')::uuid"


def _secure(table: str) -> None:
    """Row-level security for writes; reads carry the tenant predicate in the statements that are run."""
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant_read ON {table} FOR SELECT USING (true)")
    op.execute(f"CREATE POLICY tenant_insert ON {table} FOR INSERT WITH CHECK ({_MINE})")
    op.execute(
        f"CREATE POLICY tenant_update ON {table} FOR UPDATE USING ({_MINE}) WITH CHECK ({_MINE})"
    )
    op.execute(f"CREATE POLICY tenant_delete ON {table} FOR DELETE USING ({_MINE})")


def _of(table: str) -> tuple[sa.Column, sa.ForeignKeyConstraint]:
    return (
        sa.Column(f"{table}_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint([f"{table}_id"], [f"{table}.id"], ondelete="CASCADE"),
    )


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "import_feedback",
        *_of("feedback"),
        *_of("workspace"),
        *_of("job"),
        sa.PrimaryKeyConstraint("feedback_id"),
    )
    op.create_index("import_feedback_job_id_idx", "import_feedback", ["job_id", "feedback_id"])
    op.create_table(
        "import_tag",
        *_of("tag"),
        *_of("workspace"),
        *_of("job"),
        sa.PrimaryKeyConstraint("tag_id"),
    )
    op.create_index("import_tag_job_id_idx", "import_tag", ["job_id"])
    op.create_table(
        "import_refusal",
        *_of("job"),
        sa.Column("number", sa.Integer(), nullable=False),
        *_of("workspace"),
        sa.Column("columns", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("original", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("job_id", "number"),
    )
    for table in ("import_feedback", "import_tag", "import_refusal"):
        _secure(table)


def downgrade() -> None:
    op.drop_table("import_refusal")
    op.drop_table("import_tag")
    op.drop_table("import_feedback")
