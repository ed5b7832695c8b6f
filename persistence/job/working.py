"""Doing work: jobs claimed by workers in turn of the tenants, their ends recorded, dead workers' jobs taken back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from persistence.database import Reader, Record, Statement, UnitOfWork

# "jobs" in ASCII; the second key says which priority's.
_CLAIM_LOCK = 0x6A6F6273
MOST_DEATHS = 3
"""What has taken so many workers with it is not begun again by itself."""
_SUSPECT = MOST_DEATHS - 1
_POISON = f"{MOST_DEATHS} workers died while they did this; requeue it when the cause is mended"


class ClaimedRow(Record):
    """A job to be done now. `attempts` counts this one; with the worker's id it tells it from all others."""

    id: UUID
    workspace_id: UUID | None
    kind: str
    priority: str
    arguments: str
    state: str | None
    created_by: UUID | None
    trace: str | None
    created_at: datetime
    run_at: datetime
    attempts: int
    failures: int


class EndedRow(Record):
    id: UUID
    status: str
    is_cancelled: bool


class TakenRow(Record):
    id: UUID
    kind: str
    status: str


class SeenRow(Record):
    alive: bool
    held: list[UUID]
    held_attempts: list[int]
    cancelled: list[UUID]
    due: list[str]
    suspects: bool


class DueRow(Record):
    priority: str
    run_at: datetime


@dataclass(frozen=True, slots=True)
class End:
    """How an attempt ended: the status it leaves; of what it is to wait for, when; of what went wrong, what."""

    job: UUID
    attempts: int
    status: str
    error: str | None = None
    run_at: datetime | None = None
    failed: bool = False
    result: str | None = None
    is_kept: bool = True
    """Whether there is still a row when it has succeeded."""


_TO_RUNNING = """
        UPDATE job SET status = 'RUNNING', worker_id = :worker, attempts = attempts + 1,
            started_at = coalesce(started_at, :now), finished_at = NULL
        FROM chosen WHERE job.id = chosen.id AND job.status = 'QUEUED'
          AND EXISTS (SELECT FROM worker WHERE worker.id = :worker)
        RETURNING job.id, workspace_id, kind, priority, arguments, state, created_by, trace,
            created_at, run_at, attempts, failures"""


def _told(of: str) -> str:
    """An event for each workspace whose jobs changed, with their ids."""
    return f"""
        INSERT INTO outbox (workspace_id, kind, payload, trace)
        SELECT workspace_id, 'job.updated',
               jsonb_build_object('ids', jsonb_agg(replace(id::text, '-', ''))), max(trace)
        FROM {of} WHERE workspace_id IS NOT NULL GROUP BY workspace_id"""  # noqa: S608 - of constants


def _told_of_ends(of: str) -> str:
    """The same, and an event for each job that somebody asked for and that has succeeded, or failed for good."""
    return f"""{_told(of)}
        UNION ALL
        SELECT workspace_id, 'job.' || lower(status),
               jsonb_build_object('ids', jsonb_build_array(replace(id::text, '-', ''))), trace
        FROM {of} WHERE workspace_id IS NOT NULL AND created_by IS NOT NULL
            AND status IN ('SUCCEEDED', 'FAILED')"""  # noqa: S608 - of constants


