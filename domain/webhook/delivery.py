"""Deliveries: what an endpoint is to get now, what came of it, the log of it, and sending it again."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

import orjson

from domain import audit, mail, roles
from domain import workspace as workspaces
from domain.checks import Checks
from domain.errors import NotFoundError
from domain.events import INSTANCE
from domain.mail import Message
from domain.roles import Action
from domain.seals import Seals
from domain.viewer import Viewer
from domain.webhook import course as courses
from domain.webhook import endpoint
from domain.webhook.course import Outcome
from domain.webhook.endpoint import MANAGERS
from domain.webhook.event import LOG_KEPT, TEST, Delivery, Event, Webhook
from persistence import feedback as feedback_store
from persistence import webhook as store
from persistence.database import Columns, Database, Reader, UnitOfWork, new_id
from persistence.webhook import Course, Planned, Tried

Attempt = store.AttemptRow
Key = store.Key

MOST_REPLAYED = 10_000
_SECOND = timedelta(seconds=1)
_REQUEST_CHARACTERS = 16_384
_MISSED = ("FAILED", "DROPPED")
_ENDED = ("SUCCEEDED", *_MISSED)
_WHY = {
    "GONE": "It answered 410 Gone, which says that it does not want any more.",
    "FAILING": "Nothing has reached it for five days.",
}


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent to an endpoint, and what came back; without a status, `error` says why."""

    delivery: Delivery
    at: datetime
    seconds: float
    headers: Mapping[str, str]
    body: bytes
    status: int | None = None
    response_headers: Mapping[str, str] = field(default_factory=dict)
    response_body: bytes = b""
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """What to send to an endpoint now, all at once, or when there is something again; neither where nothing is left."""

    webhook: Webhook | None = None
    viewer: Viewer | None = None
    secrets: Sequence[str] = ()
    batch: Sequence[Delivery] = ()
    wait: timedelta | None = None


async def turn(
    uow: UnitOfWork,
    workspace: UUID,
    webhook_id: UUID,
    sent: Sequence[Sent],
    *,
    most: int,
    seals: Seals,
    chance: Callable[[], float],
) -> Turn:
    """Record what was sent, and take up to `most` of what is due; the workspace must have been entered.

    What was taken is due until it is recorded: where nobody comes to that it is sent again.
    """
    row = await store.lock(uow, workspace, webhook_id)
    if row is None:
        return Turn()
    going, is_disabled = await _settle(uow, row, sent, chance)
    if is_disabled:
        return Turn()
    second, left = _left(row, uow.now)
    is_paused = going.resume_at is not None and going.resume_at > uow.now
    if courses.is_open(going) and not is_paused:
        most = min(most, 1)
    batch = await store.due(uow, row, most=min(most, left), only=(TEST,) if is_paused else None)
    if not batch:
        return Turn(
            wait=await _until_next(uow, row, going, second + _SECOND if left == 0 else None)
        )
    await store.count_sent(uow, row, second, row.rate_per_second - left + len(batch))
    return Turn(
        row,
        await _reading(uow, workspace),
        await endpoint.signing_secrets(uow, row, seals),
        batch,
    )


async def send_test(uow: UnitOfWork, viewer: Viewer, webhook_id: UUID) -> Delivery:
    """Send the endpoint an event that says that nothing has happened, with the newest feedback; tried once."""
    row = await endpoint.enter_to_send(uow, viewer, webhook_id)
    event = await _example(uow, viewer, row.workspace_id, None)
    payload = {"id": None if event.feedback_id is None else event.feedback_id.hex}
    planned = Planned(row.id, event.id, TEST, orjson.dumps(payload).decode(), uow.now)
    (delivery,) = await store.plan(uow, row.workspace_id, [planned])
    await audit.record(uow, viewer, audit.Action.WEBHOOK_TESTED, row.workspace_id, row.id)
    return await _one(uow, viewer, delivery.id)


async def example(
    uow: UnitOfWork, viewer: Viewer, workspace_id: UUID, feedback_id: UUID | None
) -> Event:
    """An event to try a selection with: of that feedback, or of the workspace's newest."""
    await workspaces.enter(uow, viewer, workspace_id, Action.MANAGE_WEBHOOKS)
    return await _example(uow, viewer, workspace_id, feedback_id)


