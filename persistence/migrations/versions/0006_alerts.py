"""Alert rules, and the alerts that they have raised."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from persistence.migrations import tenancy

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_KIND = "kind IN ('COUNT', 'SHARE', 'AVERAGE', 'CHANGE', 'SILENCE', 'MATCH')"


def _moment(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "alert_rule",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("definition", postgresql.JSONB(), nullable=False),
        sa.Column("channels", postgresql.JSONB(), nullable=False),
        sa.Column("sealed_urls", sa.LargeBinary(), nullable=True),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        _moment("created_at"),
        _moment("updated_at"),
        _moment("last_fired_at", nullable=True),
        sa.CheckConstraint(_KIND, name="kind"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["created_by"], ["user.id"], ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("alert_rule_workspace_id_idx", "alert_rule", ["workspace_id", "created_at"])
    op.create_table(
        "alert",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("rule_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        _moment("fired_at"),
        _moment("resolved_at", nullable=True),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("threshold", sa.Double(), nullable=True),
        sa.Column("baseline", sa.Double(), nullable=True),
        _moment("window_start"),
        _moment("window_end"),
        sa.Column("query", postgresql.JSONB(), nullable=False),
        sa.Column("sample_ids", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("notified", postgresql.JSONB(), nullable=False),
        sa.CheckConstraint(_KIND, name="kind"),
        sa.CheckConstraint("state IN ('FIRING', 'RESOLVED')", name="state"),
        sa.CheckConstraint("(state = 'RESOLVED') = (resolved_at IS NOT NULL)", name="resolved"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["rule_id"], ["alert_rule.id"], ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id"),
    )
    newest = [sa.literal_column("fired_at DESC"), sa.literal_column("id DESC")]
    op.create_index("alert_newest_idx", "alert", ["workspace_id", *newest])
    op.create_index("alert_of_rule_idx", "alert", ["rule_id", *newest])
    op.create_index(
        "alert_firing_idx",
        "alert",
        ["rule_id"],
        unique=True,
        postgresql_where=sa.text("state = 'FIRING'"),
    )
    for table in ("alert_rule", "alert"):
        tenancy.secure(table)


def downgrade() -> None:
    op.drop_table("alert")
    op.drop_table("alert_rule")
