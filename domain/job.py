"""Jobs: work in the background, with a row that tells how far it has come."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import orjson

from domain import audit, roles
from domain.errors import ConflictError, InvalidInputError, NotFoundError
from domain.events import JobsUpdated
from domain.roles import Action
from domain.viewer import Viewer
from persistence import job as store
from persistence.database import Columns, Database, Reader, UniqueViolationError, UnitOfWork

Job = store.JobRow
Key = store.Key
MOST_DEATHS = store.MOST_DEATHS

_TO_RETRY = ("FAILED", "CANCELLED")
MOST_REQUEUED = 1_000


class Priority(StrEnum):
    """Who is served first; each has places of its own, so that none waits behind another's long jobs."""

    HIGH = "HIGH"
    NORMAL = "NORMAL"
    BULK = "BULK"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of work, and how patient Earful is with it.

    An attempt may take as long as `timeout`. After a failure it is tried again: after `first_pause`, then twice that,
    and so on up to `longest_pause`, each a little earlier by chance; after `most_failures` it has failed for good.
    Of one that does not `keep_successes` no row is left when it has succeeded: nobody looks for what is routine.
    """

    name: str
    priority: Priority = Priority.NORMAL
    timeout: timedelta = timedelta(minutes=1)
    most_failures: int = 10
    first_pause: timedelta = timedelta(seconds=1)
    longest_pause: timedelta = timedelta(hours=1)
    keep_successes: bool = True

    def pause(self, failures: int, chance: float) -> timedelta:
        """Before the next attempt, when it failed once more after so many failures; `chance` runs from 0 to 1."""
        doubled: int = 2 ** min(failures, 30)
        return min(self.first_pause * doubled, self.longest_pause) * (0.5 + chance / 2)


@dataclass(frozen=True, slots=True)
class Once:
    """Of a kind and key at most one waits or runs; who asks again meanwhile gets that one, or its next run.

    With `patience` each one who asks moves its time on, for that long at most: much that comes at once is done once.
    """

    key: str = ""
    patience: timedelta | None = None


async def enqueue(
    uow: UnitOfWork,
    kind: Kind,
    *,
    workspace: UUID | None,
    arguments: Mapping[str, Any] | None = None,
    once: Once | None = None,
    at: datetime | None = None,
    created_by: UUID | None = None,
    open: bool = False,
) -> Job:
    """Ask for work, in a workspace that was entered or for the instance; it begins once this transaction is committed.

    `arguments` is what fits into JSON. Before `at` it does not begin. Who knows the id of an `open` job may follow it.
    """
    return await store.add(
        uow,
        workspace=workspace,
        kind=kind.name,
        arguments=orjson.dumps(arguments or {}).decode(),
        created_by=created_by,
        priority=kind.priority,
        key=None if once is None else once.key,
        patience=None if once is None else once.patience,
        run_at=at,
        open=open,
    )


async def pages(
    reader: Reader,
    viewer: Viewer,
    workspace_ids: Sequence[UUID],
    *,
    limit: int,
    after: Key | None,
    kind: str | None = None,
    status: str | None = None,
    columns: Columns | None = None,
) -> list[Job]:
    """The newest `limit` jobs older than `after` of each workspace, in the workspaces' order.

    With a `kind` or a `status` only those that have it.
    """
    return await store.pages(
        reader,
        viewer.id,
        workspace_ids,
        limit=limit,
        after=after,
        kind=kind,
        status=status,
        columns=columns,
    )


async def by_ids(
    reader: Reader, viewer: Viewer | None, ids: Sequence[UUID], *, columns: Columns | None = None
) -> list[Job]:
    """Those that the viewer may see: of the viewer's workspaces, and the open ones, which nobody must sign in for."""
    return await store.by_ids(reader, None if viewer is None else viewer.id, ids, columns=columns)