async def replay(uow: UnitOfWork, viewer: Viewer, delivery_id: UUID) -> Delivery:
    """Send a delivery again now, and if that fails as often as a new one, with the `webhook-id` that it had."""
    entered = await store.enter_by_delivery(uow, viewer.user_id, delivery_id)
    if entered is None:
        raise NotFoundError("There is no such delivery.")
    roles.require(entered.role, Action.MANAGE_WEBHOOKS)
    row = await endpoint.enter_to_send(uow, viewer, entered.webhook_id)
    if not await store.replay(uow, row.workspace_id, delivery_id):
        raise NotFoundError("There is no such delivery.")
    what, told = audit.Action.WEBHOOK_REPLAYED, {"deliveries": 1}
    await audit.record(uow, viewer, what, row.workspace_id, row.id, more=told)
    return await _one(uow, viewer, delivery_id)


async def replay_range(
    uow: UnitOfWork,
    viewer: Viewer,
    webhook_id: UUID,
    *,
    from_: datetime,
    to: datetime,
    only_missed: bool,
) -> int:
    """Send the endpoint again what has ended of the deliveries made in that time; answers how many, at most 10,000."""
    row = await endpoint.enter_to_send(uow, viewer, webhook_id)
    checks = Checks()
    if from_ >= to:
        checks.refuse(["to"], "must be after `from`")
    checks.done()
    replayed = await store.replay_range(
        uow,
        row,
        from_=from_,
        to=to,
        statuses=_MISSED if only_missed else _ENDED,
        most=MOST_REPLAYED,
    )
    what, told = audit.Action.WEBHOOK_REPLAYED, {"deliveries": replayed}
    await audit.record(uow, viewer, what, row.workspace_id, row.id, more=told)
    return replayed


async def pages(
    reader: Reader,
    viewer: Viewer,
    webhook_ids: Sequence[UUID],
    *,
    status: str | None,
    limit: int,
    after: Key | None,
    columns: Columns | None = None,
) -> list[Delivery]:
    """The newest `limit` deliveries older than `after` to each endpoint, in the endpoints' order."""
    return await store.pages(
        reader,
        viewer.user_id,
        MANAGERS,
        webhook_ids,
        status=status,
        limit=limit,
        after=after,
        columns=columns,
    )


async def deliveries(
    reader: Reader, viewer: Viewer, ids: Sequence[UUID], *, columns: Columns | None = None
) -> list[Delivery]:
    return await store.deliveries(reader, viewer.user_id, MANAGERS, ids, columns=columns)


async def attempts(
    reader: Reader, viewer: Viewer, ids: Sequence[UUID], *, columns: Columns | None = None
) -> list[Attempt]:
    """The attempts at each of these deliveries, the first first."""
    return await store.attempts(reader, viewer.user_id, MANAGERS, ids, columns=columns)


async def forget(database: Database, now: datetime) -> None:
    """Take away the log that has run out, one workspace at a time."""
    async with database.reader() as reader:
        workspaces_ = await store.with_webhooks(reader)
    for workspace in workspaces_:
        forgotten = 1
        while forgotten:
            async with database.transaction() as uow:
                await uow.enter(workspace)
                forgotten = await store.forget(uow, workspace, now - LOG_KEPT)


async def _settle(
    uow: UnitOfWork, row: Webhook, sent: Sequence[Sent], chance: Callable[[], float]
) -> tuple[Course, bool]:
    """Record attempts; answers how it goes with the endpoint, and whether it is disabled by now."""
    going = Course(row.failing_since, row.failed_at, tuple(row.failing), row.probes, row.resume_at)
    is_disabled = row.disabled_at is not None
    if not sent:
        return going, is_disabled
    outcomes = [_outcome(each, uow.now) for each in sent]
    tried = [_tried(each, how, uow.now, chance()) for each, how in zip(sent, outcomes, strict=True)]
    if is_disabled:
        tried = [_dropped(each) for each in tried]
    await store.record(uow, row.workspace_id, tried)
    # That a test does not arrive is why there are tests.
    telling = [
        how
        for each, how in zip(sent, outcomes, strict=True)
        if how.is_success or each.delivery.event_type != TEST
    ]
    going = courses.after(going, telling, uow.now, chance())
    await store.keep(uow, row, going)
    reason = None
    if any(how.is_gone for how in outcomes):
        reason = "GONE"
    elif courses.is_given_up(going, uow.now):
        reason = "FAILING"
    if reason and not is_disabled:
        await _disable(uow, row, reason)
    return going, is_disabled or reason is not None


