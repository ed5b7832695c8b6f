"""Managing alert rules: made, changed, taken away, tried out, and listed with what they have raised."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from domain import audit, roles
from domain import workspace as workspaces
from domain.alert import channels, checking, telling
from domain.alert.channels import Channels, Urls, Wanted
from domain.alert.preview import USUAL, Preview, replayed
from domain.alert.rule import Definition, UrlCheck, checked
from domain.checks import Checks
from domain.errors import ConflictError, NotFoundError
from domain.job import Job
from domain.roles import Action
from domain.seals import Seals
from domain.viewer import Viewer
from persistence import tag as tag_store
from persistence.alert import AlertRow, AlertRuleRow, Key, SecretRow, keeping, raising
from persistence.database import Columns, Reader, UnitOfWork, new_id

MOST_RULES = 100
LONGEST_PREVIEW = timedelta(days=92)


@dataclass(frozen=True, slots=True)
class CreateRule:
    workspace_id: UUID
    name: str
    definition: Definition
    channels: Wanted
    enabled: bool


@dataclass(frozen=True, slots=True)
class UpdateRule:
    """What is None stays as it is."""

    rule_id: UUID
    name: str | None = None
    definition: Definition | None = None
    channels: Wanted | None = None
    enabled: bool | None = None


@dataclass(frozen=True, slots=True)
class PreviewRule:
    workspace_id: UUID
    definition: Definition
    start: datetime | None
    end: datetime | None


async def create(
    uow: UnitOfWork, viewer: Viewer, command: CreateRule, seals: Seals, check_url: UrlCheck
) -> AlertRuleRow:
    """A new rule; it is checked from the next minute on."""
    viewer.require_person()
    workspace = command.workspace_id
    await workspaces.enter(uow, viewer, workspace, Action.MANAGE_ALERTS)
    checks = Checks()
    checks.line(command.name, "name", longest=200, required=True)
    definition = checked(command.definition, checks, "rule")
    urls = channels.urls(command.channels, Urls(), check_url, checks, ["channels"])
    checks.done()
    await _require_things(uow, workspace, definition)
    users = await _users(uow, workspace, command.channels)
    if await keeping.number(uow, workspace) >= MOST_RULES:
        raise ConflictError(f"A workspace has at most {MOST_RULES} alert rules.")
    rule = new_id()
    row = await keeping.add(
        uow,
        workspace=workspace,
        rule=rule,
        name=command.name,
        kind=definition.kind,
        definition=definition.to_json(),
        channels=channels.shown(command.channels, urls, users).to_json(),
        sealed_urls=urls.sealed(seals, rule),
        enabled=command.enabled,
        created_by=viewer.user_id,
    )
    await audit.record(uow, viewer, audit.Action.ALERT_RULE_CREATED, workspace, rule, after=row)
    return row


async def update(
    uow: UnitOfWork, viewer: Viewer, command: UpdateRule, seals: Seals, check_url: UrlCheck
) -> AlertRuleRow:
    """Change a rule. What it has raised is resolved when it looks at something else now, or at nothing."""
    row = await _enter(uow, viewer, command.rule_id)
    workspace = row.workspace_id
    checks = Checks()
    if command.name is not None:
        checks.line(command.name, "name", longest=200, required=True)
    definition = Definition.from_json(row.definition)
    if command.definition is not None:
        definition = checked(command.definition, checks, "rule")
    shown, sealed = Channels.from_json(row.channels), row.sealed_urls
    if command.channels is not None:
        kept = Urls.opened(seals, row.id, sealed)
        urls = channels.urls(command.channels, kept, check_url, checks, ["channels"])
        sealed = urls.sealed(seals, row.id)
    checks.done()
    if command.definition is not None:
        await _require_things(uow, workspace, definition)
    if command.channels is not None:
        users = await _users(uow, workspace, command.channels)
        shown = channels.shown(command.channels, urls, users)
    enabled = row.enabled if command.enabled is None else command.enabled
    is_another = not definition.asks_the_same_as(Definition.from_json(row.definition))
    if is_another or not enabled:
        await checking.resolve(uow, workspace, row.id)
    changed = await keeping.change(
        uow,
        workspace=workspace,
        rule=row.id,
        name=row.name if command.name is None else command.name,
        kind=definition.kind,
        definition=definition.to_json(),
        channels=shown.to_json(),
        sealed_urls=sealed,
        enabled=enabled,
        begins_anew=is_another,
    )
    what = audit.Action.ALERT_RULE_UPDATED
    await audit.record(uow, viewer, what, workspace, row.id, before=row, after=changed)
    return changed


async def remove(uow: UnitOfWork, viewer: Viewer, rule_id: UUID) -> UUID:
    """Take a rule away; its alerts stay, the firing one resolved."""
    row = await _enter(uow, viewer, rule_id)
    await checking.resolve(uow, row.workspace_id, row.id)
    await keeping.remove(uow, row.workspace_id, row.id)
    what = audit.Action.ALERT_RULE_DELETED
    await audit.record(uow, viewer, what, row.workspace_id, row.id, before=row)
    return row.id


async def test_channels(uow: UnitOfWork, viewer: Viewer, rule_id: UUID) -> list[Job]:
    """Ask for a test message by each of the rule's channels; ConflictError where there is nobody to tell."""
    row = await _enter(uow, viewer, rule_id)
    jobs = await telling.ask_for_test(uow, row, viewer.user_id)
    if not jobs:
        raise ConflictError("This rule tells nobody: give it a channel first.")
    await audit.record(uow, viewer, audit.Action.ALERT_RULE_TESTED, row.workspace_id, row.id)
    return jobs


