"""What sources sent that is no feedback: looked at, tried again after a mapping was mended, forgotten in the end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from domain import audit, job, receiving, roles
from domain import source as sources
from domain.errors import InvalidInputError, NotFoundError
from domain.job import Job, Kind, Once, Priority
from domain.provider import Unheard
from domain.roles import Action
from domain.seals import Seals
from domain.viewer import Viewer
from persistence import quarantine as store
from persistence.database import Columns, Database, Reader, UnitOfWork
from persistence.source import SourceRow

Quarantined = store.QuarantinedRow
Key = store.Key

KEPT = timedelta(days=30)
MOST_AT_ONCE = 100
BEGINNING: Key = (datetime(1970, 1, 1, tzinfo=UTC), UUID(int=0))
REPLAY_QUARANTINED = Kind(
    "replay_quarantined", priority=Priority.BULK, timeout=timedelta(hours=1), most_failures=5
)


@dataclass(frozen=True, slots=True)
class Tried:
    """How many were stored, how many had been stored before, and how many are still no feedback."""

    stored: int = 0
    duplicates: int = 0
    failed: int = 0

    def __add__(self, other: "Tried") -> "Tried":
        return Tried(
            self.stored + other.stored,
            self.duplicates + other.duplicates,
            self.failed + other.failed,
        )


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of it, or the job that does it where there are many."""

    source: SourceRow
    tried: Tried
    job: Job | None


async def pages(
    reader: Reader,
    viewer: Viewer,
    sources: Sequence[UUID],
    *,
    limit: int,
    after: Key | None,
    columns: Columns | None = None,
) -> list[Quarantined]:
    """The newest `limit` of each source, for those who manage sources; nothing for others."""
    managers = roles.sufficient(viewer, Action.MANAGE_SOURCES)
    return await store.pages(
        reader, viewer.id, managers, sources, limit=limit, after=after, columns=columns
    )


async def replay(
    uow: UnitOfWork, viewer: Viewer, source_id: UUID, ids: Sequence[UUID] | None, seals: Seals
) -> Replayed:
    """Try some once more, or all: at once where they are few, otherwise by a job."""
    row = await sources.enter(uow, viewer, source_id)
    kept = []
    if ids is not None:
        if len(ids) > MOST_AT_ONCE:
            raise InvalidInputError(f"At most {MOST_AT_ONCE} at once; leave them out to try all.")
        kept = await store.lock(uow, row.workspace_id, row.id, ids)
        if len(kept) < len(set(ids)):
            raise NotFoundError("There is no such body in quarantine.")
    await audit.record(uow, viewer, audit.Action.SOURCE_REPLAYED, row.workspace_id, row.id)
    if ids is None and await store.count(uow, row.workspace_id, row.id) > MOST_AT_ONCE:
        asked = await job.enqueue(
            uow,
            REPLAY_QUARANTINED,
            workspace=row.workspace_id,
            arguments={"source": row.id.hex},
            once=Once(row.id.hex),
            created_by=None if viewer.key is not None else viewer.id,
        )
        return Replayed(row, Tried(), asked)
    if ids is None:
        kept = await store.oldest(
            uow, row.workspace_id, row.id, after=BEGINNING, limit=MOST_AT_ONCE
        )
    return Replayed(row, await _try_again(uow, row, kept, seals), None)


async def replay_some(
    uow: UnitOfWork, workspace: UUID, source_id: UUID, after: Key, seals: Seals
) -> tuple[Tried, Key | None]:
    """Try the next ones behind `after` in an entered workspace; None for where to go on when there are no more."""
    row = await sources.in_workspace(uow, workspace, source_id)
    if row is None:
        return Tried(), None
    kept = await store.oldest(uow, workspace, source_id, after=after, limit=MOST_AT_ONCE)
    if not kept:
        return Tried(), None
    tried = await _try_again(uow, row, kept, seals)
    return tried, (kept[-1].received_at, kept[-1].id)


async def _try_again(
    uow: UnitOfWork, row: SourceRow, kept: Sequence[Quarantined], seals: Seals
) -> Tried:
    tried, done = Tried(), []
    for each in kept:
        outcome = await receiving.take_in(uow, row, each, seals)
        if isinstance(outcome, Unheard):
            tried += Tried(failed=1)
        else:
            tried += Tried(stored=1) if outcome else Tried(duplicates=1)
            done.append(each.id)
    await store.remove(uow, row.workspace_id, done)
    return tried


async def forget(database: Database, now: datetime) -> None:
    """Take away what has been kept for 30 days, one workspace at a time."""
    before = now - KEPT
    async with database.reader() as reader:
        stale = await store.with_old(reader, before)
    for workspace in stale:
        async with database.transaction() as uow:
            await uow.enter(workspace)
            await store.forget(uow, workspace, before)