def _outcome(sent: Sent, now: datetime) -> Outcome:
    return Outcome(sent.delivery.id, sent.status, courses.retry_after(sent.response_headers, now))


def _tried(sent: Sent, outcome: Outcome, now: datetime, chance: float) -> Tried:
    delivery = sent.delivery
    wait = None
    if not (outcome.is_success or outcome.is_gone or delivery.event_type == TEST):
        wait = courses.pause(delivery.tries + 1, outcome, chance)
    leaves = "SUCCEEDED" if outcome.is_success else "FAILED" if wait is None else "PENDING"
    return Tried(
        delivery_id=delivery.id,
        number=delivery.attempts + 1,
        at=sent.at,
        duration_ms=round(sent.seconds * 1000),
        request_headers=_json(sent.headers),
        request_body=_text(sent.body)[:_REQUEST_CHARACTERS],
        status=sent.status,
        response_headers=None if sent.status is None else _json(sent.response_headers),
        response_body=None if sent.status is None else _text(sent.response_body),
        error=sent.error,
        leaves=leaves,
        next_attempt_at=None if wait is None else now + wait,
    )


def _dropped(tried: Tried) -> Tried:
    """Of an endpoint that was disabled meanwhile nothing stays pending."""
    if tried.leaves != "PENDING":
        return tried
    return replace(tried, leaves="DROPPED", next_attempt_at=None)


async def _disable(uow: UnitOfWork, row: Webhook, reason: str) -> None:
    """Send nothing more, and tell those who can do something about it."""
    await store.disable(uow, row, reason)
    for person in await store.addresses(uow, row.workspace_id, MANAGERS):
        await mail.send(
            uow,
            Message(
                to=person.email,
                subject=f"Your webhook {_line(row.name)} was disabled",
                text=f"Earful does not send anything to the webhook {_line(row.name)} any more.\n"
                f"{_WHY[reason]}\n\n"
                "When its receiver works again, enable it (updateWebhook with enabled: true) and have sent\n"
                "again what it missed (replayWebhookDeliveries): that is kept for 30 days.\n",
            ),
            workspace=row.workspace_id,
        )


def _left(row: Webhook, now: datetime) -> tuple[datetime, int]:
    """When the second began whose requests count, and how many may follow in it."""
    began = row.second_at
    if began is None or not began <= now < began + _SECOND:
        return now, row.rate_per_second
    return began, max(0, row.rate_per_second - row.sent)


async def _until_next(
    uow: UnitOfWork, row: Webhook, going: Course, free_at: datetime | None
) -> timedelta | None:
    """How long until there is something to send."""
    next_at = await store.next_at(uow, row)
    if next_at is None:
        return None
    return max(next_at, going.resume_at or next_at, free_at or next_at, uow.now) - uow.now


async def _reading(uow: UnitOfWork, workspace: UUID) -> Viewer:
    """As whom a payload is read: the longest-standing owner, since all reads are a member's."""
    owner = await store.owner(uow, workspace)
    if owner is None:
        raise NotFoundError("The workspace has no owner.")
    return Viewer(owner, session_id=INSTANCE, expires_at=uow.now)


async def _example(
    uow: UnitOfWork, viewer: Viewer, workspace: UUID, feedback_id: UUID | None
) -> Event:
    if feedback_id is None:
        rows = await feedback_store.pages(
            uow,
            viewer.user_id,
            [workspace],
            where=feedback_store.ALL,
            order=feedback_store.Order.NEWEST_FIRST,
            limit=1,
            after=None,
            columns=frozenset({"occurred_at"}),
        )
        feedback_id = rows[0].id if rows else None
    else:
        found = await feedback_store.by_ids(uow, viewer.user_id, [feedback_id])
        if feedback_id not in found or found[feedback_id].workspace_id != workspace:
            raise NotFoundError("There is no such feedback in this workspace.")
    return Event(new_id(), TEST, workspace, uow.now, feedback_id)


async def _one(uow: UnitOfWork, viewer: Viewer, delivery_id: UUID) -> Delivery:
    (row,) = await deliveries(uow, viewer, [delivery_id])
    return row


def _json(headers: Mapping[str, str]) -> str:
    # Postgres keeps no NUL.
    return orjson.dumps(
        {name: value.replace("\x00", "") for name, value in headers.items()}
    ).decode()


def _text(body: bytes) -> str:
    return body.decode(errors="replace").replace("\x00", "\ufffd")


def _line(name: str) -> str:
    return " ".join(name.split())
