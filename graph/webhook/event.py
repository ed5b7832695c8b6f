"""What a webhook tells, in the schema: the type that receivers write their selections on."""

from collections.abc import Sequence
from datetime import datetime

import strawberry

from domain import alert, feedback, ids, job, webhook
from domain.ids import Kind
from graph.alert.alert import Alert
from graph.context import Info
from graph.feedback import Feedback
from graph.fields import batch, column, rows
from graph.job import Job


async def _feedback(
    parents: Sequence[webhook.Event], info: Info
) -> Sequence[feedback.Feedback | None]:
    wanted = {parent.feedback_id for parent in parents if parent.feedback_id is not None}
    if not wanted:
        return [None for _ in parents]
    async with info.context.reader() as reader:
        found = await feedback.by_ids(
            reader, info.context.viewer, list(wanted), columns=info.columns("Feedback")
        )
    return [found.get(parent.feedback_id) if parent.feedback_id else None for parent in parents]


async def _alerts(parents: Sequence[webhook.Event], info: Info) -> Sequence[alert.Alert | None]:
    wanted = {parent.alert_id for parent in parents if parent.alert_id is not None}
    if not wanted:
        return [None for _ in parents]
    async with info.context.reader() as reader:
        found = await alert.by_ids(
            reader, info.context.viewer, list(wanted), columns=info.columns("Alert")
        )
    by_id = {row.id: row for row in found}
    return [by_id.get(parent.alert_id) if parent.alert_id else None for parent in parents]


async def _jobs(parents: Sequence[webhook.Event], info: Info) -> Sequence[job.Job | None]:
    wanted = {parent.job_id for parent in parents if parent.job_id is not None}
    if not wanted:
        return [None for _ in parents]
    async with info.context.reader() as reader:
        found = await job.by_ids(
            reader, info.context.viewer, list(wanted), columns=info.columns("Job")
        )
    by_id = {row.id: row for row in found}
    return [by_id.get(parent.job_id) if parent.job_id else None for parent in parents]


@strawberry.type(
    description="Something that has happened, as a webhook tells of it. A webhook's `selection` is written on this "
    "type: what it answers is `data` in the body."
)
@rows(webhook.Event)
class WebhookEvent:
    id: strawberry.ID = column(
        "message_id",
        strawberry.ID,
        graphql_type=strawberry.ID,
        description="The header `webhook-id`: the same in every attempt and replay, whatever the endpoint.",
    )
    type: str = strawberry.field(
        description="As `type` in the body: `feedback.added`, `feedback.updated`, `feedback.scored`, "
        "`feedback.deleted`, `alert.fired`, `alert.resolved`, `job.succeeded`, `job.failed`, or `webhook.test`. "
        "More may be added."
    )
    workspace_id: strawberry.ID = column(
        "workspace_id",
        ids.writer(Kind.WORKSPACE),
        graphql_type=strawberry.ID,
        description="Where it has happened.",
    )
    occurred_at: datetime = strawberry.field(
        description="When it has happened: `timestamp` in the body."
    )
    feedback_id: strawberry.ID | None = column(
        "feedback_id",
        ids.writer(Kind.FEEDBACK),
        graphql_type=strawberry.ID | None,
        description="The feedback that it is about, even if that is gone; null where it is about none.",
    )
    feedback: Feedback | None = batch(
        _feedback,
        reads=("feedback_id",),
        graphql_type=Feedback | None,
        description="The feedback as it is when the event is sent; null when it is gone.",
    )
    alert_id: strawberry.ID | None = column(
        "alert_id",
        ids.writer(Kind.ALERT),
        graphql_type=strawberry.ID | None,
        description="The alert that it is about; null where it is about none.",
    )
    alert: Alert | None = batch(
        _alerts,
        reads=("alert_id",),
        graphql_type=Alert | None,
        description="The alert as it is when the event is sent; null when it is gone.",
    )
    job_id: strawberry.ID | None = column(
        "job_id",
        ids.writer(Kind.JOB),
        graphql_type=strawberry.ID | None,
        description="The job that it is about; null where it is about none.",
    )
    job: Job | None = batch(
        _jobs,
        reads=("job_id",),
        graphql_type=Job | None,
        description="The job as it is when the event is sent; null when it is gone.",
    )
