"""Jobs in the schema."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from functools import partial
from uuid import UUID

import strawberry

from domain import events, job
from domain.errors import NotFoundError
from domain.ids import Kind
from domain.workspace import Workspace
from graph.access import signed_in
from graph.context import Context, Info
from graph.fields import computed, rows
from graph.live.index import Filter, Reading
from graph.node import Node, id_field, read_id
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
    read_time_key,
    time_key,
)
from graph.scope import scope_of
from graph.streams import Shared, State


@strawberry.enum(description="How far a job has come.")
class JobStatus(StrEnum):
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


def _result_url(root: strawberry.Parent[job.Job]) -> str | None:  # noqa: ARG001
    return None


@strawberry.type(description="A piece of work in the background.")
@rows(job.Job)
class Job(Node):
    id: strawberry.ID = id_field(Kind.JOB)
    kind: str = strawberry.field(description="What it does.")
    status: JobStatus = strawberry.field(description="How far it has come.")
    progress: float | None = strawberry.field(description="0 to 1; null where it cannot be known.")
    attempts: int = strawberry.field(description="How often it was begun.")
    error: str | None = strawberry.field(description="Why it failed, or why the last attempt did.")
    created_at: datetime = strawberry.field(description="When it was asked for.")
    started_at: datetime | None = strawberry.field(description="When it was first begun.")
    finished_at: datetime | None = strawberry.field(description="When it ended.")

    result_url: str | None = computed(
        _result_url,
        reads=(),
        description="Where to download what it made (an export, an import's row errors); "
        "a short-lived signed URL. Null while there is nothing.",
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


async def jobs_of(
    parents: Sequence[Workspace], info: Info, first: int | None = 20, after: str | None = None
) -> Sequence[Page[job.Job]]:
    """The newest jobs of each workspace."""
    size = page_size(first)
    cursors = {
        parent.id: Cursors(info.context.services.seals, "jobs", parent.id) for parent in parents
    }
    key = None
    if after is not None:
        # Of several workspaces' lists it can be of one at most, and then the others refuse it.
        keys = [of_list.read(after) for of_list in cursors.values()]
        key = read_time_key(keys[0])
    async with info.context.reader() as reader:
        rows = await job.pages(
            reader,
            info.context.viewer,
            list(cursors),
            limit=size + 1,
            after=key,
            columns=columns_of(info, "Job", "created_at"),
        )
    found: dict[UUID, list[job.Job]] = {workspace: [] for workspace in cursors}
    for row in rows:
        found[row.workspace_id].append(row)
    return [
        Page(
            rows=found[parent.id][:size],
            has_next=len(found[parent.id]) > size,
            continued=after is not None,
            cursor=partial(_cursor, cursors[parent.id]),
        )
        for parent in parents
    ]


def _cursor(cursors: Cursors, row: job.Job) -> str:
    return cursors.write(time_key(row.created_at, row.id))


def _job_id(event: events.JobUpdated) -> tuple[UUID]:
    return (event.job_id,)


_JOBS = Reading(events.JobUpdated.from_json, _job_id)
# Often enough for a progress bar.
_PAUSE = 0.1


@strawberry.type
class JobSubscription:
    @strawberry.subscription(
        extensions=[signed_in],
        directives=[Shared()],
        graphql_type=Job,
        description="The job at once, and again whenever it changes; ends when the job has ended.",
    )
    async def job_updated(self, info: Info, job_id: strawberry.ID) -> State:
        id_ = read_id(Kind.JOB, job_id, "jobId")
        found = await through_outages(partial(_job, id_, info.context))
        return State(
            topic=events.topic(found.workspace_id, events.JOBS_TOPIC),
            scope=await through_outages(partial(scope_of, info.context, found.workspace_id)),
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
        rows = await job.by_ids(reader, context.viewer, [id_])
    if not rows:
        raise NotFoundError("There is no such job.")
    return rows[0]