async def preview(uow: UnitOfWork, viewer: Viewer, command: PreviewRule) -> Preview:
    """What a rule would have done from `start`, 30 days before `end` where it is None, to `end`, or now."""
    viewer.require_person()
    await workspaces.enter(uow, viewer, command.workspace_id, Action.MANAGE_ALERTS)
    checks = Checks()
    checks.moment(command.start, "from", now=uow.now)
    checks.moment(command.end, "to", now=uow.now)
    definition = checked(command.definition, checks, "rule")
    # Only what is a time since 1970 can be reckoned with: there are no days before the year 1.
    checks.done()
    end = min(command.end or uow.now, uow.now)
    start = command.start or end - USUAL
    if start > end:
        checks.refuse(["from"], "must not be after `to`")
    elif end - start > LONGEST_PREVIEW:
        checks.refuse(["from"], f"must be at most {LONGEST_PREVIEW.days} days before `to`")
    checks.done()
    await _require_things(uow, command.workspace_id, definition)
    return await replayed(uow, command.workspace_id, definition, start, end)


async def of_workspaces(
    reader: Reader, viewer: Viewer, ids: Sequence[UUID], *, columns: Columns | None = None
) -> list[AlertRuleRow]:
    """The rules of all these workspaces, the oldest first."""
    return await keeping.of_workspaces(reader, viewer.id, ids, columns=columns)


async def rules_by_ids(
    reader: Reader, viewer: Viewer, ids: Sequence[UUID], *, columns: Columns | None = None
) -> list[AlertRuleRow]:
    return await keeping.rules_by_ids(reader, viewer.id, ids, columns=columns)


async def by_ids(
    reader: Reader, viewer: Viewer, ids: Sequence[UUID], *, columns: Columns | None = None
) -> list[AlertRow]:
    return await raising.by_ids(reader, viewer.id, ids, columns=columns)


async def pages(
    reader: Reader,
    viewer: Viewer,
    parents: Sequence[UUID],
    *,
    of: Literal["workspace_id", "rule_id"],
    limit: int,
    after: Key | None,
    state: str | None,
    columns: Columns | None = None,
) -> list[AlertRow]:
    """The newest `limit` alerts older than `after` of each workspace, or of each rule."""
    return await raising.pages(
        reader,
        viewer.id,
        of=of,
        parents=parents,
        limit=limit,
        after=after,
        state=state,
        columns=columns,
    )


async def _enter(uow: UnitOfWork, viewer: Viewer, rule_id: UUID) -> SecretRow:
    """The rule, locked, for changing it; NotFoundError to strangers, ForbiddenError by role."""
    viewer.require_person()
    entered = await keeping.enter(uow, viewer.id, rule_id)
    row = None
    if entered is not None:
        workspace, role = entered
        roles.require(role, Action.MANAGE_ALERTS)
        row = await keeping.lock(uow, workspace, rule_id)
    if row is None:
        raise NotFoundError("There is no such alert rule.")
    return row


async def _require_things(uow: UnitOfWork, workspace: UUID, definition: Definition) -> None:
    """NotFoundError unless the sources and tags that the rule names are the workspace's."""
    sources = set(definition.where.source_ids or ())
    if sources and await keeping.sources_in(uow, workspace, list(sources)) != sources:
        raise NotFoundError("There is no such source in this workspace.")
    tags = tuple(dict.fromkeys(definition.where.tag_ids or ()))
    if tags and len(await tag_store.in_workspace(uow, workspace, tags)) < len(tags):
        raise NotFoundError("There is no such tag in this workspace.")


async def _users(uow: UnitOfWork, workspace: UUID, wanted: Wanted) -> list[UUID]:
    members = list(dict.fromkeys(wanted.member_ids))
    if not members:
        return []
    users = await keeping.users_of_members(uow, workspace, members)
    if len(users) < len(members):
        raise NotFoundError("There is no such member in this workspace.")
    return users
