"""Jobs that a worker can claim, lose and finish once; workers; schedules; waking the relay only when it sleeps."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_MINE = "workspace_id = nullif(current_setting('earful.workspace_id', true), '')::uuid"
# What keeps work going does so for all tenants: Database.operation() says so for a transaction.
_OPERATION = "current_setting('earful.operation', true) = 'on'"
_ANYBODYS = f"workspace_id IS NULL OR {_MINE} OR {_OPERATION}"
# "wake" in ASCII: persistence/outbox.py holds it while the relay sleeps.
_ASLEEP = 0x77616B65


def _secure(table: str) -> None:
    """Row-level security for writes, as for other tenants' tables, but rows may belong to the whole instance."""
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant_read ON {table} FOR SELECT USING (true)")
    op.execute(f"CREATE POLICY tenant_insert ON {table} FOR INSERT WITH CHECK ({_ANYBODYS})")
    op.execute(
        f"CREATE POLICY tenant_update ON {table} FOR UPDATE USING ({_ANYBODYS}) WITH CHECK ({_ANYBODYS})"
    )
    op.execute(f"CREATE POLICY tenant_delete ON {table} FOR DELETE USING ({_ANYBODYS})")


def _unsecure(table: str) -> None:
    for policy in ("tenant_read", "tenant_insert", "tenant_update", "tenant_delete"):
        op.execute(f"DROP POLICY {policy} ON {table}")


def _tenant() -> sa.Column:
    """Whose turn it takes: the workspace's, or the instance's."""
    return sa.Column(
        "tenant_id",
        sa.Uuid(),
        sa.Computed(
            "coalesce(workspace_id, '00000000-0000-0000-0000-000000000000'::uuid)", persisted=True
        ),
        nullable=False,
    )


