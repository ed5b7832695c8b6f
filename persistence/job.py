"""Jobs: the row that is the truth about each piece of work in the background."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Double,
    Index,
    Integer,
    Text,
    Uuid,
    bindparam,
    column,
    func,
    insert,
    literal_column,
    select,
    text,
    true,
    tuple_,
    update,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel

from persistence.database import (
    TIMESTAMP,
    Columns,
    Reader,
    Record,
    Statement,
    UnitOfWork,
    given,
    new_id,
    one_of,
    only,
    table,
)
from persistence.workspace import visible


class Job(SQLModel, table=True):
    """One piece of work: what it is, how far it has come, how it ended."""

    __tablename__ = "job"
    __table_args__ = (
        CheckConstraint(
            "status IN ('QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED')", name="status"
        ),
        CheckConstraint("progress BETWEEN 0 AND 1", name="progress"),
        Index("job_newest_idx", "workspace_id", text("created_at DESC"), text("id DESC")),
    )

    id: UUID = Field(primary_key=True)
    workspace_id: UUID = Field(foreign_key="workspace.id", ondelete="CASCADE")
    kind: str = Field(sa_type=Text)
    arguments: dict[str, Any] = Field(sa_type=JSONB)
    status: str = Field(sa_type=Text)
    progress: float | None = Field(default=None, sa_type=Double)
    attempts: int = Field(sa_type=Integer)
    error: str | None = Field(default=None, sa_type=Text)
    created_by: UUID | None = Field(default=None, foreign_key="user.id", ondelete="SET NULL")
    created_at: datetime = Field(sa_type=TIMESTAMP)
    started_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    finished_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)


class JobRow(Record):
    id: UUID
    workspace_id: UUID
    kind: str
    status: str
    progress: float | None
    attempts: int
    error: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


_job = table(Job).c
_PAGE_KEYS = ("id", "workspace_id")
_COLUMNS = (
    _job.id,
    _job.workspace_id,
    _job.kind,
    _job.status,
    _job.progress,
    _job.attempts,
    _job.error,
    _job.created_at,
    _job.started_at,
    _job.finished_at,
)
_ADD = Statement(
    insert(table(Job))
    .values(
        **given("id", "kind", "created_by", workspace_id="workspace", created_at="now"),
        arguments=sql_cast(bindparam("arguments", type_=Text), JSONB),
        status=literal_column("'QUEUED'"),
        attempts=literal_column("0"),
    )
    .returning(*_COLUMNS),
    JobRow,
)
_START = Statement(
    update(table(Job))
    .where(
        _job.id == bindparam("id_"),
        _job.workspace_id == bindparam("workspace"),
        _job.status.in_([literal_column("'QUEUED'"), literal_column("'RUNNING'")]),
    )
    .values(
        status=literal_column("'RUNNING'"),
        attempts=_job.attempts + literal_column("1"),
        started_at=func.coalesce(_job.started_at, bindparam("now")),
    )
    .returning(*_COLUMNS),
    JobRow,
)
_FINISH = Statement(
    update(table(Job))
    .where(
        _job.id == bindparam("id_"),
        _job.workspace_id == bindparam("workspace"),
        _job.status == literal_column("'RUNNING'"),
    )
    .values(
        status=bindparam("status_"),
        error=bindparam("error_"),
        progress=func.coalesce(bindparam("progress_", type_=Double), _job.progress),
        finished_at=bindparam("now"),
    )
    .returning(*_COLUMNS),
    JobRow,
)
_BY_IDS = Statement(
    select(*_COLUMNS).where(one_of(_job.id, "ids"), visible(_job.workspace_id)), JobRow
)


@lru_cache(maxsize=256)
def _page(limit: int, *, continued: bool, columns: Columns | None = None) -> Statement[JobRow]:
    parent = (
        func.unnest(bindparam("workspaces", type_=ARRAY(Uuid)))
        .table_valued(column("id", Uuid), with_ordinality="position", name="parent")
        .render_derived()
    )
    page = (
        select(*only(columns, _COLUMNS, keys=(*_PAGE_KEYS, "created_at")))
        .where(_job.workspace_id == parent.c.id, visible(_job.workspace_id))
        .order_by(_job.created_at.desc(), _job.id.desc())
        .limit(literal_column(str(limit)))
    )
    if continued:
        page = page.where(
            tuple_(_job.created_at, _job.id)
            < tuple_(bindparam("after_time", type_=TIMESTAMP), bindparam("after_id", type_=Uuid))
        )
    rows = page.lateral("page")
    return Statement(
        select(*only(columns, rows.c, keys=_PAGE_KEYS))
        .join_from(parent, rows, true())
        .order_by(parent.c.position, rows.c.created_at.desc(), rows.c.id.desc()),
        JobRow,
    )


async def pages(
    reader: Reader,
    viewer: UUID,
    workspaces: Sequence[UUID],
    *,
    limit: int,
    after: tuple[datetime, UUID] | None,
    columns: Columns | None = None,
) -> list[JobRow]:
    """The newest `limit` jobs older than `after` of each workspace, in the workspaces' order."""
    keyset = {} if after is None else {"after_time": after[0], "after_id": after[1]}
    return await reader.fetch(
        _page(limit, continued=after is not None, columns=columns),
        viewer=viewer,
        workspaces=workspaces,
        **keyset,
    )


async def by_ids(
    reader: Reader, viewer: UUID, ids: Sequence[UUID], *, columns: Columns | None = None
) -> list[JobRow]:
    return await reader.fetch(_BY_IDS.of(columns), viewer=viewer, ids=ids)


async def add(
    uow: UnitOfWork, *, workspace: UUID, kind: str, arguments: str, created_by: UUID | None
) -> JobRow:
    """Insert a queued job; `arguments` is a JSON text."""
    (row,) = await uow.fetch(
        _ADD,
        id=new_id(),
        workspace=workspace,
        kind=kind,
        arguments=arguments,
        created_by=created_by,
        now=uow.now,
    )
    return row


async def start(uow: UnitOfWork, workspace: UUID, job: UUID) -> JobRow | None:
    """Count an attempt; None when the job has already ended."""
    return await uow.first(_START, id_=job, workspace=workspace, now=uow.now)


async def finish(
    uow: UnitOfWork,
    workspace: UUID,
    job: UUID,
    *,
    status: str,
    error: str | None = None,
    progress: float | None = None,
) -> JobRow | None:
    """End a running job; None when it is not running any more."""
    return await uow.first(
        _FINISH,
        id_=job,
        workspace=workspace,
        status_=status,
        error_=error,
        progress_=progress,
        now=uow.now,
    )
