"""Asking for work: jobs added, once per key where they have one, cancelled, asked for again, forgotten."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Double,
    Integer,
    Interval,
    Text,
    bindparam,
    case,
    delete,
    exists,
    func,
    literal_column,
    null,
    or_,
    select,
    update,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import JSONB, insert

from persistence.database import (
    TIMESTAMP,
    Reader,
    Record,
    Statement,
    UnitOfWork,
    enter_workspace,
    given,
    new_id,
    one_of,
    table,
)
from persistence.job.row import COLUMNS, Job, JobRow
from persistence.workspace import Member, managed
from telemetry import trace
from telemetry.trace import Kind


class EnteredRow(Record):
    workspace_id: UUID
    role: str


def _is(*statuses: str) -> ColumnElement[bool]:
    return _job.status.in_([literal_column(f"'{status}'") for status in statuses])


_job = table(Job).c
_QUEUED: ColumnElement[str] = literal_column("'QUEUED'")
_FALSE = literal_column("false", Boolean)
_ZERO = literal_column("0", Integer)
_add = insert(table(Job)).values(
    **given("id", "kind", "key", "priority", "open", "run_at", "created_by", "trace"),
    workspace_id=bindparam("workspace"),
    created_at=bindparam("now"),
    arguments=sql_cast(bindparam("arguments", type_=Text), JSONB),
    status=_QUEUED,
    attempts=_ZERO,
)
_is_running = _job.status == literal_column("'RUNNING'")
# Of two that are due at different times the earlier counts, unless later ones are to move it: until the latest.
_earlier = func.least(_job.run_at, _add.excluded.run_at)
_later = func.least(
    func.greatest(_job.run_at, _add.excluded.run_at),
    func.greatest(_job.run_at, _job.created_at + bindparam("patience", type_=Interval)),
)
_ADD = Statement(
    _add.on_conflict_do_update(
        index_elements=["tenant_id", "kind", "key"],
        index_where=(_job.key.is_not(None)) & _is("QUEUED", "RUNNING"),
        set_={
            "arguments": _add.excluded.arguments,
            "trace": _add.excluded.trace,
            "again": _is_running,
            "run_at": case(
                (_is_running, _add.excluded.run_at),
                (bindparam("moves", type_=Boolean), _later),
                else_=_earlier,
            ),
        },
    ).returning(*COLUMNS),
    JobRow,
)
_ENTER = Statement(
    select(_job.workspace_id, table(Member).c.role, enter_workspace(_job.workspace_id))
    .join_from(table(Job), table(Member), table(Member).c.workspace_id == _job.workspace_id)
    .where(_job.id == bindparam("id"), table(Member).c.principal_id == bindparam("viewer")),
    EnteredRow,
)
_FOUND = Statement(select(_job.id).where(one_of(_job.id, "ids")), JobRow)
_MANAGED = Statement(
    select(_job.id).where(one_of(_job.id, "ids"), managed(_job.workspace_id)), JobRow
)
_CANCEL = Statement(
    update(table(Job))
    .where(_job.id == bindparam("id"), _is("QUEUED", "RUNNING"))
    .values(
        status=case((_is_running, _job.status), else_=literal_column("'CANCELLED'")),
        finished_at=case((_is_running, null()), else_=bindparam("now", type_=TIMESTAMP)),
        cancel_requested_at=func.coalesce(
            _job.cancel_requested_at, bindparam("now", type_=TIMESTAMP)
        ),
        again=_FALSE,
    )
    .returning(*COLUMNS),
    JobRow,
)
_other = table(Job).alias("other")
_same_key = (
    (_other.c.id != _job.id)
    & (_other.c.tenant_id == _job.tenant_id)
    & (_other.c.kind == _job.kind)
    & (_other.c.key == _job.key)
)
# Of several of one key the newest is done again, unless one waits or runs already.
_REQUEUE = Statement(
    update(table(Job))
    .where(
        one_of(_job.id, "ids"),
        one_of(_job.status, "statuses"),
        ~exists().where(
            _same_key,
            _other.c.status.in_([literal_column("'QUEUED'"), literal_column("'RUNNING'")]),
        ),
        ~exists().where(
            _same_key,
            one_of(_other.c.id, "ids"),
            one_of(_other.c.status, "statuses"),
            _other.c.id > _job.id,
        ),
    )
    .values(
        status=_QUEUED,
        run_at=bindparam("now"),
        finished_at=null(),
        cancel_requested_at=null(),
        failures=_ZERO,
        deaths=_ZERO,
        progress=sql_cast(null(), Double),
        worker_id=null(),
    )
    .returning(*COLUMNS),
    JobRow,
)
_FORGET = Statement(
    delete(table(Job)).where(
        _job.id.in_(
            select(_job.id)
            .where(
                or_(
                    _is("SUCCEEDED", "CANCELLED")
                    & (_job.finished_at < bindparam("before", type_=TIMESTAMP)),
                    _is("FAILED") & (_job.finished_at < bindparam("dead_before", type_=TIMESTAMP)),
                )
            )
            .order_by(_job.finished_at)
            .limit(literal_column("10000"))
        )
    ),
    Record,
)


async def add(
    uow: UnitOfWork,
    *,
    workspace: UUID | None,
    kind: str,
    arguments: str,
    created_by: UUID | None = None,
    priority: str = "NORMAL",
    key: str | None = None,
    run_at: datetime | None = None,
    patience: timedelta | None = None,
    open: bool = False,
) -> JobRow:
    """Insert a queued job; `arguments` is a JSON text.

    With a key: if one of the kind and key waits, that one gets these arguments and the earlier of the two times or,
    with `patience`, the later one, up to so long after it was asked for first; if one runs, it is done again
    afterwards.
    """
    with trace.part(f"enqueue {kind}", Kind.PRODUCER):
        (row,) = await uow.fetch(
            _ADD,
            id=new_id(),
            workspace=workspace,
            kind=kind,
            arguments=arguments,
            created_by=created_by,
            priority=priority,
            key=key,
            run_at=run_at or uow.now,
            moves=patience is not None,
            patience=patience,
            open=open,
            trace=trace.carried(),
            now=uow.now,
        )
    return row


async def enter(uow: UnitOfWork, viewer: UUID, job: UUID) -> tuple[UUID, str] | None:
    """The job's workspace and the viewer's role; then this transaction may write its rows."""
    row = await uow.first(_ENTER, viewer=viewer, id=job)
    return None if row is None else (row.workspace_id, row.role)


async def manageable(
    reader: Reader, viewer: UUID, managers: Sequence[str], jobs: Sequence[UUID], *, of_all: bool
) -> list[UUID]:
    """Those jobs that exist and, unless it is `of_all`, where the viewer has one of the roles `managers`."""
    rows = await reader.fetch(
        _FOUND if of_all else _MANAGED, viewer=viewer, managers=managers, ids=jobs
    )
    return [row.id for row in rows]


async def cancel(uow: UnitOfWork, job: UUID) -> JobRow | None:
    """End a queued job, or ask the worker of a running one to; None when it has ended."""
    return await uow.first(_CANCEL, id=job, now=uow.now)


async def requeue(uow: UnitOfWork, jobs: Sequence[UUID], statuses: Sequence[str]) -> list[JobRow]:
    """Queue those again that have ended in one of these ways, as if they had never failed.

    Of a kind and key only one can wait or run: where one does, or another was newer, it is left as it is.
    UniqueViolationError when one was asked for in the same moment.
    """
    return await uow.fetch(_REQUEUE, ids=jobs, statuses=statuses, now=uow.now)


async def forget(uow: UnitOfWork, *, before: datetime, dead_before: datetime) -> int:
    """Take away up to 10,000 jobs that ended, or failed for good, before these times; answers how many."""
    return await uow.execute(_FORGET, before=before, dead_before=dead_before)
