"""Endpoints and their secrets: made, changed, taken away, and read by those who manage them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, func, insert, literal_column, or_, select, update

from persistence.database import (
    TIMESTAMP,
    Reader,
    Record,
    Statement,
    UnitOfWork,
    enter_workspace,
    given,
    new_id,
    table,
)
from persistence.managed import Managed
from persistence.webhook.row import (
    WEBHOOK,
    EnteredRow,
    Webhook,
    WebhookDelivery,
    WebhookRow,
    WebhookSecret,
    delivery,
    webhook,
)
from persistence.workspace import Member
from persistence.workspace import lock as lock_workspace


class SecretRow(Record):
    id: UUID
    sealed: bytes


class CountRow(Record):
    webhooks: int


_secret = table(WebhookSecret).c
_member = table(Member).c
_CHANGEABLE = (
    "name",
    "url",
    "event_types",
    "source_ids",
    "tag_ids",
    "sentiments",
    "selection",
    "rate_per_second",
)
_ADD = Statement(
    insert(table(Webhook))
    .values(
        given(
            "id",
            "algorithm",
            *_CHANGEABLE,
            workspace_id="workspace",
            created_by="created_by",
            created_at="now",
        )
    )
    .returning(*WEBHOOK),
    WebhookRow,
)
_COUNT = Statement(
    select(func.count().label("webhooks")).where(webhook.workspace_id == bindparam("workspace")),
    CountRow,
)
_CHANGE = Statement(
    update(table(Webhook))
    .where(webhook.id == bindparam("id_"), webhook.workspace_id == bindparam("workspace"))
    .values({name: bindparam(f"{name}_", type_=webhook[name].type) for name in _CHANGEABLE})
    .returning(*WEBHOOK),
    WebhookRow,
)
_REMOVE = Statement(
    delete(table(Webhook)).where(
        webhook.id == bindparam("id"), webhook.workspace_id == bindparam("workspace")
    ),
    Record,
)
_managed = Managed(webhook, WEBHOOK, WebhookRow, webhook.created_at, webhook.id)
_ENTER = Statement(
    select(
        webhook.workspace_id,
        webhook.id.label("webhook_id"),
        _member.role,
        enter_workspace(webhook.workspace_id),
    )
    .join_from(table(Webhook), table(Member), _member.workspace_id == webhook.workspace_id)
    .where(webhook.id == bindparam("id"), _member.user_id == bindparam("viewer")),
    EnteredRow,
)
_ENTER_BY_DELIVERY = Statement(
    select(
        delivery.workspace_id,
        delivery.webhook_id,
        _member.role,
        enter_workspace(delivery.workspace_id),
    )
    .join_from(table(WebhookDelivery), table(Member), _member.workspace_id == delivery.workspace_id)
    .where(delivery.id == bindparam("id"), _member.user_id == bindparam("viewer")),
    EnteredRow,
)
# Row-level security hides a row from FOR UPDATE until its workspace is entered, hence a statement of its own. Weaker
# than FOR UPDATE: deliveries that refer to the endpoint may be written meanwhile.
_LOCK = Statement(
    select(*WEBHOOK)
    .where(webhook.id == bindparam("id"), webhook.workspace_id == bindparam("workspace"))
    .with_for_update(key_share=True),
    WebhookRow,
)
_ADD_SECRET = Statement(
    insert(table(WebhookSecret)).values(
        given("id", "sealed", workspace_id="workspace", webhook_id="webhook", created_at="now")
    ),
    Record,
)
_RETIRE = Statement(
    update(table(WebhookSecret))
    .where(
        _secret.webhook_id == bindparam("webhook"), _secret.workspace_id == bindparam("workspace")
    )
    .values(
        expires_at=func.least(
            func.coalesce(_secret.expires_at, bindparam("at", type_=TIMESTAMP)),
            bindparam("at", type_=TIMESTAMP),
        )
    ),
    Record,
)
_FORGET_EXPIRED = Statement(
    delete(table(WebhookSecret)).where(
        _secret.webhook_id == bindparam("webhook"),
        _secret.workspace_id == bindparam("workspace"),
        _secret.expires_at <= bindparam("now"),
    ),
    Record,
)
_SECRETS = Statement(
    select(_secret.id, _secret.sealed)
    .where(
        _secret.webhook_id == bindparam("webhook"),
        _secret.workspace_id == bindparam("workspace"),
        or_(_secret.expires_at.is_(None), _secret.expires_at > bindparam("now")),
    )
    .order_by(_secret.created_at.desc(), _secret.id.desc())
    .limit(literal_column("10")),
    SecretRow,
)


async def add(
    uow: UnitOfWork,
    *,
    webhook: UUID,
    workspace: UUID,
    algorithm: str,
    created_by: UUID,
    values: Mapping[str, Any],
) -> WebhookRow:
    """Insert an endpoint; `values` are all of what can be changed later."""
    (row,) = await uow.fetch(
        _ADD,
        id=webhook,
        workspace=workspace,
        algorithm=algorithm,
        created_by=created_by,
        now=uow.now,
        **values,
    )
    return row


async def count(uow: UnitOfWork, workspace: UUID) -> int:
    """How many endpoints the workspace has; nobody else counts them until this transaction ends."""
    await lock_workspace(uow, workspace)
    (row,) = await uow.fetch(_COUNT, workspace=workspace)
    return row.webhooks


async def change(uow: UnitOfWork, row: WebhookRow, values: Mapping[str, Any]) -> WebhookRow:
    """Change an endpoint that is locked; what is not in `values` stays."""
    all_ = {f"{name}_": values.get(name, row[name]) for name in _CHANGEABLE}
    (changed,) = await uow.fetch(_CHANGE, id_=row.id, workspace=row.workspace_id, **all_)
    return changed


async def remove(uow: UnitOfWork, workspace: UUID, webhook: UUID) -> None:
    """Take away the endpoint with its log."""
    await uow.execute(_REMOVE, workspace=workspace, id=webhook)


of_workspaces = _managed.of_workspaces
by_ids = _managed.by_ids


async def enter(uow: UnitOfWork, viewer: UUID, webhook: UUID) -> EnteredRow | None:
    """The endpoint's workspace and the viewer's role; then this transaction may write its rows."""
    return await uow.first(_ENTER, viewer=viewer, id=webhook)


async def enter_by_delivery(uow: UnitOfWork, viewer: UUID, delivery: UUID) -> EnteredRow | None:
    """The same of a delivery's endpoint."""
    return await uow.first(_ENTER_BY_DELIVERY, viewer=viewer, id=delivery)


