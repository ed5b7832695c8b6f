"""The tables of work: jobs, whose rows are the truth about each piece of work, and the workers that do them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Double,
    Index,
    Integer,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from persistence.database import TIMESTAMP, Record, table

_WAITING = text("status = 'QUEUED'")


def tenant_column() -> Any:
    """Whose turn a piece of work takes: its workspace's, or, without one, the instance's."""
    instance = "'00000000-0000-0000-0000-000000000000'::uuid"
    return Field(
        default=None,
        sa_column=Column(
            "tenant_id",
            Uuid,
            Computed(f"coalesce(workspace_id, {instance})", persisted=True),
            nullable=False,
        ),
    )


class Job(SQLModel, table=True):
    """One piece of work: what it is, how far it has come, how it ended.

    `attempts` counts how often it was begun, `failures` how often that ended with an error, `deaths` how often its
    worker died. `state` is what an attempt leaves for the next one. With `again` it is to be done once more when it
    has ended. An `open` job may be looked at by whoever knows its id. `trace` is what it was asked for in.
    """

    __tablename__ = "job"
    __table_args__ = (
        CheckConstraint(
            "status IN ('QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED')", name="status"
        ),
        CheckConstraint("priority IN ('HIGH', 'NORMAL', 'BULK')", name="priority"),
        CheckConstraint("progress BETWEEN 0 AND 1", name="progress"),
        Index("job_newest_idx", "workspace_id", text("created_at DESC"), text("id DESC")),
        Index(
            "job_waiting_idx", "priority", "tenant_id", "run_at", "id", postgresql_where=_WAITING
        ),
        Index("job_due_idx", "priority", "run_at", postgresql_where=_WAITING),
        Index(
            "job_suspect_idx",
            "run_at",
            postgresql_where=text("status = 'QUEUED' AND deaths >= 2"),
        ),
        Index("job_running_idx", "worker_id", postgresql_where=text("status = 'RUNNING'")),
        Index(
            "job_key_idx",
            "tenant_id",
            "kind",
            "key",
            unique=True,
            postgresql_where=text("key IS NOT NULL AND status IN ('QUEUED', 'RUNNING')"),
        ),
        Index(
            "job_dead_idx",
            text("finished_at DESC"),
            text("id DESC"),
            postgresql_where=text("status = 'FAILED'"),
        ),
        Index("job_finished_idx", "finished_at", postgresql_where=text("finished_at IS NOT NULL")),
    )

    id: UUID = Field(primary_key=True)
    workspace_id: UUID | None = Field(default=None, foreign_key="workspace.id", ondelete="CASCADE")
    tenant_id: UUID = tenant_column()
    kind: str = Field(sa_type=Text)
    key: str | None = Field(default=None, sa_type=Text)
    arguments: dict[str, Any] = Field(sa_type=JSONB)
    state: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    result: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    status: str = Field(sa_type=Text)
    priority: str = Field(sa_type=Text, sa_column_kwargs={"server_default": "NORMAL"})
    progress: float | None = Field(default=None, sa_type=Double)
    attempts: int = Field(sa_type=Integer)
    failures: int = Field(sa_type=Integer, sa_column_kwargs={"server_default": "0"})
    deaths: int = Field(sa_type=Integer, sa_column_kwargs={"server_default": "0"})
    again: bool = Field(sa_type=Boolean, sa_column_kwargs={"server_default": "false"})
    open: bool = Field(sa_type=Boolean, sa_column_kwargs={"server_default": "false"})
    error: str | None = Field(default=None, sa_type=Text)
    worker_id: UUID | None = Field(default=None)
    created_by: UUID | None = Field(default=None, foreign_key="user.id", ondelete="SET NULL")
    trace: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = Field(sa_type=TIMESTAMP)
    run_at: datetime = Field(sa_type=TIMESTAMP)
    started_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    cancel_requested_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    finished_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)


class Worker(SQLModel, table=True):
    """A process that does jobs, and when it last said so, by Postgres's clock."""

    __tablename__ = "worker"

    id: UUID = Field(primary_key=True)
    name: str = Field(sa_type=Text)
    started_at: datetime = Field(sa_type=TIMESTAMP, sa_column_kwargs={"server_default": func.now()})
    seen_at: datetime = Field(sa_type=TIMESTAMP, sa_column_kwargs={"server_default": func.now()})


class JobRow(Record):
    id: UUID
    workspace_id: UUID | None
    kind: str
    arguments: str
    result: str | None
    status: str
    priority: str
    progress: float | None
    attempts: int
    failures: int
    deaths: int
    error: str | None
    open: bool
    created_by: UUID | None
    created_at: datetime
    run_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


_job = table(Job).c
COLUMNS = tuple(_job[name] for name in JobRow.__annotations__)
