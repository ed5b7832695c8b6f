"""Row-level security as migrations put it on the tables of tenants."""

from alembic import op

MINE = "workspace_id = nullif(current_setting('earful.workspace_id', true), '')::uuid"
"""True of the rows of the workspace that a transaction has entered."""


def secure(table: str) -> None:
    """Row-level security for writes; reads carry the tenant predicate in the statements that are run."""
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant_read ON {table} FOR SELECT USING (true)")
    op.execute(f"CREATE POLICY tenant_insert ON {table} FOR INSERT WITH CHECK ({MINE})")
    op.execute(
        f"CREATE POLICY tenant_update ON {table} FOR UPDATE USING ({MINE}) WITH CHECK ({MINE})"
    )
    op.execute(f"CREATE POLICY tenant_delete ON {table} FOR DELETE USING ({MINE})")
