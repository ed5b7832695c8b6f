"""Endpoints: made, changed, taken away, their secrets replaced, by those who manage a workspace's webhooks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from domain import audit, roles, signing
from domain import workspace as workspaces
from domain.checks import Checks
from domain.errors import ConflictError, NotFoundError
from domain.roles import Action
from domain.seals import Seals
from domain.viewer import Viewer
from domain.webhook.event import Webhook, ask
from persistence import source as source_store
from persistence import tag as tag_store
from persistence import webhook as store
from persistence.database import Columns, Reader, UnitOfWork, new_id

MOST_WEBHOOKS = 50
FASTEST = 200
LONGEST_OVERLAP = 168
_REQUIRED = {
    "name": "name",
    "url": "url",
    "event_types": "eventTypes",
    "rate_per_second": "ratePerSecond",
}
MANAGERS = roles.holders(Action.MANAGE_WEBHOOKS)


class Algorithm(StrEnum):
    """How deliveries are signed: with a secret that both know, or with a key that only Earful has."""

    HMAC = "HMAC"
    ED25519 = "ED25519"


@dataclass(frozen=True, slots=True)
class Rules:
    """What is wrong with an URL, or with a selection, by what knows about these; None for nothing."""

    problem_with_url: Callable[[str], str | None]
    problem_with_selection: Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class CreateWebhook:
    """`values` are name, url, event_types, source_ids, tag_ids, sentiments, selection and rate_per_second."""

    workspace_id: UUID
    algorithm: Algorithm
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class UpdateWebhook:
    """What is to be other than it is: some of `values`, and whether it is enabled where that is not None."""

    webhook_id: UUID
    values: Mapping[str, Any]
    enabled: bool | None = None


@dataclass(frozen=True, slots=True)
class Keyed:
    """An endpoint with what its receiver verifies with, shown this once: a secret or a public key."""

    webhook: Webhook
    secret: str | None
    public_key: str | None


async def create(
    uow: UnitOfWork, viewer: Viewer, command: CreateWebhook, *, seals: Seals, rules: Rules
) -> Keyed:
    """A new endpoint, which gets what happens from now on."""
    workspace = command.workspace_id
    await workspaces.enter(uow, viewer, workspace, Action.MANAGE_WEBHOOKS)
    _check(command.values, rules)
    await _find_filtered(uow, viewer, workspace, command.values)
    if await store.count(uow, workspace) >= MOST_WEBHOOKS:
        raise ConflictError(f"A workspace has at most {MOST_WEBHOOKS} webhooks.")
    row = await store.add(
        uow,
        webhook=new_id(),
        workspace=workspace,
        algorithm=command.algorithm.value,
        created_by=viewer.user_id,
        values=command.values,
    )
    await audit.record(uow, viewer, audit.Action.WEBHOOK_CREATED, workspace, row.id, after=row)
    return await _with_new_key(uow, row, seals)


async def update(
    uow: UnitOfWork, viewer: Viewer, command: UpdateWebhook, *, rules: Rules
) -> Webhook:
    """Change an endpoint; when it is disabled what was pending is dropped, when enabled it begins as new."""
    row = await enter(uow, viewer, command.webhook_id)
    _check(command.values, rules)
    await _find_filtered(uow, viewer, row.workspace_id, command.values)
    if command.enabled is True and row.disabled_at is not None:
        await store.enable(uow, row)
    if command.enabled is False and row.disabled_at is None:
        await store.disable(uow, row, "MANUAL")
    changed = await store.change(uow, row, command.values)
    what = audit.Action.WEBHOOK_UPDATED
    await audit.record(uow, viewer, what, row.workspace_id, row.id, before=row, after=changed)
    return changed


async def delete(uow: UnitOfWork, viewer: Viewer, webhook_id: UUID) -> UUID:
    """Take an endpoint away with its log; what is pending is not sent any more."""
    row = await enter(uow, viewer, webhook_id)
    await store.remove(uow, row.workspace_id, row.id)
    what = audit.Action.WEBHOOK_DELETED
    await audit.record(uow, viewer, what, row.workspace_id, row.id, before=row)
    return row.id


async def rotate_secret(
    uow: UnitOfWork, viewer: Viewer, webhook_id: UUID, *, overlap_hours: int, seals: Seals
) -> Keyed:
    """A new secret; the one before signs beside it for so many hours."""
    row = await enter(uow, viewer, webhook_id)
    checks = Checks()
    checks.number(overlap_hours, "overlapHours", least=0, most=LONGEST_OVERLAP)
    checks.done()
    until = uow.now + timedelta(hours=overlap_hours)
    await store.retire_secrets(uow, row.workspace_id, row.id, until)
    what = audit.Action.WEBHOOK_SECRET_ROTATED
    await audit.record(uow, viewer, what, row.workspace_id, row.id)
    return await _with_new_key(uow, row, seals)


async def enter(uow: UnitOfWork, viewer: Viewer, webhook_id: UUID) -> Webhook:
    """The endpoint, for changing something of it; NotFoundError to strangers, ForbiddenError by role."""
    workspace = await _enter(uow, viewer, webhook_id)
    return await _lock(uow, workspace, webhook_id)


async def enter_to_send(uow: UnitOfWork, viewer: Viewer, webhook_id: UUID) -> Webhook:
    """The same, with its deliveries asked for; ConflictError where it is disabled."""
    workspace = await _enter(uow, viewer, webhook_id)
    await ask(uow, workspace, webhook_id)
    row = await _lock(uow, workspace, webhook_id)
    if row.disabled_at is not None:
        raise ConflictError("This webhook is disabled: enable it first.")
    return row


async def of_workspaces(
    reader: Reader, viewer: Viewer, ids: Sequence[UUID], *, columns: Columns | None = None
) -> list[Webhook]:
    """The endpoints of those of the workspaces whose webhooks the viewer manages, the oldest first."""
    return await store.of_workspaces(reader, viewer.user_id, MANAGERS, ids, columns=columns)


async def by_ids(
    reader: Reader, viewer: Viewer, ids: Sequence[UUID], *, columns: Columns | None = None
) -> list[Webhook]:
    return await store.by_ids(reader, viewer.user_id, MANAGERS, ids, columns=columns)


async def signing_secrets(uow: UnitOfWork, row: Webhook, seals: Seals) -> list[str]:
    """What to sign with now: the newest, and before it those that still overlap."""
    found = await store.secrets(uow, row.workspace_id, row.id, uow.now)
    return [seals.open(each.sealed, _purpose(row.id)).decode() for each in found]


async def _enter(uow: UnitOfWork, viewer: Viewer, webhook_id: UUID) -> UUID:
    entered = await store.enter(uow, viewer.user_id, webhook_id)
    if entered is None:
        raise NotFoundError("There is no such webhook.")
    roles.require(entered.role, Action.MANAGE_WEBHOOKS)
    return entered.workspace_id


async def _lock(uow: UnitOfWork, workspace: UUID, webhook_id: UUID) -> Webhook:
    row = await store.lock(uow, workspace, webhook_id)
    if row is None:
        raise NotFoundError("There is no such webhook.")
    return row


def _purpose(webhook: UUID) -> str:
    """Sealed to its endpoint: moved to another row it cannot be opened."""
    return f"webhook secret of {webhook.hex}"


async def _with_new_key(uow: UnitOfWork, row: Webhook, seals: Seals) -> Keyed:
    if row.algorithm == Algorithm.HMAC:
        secret = signing.new_secret()
        keyed = Keyed(row, secret, None)
    else:
        pair = signing.new_keypair()
        secret = pair.secret
        keyed = Keyed(row, None, pair.public)
    sealed = seals.seal(secret.encode(), _purpose(row.id))
    await store.add_secret(uow, row.workspace_id, row.id, sealed)
    return keyed


def _check(values: Mapping[str, Any], rules: Rules) -> None:
    """InvalidInputError for what is given and is not right."""
    checks = Checks()
    for name, path in _REQUIRED.items():
        if name in values and values[name] in (None, []):
            checks.refuse([path], "is required")
    checks.text(values.get("name"), "name", longest=200)
    if values.get("name") is not None and not values["name"].strip():
        checks.refuse(["name"], "must not be blank")
    checks.number(values.get("rate_per_second"), "ratePerSecond", least=1, most=FASTEST)
    for name, problem_with in (
        ("url", rules.problem_with_url),
        ("selection", rules.problem_with_selection),
    ):
        if values.get(name) is not None and (problem := problem_with(values[name])):
            checks.refuse([name], problem)
    checks.done()


async def _find_filtered(
    uow: UnitOfWork, viewer: Viewer, workspace: UUID, values: Mapping[str, Any]
) -> None:
    """NotFoundError unless the sources and tags to filter by are the workspace's."""
    sources, tags = values.get("source_ids"), values.get("tag_ids")
    if sources:
        known = await source_store.of_workspaces(uow, viewer.user_id, [workspace])
        if not {row.id for row in known}.issuperset(sources):
            raise NotFoundError("There is no such source in this workspace.")
    if tags and len(await tag_store.in_workspace(uow, workspace, tags)) < len(set(tags)):
        raise NotFoundError("There is no such tag in this workspace.")
