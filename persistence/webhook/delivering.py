"""Deliveries on their way: written for the endpoints that want them, due, attempted, asked for again, forgotten."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Boolean, bindparam, literal_column, select, text

from persistence.database import Reader, Record, Statement, UnitOfWork, new_id, one_of
from persistence.webhook.row import DELIVERY, WEBHOOK, DeliveryRow, WebhookRow, delivery, webhook


@dataclass(frozen=True, slots=True)
class Planned:
    """A delivery to be written: pending, or dropped at once."""

    webhook_id: UUID
    event_id: UUID
    event_type: str
    payload: str  # JSON text
    occurred_at: datetime
    is_dropped: bool = False


@dataclass(frozen=True, slots=True)
class Tried:
    """An attempt that was made, and what it leaves of its delivery: a time to try again, or a status."""

    delivery_id: UUID
    number: int
    at: datetime
    duration_ms: int
    request_headers: str  # JSON text
    request_body: str
    status: int | None
    response_headers: str | None  # JSON text
    response_body: str | None
    error: str | None
    leaves: str
    next_attempt_at: datetime | None


@dataclass(frozen=True, slots=True)
class Course:
    """How it goes with an endpoint: the columns of that, as they are to be."""

    failing_since: datetime | None
    failed_at: datetime | None
    failing: tuple[UUID, ...]
    probes: int
    resume_at: datetime | None


class IdRow(Record):
    id: UUID


class PlannedRow(Record):
    id: UUID
    webhook_id: UUID


class NextRow(Record):
    at: datetime | None


class AddressRow(Record):
    email: str
    name: str


class OwnerRow(Record):
    user_id: UUID


class OfRow(Record):
    workspace_id: UUID


_LISTENING = Statement(
    select(*WEBHOOK).where(one_of(webhook.workspace_id, "workspaces")).order_by(webhook.id),
    WebhookRow,
)
# Where it is there it stays until the transaction ends, and so may rows of it be written.
_HOLD = Statement(
    text("SELECT id FROM workspace WHERE workspace.id = :workspace FOR KEY SHARE"), IdRow
)
_PLAN = Statement(
    text("""
    INSERT INTO webhook_delivery (id, workspace_id, webhook_id, event_id, event_type, payload,
        occurred_at, status, next_attempt_at, created_at, finished_at)
    SELECT id, :workspace, webhook_id, event_id, event_type, payload ::jsonb, occurred_at,
        CASE WHEN dropped THEN 'DROPPED' ELSE 'PENDING' END,
        CASE WHEN NOT dropped THEN :now ::timestamptz END, :now,
        CASE WHEN dropped THEN :now ::timestamptz END
    FROM unnest(:ids ::uuid[], :webhooks ::uuid[], :events ::uuid[], :types ::text[],
        :payloads ::text[], :times ::timestamptz[], :dropped ::bool[])
        AS given(id, webhook_id, event_id, event_type, payload, occurred_at, dropped)
    WHERE EXISTS (SELECT FROM webhook WHERE webhook.id = given.webhook_id
                  AND webhook.workspace_id = :workspace)
    ON CONFLICT (webhook_id, event_id) DO NOTHING
    RETURNING webhook_id, id"""),
    PlannedRow,
)
_DUE = Statement(
    select(*DELIVERY)
    .where(
        delivery.webhook_id == bindparam("webhook"),
        delivery.workspace_id == bindparam("workspace"),
        delivery.status == literal_column("'PENDING'"),
        delivery.next_attempt_at <= bindparam("now"),
        one_of(delivery.event_type, "types") | bindparam("of_any_type", type_=Boolean),
    )
    .order_by(delivery.next_attempt_at, delivery.id)
    .limit(bindparam("most")),
    DeliveryRow,
)
_NEXT = Statement(
    text("""
    SELECT min(next_attempt_at) AS at FROM webhook_delivery AS d
    WHERE d.webhook_id = :webhook AND d.workspace_id = :workspace AND status = 'PENDING'"""),
    NextRow,
)
_TRIED: Statement[Record] = Statement(
    text("""
    WITH given AS (
        SELECT * FROM unnest(:deliveries ::uuid[], :numbers ::int[], :ats ::timestamptz[],
            :durations ::int[], :request_headers ::text[], :request_bodies ::text[],
            :statuses ::int[], :response_headers ::text[], :response_bodies ::text[],
            :errors ::text[], :leaves ::text[], :nexts ::timestamptz[])
            AS given(delivery_id, number, at, duration_ms, request_headers, request_body, status,
                response_headers, response_body, error, leaves, next_attempt_at)
    ), tried AS (
        UPDATE webhook_delivery SET attempts = given.number, tries = tries + 1,
            status = given.leaves, next_attempt_at = given.next_attempt_at,
            finished_at = CASE WHEN given.leaves <> 'PENDING' THEN :now ::timestamptz END
        FROM given
        WHERE webhook_delivery.id = given.delivery_id
            AND webhook_delivery.workspace_id = :workspace
            AND webhook_delivery.attempts < given.number
        RETURNING given.*
    )
    INSERT INTO webhook_attempt (delivery_id, number, workspace_id, at, duration_ms,
        request_headers, request_body, status, response_headers, response_body, error)
    SELECT delivery_id, number, :workspace, at, duration_ms, request_headers ::jsonb, request_body,
        status, response_headers ::jsonb, response_body, error
    FROM tried"""),
    Record,
)
_KEEP: Statement[Record] = Statement(
    text("""
    UPDATE webhook SET failing_since = :failing_since, failed_at = :failed_at, failing = :failing,
        probes = :probes, resume_at = :resume_at
    WHERE id = :webhook AND workspace_id = :workspace"""),
    Record,
)
_COUNT_SENT: Statement[Record] = Statement(
    text("""
    UPDATE webhook SET second_at = :second_at, sent = :sent
    WHERE id = :webhook AND workspace_id = :workspace"""),
    Record,
)
_DISABLE = Statement(
    text("""
    WITH dropped AS (
        UPDATE webhook_delivery SET status = 'DROPPED', next_attempt_at = NULL, finished_at = :now
        WHERE webhook_id = :webhook AND workspace_id = :workspace AND status = 'PENDING'
    )
    UPDATE webhook SET disabled_at = :now, disabled_reason = :reason
    WHERE id = :webhook AND workspace_id = :workspace
    RETURNING id"""),
    IdRow,
)
_ENABLE: Statement[Record] = Statement(
    text("""
    UPDATE webhook SET disabled_at = NULL, disabled_reason = NULL, failing_since = NULL,
        failed_at = NULL, failing = '{}', probes = 0, resume_at = NULL
    WHERE id = :webhook AND workspace_id = :workspace"""),
    Record,
)
_AGAIN = """
    UPDATE webhook_delivery SET status = 'PENDING', tries = 0, next_attempt_at = :now,
        finished_at = NULL"""
_REPLAY = Statement(
    text(f"""{_AGAIN} WHERE id = :id AND workspace_id = :workspace RETURNING id"""), IdRow
)
_REPLAY_RANGE = Statement(
    text(f"""{_AGAIN} WHERE workspace_id = :workspace AND id IN (
        SELECT d.id FROM webhook_delivery AS d
        WHERE d.webhook_id = :webhook AND d.workspace_id = :workspace
            AND created_at >= :from ::timestamptz AND created_at < :to ::timestamptz
            AND status = ANY(:statuses ::text[])
        ORDER BY created_at, d.id LIMIT :most ::int)
    RETURNING id"""),  # noqa: S608 - of constants
    IdRow,
)
# The longest-standing owner, who is always there.
_OWNER = Statement(
    text("""
    SELECT user_id FROM member WHERE member.workspace_id = :workspace AND role = 'OWNER'
    ORDER BY joined_at, id LIMIT 1"""),
    OwnerRow,
)
_ADDRESSES = Statement(
    text("""
    SELECT email, name FROM "user" WHERE id IN (
        SELECT user_id FROM member WHERE member.workspace_id = :workspace AND role = ANY(:roles))
    ORDER BY email"""),
    AddressRow,
)
_WITH_WEBHOOKS = Statement(text("SELECT DISTINCT workspace_id FROM webhook"), OfRow)
_FORGET: Statement[Record] = Statement(
    text("""
    DELETE FROM webhook_delivery WHERE workspace_id = :workspace AND id IN (
        SELECT d.id FROM webhook_delivery AS d
        WHERE d.workspace_id = :workspace AND created_at < :before AND status <> 'PENDING'
        ORDER BY created_at LIMIT 10000)"""),
    Record,
)


async def listening(reader: Reader, workspaces: Sequence[UUID]) -> list[WebhookRow]:
    """All endpoints of these workspaces, whoever asks: for the events that have happened there."""
    return await reader.fetch(_LISTENING, workspaces=workspaces)


async def hold(uow: UnitOfWork, workspace: UUID) -> bool:
    """Keep the workspace from being deleted meanwhile; False where it has been. It must have been entered."""
    return await uow.first(_HOLD, workspace=workspace) is not None


async def plan(uow: UnitOfWork, workspace: UUID, planned: Sequence[Planned]) -> list[PlannedRow]:
    """Write deliveries that are not there yet; answers those."""
    return await uow.fetch(
        _PLAN,
        workspace=workspace,
        now=uow.now,
        ids=[new_id() for _ in planned],
        webhooks=[each.webhook_id for each in planned],
        events=[each.event_id for each in planned],
        types=[each.event_type for each in planned],
        payloads=[each.payload for each in planned],
        times=[each.occurred_at for each in planned],
        dropped=[each.is_dropped for each in planned],
    )


async def due(
    uow: UnitOfWork, row: WebhookRow, *, most: int, only: Sequence[str] | None
) -> list[DeliveryRow]:
    """What the endpoint is to get now, the longest due first, or of that only events of some types."""
    return await uow.fetch(
        _DUE,
        webhook=row.id,
        workspace=row.workspace_id,
        now=uow.now,
        most=most,
        types=only or (),
        of_any_type=only is None,
    )


async def next_at(uow: UnitOfWork, row: WebhookRow) -> datetime | None:
    """When the earliest pending delivery is due; None when there is none."""
    (found,) = await uow.fetch(_NEXT, webhook=row.id, workspace=row.workspace_id)
    return found.at


async def record(uow: UnitOfWork, workspace: UUID, tried: Sequence[Tried]) -> None:
    """Write down attempts, and what they leave of their deliveries; one that is there already changes nothing."""
    await uow.execute(
        _TRIED,
        workspace=workspace,
        now=uow.now,
        deliveries=[each.delivery_id for each in tried],
        numbers=[each.number for each in tried],
        ats=[each.at for each in tried],
        durations=[each.duration_ms for each in tried],
        request_headers=[each.request_headers for each in tried],
        request_bodies=[each.request_body for each in tried],
        statuses=[each.status for each in tried],
        response_headers=[each.response_headers for each in tried],
        response_bodies=[each.response_body for each in tried],
        errors=[each.error for each in tried],
        leaves=[each.leaves for each in tried],
        nexts=[each.next_attempt_at for each in tried],
    )


async def keep(uow: UnitOfWork, row: WebhookRow, course: Course) -> None:
    """Write down how it goes with the endpoint."""
    await uow.execute(
        _KEEP,
        webhook=row.id,
        workspace=row.workspace_id,
        failing_since=course.failing_since,
        failed_at=course.failed_at,
        failing=course.failing,
        probes=course.probes,
        resume_at=course.resume_at,
    )


async def count_sent(uow: UnitOfWork, row: WebhookRow, second_at: datetime, sent: int) -> None:
    """So many requests in the second that began then."""
    await uow.execute(
        _COUNT_SENT, webhook=row.id, workspace=row.workspace_id, second_at=second_at, sent=sent
    )


async def disable(uow: UnitOfWork, row: WebhookRow, reason: str) -> None:
    """Nothing is sent to the endpoint any more; what was pending is dropped."""
    await uow.fetch(
        _DISABLE, webhook=row.id, workspace=row.workspace_id, reason=reason, now=uow.now
    )


async def enable(uow: UnitOfWork, row: WebhookRow) -> None:
    """The endpoint gets what happens from now on, and begins as if it had never failed."""
    await uow.execute(_ENABLE, webhook=row.id, workspace=row.workspace_id)


async def replay(uow: UnitOfWork, workspace: UUID, delivery: UUID) -> bool:
    """Make one delivery due now, whatever has become of it; False when there is none."""
    return await uow.first(_REPLAY, workspace=workspace, id=delivery, now=uow.now) is not None


async def replay_range(
    uow: UnitOfWork,
    row: WebhookRow,
    *,
    from_: datetime,
    to: datetime,
    statuses: Sequence[str],
    most: int,
) -> int:
    """Make the oldest of those due now that were made from then to before then; answers how many."""
    rows = await uow.fetch(
        _REPLAY_RANGE,
        webhook=row.id,
        workspace=row.workspace_id,
        to=to,
        statuses=statuses,
        most=most,
        now=uow.now,
        **{"from": from_},
    )
    return len(rows)


async def owner(reader: Reader, workspace: UUID) -> UUID | None:
    """The longest-standing owner of the workspace."""
    row = await reader.first(_OWNER, workspace=workspace)
    return None if row is None else row.user_id


async def addresses(reader: Reader, workspace: UUID, roles: Sequence[str]) -> list[AddressRow]:
    """Those who have one of these roles in the workspace."""
    return await reader.fetch(_ADDRESSES, workspace=workspace, roles=roles)


async def with_webhooks(reader: Reader) -> list[UUID]:
    """The workspaces, of all tenants, that have endpoints."""
    return [row.workspace_id for row in await reader.fetch(_WITH_WEBHOOKS)]


async def forget(uow: UnitOfWork, workspace: UUID, before: datetime) -> int:
    """Take away up to 10,000 deliveries made before then that are not pending; answers how many."""
    return await uow.execute(_FORGET, workspace=workspace, before=before)