# Each tenant's next jobs, those first whose tenant has the fewest running.
_CLAIM = Statement(
    text(f"""
    WITH RECURSIVE tenant(id) AS (
        (SELECT tenant_id FROM job WHERE status = 'QUEUED' AND priority = :priority
         ORDER BY tenant_id LIMIT 1)
        UNION ALL
        SELECT (SELECT tenant_id FROM job
                WHERE status = 'QUEUED' AND priority = :priority AND tenant_id > tenant.id
                ORDER BY tenant_id LIMIT 1)
        FROM tenant WHERE tenant.id IS NOT NULL
    ), busy AS (
        SELECT tenant_id, count(*) AS jobs FROM job
        WHERE status = 'RUNNING' AND priority = :priority GROUP BY tenant_id
    ), due AS (
        SELECT next.id, next.run_at, coalesce(busy.jobs, 0) + row_number() OVER (
            PARTITION BY tenant.id ORDER BY next.run_at, next.id) AS turn
        FROM tenant
        CROSS JOIN LATERAL (
            SELECT id, run_at FROM job
            WHERE status = 'QUEUED' AND priority = :priority AND tenant_id = tenant.id
              AND run_at <= :now AND kind = ANY(:kinds ::text[]) AND deaths < {_SUSPECT}
            ORDER BY run_at, id LIMIT :free ::int
        ) AS next
        LEFT JOIN busy ON busy.tenant_id = tenant.id
        WHERE tenant.id IS NOT NULL
    ), chosen AS (
        SELECT id FROM due WHERE turn <= :most_of_one ::int * (SELECT greatest(count(*), 1) FROM worker)
        ORDER BY turn, run_at, id LIMIT :free ::int
    ), claimed AS ({_TO_RUNNING}), told AS ({_told("claimed")})
    SELECT * FROM claimed ORDER BY run_at, id"""),  # noqa: S608 - of constants
    ClaimedRow,
)
_CLAIM_SUSPECT = Statement(
    text(f"""
    WITH chosen AS (
        SELECT id FROM job
        WHERE status = 'QUEUED' AND deaths >= {_SUSPECT} AND run_at <= :now
          AND kind = ANY(:kinds ::text[])
        ORDER BY run_at LIMIT 1 FOR UPDATE SKIP LOCKED
    ), claimed AS ({_TO_RUNNING}), told AS ({_told("claimed")})
    SELECT * FROM claimed"""),  # noqa: S608 - of constants
    ClaimedRow,
)
_LOCK: Statement[Record] = Statement(
    text(
        "SELECT set_config('earful.operation', 'on', true),"
        f" pg_advisory_xact_lock({_CLAIM_LOCK}, hashtext(:priority))"
    ),
    Record,
)
# What is to be done again begins as new, at the time that was asked for; to cancel it takes that back.
_END = Statement(
    text(f"""
    WITH given AS (
        SELECT * FROM unnest(:ids ::uuid[], :attempts ::int[], :statuses ::text[], :errors ::text[],
            :run_ats ::timestamptz[], :failed ::bool[], :results ::text[])
            AS given(id, attempts, status, error, run_at, failed, result)
    ), ended AS (
        UPDATE job SET
            status = CASE
                WHEN job.again THEN 'QUEUED'
                WHEN job.cancel_requested_at IS NOT NULL AND given.status <> 'SUCCEEDED'
                    THEN 'CANCELLED'
                ELSE given.status END,
            error = given.error,
            result = coalesce(given.result ::jsonb, job.result),
            progress = CASE WHEN given.status = 'SUCCEEDED' THEN 1 ELSE job.progress END,
            run_at = CASE WHEN job.again THEN job.run_at ELSE coalesce(given.run_at, job.run_at) END,
            failures = CASE WHEN job.again THEN 0 ELSE job.failures + given.failed ::int END,
            deaths = CASE WHEN given.failed OR given.status = 'SUCCEEDED' THEN 0 ELSE job.deaths END,
            state = CASE WHEN job.again THEN NULL ELSE job.state END,
            cancel_requested_at = CASE WHEN NOT job.again THEN job.cancel_requested_at END,
            again = false,
            worker_id = NULL,
            finished_at = CASE
                WHEN NOT job.again
                    AND (given.status <> 'QUEUED' OR job.cancel_requested_at IS NOT NULL)
                    THEN :now ::timestamptz END
        FROM given
        WHERE job.id = given.id AND job.attempts = given.attempts
          AND job.worker_id = :worker AND job.status = 'RUNNING'
        RETURNING job.id, job.workspace_id, job.created_by, job.trace, job.status,
            job.cancel_requested_at
    ), told AS ({_told_of_ends("ended")})
    SELECT id, status, cancel_requested_at IS NOT NULL AS is_cancelled FROM ended"""),  # noqa: S608 - of constants
    EndedRow,
)
# What is to be done again, or was to be cancelled, has another end.
_DISCARD = Statement(
    text(f"""
    WITH given AS (
        SELECT * FROM unnest(:ids ::uuid[], :attempts ::int[]) AS given(id, attempts)
    ), ended AS (
        DELETE FROM job USING given
        WHERE job.id = given.id AND job.attempts = given.attempts
          AND job.worker_id = :worker AND job.status = 'RUNNING'
          AND NOT job.again AND job.cancel_requested_at IS NULL
        RETURNING job.id, job.workspace_id, job.created_by, job.trace, 'SUCCEEDED' AS status
    ), told AS ({_told_of_ends("ended")})
    SELECT id, status, false AS is_cancelled FROM ended"""),  # noqa: S608 - of constants
    EndedRow,
)
_ADVANCE = Statement(
    text("""
    UPDATE job SET progress = coalesce(:progress ::float8, progress),
        state = coalesce(:state ::text ::jsonb, state)
    WHERE id = :id AND attempts = :attempts ::int AND worker_id = :worker
      AND status = 'RUNNING' AND cancel_requested_at IS NULL
    RETURNING id, status, false AS is_cancelled"""),
    EndedRow,
)
_ENLIST: Statement[Record] = Statement(
    text("INSERT INTO worker (id, name) VALUES (:id, :name) ON CONFLICT DO NOTHING"), Record
)
_DISMISS: Statement[Record] = Statement(text("DELETE FROM worker WHERE id = :id"), Record)
_SEEN = Statement(
    text(f"""
    WITH seen AS (UPDATE worker SET seen_at = now() WHERE id = :id RETURNING id),
    held AS (SELECT id, attempts, cancel_requested_at FROM job
             WHERE worker_id = :id AND status = 'RUNNING')
    SELECT EXISTS (SELECT FROM seen) AS alive,
        ARRAY(SELECT id FROM held ORDER BY id) AS held,
        ARRAY(SELECT attempts FROM held ORDER BY id) AS held_attempts,
        ARRAY(SELECT id FROM held WHERE cancel_requested_at IS NOT NULL) AS cancelled,
        ARRAY(SELECT priority FROM unnest(ARRAY['HIGH', 'NORMAL', 'BULK']) AS priority
              WHERE (SELECT min(run_at) FROM job WHERE status = 'QUEUED'
                     AND job.priority = priority.priority) <= :now) AS due,
        EXISTS (SELECT FROM job WHERE status = 'QUEUED' AND deaths >= {_SUSPECT}
                AND run_at <= :now) AS suspects"""),  # noqa: S608 - of constants
    SeenRow,
)
_TAKE_BACK = Statement(
    text(f"""
    WITH dead AS (
        DELETE FROM worker
        WHERE greatest(seen_at, pg_postmaster_start_time()) < now() - make_interval(secs => :silence)
        RETURNING id
    ), orphan AS (
        SELECT id FROM job WHERE status = 'RUNNING' AND (
            worker_id IN (SELECT id FROM dead) OR worker_id IS NULL
            OR NOT EXISTS (SELECT FROM worker WHERE worker.id = job.worker_id))
        FOR UPDATE SKIP LOCKED
    ), taken AS (
        UPDATE job SET
            status = CASE
                WHEN cancel_requested_at IS NOT NULL AND NOT again THEN 'CANCELLED'
                WHEN deaths + 1 >= {MOST_DEATHS} THEN 'FAILED'
                ELSE 'QUEUED' END,
            error = CASE WHEN deaths + 1 >= {MOST_DEATHS} THEN :poison
                ELSE 'the worker died' END,
            deaths = deaths + 1,
            failures = CASE WHEN again THEN 0 ELSE failures END,
            state = CASE WHEN again THEN NULL ELSE state END,
            cancel_requested_at = CASE WHEN NOT again THEN cancel_requested_at END,
            again = false,
            worker_id = NULL,
            run_at = CASE WHEN again THEN run_at ELSE :now ::timestamptz END,
            finished_at = CASE WHEN cancel_requested_at IS NOT NULL AND NOT again
                OR deaths + 1 >= {MOST_DEATHS} THEN :now ::timestamptz END
        FROM orphan WHERE job.id = orphan.id
        RETURNING job.id, job.workspace_id, job.created_by, job.trace, job.kind, job.status
    ), told AS ({_told_of_ends("taken")})
    SELECT id, kind, status FROM taken"""),  # noqa: S608 - of constants
    TakenRow,
)
_DUE = Statement(
    text("""
    SELECT priority, (SELECT min(run_at) FROM job
                      WHERE status = 'QUEUED' AND job.priority = p.priority) AS run_at
    FROM unnest(ARRAY['HIGH', 'NORMAL', 'BULK']) AS p(priority)"""),
    DueRow,
)
_WORKERS: Statement[Record] = Statement(text("SELECT count(*) AS workers FROM worker"), Record)


