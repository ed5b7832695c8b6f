"""Imports: which feedback and tags came with which, and the rows that were refused."""

import sqlalchemy as sa
from alembic import op

from persistence.migrations import tenancy

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


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
        tenancy.secure(table)


def downgrade() -> None:
    op.drop_table("import_refusal")
    op.drop_table("import_tag")
    op.drop_table("import_feedback")
