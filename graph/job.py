"""Jobs in the schema."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Annotated, Any
from uuid import UUID

import strawberry

from domain import events, file, ids, job, outcome
from domain.errors import NotFoundError
from domain.ids import Kind
from domain.scopes import Scope
from domain.workspace import Workspace
from graph.access import open_but_scoped, scoped
from graph.context import Context, Info
from graph.errors import Conflict, Forbidden, InvalidInput, NotFound
from graph.fields import batch, column, computed, rows
from graph.live.index import Filter, Reading
from graph.node import Node, id_field, read_id, read_ids
from graph.outage import through_outages
from graph.pagination import (
    Cursors,
    Page,
    PageInfo,
    columns_of,
    edges_field,
    nodes_field,
    page_info_field,
    page_size,
    pages_by_time,
    read_time_key,
    time_key,
)
from graph.scalars import JSON, json_text
from graph.scope import open_scope, scope_of
from graph.streams import Shared, State

JOB_SCOPES = (
    Scope.JOBS_READ,
    Scope.JOBS_MANAGE,
    Scope.IMPORTS_CREATE,
    Scope.EXPORTS_CREATE,
)
_reads_one = open_but_scoped(*JOB_SCOPES)
_manages = scoped(Scope.JOBS_MANAGE)


@strawberry.enum(description="How far a job has come.")
class JobStatus(StrEnum):
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


@strawberry.enum(description="Who is served first; each has places of its own.")
class JobPriority(StrEnum):
    HIGH = "HIGH"
    NORMAL = "NORMAL"
    BULK = "BULK"


def _next_attempt_at(root: strawberry.Parent[job.Job]) -> datetime | None:
    return root.run_at if root.status == JobStatus.QUEUED else None


def _is_quarantined(root: strawberry.Parent[job.Job]) -> bool:
    return root.status == JobStatus.FAILED and root.deaths >= job.MOST_DEATHS


def _result(root: strawberry.Parent[job.Job]) -> JSON | None:
    return None if root.result is None else json_text(root.result)


async def _result_urls(parents: Sequence[job.Job], info: Info) -> Sequence[str | None]:
    viewer = info.context.viewer_or_none
    made = outcome.made(viewer, parents)
    if viewer is None or not any(made):
        return [None] * len(parents)
    async with info.context.reader() as reader:
        files = await outcome.files(reader, viewer, parents, made)
    signer = await info.context.services.objects.signer()
    return [None if each is None else file.download_url(signer, each) for each in files]


async def _subjects(parents: Sequence[job.Job], info: Info) -> Sequence[str | None]:
    viewer = info.context.viewer_or_none
    async with info.context.reader() as reader:
        return await outcome.subjects(reader, viewer, parents)


@strawberry.type(description="A piece of work in the background.")
@rows(job.Job)
class Job(Node):
    id: strawberry.ID = id_field(Kind.JOB)
    kind: str = strawberry.field(description="What it does.")
    status: JobStatus = strawberry.field(description="How far it has come.")
    progress: float | None = strawberry.field(description="0 to 1; null where it cannot be known.")
    attempts: int = strawberry.field(description="How often it was begun.")
    error: str | None = strawberry.field(description="Why it failed, or why the last attempt did.")
    priority: JobPriority = strawberry.field(description="Who is served first.")
    failures: int = strawberry.field(
        description="How often an attempt ended with an error; each pauses longer than the one before."
    )
    created_at: datetime = strawberry.field(description="When it was asked for.")
    started_at: datetime | None = strawberry.field(description="When it was first begun.")
    finished_at: datetime | None = strawberry.field(description="When it ended.")

    next_attempt_at: datetime | None = computed(
        _next_attempt_at,
        reads=("status", "run_at"),
        description="While it is QUEUED: when it is begun at the earliest.",
    )
    quarantined: bool = computed(
        _is_quarantined,
        reads=("status", "deaths"),
        description="Whether it has failed because three workers died while they did it.",
    )
    result: JSON | None = computed(
        _result, reads=("result",), description="What it has to tell, by its kind."
    )
    subject: str | None = batch(
        _subjects,
        reads=("workspace_id", "kind", "arguments", "result", "open"),
        graphql_type=str | None,
        description="What it is about, by its name: the file of an import, what an export has made, the scheduled "
        "export. Null for other kinds, and where that is gone or not for the caller to see. API keys need "
        "`exports:create` for exports, `imports:create` for others.",
    )
    created_by_id: strawberry.ID | None = column(
        "created_by",
        ids.writer(Kind.USER),
        graphql_type=strawberry.ID | None,
        description="The id of the user who asked for it; null for what Earful does by itself.",
    )
    result_url: str | None = batch(
        _result_urls,
        reads=("workspace_id", "kind", "result", "open"),
        graphql_type=str | None,
        description="Where to download what it made (an export, an import's row errors); a short-lived "
        "signed URL. Null while there is nothing, and when it has expired. API keys need `exports:create` for an "
        "export's, `imports:create` for others.",
    )


@strawberry.type(description="A job in a list.")
class JobEdge:
    cursor: str = strawberry.field(description="Pass it as `after` to go on behind this job.")
    node: Job = strawberry.field(description="The job.")


@strawberry.type(description="Jobs, the newest first.")
class JobConnection:
    edges: list[JobEdge] = edges_field(JobEdge)
    nodes: list[Job] = nodes_field(Job)
    page_info: PageInfo = page_info_field()


async def _dead_jobs(
    info: Info, workspace_id: UUID | None, kind: str | None, first: int | None, after: str | None
) -> Page[job.Job]:
    size = page_size(first)
    cursors = Cursors(info.context.services.seals, "dead jobs", workspace_id or events.INSTANCE)
    async with info.context.reader() as reader:
        rows = await job.dead(
            reader,
            info.context.viewer,
            is_operator=await info.context.is_operator(reader),
            workspace_id=workspace_id,
            kind=kind,
            limit=size + 1,
            after=None if after is None else read_time_key(cursors.read(after)),
        )
    return Page(rows[:size], len(rows) > size, after is not None, partial(_dead_cursor, cursors))


def _dead_cursor(cursors: Cursors, row: job.Job) -> str:
    return cursors.write(time_key(row.finished_at or row.created_at, row.id))


@strawberry.type
class JobQuery:
    @strawberry.field(
        name="job",
        extensions=[_reads_one],
        graphql_type=Job | None,
        description="A job by its id; null when it does not exist or is not the caller's. That of "
        "`submitContact` is whoever's who knows its id.",
    )
    async def job_by_id(self, info: Info, id: strawberry.ID) -> job.Job | None:
        id_ = read_id(Kind.JOB, id, "id")
        async with info.context.reader() as reader:
            rows = await job.by_ids(
                reader, info.context.viewer_or_none, [id_], columns=info.columns("Job")
            )
        return rows[0] if rows else None

    @strawberry.field(
        extensions=[_manages],
        graphql_type=JobConnection,
        description="Jobs that have failed for good, the latest first: of the workspaces where the "
        "caller is an ADMIN, and for the operators of this server of all.",
    )
    async def dead_jobs(
        self,
        info: Info,
        first: int | None = 20,
        after: str | None = None,
        workspace_id: strawberry.ID | None = None,
        kind: str | None = None,
    ) -> Any:
        of = workspace_id and read_id(Kind.WORKSPACE, workspace_id, "workspaceId")
        return await _dead_jobs(info, of or None, kind, first, after)


@strawberry.input(description="Which job to cancel.")
class CancelJobInput:
    job_id: strawberry.ID = strawberry.field(description="A job that has not ended.")


@strawberry.type(description="The job is cancelled, or its worker has been asked to.")
class CancelJobSuccess:
    job: Job = strawberry.field(
        description="The job: CANCELLED if it waited; a RUNNING one ends within about a second."
    )


@strawberry.input(description="Which job to do again.")
class RetryJobInput:
    job_id: strawberry.ID = strawberry.field(description="A job that FAILED or was CANCELLED.")


@strawberry.type(description="The job is queued again.")
class RetryJobSuccess:
    job: Job = strawberry.field(description="The job, QUEUED.")


@strawberry.input(description="Which dead jobs to do again.")
class RequeueJobsInput:
    job_ids: list[strawberry.ID] = strawberry.field(description="At most 1,000 jobs.")


@strawberry.type(description="The jobs are queued again.")
class RequeueJobsSuccess:
    jobs: list[Job] = strawberry.field(
        description="Those that had FAILED and that the caller may manage; the others are left alone."
    )


CancelJobResult = Annotated[
    CancelJobSuccess | InvalidInput | Forbidden | NotFound | Conflict,
    strawberry.union("CancelJobResult"),
]
RetryJobResult = Annotated[
    RetryJobSuccess | InvalidInput | Forbidden | NotFound | Conflict,
    strawberry.union("RetryJobResult"),
]
RequeueJobsResult = Annotated[
    RequeueJobsSuccess | InvalidInput, strawberry.union("RequeueJobsResult")
]


@strawberry.type
class JobMutation:
    @strawberry.mutation(
        extensions=[_manages], description="End a job that has not ended. For ADMINs."
    )
    async def cancel_job(self, info: Info, input: CancelJobInput) -> CancelJobResult:
        id_ = read_id(Kind.JOB, input.job_id, "jobId")
        async with info.context.transaction() as uow:
            row = await job.cancel(uow, info.context.viewer, id_)
        return CancelJobSuccess(job=row)  # type: ignore[arg-type]  # rows are jobs

    @strawberry.mutation(
        extensions=[_manages],
        description="Do a job again that failed or was cancelled, as if it had never failed. For ADMINs.",
    )
    async def retry_job(self, info: Info, input: RetryJobInput) -> RetryJobResult:
        id_ = read_id(Kind.JOB, input.job_id, "jobId")
        async with info.context.transaction() as uow:
            row = await job.retry(uow, info.context.viewer, id_)
        return RetryJobSuccess(job=row)  # type: ignore[arg-type]  # rows are jobs

    @strawberry.mutation(
        extensions=[_manages],
        description="Do many dead jobs again. For ADMINs, and for the operators of this server.",
    )
    async def requeue_jobs(self, info: Info, input: RequeueJobsInput) -> RequeueJobsResult:
        wanted = read_ids(Kind.JOB, input.job_ids, "jobIds") or ()
        async with info.context.transaction() as uow:
            rows = await job.requeue(
                uow,
                info.context.viewer,
                wanted,
                is_operator=await info.context.is_operator(uow),
            )
        return RequeueJobsSuccess(jobs=rows)  # type: ignore[arg-type]  # rows are jobs


async def jobs_of(
    parents: Sequence[Workspace],
    info: Info,
    first: int | None = 20,
    after: str | None = None,
    kind: str | None = None,
    status: JobStatus | None = None,
) -> Sequence[Page[job.Job]]:
    """The newest jobs of each workspace: all, or those of a kind, or of a status."""
    read = partial(
        job.pages,
        kind=kind,
        status=None if status is None else status.value,
        columns=columns_of(info, "Job", "created_at"),
    )
    return await pages_by_time(
        parents,
        info,
        read,
        name="jobs" if kind is None and status is None else f"jobs {kind} {status}",
        of="workspace_id",
        at="created_at",
        first=first,
        after=after,
    )


def _job_ids(event: events.JobsUpdated) -> tuple[UUID, ...]:
    return event.job_ids


_JOBS = Reading(events.JobsUpdated.from_json, _job_ids)
# Often enough for a progress bar.
_PAUSE = 0.1


@strawberry.type
class JobSubscription:
    @strawberry.subscription(
        extensions=[_reads_one],
        directives=[Shared()],
        graphql_type=Job,
        description="The job at once, and again whenever it changes; ends when the job has ended. That of "
        "`submitContact` is whoever's who knows its id.",
    )
    async def job_updated(self, info: Info, job_id: strawberry.ID) -> State:
        id_ = read_id(Kind.JOB, job_id, "jobId")
        found = await through_outages(partial(_job, id_, info.context))
        workspace_id = found.workspace_id or events.INSTANCE
        return State(
            topic=events.topic(workspace_id, events.JOBS_TOPIC),
            scope=open_scope(id_)
            if found.open
            else await through_outages(partial(scope_of, info.context, workspace_id)),
            reading=_JOBS,
            filter=Filter(frozenset((id_,))),
            read=partial(_job, id_),
            is_final=_has_ended,
            pause=_PAUSE,
        )


def _has_ended(row: job.Job) -> bool:
    return row.status not in {JobStatus.QUEUED, JobStatus.RUNNING}


async def _job(id_: UUID, context: Context) -> job.Job:
    async with context.reader() as reader:
        rows = await job.by_ids(reader, context.viewer_or_none, [id_])
    if not rows:
        raise NotFoundError("There is no such job.")
    return rows[0]