async def claim(
    uow: UnitOfWork,
    worker: UUID,
    *,
    priority: str,
    kinds: Sequence[str],
    free: int,
    most_of_one: int,
) -> list[ClaimedRow]:
    """Up to `free` jobs that are due, now this worker's.

    No tenant is brought above `most_of_one` running ones of the priority for each worker there is.
    Those that may have killed a worker are left out.
    """
    await uow.fetch(_LOCK, priority=priority)
    return await uow.fetch(
        _CLAIM,
        worker=worker,
        priority=priority,
        kinds=kinds,
        free=free,
        most_of_one=most_of_one,
        now=uow.now,
    )


async def claim_suspect(
    uow: UnitOfWork, worker: UUID, *, kinds: Sequence[str]
) -> ClaimedRow | None:
    """A job whose workers have died before; whoever claims it does nothing else meanwhile."""
    await uow.operate()
    return await uow.first(_CLAIM_SUSPECT, worker=worker, kinds=kinds, now=uow.now)


async def end(uow: UnitOfWork, worker: UUID, ends: Sequence[End]) -> list[EndedRow]:
    """Record how attempts ended; answers those still this worker's: their status now, and whether cancelled.

    The transaction must be an operation's, or have entered the jobs' workspace.
    """
    discarded = await _discard(uow, worker, ends)
    gone = {row.id for row in discarded}
    left = [end for end in ends if end.job not in gone]
    return discarded + (await _end(uow, worker, left) if left else [])


