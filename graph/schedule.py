"""Schedules in the schema."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

import strawberry

from domain import job, schedule
from domain.ids import Kind
from domain.scopes import Scope
from graph.access import scoped
from graph.context import Info
from graph.fields import batch, rows
from graph.job import Job
from graph.node import Node, id_field


@strawberry.enum(
    description="What becomes of runs that nobody could begin: each is made up for, one is for all of "
    "them, or none."
)
class MissedRuns(StrEnum):
    EVERY = "EVERY"
    ONCE = "ONCE"
    SKIP = "SKIP"


async def _last_job(parents: Sequence[schedule.Schedule], info: Info) -> Sequence[job.Job | None]:
    wanted = [parent.last_job_id for parent in parents if parent.last_job_id is not None]
    async with info.context.reader() as reader:
        found = await job.by_ids(reader, info.context.viewer, wanted, columns=info.columns("Job"))
    by_id = {row.id: row for row in found}
    return [by_id.get(parent.last_job_id) if parent.last_job_id else None for parent in parents]


@strawberry.type(description="A job that is asked for again and again.")
@rows(schedule.Schedule)
class Schedule(Node):
    id: strawberry.ID = id_field(Kind.SCHEDULE)
    name: str = strawberry.field(description="What it is called; one of a name in a workspace.")
    kind: str = strawberry.field(description="The kind of the job.")
    cron: str | None = strawberry.field(
        description="Minute, hour, day of month, month, day of week; null where it is every so many seconds."
    )
    every_seconds: int | None = strawberry.field(
        description="The seconds between two runs; null where it goes by the calendar."
    )
    time_zone: str = strawberry.field(description="The IANA time zone of the calendar.")
    missed: MissedRuns = strawberry.field(description="What becomes of runs that were missed.")
    last_run_at: datetime | None = strawberry.field(
        description="When the last run was due; null before the first."
    )
    enabled: bool = strawberry.field(description="Whether it runs: false while it is paused.")
    next_run_at: datetime = strawberry.field(
        description="When the next run is due; it does not come while the schedule is not `enabled`."
    )

    last_job: Job | None = batch(
        _last_job,
        reads=("last_job_id",),
        graphql_type=Job | None,
        description="The job of the last run; null when it is not kept any more, or is the server's own.",
    )


@strawberry.type
class ScheduleQuery:
    @strawberry.field(
        extensions=[scoped(Scope.JOBS_MANAGE)],
        graphql_type=list[Schedule],
        description="The schedules of the workspaces where the caller is an ADMIN; for the operators of "
        "this server all, the server's own first.",
    )
    async def schedules(self, info: Info) -> Sequence[schedule.Schedule]:
        context = info.context
        async with context.reader() as reader:
            return await schedule.listed(
                reader,
                context.viewer,
                is_operator=await context.is_operator(reader),
                columns=info.columns("Schedule"),
            )
