"""What webhooks tell of: the types of events, which endpoint wants which, and who is to get what has happened."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID, uuid5

import orjson

from domain import job
from domain.events import AlertEvent, FeedbackEvent, JobsUpdated
from domain.job import Kind, Once
from persistence import webhook as store
from persistence.database import Database, UnitOfWork
from persistence.outbox import OutboxRow
from persistence.webhook import Planned
from telemetry import trace

Webhook = store.WebhookRow
Delivery = store.DeliveryRow

DELIVER = Kind(
    "deliver_webhooks",
    timeout=timedelta(minutes=15),
    most_failures=20,
    longest_pause=timedelta(minutes=5),
)
"""One of an endpoint at a time: whatever is due for it."""
TEST = "webhook.test"
LOG_KEPT = timedelta(days=30)
"""So long a delivery can be looked at and replayed."""


class PayloadError(Exception):
    """What the receiver selected cannot be answered; the message is for the people whose endpoint it is."""


class EventType(StrEnum):
    """What endpoints may ask for, named as in the body that they get: kinds of outbox events."""

    FEEDBACK_ADDED = "feedback.added"
    FEEDBACK_UPDATED = "feedback.updated"
    FEEDBACK_SCORED = "feedback.scored"
    FEEDBACK_DELETED = "feedback.deleted"
    ALERT_FIRED = "alert.fired"
    ALERT_RESOLVED = "alert.resolved"
    JOB_SUCCEEDED = "job.succeeded"
    JOB_FAILED = "job.failed"


_TYPES = frozenset(EventType)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that has happened, as an endpoint is told of it, and what it happened to."""

    id: UUID
    type: str
    workspace_id: UUID
    occurred_at: datetime
    feedback_id: UUID | None = None
    alert_id: UUID | None = None
    job_id: UUID | None = None

    @property
    def message_id(self) -> str:
        """The `webhook-id`: the same in every attempt and replay."""
        return f"event_{self.id.hex}"


def event_of(row: Delivery) -> Event:
    """The event that a delivery is of."""
    event = Event(row.event_id, row.event_type, row.workspace_id, row.occurred_at)
    match row.event_type.partition(".")[0]:
        case "alert":
            return replace(event, alert_id=AlertEvent.from_json(row.payload).alert_id)
        case "job":
            (job_id,) = JobsUpdated.from_json(row.payload).job_ids
            return replace(event, job_id=job_id)
        case _:
            feedback = orjson.loads(row.payload)["id"]
            return replace(event, feedback_id=None if feedback is None else UUID(hex=feedback))


def wants(webhook: Webhook, kind: str, payload: str) -> bool:
    """Whether the endpoint asks for this event. What has no score yet passes no filter by sentiment."""
    if kind not in webhook.event_types:
        return False
    if not kind.startswith(FeedbackEvent.kind_prefix):
        return True
    facets = FeedbackEvent.from_json(payload).facets
    return (
        (webhook.source_ids is None or facets.source_id in webhook.source_ids)
        and (webhook.tag_ids is None or not set(webhook.tag_ids).isdisjoint(facets.tag_ids))
        and (webhook.sentiments is None or facets.label in webhook.sentiments)
    )


async def fan_out(database: Database, rows: Sequence[OutboxRow]) -> None:
    """Let every endpoint that asks for these events get them, each once, however often this is done."""
    told = [row for row in rows if row.kind in _TYPES]
    if not told:
        return
    async with database.reader() as reader:
        webhooks = await store.listening(reader, list({row.workspace_id for row in told}))
    for webhook in webhooks:
        events = [row for row in told if row.workspace_id == webhook.workspace_id]
        if planned := _planned(webhook, events):
            # One at a time: who holds several jobs waits for others who do.
            async with database.transaction() as uow:
                await uow.enter(webhook.workspace_id)
                if not await store.hold(uow, webhook.workspace_id):
                    continue
                if webhook.disabled_at is None:
                    await ask(uow, webhook.workspace_id, webhook.id)
                await store.plan(uow, webhook.workspace_id, planned)


async def ask(uow: UnitOfWork, workspace: UUID, webhook: UUID) -> None:
    """Have delivered what is due for this endpoint."""
    arguments = {"webhook": webhook.hex}
    await job.enqueue(
        uow, DELIVER, workspace=workspace, arguments=arguments, once=Once(webhook.hex)
    )


def _planned(webhook: Webhook, events: Sequence[OutboxRow]) -> list[Planned]:
    """What the endpoint is to get; while it is disabled that is written down, to be replayed."""
    return [
        Planned(
            webhook.id,
            _event_id(row),
            row.kind,
            trace.within(row.payload, row.trace),
            row.created_at,
            is_dropped=webhook.disabled_at is not None,
        )
        for row in events
        if wants(webhook, row.kind, row.payload)
        and (webhook.disabled_at is None or row.created_at < webhook.disabled_at + LOG_KEPT)
    ]


def _event_id(row: OutboxRow) -> UUID:
    """The same whenever it is asked for; with the time, since a restored database counts its rows anew."""
    return uuid5(row.workspace_id, f"{row.id} {row.created_at.isoformat()}")