async def _discard(uow: UnitOfWork, worker: UUID, ends: Sequence[End]) -> list[EndedRow]:
    """Take away the jobs that have succeeded and are not kept."""
    routine = [end for end in ends if end.status == "SUCCEEDED" and not end.is_kept]
    if not routine:
        return []
    return await uow.fetch(
        _DISCARD,
        worker=worker,
        ids=[end.job for end in routine],
        attempts=[end.attempts for end in routine],
    )


async def _end(uow: UnitOfWork, worker: UUID, ends: Sequence[End]) -> list[EndedRow]:
    return await uow.fetch(
        _END,
        worker=worker,
        now=uow.now,
        ids=[end.job for end in ends],
        attempts=[end.attempts for end in ends],
        statuses=[end.status for end in ends],
        errors=[end.error for end in ends],
        run_ats=[end.run_at for end in ends],
        failed=[end.failed for end in ends],
        results=[end.result for end in ends],
    )


async def advance(
    uow: UnitOfWork,
    worker: UUID,
    job: UUID,
    attempts: int,
    *,
    progress: float | None = None,
    state: str | None = None,
) -> bool:
    """Record how far an attempt has come; False when it is not this worker's any more or is to be cancelled.

    Until the transaction ends nobody takes the job away.
    """
    row = await uow.first(
        _ADVANCE, id=job, attempts=attempts, worker=worker, progress=progress, state=state
    )
    return row is not None


async def enlist(uow: UnitOfWork, worker: UUID, name: str) -> None:
    """A worker begins; to say so again changes nothing."""
    await uow.execute(_ENLIST, id=worker, name=name)


async def dismiss(uow: UnitOfWork, worker: UUID) -> None:
    """A worker has handed everything back and ends."""
    await uow.execute(_DISMISS, id=worker)


async def seen(uow: UnitOfWork, worker: UUID) -> SeenRow:
    """The worker lives: whether it still counts, what it holds, what to cancel, of which priorities some are due."""
    row = await uow.first(_SEEN, id=worker, now=uow.now)
    assert row is not None  # noqa: S101 - the statement has no condition
    return row


async def take_back(uow: UnitOfWork, *, silence: float) -> list[TakenRow]:
    """Queue the jobs of workers not seen for `silence` seconds; those that have killed too many have failed.

    Nobody could be seen before Postgres was started.
    """
    await uow.operate()
    return await uow.fetch(_TAKE_BACK, silence=silence, poison=_POISON, now=uow.now)


async def due(reader: Reader) -> dict[str, datetime]:
    """When the earliest queued job of each priority is due."""
    rows = await reader.fetch(_DUE)
    return {row.priority: row.run_at for row in rows if row["run_at"] is not None}


async def workers(reader: Reader) -> int:
    """How many workers there are."""
    row = await reader.first(_WORKERS)
    assert row is not None  # noqa: S101 - a count
    return int(row["workers"])