def _extend_job() -> None:
    op.execute("DROP POLICY tenant_read ON job")
    op.execute("DROP POLICY tenant_insert ON job")
    op.execute("DROP POLICY tenant_update ON job")
    op.execute("DROP POLICY tenant_delete ON job")
    op.alter_column("job", "workspace_id", nullable=True)
    op.add_column("job", _tenant())
    op.add_column("job", sa.Column("key", sa.Text(), nullable=True))
    op.add_column("job", sa.Column("state", postgresql.JSONB(), nullable=True))
    op.add_column("job", sa.Column("result", postgresql.JSONB(), nullable=True))
    op.add_column("job", sa.Column("priority", sa.Text(), server_default="NORMAL", nullable=False))
    op.add_column("job", sa.Column("failures", sa.Integer(), server_default="0", nullable=False))
    op.add_column("job", sa.Column("deaths", sa.Integer(), server_default="0", nullable=False))
    op.add_column("job", sa.Column("again", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("job", sa.Column("open", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("job", sa.Column("run_at", sa.DateTime(timezone=True), nullable=True))
    # Without a policy there is not one row to update, even for the owner.
    op.execute("ALTER TABLE job NO FORCE ROW LEVEL SECURITY")
    op.execute("UPDATE job SET run_at = created_at")
    op.execute("ALTER TABLE job FORCE ROW LEVEL SECURITY")
    op.alter_column("job", "run_at", nullable=False)
    op.add_column("job", sa.Column("worker_id", sa.Uuid(), nullable=True))
    op.add_column(
        "job", sa.Column("cancel_requested_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.create_check_constraint("priority", "job", "priority IN ('HIGH', 'NORMAL', 'BULK')")
    op.create_index(
        "job_waiting_idx",
        "job",
        ["priority", "tenant_id", "run_at", "id"],
        postgresql_where=sa.text("status = 'QUEUED'"),
    )
    op.create_index(
        "job_due_idx",
        "job",
        ["priority", "run_at"],
        postgresql_where=sa.text("status = 'QUEUED'"),
    )
    op.create_index(
        "job_suspect_idx",
        "job",
        ["run_at"],
        postgresql_where=sa.text("status = 'QUEUED' AND deaths >= 2"),
    )
    op.create_index(
        "job_running_idx",
        "job",
        ["worker_id"],
        postgresql_where=sa.text("status = 'RUNNING'"),
    )
    op.create_index(
        "job_key_idx",
        "job",
        ["tenant_id", "kind", "key"],
        unique=True,
        postgresql_where=sa.text("key IS NOT NULL AND status IN ('QUEUED', 'RUNNING')"),
    )
    op.create_index(
        "job_dead_idx",
        "job",
        [sa.literal_column("finished_at DESC"), sa.literal_column("id DESC")],
        postgresql_where=sa.text("status = 'FAILED'"),
    )
    op.create_index(
        "job_finished_idx",
        "job",
        ["finished_at"],
        postgresql_where=sa.text("finished_at IS NOT NULL"),
    )
    _secure("job")


def _wake_the_relay_when_it_sleeps() -> None:
    """A NOTIFY serialises commits, so writers leave it out while the relay is awake.

    The relay holds the lock while it sleeps, and cannot get it, and so looks again, while somebody who saw it
    awake has not committed.
    """
    op.execute(f"""
        CREATE FUNCTION earful_wake() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NOT pg_try_advisory_xact_lock_shared({_ASLEEP}) THEN
                NOTIFY earful_outbox;
            END IF;
            RETURN NULL;
        END $$
    """)
    op.execute("DROP TRIGGER outbox_written ON outbox")
    op.execute("DROP FUNCTION earful_outbox_written()")
    for table in ("outbox", "job"):
        op.execute(
            f"CREATE TRIGGER {table}_written AFTER INSERT ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION earful_wake()"
        )


def upgrade() -> None:
    _extend_job()
    op.add_column("workspace", sa.Column("inbox_email", sa.Text(), nullable=True))
    op.create_table(
        "worker",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "started_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "schedule",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=True),
        _tenant(),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("arguments", postgresql.JSONB(), nullable=False),
        sa.Column("cron", sa.Text(), nullable=True),
        sa.Column("every_seconds", sa.Integer(), nullable=True),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("missed", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_run_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_run_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_job_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("num_nonnulls(cron, every_seconds) = 1", name="rhythm"),
        sa.CheckConstraint("every_seconds > 0", name="every_seconds"),
        sa.CheckConstraint("missed IN ('EVERY', 'ONCE', 'SKIP')", name="missed"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("tenant_id", "name"),
    )
    op.create_index("schedule_next_run_at_idx", "schedule", ["next_run_at"])
    _secure("schedule")
    _wake_the_relay_when_it_sleeps()


def downgrade() -> None:
    op.execute("DROP TRIGGER job_written ON job")
    op.execute("DROP TRIGGER outbox_written ON outbox")
    op.execute("DROP FUNCTION earful_wake()")
    op.execute("""
        CREATE FUNCTION earful_outbox_written() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            NOTIFY earful_outbox;
            RETURN NULL;
        END $$
    """)
    op.execute("""
        CREATE TRIGGER outbox_written AFTER INSERT ON outbox
        FOR EACH STATEMENT EXECUTE FUNCTION earful_outbox_written()
    """)
    op.drop_table("schedule")
    op.drop_table("worker")
    op.drop_column("workspace", "inbox_email")
    for name in ("waiting", "due", "suspect", "running", "key", "dead", "finished"):
        op.drop_index(f"job_{name}_idx", table_name="job")
    op.drop_constraint("priority", "job")
    _unsecure("job")
    for column in (
        "cancel_requested_at",
        "worker_id",
        "run_at",
        "open",
        "again",
        "deaths",
        "failures",
        "priority",
        "result",
        "state",
        "key",
        "tenant_id",
    ):
        op.drop_column("job", column)
    op.execute("DELETE FROM job WHERE workspace_id IS NULL")
    op.alter_column("job", "workspace_id", nullable=False)
    op.execute("CREATE POLICY tenant_read ON job FOR SELECT USING (true)")
    op.execute(f"CREATE POLICY tenant_insert ON job FOR INSERT WITH CHECK ({_MINE})")
    op.execute(
        f"CREATE POLICY tenant_update ON job FOR UPDATE USING ({_MINE}) WITH CHECK ({_MINE})"
    )
    op.execute(f"CREATE POLICY tenant_delete ON job FOR DELETE USING ({_MINE})")