async def lock(uow: UnitOfWork, workspace: UUID, webhook: UUID) -> WebhookRow | None:
    """The endpoint as it is now; a second writer of it waits until this transaction ends.

    Who needs the endpoint's job too asks for that first, as the worker has it: or each would wait for the other.
    """
    return await uow.first(_LOCK, workspace=workspace, id=webhook)


async def add_secret(uow: UnitOfWork, workspace: UUID, webhook: UUID, sealed: bytes) -> None:
    """The secret to sign with from now on."""
    await uow.execute(
        _ADD_SECRET, id=new_id(), workspace=workspace, webhook=webhook, sealed=sealed, now=uow.now
    )


async def retire_secrets(uow: UnitOfWork, workspace: UUID, webhook: UUID, at: datetime) -> None:
    """Let the endpoint's secrets expire then, or earlier where they were to; those that have are forgotten."""
    await uow.execute(_RETIRE, workspace=workspace, webhook=webhook, at=at)
    await uow.execute(_FORGET_EXPIRED, workspace=workspace, webhook=webhook, now=uow.now)


async def secrets(reader: Reader, workspace: UUID, webhook: UUID, now: datetime) -> list[SecretRow]:
    """What to sign with now, the newest first."""
    return await reader.fetch(_SECRETS, workspace=workspace, webhook=webhook, now=now)
