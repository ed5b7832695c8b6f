"""Delivering webhooks: one job of an endpoint at a time posts whatever is due for it."""

import asyncio
import random
from collections.abc import Sequence
from itertools import repeat
from uuid import UUID

import orjson

from clients.outgoing import BadUrlError, OutgoingError
from domain import ids, signing, webhook
from domain.ids import Kind
from domain.webhook import Delivery, PayloadError, Sent, Turn, event_of
from jobs.attempt import Attempt, PostponedError
from jobs.metrics import Arrived
from jobs.resources import WorkerResources
from jobs.runner import Task
from persistence.database import Database
from persistence.outbox import OutboxRow
from telemetry import lines, trace

AT_ONCE = 8
"""So many requests are under way to an endpoint at the same time."""
# Then others have their turn.
_TURNS = 20
_REQUEST_SECONDS = 15.0
_ACCEPTED = range(200, 300)


async def react(database: Database, rows: Sequence[OutboxRow]) -> None:
    """What has happened is to be delivered to those who asked for it."""
    await webhook.fan_out(database, rows)


async def _deliver(resources: WorkerResources, attempt: Attempt) -> None:
    workspace, endpoint = attempt.workspace_id, UUID(hex=attempt.arguments["webhook"])
    assert workspace is not None  # noqa: S101 - whoever asks for this is in one
    sent: Sequence[Sent] = ()
    for most in (*repeat(AT_ONCE, _TURNS), 0):
        async with attempt.step() as uow:
            turn = await webhook.turn(
                uow,
                workspace,
                endpoint,
                sent,
                most=most,
                seals=resources.seals,
                chance=random.random,
            )
        if not turn.batch:
            break
        sent = await asyncio.gather(*(_send(resources, turn, each) for each in turn.batch))
    if turn.wait is not None:
        raise PostponedError(turn.wait)


async def _send(resources: WorkerResources, turn: Turn, delivery: Delivery) -> Sent:
    """Post one delivery, in the trace of its event, and count what became of it."""
    of = orjson.loads(delivery.payload).get("trace")
    with (
        trace.span("deliver webhook", of=of),
        lines.line("delivery", webhook=_id(turn), event_type=delivery.event_type),
    ):
        sent = await _post(resources, turn, delivery)
        if sent.status is None:
            arrived = Arrived.UNREACHABLE if sent.headers else Arrived.UNSENT
        else:
            arrived = Arrived.ACCEPTED if sent.status in _ACCEPTED else Arrived.REFUSED
            lines.note(status=sent.status)
        lines.note(outcome=arrived.value)
    resources.metrics.webhooks.labels(arrived).inc()
    if sent.headers:
        resources.metrics.webhook_seconds.observe(sent.seconds)
    return sent


def _id(turn: Turn) -> str:
    assert turn.webhook is not None  # noqa: S101 - whoever has a batch has it
    return ids.write(Kind.WEBHOOK, turn.webhook.id)


async def _post(resources: WorkerResources, turn: Turn, delivery: Delivery) -> Sent:
    """Render, sign and post one delivery. What goes wrong with that is in the answer, as the log is to have it."""
    assert turn.webhook is not None  # noqa: S101 - whoever has a batch has these
    assert turn.viewer is not None  # noqa: S101
    at, clock = resources.clock(), asyncio.get_running_loop().time
    event = event_of(delivery)
    try:
        body = await resources.render(turn.webhook.selection, event, turn.viewer)
    except PayloadError as error:
        return Sent(delivery, at, 0, {}, b"", error=str(error))
    timestamp = int(at.timestamp())
    headers = {
        "content-type": "application/json",
        "webhook-id": event.message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signing.signature(
            turn.secrets, webhook_id=event.message_id, timestamp=timestamp, body=body
        ),
    }
    began = clock()
    try:
        answer = await resources.outgoing.post(
            turn.webhook.url, body=body, headers=headers, timeout=_REQUEST_SECONDS
        )
    except (BadUrlError, OutgoingError) as error:
        return Sent(delivery, at, clock() - began, headers, body, error=str(error))
    return Sent(
        delivery,
        at,
        answer.elapsed,
        headers,
        body,
        status=answer.status,
        response_headers=answer.headers,
        response_body=answer.body,
    )


TASKS = (Task(webhook.DELIVER, _deliver),)