async def dead(
    reader: Reader,
    viewer: Viewer,
    *,
    is_operator: bool,
    workspace_id: UUID | None,
    kind: str | None,
    limit: int,
    after: Key | None,
) -> list[Job]:
    """Jobs that have failed for good, the latest first: an operator's are all, others' those they may manage."""
    return await store.dead(
        reader,
        viewer.id,
        roles.sufficient(viewer, Action.MANAGE_JOBS),
        of_all=is_operator,
        workspace=workspace_id,
        kind=kind,
        limit=limit,
        after=after,
    )


async def cancel(uow: UnitOfWork, viewer: Viewer, job_id: UUID) -> Job:
    """End a queued job now, and a running one as soon as its worker hears of it, within about a second."""
    workspace = await _enter(uow, viewer, job_id)
    row = await store.cancel(uow, job_id)
    if row is None:
        raise ConflictError("This job has already ended.")
    await audit.record(uow, viewer, audit.Action.JOB_CANCELLED, workspace, job_id, after=row)
    _announce(uow, workspace, [row])
    return row


async def retry(uow: UnitOfWork, viewer: Viewer, job_id: UUID) -> Job:
    """Queue a failed or cancelled job again."""
    workspace = await _enter(uow, viewer, job_id)
    rows = await _requeue(uow, [job_id], _TO_RETRY)
    if not rows:
        raise ConflictError(
            "Only a job that failed or was cancelled can be done again, unless the same waits already."
        )
    _announce(uow, workspace, rows)
    await audit.record(uow, viewer, audit.Action.JOB_RETRIED, workspace, job_id, after=rows[0])
    return rows[0]


async def requeue(
    uow: UnitOfWork, viewer: Viewer, job_ids: Sequence[UUID], *, is_operator: bool
) -> list[Job]:
    """Queue dead jobs again: those of `job_ids` that are dead and that the viewer may manage; at most 1,000."""
    if len(job_ids) > MOST_REQUEUED:
        raise InvalidInputError(
            f"At most {MOST_REQUEUED:,} jobs at once; there are {len(job_ids):,}."
        )
    managed = await store.manageable(
        uow, viewer.id, roles.sufficient(viewer, Action.MANAGE_JOBS), job_ids, of_all=is_operator
    )
    await uow.operate()
    rows = await _requeue(uow, managed, ("FAILED",))
    by_workspace: dict[UUID, list[Job]] = {}
    for row in rows:
        if row.workspace_id is not None:
            by_workspace.setdefault(row.workspace_id, []).append(row)
    for workspace, of_it in by_workspace.items():
        _announce(uow, workspace, of_it)
        await uow.enter(workspace)
        for row in of_it:
            what = audit.Action.JOB_RETRIED
            await audit.record(uow, viewer, what, workspace, row.id, after=row)
    return rows


async def forget(database: Database, now: datetime, *, kept: timedelta) -> int:
    """Take away jobs that ended before, dead ones after three times as long; answers how many."""
    forgotten = 0
    while True:
        async with database.transaction() as uow:
            await uow.operate()
            batch = await store.forget(uow, before=now - kept, dead_before=now - 3 * kept)
        forgotten += batch
        if not batch:
            return forgotten


async def _enter(uow: UnitOfWork, viewer: Viewer, job_id: UUID) -> UUID:
    entered = await store.enter(uow, viewer.id, job_id)
    if entered is None:
        raise NotFoundError("There is no such job.")
    workspace, role = entered
    roles.require(role, Action.MANAGE_JOBS)
    return workspace


async def _requeue(uow: UnitOfWork, job_ids: Sequence[UUID], statuses: Sequence[str]) -> list[Job]:
    try:
        return await store.requeue(uow, job_ids, statuses)
    except UniqueViolationError:
        raise ConflictError("The same was asked for in this moment; try again.") from None


def _announce(uow: UnitOfWork, workspace: UUID, rows: Sequence[Job]) -> None:
    event = JobsUpdated(tuple(row.id for row in rows))
    uow.emit(workspace, event.kind, event.to_json())
