"""The log of webhooks in the schema: deliveries, the attempts at each, and sending again."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Annotated
from uuid import UUID

import strawberry

from domain import ids, webhook
from domain.ids import Kind
from graph.access import signed_in
from graph.context import Info
from graph.errors import Conflict, Forbidden, InvalidInput, NotFound
from graph.fields import batch, column, computed, rows
from graph.node import Node, id_field, read_id
from graph.pagination import (
    Page,
    PageInfo,
    columns_of,
    edges_field,
    nodes_field,
    page_info_field,
    pages_by_time,
)
from graph.scalars import JSON, json_text
from graph.webhook.event import WebhookEvent


@strawberry.enum(
    description="What has become of a delivery. DROPPED: its webhook was disabled; it can be replayed."
)
class WebhookDeliveryStatus(StrEnum):
    PENDING = "PENDING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    DROPPED = "DROPPED"


@strawberry.type(description="One request to a webhook's receiver, and what came back.")
@rows(webhook.Attempt)
class WebhookAttempt:
    number: int = strawberry.field(description="From 1 on.")
    at: datetime = strawberry.field(description="When it was begun.")
    duration_ms: int = strawberry.field(
        description="Milliseconds from the name's resolution to the end of what was read."
    )
    request_headers: JSON = column(
        "request_headers", json_text, graphql_type=JSON, description="Headers by name."
    )
    request_body: str = strawberry.field(
        description="The first 16,384 characters of what was sent; empty where nothing was."
    )
    response_status: int | None = column(
        "status",
        int,
        graphql_type=int | None,
        description="The HTTP status; null where no answer came.",
    )
    response_headers: JSON | None = column(
        "response_headers",
        json_text,
        graphql_type=JSON | None,
        description="Some of its headers by name: content-type, date, location, retry-after, server.",
    )
    response_body: str | None = strawberry.field(
        description="The first 4 KiB of it; bytes that are no UTF-8 are replaced."
    )
    error: str | None = strawberry.field(description="Why no answer came; null where one did.")


def _event(root: strawberry.Parent[webhook.Delivery]) -> webhook.Event:
    return webhook.event_of(root)


async def _attempts(
    parents: Sequence[webhook.Delivery], info: Info
) -> Sequence[Sequence[webhook.Attempt]]:
    found: dict[UUID, list[webhook.Attempt]] = {parent.id: [] for parent in parents}
    async with info.context.reader() as reader:
        made = await webhook.attempts(
            reader, info.context.viewer, list(found), columns=info.columns("WebhookAttempt")
        )
    for row in made:
        found[row.delivery_id].append(row)
    return [found[parent.id] for parent in parents]


@strawberry.type(
    description="An event on its way to a webhook, or that has been. Kept for 30 days."
)
@rows(webhook.Delivery)
class WebhookDelivery(Node):
    id: strawberry.ID = id_field(Kind.WEBHOOK_DELIVERY)
    webhook_id: strawberry.ID = column(
        "webhook_id",
        ids.writer(Kind.WEBHOOK),
        graphql_type=strawberry.ID,
        description="The webhook.",
    )
    event: WebhookEvent = computed(
        _event,
        reads=("event_id", "event_type", "workspace_id", "occurred_at", "payload"),
        graphql_type=WebhookEvent,
        description="What it tells, as it is now.",
    )
    status: WebhookDeliveryStatus = strawberry.field(description="What has become of it.")
    attempt_count: int = column(
        "attempts", int, graphql_type=int, description="How many attempts were made."
    )
    next_attempt_at: datetime | None = strawberry.field(
        description="While it is PENDING: when it is tried at the earliest."
    )
    created_at: datetime = strawberry.field(description="When it was written down.")
    finished_at: datetime | None = strawberry.field(
        description="When it ended; null while it is PENDING."
    )

    attempts: list[WebhookAttempt] = batch(
        _attempts,
        reads=("id",),
        graphql_type=list[WebhookAttempt],
        description="The attempts, the first first: about ten, and as many again for each replay.",
    )


@strawberry.type(description="A delivery in a list.")
class WebhookDeliveryEdge:
    cursor: str = strawberry.field(description="Pass it as `after` to go on behind this one.")
    node: WebhookDelivery = strawberry.field(description="The delivery.")


@strawberry.type(description="Deliveries, the newest first.")
class WebhookDeliveryConnection:
    edges: list[WebhookDeliveryEdge] = edges_field(WebhookDeliveryEdge)
    nodes: list[WebhookDelivery] = nodes_field(WebhookDelivery)
    page_info: PageInfo = page_info_field()


async def deliveries_of(
    parents: Sequence[webhook.Webhook],
    info: Info,
    first: int | None = 20,
    after: str | None = None,
    status: WebhookDeliveryStatus | None = None,
) -> Sequence[Page[webhook.Delivery]]:
    """The newest deliveries to each webhook."""
    read = partial(
        webhook.pages,
        status=None if status is None else status.value,
        columns=columns_of(info, "WebhookDelivery", "created_at"),
    )
    return await pages_by_time(
        parents,
        info,
        read,
        name=f"deliveries {status or ''}",
        of="webhook_id",
        at="created_at",
        first=first,
        after=after,
    )


@strawberry.input(description="Which webhook to try.")
class SendTestWebhookInput:
    webhook_id: strawberry.ID = strawberry.field(description="A webhook that is enabled.")


@strawberry.type(description="The test is on its way.")
class SendTestWebhookSuccess:
    delivery: WebhookDelivery = strawberry.field(
        description="The delivery, PENDING; ask for it again by its id to see what came of it."
    )


@strawberry.input(description="What to send again.")
class ReplayWebhookDeliveryInput:
    delivery_id: strawberry.ID = strawberry.field(
        description="A delivery, whatever has become of it, to a webhook that is enabled."
    )


@strawberry.type(description="It is on its way again.")
class ReplayWebhookDeliverySuccess:
    delivery: WebhookDelivery = strawberry.field(description="The delivery, PENDING.")


@strawberry.input(description="What to send again: deliveries of a time.")
class ReplayWebhookDeliveriesInput:
    webhook_id: strawberry.ID = strawberry.field(description="A webhook that is enabled.")
    from_: datetime = strawberry.field(name="from", description="Made at this moment or later.")
    to: datetime = strawberry.field(description="Made before this moment.")
    only_failed: bool = strawberry.field(
        default=True,
        description="Those that FAILED or were DROPPED; false: those that SUCCEEDED as well.",
    )


@strawberry.type(description="They are on their way again.")
class ReplayWebhookDeliveriesSuccess:
    replayed: int = strawberry.field(
        description="How many: at most 10,000, the oldest; ask again for the rest."
    )


SendTestWebhookResult = Annotated[
    SendTestWebhookSuccess | InvalidInput | Forbidden | NotFound | Conflict,
    strawberry.union("SendTestWebhookResult"),
]
ReplayWebhookDeliveryResult = Annotated[
    ReplayWebhookDeliverySuccess | InvalidInput | Forbidden | NotFound | Conflict,
    strawberry.union("ReplayWebhookDeliveryResult"),
]
ReplayWebhookDeliveriesResult = Annotated[
    ReplayWebhookDeliveriesSuccess | InvalidInput | Forbidden | NotFound | Conflict,
    strawberry.union("ReplayWebhookDeliveriesResult"),
]


@strawberry.type
class WebhookDeliveryMutation:
    @strawberry.mutation(
        extensions=[signed_in],
        description="Send a webhook an event `webhook.test` at once, with the workspace's newest feedback; it is tried "
        "once. Needs the role ADMIN.",
    )
    async def send_test_webhook(
        self, info: Info, input: SendTestWebhookInput
    ) -> SendTestWebhookResult:
        id_ = read_id(Kind.WEBHOOK, input.webhook_id, "webhookId")
        async with info.context.transaction() as uow:
            row = await webhook.send_test(uow, info.context.viewer, id_)
        return SendTestWebhookSuccess(delivery=row)  # type: ignore[arg-type]  # rows are deliveries

    @strawberry.mutation(
        extensions=[signed_in],
        description="Send one delivery again, with the same `webhook-id`. Needs the role ADMIN.",
    )
    async def replay_webhook_delivery(
        self, info: Info, input: ReplayWebhookDeliveryInput
    ) -> ReplayWebhookDeliveryResult:
        id_ = read_id(Kind.WEBHOOK_DELIVERY, input.delivery_id, "deliveryId")
        async with info.context.transaction() as uow:
            row = await webhook.replay(uow, info.context.viewer, id_)
        return ReplayWebhookDeliverySuccess(delivery=row)  # type: ignore[arg-type]  # rows are deliveries

    @strawberry.mutation(
        extensions=[signed_in],
        description="Send a webhook again what was made in a time, as after an outage of its receiver. Needs the role "
        "ADMIN.",
    )
    async def replay_webhook_deliveries(
        self, info: Info, input: ReplayWebhookDeliveriesInput
    ) -> ReplayWebhookDeliveriesResult:
        id_ = read_id(Kind.WEBHOOK, input.webhook_id, "webhookId")
        async with info.context.transaction() as uow:
            replayed = await webhook.replay_range(
                uow,
                info.context.viewer,
                id_,
                from_=input.from_,
                to=input.to,
                only_missed=input.only_failed,
            )
        return ReplayWebhookDeliveriesSuccess(replayed=replayed)
