"""A workspace's webhooks in the schema: made, changed, keyed anew, taken away, tried out."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import strawberry

from domain import ids, webhook
from domain.ids import Kind
from graph.access import signed_in
from graph.context import Info
from graph.errors import Conflict, Forbidden, InvalidInput, NotFound
from graph.fields import batch, column, computed, rows
from graph.node import Node, id_field, read_id, read_ids
from graph.scalars import JSON, json_text
from graph.sentiment import SentimentLabel
from graph.webhook.delivery import WebhookDeliveryConnection, deliveries_of

WebhookEventType = strawberry.enum(
    webhook.EventType,
    name="WebhookEventType",
    description="What a webhook tells of. In the body `type` is `feedback.added` for FEEDBACK_ADDED, and so on.",
)
WebhookAlgorithm = strawberry.enum(
    webhook.Algorithm,
    name="WebhookAlgorithm",
    description="How deliveries are signed, by Standard Webhooks: with a shared secret (`v1`), or with a key pair "
    "(`v1a`), of which the receiver has the public half.",
)


@strawberry.enum(
    description="Why nothing is sent. MANUAL: somebody said so. GONE: the receiver answered 410. FAILING: nothing had "
    "reached it for five days."
)
class WebhookDisabledReason(StrEnum):
    MANUAL = "MANUAL"
    GONE = "GONE"
    FAILING = "FAILING"


def _types(values: Sequence[str]) -> list[webhook.EventType]:
    return list(map(webhook.EventType, values))


def _labels(values: Sequence[str]) -> list[SentimentLabel]:
    return list(map(SentimentLabel, values))


def _source_ids(values: Sequence[UUID]) -> list[str]:
    return list(map(ids.writer(Kind.SOURCE), values))


def _tag_ids(values: Sequence[UUID]) -> list[str]:
    return list(map(ids.writer(Kind.TAG), values))


def _paused_until(root: strawberry.Parent[webhook.Webhook]) -> datetime | None:
    return root.resume_at


def _enabled(root: strawberry.Parent[webhook.Webhook]) -> bool:
    return root.disabled_at is None


@strawberry.type(
    description="A receiver of a workspace's events. Seen by those who manage webhooks: ADMINs."
)
@rows(webhook.Webhook)
class Webhook(Node):
    id: strawberry.ID = id_field(Kind.WEBHOOK)
    name: str = strawberry.field(description="Its name, for people.")
    url: str = strawberry.field(description="Where events are posted to.")
    event_types: list[webhook.EventType] = column(
        "event_types",
        _types,
        graphql_type=list[webhook.EventType],
        description="What it is told of.",
    )
    source_ids: list[strawberry.ID] | None = column(
        "source_ids",
        _source_ids,
        graphql_type=list[strawberry.ID] | None,
        description="Only feedback from one of these sources; null for all.",
    )
    tag_ids: list[strawberry.ID] | None = column(
        "tag_ids",
        _tag_ids,
        graphql_type=list[strawberry.ID] | None,
        description="Only feedback that had one of these tags when it happened; null for all.",
    )
    sentiments: list[SentimentLabel] | None = column(
        "sentiments",
        _labels,
        graphql_type=list[SentimentLabel] | None,
        description="Only feedback that was scored as one of these when it happened; null for all. New feedback has "
        "no score yet.",
    )
    selection: str | None = strawberry.field(
        description="What its payloads hold, selected on `WebhookEvent`; null for the default."
    )
    algorithm: webhook.Algorithm = column(
        "algorithm",
        webhook.Algorithm,
        graphql_type=webhook.Algorithm,
        description="How its deliveries are signed.",
    )
    rate_per_second: int = strawberry.field(
        description="So many requests it is sent in a second at most."
    )
    enabled: bool = computed(
        _enabled, reads=("disabled_at",), description="Whether anything is sent."
    )
    disabled_at: datetime | None = strawberry.field(
        description="Since when nothing is sent; null while it is enabled."
    )
    disabled_reason: WebhookDisabledReason | None = strawberry.field(
        description="Why nothing is sent; null while it is enabled."
    )
    failing_since: datetime | None = strawberry.field(
        description="The first failure since the last success. After five days it is disabled, and its ADMINs get mail."
    )
    paused_until: datetime | None = computed(
        _paused_until,
        reads=("resume_at",),
        description="The receiver failed too often, or asked for it by Retry-After: nothing but tests is sent before.",
    )
    created_by_id: strawberry.ID | None = column(
        "created_by",
        ids.writer(Kind.USER),
        graphql_type=strawberry.ID | None,
        description="The id of the user who made it.",
    )
    created_at: datetime = strawberry.field(description="When it was made.")

    deliveries: WebhookDeliveryConnection = batch(
        deliveries_of,
        reads=("id",),
        graphql_type=WebhookDeliveryConnection,
        description="What it was sent in the last 30 days, the newest first, in pages of up to 100.",
    )


_UNSET: Any = strawberry.UNSET
_FIELDS = ("name", "url", "selection", "rate_per_second")


def _values(input: "CreateWebhookInput | UpdateWebhookInput") -> dict[str, Any]:
    """What is given, as the domain calls it."""
    given = {name: getattr(input, name) for name in _FIELDS} | {
        "event_types": _written(input.event_types),
        "sentiments": _written(input.sentiments),
        "source_ids": input.source_ids
        if input.source_ids is _UNSET
        else read_ids(Kind.SOURCE, input.source_ids, "sourceIds"),
        "tag_ids": input.tag_ids
        if input.tag_ids is _UNSET
        else read_ids(Kind.TAG, input.tag_ids, "tagIds"),
    }
    return {name: value for name, value in given.items() if value is not _UNSET}


def _written(members: Any) -> Any:
    """Enum members as they are stored, each once."""
    if members is _UNSET or members is None:
        return members
    return list(dict.fromkeys(member.value for member in members))


_URL = "https://, to a public address, with no user name or password in it. The server's operators may allow others."
_SELECTION = (
    "A GraphQL selection on `WebhookEvent` such as `{ type feedback { id body sentiment { label } } }`: at most 8,000 "
    "characters, 200 fields, no variables. "
)
_RATE = "So many requests in a second at most, from 1 to 200."


@strawberry.input(description="A new webhook.")
class CreateWebhookInput:
    workspace_id: strawberry.ID = strawberry.field(description="Whose events it is told of.")
    name: str = strawberry.field(description="Up to 200 characters.")
    url: str = strawberry.field(description=_URL)
    event_types: list[webhook.EventType] = strawberry.field(
        description="What it is told of: at least one."
    )
    source_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Only feedback from one of these sources."
    )
    tag_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Only feedback with one of these tags."
    )
    sentiments: list[SentimentLabel] | None = strawberry.field(
        default=None,
        description="Only feedback scored as one of these; new feedback has no score yet.",
    )
    selection: str | None = strawberry.field(
        default=None, description=_SELECTION + "Everything of the feedback where it is missing."
    )
    algorithm: webhook.Algorithm = strawberry.field(
        default=webhook.Algorithm.HMAC, description="How its deliveries are signed."
    )
    rate_per_second: int = strawberry.field(default=20, description=_RATE)

    def command(self) -> webhook.CreateWebhook:
        return webhook.CreateWebhook(
            read_id(Kind.WORKSPACE, self.workspace_id, "workspaceId"),
            self.algorithm,
            _values(self),
        )


@strawberry.input(description="What is to be other than it is; what is missing stays.")
class UpdateWebhookInput:
    webhook_id: strawberry.ID = strawberry.field(description="The webhook.")
    name: str | None = strawberry.field(default=_UNSET, description="Up to 200 characters.")
    url: str | None = strawberry.field(default=_UNSET, description=_URL)
    event_types: list[webhook.EventType] | None = strawberry.field(
        default=_UNSET, description="What it is told of: at least one."
    )
    source_ids: list[strawberry.ID] | None = strawberry.field(
        default=_UNSET, description="Only feedback from one of these sources; null for all."
    )
    tag_ids: list[strawberry.ID] | None = strawberry.field(
        default=_UNSET, description="Only feedback with one of these tags; null for all."
    )
    sentiments: list[SentimentLabel] | None = strawberry.field(
        default=_UNSET, description="Only feedback scored as one of these; null for all."
    )
    selection: str | None = strawberry.field(
        default=_UNSET, description=_SELECTION + "Null for everything of the feedback."
    )
    rate_per_second: int | None = strawberry.field(default=_UNSET, description=_RATE)
    enabled: bool | None = strawberry.field(
        default=None,
        description="False: nothing is sent any more, and what is pending is dropped. True: it begins as new; what it "
        "missed can be replayed.",
    )

    def command(self) -> webhook.UpdateWebhook:
        id_ = read_id(Kind.WEBHOOK, self.webhook_id, "webhookId")
        return webhook.UpdateWebhook(id_, _values(self), self.enabled)


@strawberry.input(description="Which webhook to take away.")
class DeleteWebhookInput:
    webhook_id: strawberry.ID = strawberry.field(description="The webhook.")


@strawberry.input(description="Which webhook to sign with another secret for.")
class RotateWebhookSecretInput:
    webhook_id: strawberry.ID = strawberry.field(description="The webhook.")
    overlap_hours: int = strawberry.field(
        default=24,
        description="So long the secret before signs beside the new one, from 0 to 168 hours: until then a receiver "
        "that knows either verifies.",
    )


@strawberry.input(description="A selection to try out.")
class PreviewWebhookPayloadInput:
    workspace_id: strawberry.ID = strawberry.field(description="Whose feedback to show.")
    selection: str | None = strawberry.field(
        default=None, description=_SELECTION + "The default where it is missing."
    )
    feedback_id: strawberry.ID | None = strawberry.field(
        default=None, description="A feedback of the workspace; its newest where it is missing."
    )

    def example(self) -> UUID | None:
        return (
            None
            if self.feedback_id is None
            else read_id(Kind.FEEDBACK, self.feedback_id, "feedbackId")
        )


@strawberry.type(description="The webhook was made.")
class CreateWebhookSuccess:
    webhook: Webhook = strawberry.field(description="The new webhook.")
    secret: str | None = strawberry.field(
        description="`whsec_...`, to verify with; shown this once. Null for ED25519."
    )
    public_key: str | None = strawberry.field(
        description="`whpk_...`, to verify with; shown this once. Null for HMAC."
    )


@strawberry.type(description="The webhook is as it was asked for.")
class UpdateWebhookSuccess:
    webhook: Webhook = strawberry.field(description="The webhook as it is now.")


@strawberry.type(description="The webhook is gone with its log.")
class DeleteWebhookSuccess:
    webhook_id: strawberry.ID = strawberry.field(description="The id that it had.")


@strawberry.type(description="The webhook has a new secret.")
class RotateWebhookSecretSuccess:
    webhook: Webhook = strawberry.field(description="The webhook.")
    secret: str | None = strawberry.field(
        description="`whsec_...`, to verify with; shown this once. Null for ED25519."
    )
    public_key: str | None = strawberry.field(
        description="`whpk_...`, to verify with; shown this once. Null for HMAC."
    )


@strawberry.type(description="The selection was answered.")
class PreviewWebhookPayloadSuccess:
    payload: JSON = strawberry.field(
        description="The body that would be sent: an event `webhook.test` with `data` as selected."
    )


CreateWebhookResult = Annotated[
    CreateWebhookSuccess | InvalidInput | Forbidden | NotFound | Conflict,
    strawberry.union("CreateWebhookResult"),
]
UpdateWebhookResult = Annotated[
    UpdateWebhookSuccess | InvalidInput | Forbidden | NotFound,
    strawberry.union("UpdateWebhookResult"),
]
DeleteWebhookResult = Annotated[
    DeleteWebhookSuccess | InvalidInput | Forbidden | NotFound,
    strawberry.union("DeleteWebhookResult"),
]
RotateWebhookSecretResult = Annotated[
    RotateWebhookSecretSuccess | InvalidInput | Forbidden | NotFound,
    strawberry.union("RotateWebhookSecretResult"),
]
PreviewWebhookPayloadResult = Annotated[
    PreviewWebhookPayloadSuccess | InvalidInput | Forbidden | NotFound,
    strawberry.union("PreviewWebhookPayloadResult"),
]


@strawberry.type
class WebhookMutation:
    @strawberry.mutation(
        extensions=[signed_in],
        description="Make a webhook, which is told of what happens from now on. A workspace has at most 50: Conflict. "
        "Needs the role ADMIN.",
    )
    async def create_webhook(self, info: Info, input: CreateWebhookInput) -> CreateWebhookResult:
        services = info.context.services
        async with info.context.transaction() as uow:
            made = await webhook.create(
                uow,
                info.context.viewer,
                input.command(),
                seals=services.seals,
                rules=services.webhook_rules,
            )
        return CreateWebhookSuccess(
            webhook=made.webhook,  # type: ignore[arg-type]  # rows are webhooks
            secret=made.secret,
            public_key=made.public_key,
        )

    @strawberry.mutation(
        extensions=[signed_in],
        description="Change a webhook; disable or enable it. Needs the role ADMIN.",
    )
    async def update_webhook(self, info: Info, input: UpdateWebhookInput) -> UpdateWebhookResult:
        async with info.context.transaction() as uow:
            row = await webhook.update(
                uow,
                info.context.viewer,
                input.command(),
                rules=info.context.services.webhook_rules,
            )
        return UpdateWebhookSuccess(webhook=row)  # type: ignore[arg-type]  # rows are webhooks

    @strawberry.mutation(
        extensions=[signed_in],
        description="Take a webhook away, with its log. Needs the role ADMIN.",
    )
    async def delete_webhook(self, info: Info, input: DeleteWebhookInput) -> DeleteWebhookResult:
        id_ = read_id(Kind.WEBHOOK, input.webhook_id, "webhookId")
        async with info.context.transaction() as uow:
            gone = await webhook.delete(uow, info.context.viewer, id_)
        return DeleteWebhookSuccess(webhook_id=strawberry.ID(ids.write(Kind.WEBHOOK, gone)))

    @strawberry.mutation(
        extensions=[signed_in],
        description="Sign a webhook's deliveries with a new secret or key, and for a while with the one before too. "
        "Needs the role ADMIN.",
    )
    async def rotate_webhook_secret(
        self, info: Info, input: RotateWebhookSecretInput
    ) -> RotateWebhookSecretResult:
        id_ = read_id(Kind.WEBHOOK, input.webhook_id, "webhookId")
        async with info.context.transaction() as uow:
            made = await webhook.rotate_secret(
                uow,
                info.context.viewer,
                id_,
                overlap_hours=input.overlap_hours,
                seals=info.context.services.seals,
            )
        return RotateWebhookSecretSuccess(
            webhook=made.webhook,  # type: ignore[arg-type]  # rows are webhooks
            secret=made.secret,
            public_key=made.public_key,
        )

    @strawberry.mutation(
        extensions=[signed_in],
        description="Answer a selection as a webhook would; nothing is sent or stored. What is wrong with it is "
        "said with line and column. Needs the role ADMIN.",
    )
    async def preview_webhook_payload(
        self, info: Info, input: PreviewWebhookPayloadInput
    ) -> PreviewWebhookPayloadResult:
        payloads, viewer = info.context.services.payloads, info.context.viewer
        async with info.context.transaction() as uow:
            event = await webhook.example(
                uow,
                viewer,
                read_id(Kind.WORKSPACE, input.workspace_id, "workspaceId"),
                input.example(),
            )
        body = await payloads.preview(input.selection, event, viewer)
        return PreviewWebhookPayloadSuccess(payload=json_text(body.decode()))
