"""What a webhook tells, in the schema: the type that receivers write their selections on."""

from collections.abc import Sequence
from datetime import datetime

import strawberry

from domain import feedback, ids, webhook
from domain.ids import Kind
from graph.context import Info
from graph.feedback import Feedback
from graph.fields import batch, column, rows


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
        "`feedback.deleted`, or `webhook.test`. More may be added."
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
