"""Alert rules: kept, changed and taken away; whom a rule tells."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    LargeBinary,
    Text,
    bindparam,
    case,
    delete,
    func,
    insert,
    literal_column,
    null,
    select,
    text,
    update,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import JSONB

from persistence.account import User
from persistence.alert.row import RULE_COLUMNS, AlertRule, AlertRuleRow, SecretRow
from persistence.database import (
    Columns,
    Reader,
    Record,
    Statement,
    UnitOfWork,
    enter_workspace,
    given,
    one_of,
    table,
)
from persistence.source import Source
from persistence.workspace import Member, visible
from persistence.workspace import lock as lock_workspace


class EnteredRow(Record):
    workspace_id: UUID
    role: str


class WatchedRow(Record):
    """A workspace with rules that are enabled; whether some look at windows, and some at single feedback."""

    workspace_id: UUID
    by_windows: bool
    by_matches: bool


class RecipientRow(Record):
    id: UUID
    email: str


class NumberRow(Record):
    number: int


class IdRow(Record):
    id: UUID


_rule = table(AlertRule).c
_member = table(Member).c
_user = table(User).c
_source = table(Source).c
_NO_TEXT = sql_cast(null(), Text)


def _json(parameter: str) -> Any:
    return sql_cast(bindparam(parameter, type_=Text), JSONB)


_OF_WORKSPACES = Statement(
    select(*RULE_COLUMNS)
    .where(one_of(_rule.workspace_id, "workspaces"), visible(_rule.workspace_id))
    .order_by(_rule.created_at, _rule.id),
    AlertRuleRow,
    keys=("id", "workspace_id"),
)
_BY_IDS = Statement(
    select(*RULE_COLUMNS).where(one_of(_rule.id, "ids"), visible(_rule.workspace_id)),
    AlertRuleRow,
)
_ENTER = Statement(
    select(_rule.workspace_id, _member.role, enter_workspace(_rule.workspace_id))
    .join_from(table(AlertRule), table(Member), _member.workspace_id == _rule.workspace_id)
    .where(_rule.id == bindparam("id"), _member.user_id == bindparam("viewer")),
    EnteredRow,
)
_in_workspace = _rule.workspace_id == bindparam("workspace")
_LOCK = Statement(
    select(*RULE_COLUMNS, _rule.sealed_urls)
    .where(_rule.id == bindparam("id"), _in_workspace)
    .with_for_update(key_share=True),
    SecretRow,
)
_SECRET = Statement(
    select(*RULE_COLUMNS, _rule.sealed_urls).where(_rule.id == bindparam("id"), _in_workspace),
    SecretRow,
)
_NUMBER = Statement(select(func.count().label("number")).where(_in_workspace), NumberRow)
_ADD = Statement(
    insert(table(AlertRule))
    .values(
        **given(
            "id",
            "name",
            "kind",
            "enabled",
            "sealed_urls",
            "created_by",
            workspace_id="workspace",
            created_at="now",
            updated_at="now",
        ),
        definition=_json("definition"),
        channels=_json("channels"),
    )
    .returning(*RULE_COLUMNS),
    AlertRuleRow,
)
_begins_anew = bindparam("begins_anew", type_=Boolean)
_CHANGE = Statement(
    update(table(AlertRule))
    .where(_rule.id == bindparam("rule"), _in_workspace)
    .values(
        name=bindparam("name_"),
        kind=bindparam("kind_"),
        definition=_json("definition_"),
        channels=_json("channels_"),
        sealed_urls=bindparam("sealed_urls_", type_=LargeBinary),
        enabled=bindparam("enabled_"),
        updated_at=bindparam("now"),
        last_fired_at=case((_begins_anew, null()), else_=_rule.last_fired_at),
    )
    .returning(*RULE_COLUMNS),
    AlertRuleRow,
)
_FIRED = Statement(
    update(table(AlertRule))
    .where(_rule.id == bindparam("rule"), _in_workspace)
    .values(last_fired_at=bindparam("now")),
    Record,
)
_REMOVE = Statement(
    delete(table(AlertRule)).where(_rule.id == bindparam("id"), _in_workspace), Record
)
# Whoever changes a rule waits for a check of it, and the other way round.
_LOCK_ENABLED = Statement(
    select(*RULE_COLUMNS, _rule.sealed_urls)
    .where(_in_workspace, _rule.enabled)
    .order_by(_rule.id)
    .with_for_update(key_share=True),
    SecretRow,
)
_is_match = _rule.kind == literal_column("'MATCH'")
_watched = (
    select(
        _rule.workspace_id,
        func.bool_or(~_is_match).label("by_windows"),
        func.bool_or(_is_match).label("by_matches"),
    )
    .where(_rule.enabled)
    .group_by(_rule.workspace_id)
)
_WATCHED = Statement(_watched, WatchedRow)
_WATCHED_OF = Statement(_watched.where(one_of(_rule.workspace_id, "workspaces")), WatchedRow)
_RECIPIENTS = Statement(
    select(_user.id, _user.email)
    .join_from(table(Member), table(User), _user.id == _member.user_id)
    .where(
        _member.workspace_id == bindparam("workspace"),
        one_of(_user.id, "users")
        | (
            bindparam("admins", type_=Boolean)
            & _member.role.in_([literal_column("'ADMIN'"), literal_column("'OWNER'")])
        ),
    )
    .order_by(_user.email),
    RecipientRow,
)
_MEMBERS = Statement(
    select(_member.user_id.label("id"), _member.id.label("member_id")).where(
        _member.workspace_id == bindparam("workspace"), one_of(_member.id, "ids")
    ),
    IdRow,
)
_SOURCES = Statement(
    select(_source.id).where(
        one_of(_source.id, "ids"), _source.workspace_id == bindparam("workspace")
    ),
    IdRow,
)
_NAME: Statement[Record] = Statement(
    text("SELECT workspace.name FROM workspace WHERE workspace.id = :workspace"), Record
)


async def of_workspaces(
    reader: Reader, viewer: UUID, workspaces: Sequence[UUID], *, columns: Columns | None = None
) -> list[AlertRuleRow]:
    """The rules of all these workspaces, the oldest first."""
    return await reader.fetch(_OF_WORKSPACES.of(columns), viewer=viewer, workspaces=workspaces)


async def rules_by_ids(
    reader: Reader, viewer: UUID, ids: Sequence[UUID], *, columns: Columns | None = None
) -> list[AlertRuleRow]:
    return await reader.fetch(_BY_IDS.of(columns), viewer=viewer, ids=ids)


async def enter(uow: UnitOfWork, viewer: UUID, rule: UUID) -> tuple[UUID, str] | None:
    """The rule's workspace and the viewer's role; then this transaction may write its rows."""
    row = await uow.first(_ENTER, viewer=viewer, id=rule)
    return None if row is None else (row.workspace_id, row.role)


async def lock(uow: UnitOfWork, workspace: UUID, rule: UUID) -> SecretRow | None:
    """The rule, which nobody else checks or changes until this transaction ends."""
    return await uow.first(_LOCK, workspace=workspace, id=rule)


async def secret(reader: Reader, workspace: UUID, rule: UUID) -> SecretRow | None:
    """The rule with its sealed URLs, for telling somebody."""
    return await reader.first(_SECRET, workspace=workspace, id=rule)


async def number(uow: UnitOfWork, workspace: UUID) -> int:
    """How many rules the workspace has; nobody else adds one until this transaction ends."""
    await lock_workspace(uow, workspace)
    (row,) = await uow.fetch(_NUMBER, workspace=workspace)
    return row.number


async def add(
    uow: UnitOfWork,
    *,
    workspace: UUID,
    rule: UUID,
    name: str,
    kind: str,
    definition: str,
    channels: str,
    sealed_urls: bytes | None,
    enabled: bool,
    created_by: UUID | None,
) -> AlertRuleRow:
    (row,) = await uow.fetch(
        _ADD,
        id=rule,
        workspace=workspace,
        name=name,
        kind=kind,
        definition=definition,
        channels=channels,
        sealed_urls=sealed_urls,
        enabled=enabled,
        created_by=created_by,
        now=uow.now,
    )
    return row


async def change(
    uow: UnitOfWork,
    *,
    workspace: UUID,
    rule: UUID,
    name: str,
    kind: str,
    definition: str,
    channels: str,
    sealed_urls: bytes | None,
    enabled: bool,
    begins_anew: bool,
) -> AlertRuleRow:
    """Set all of it; one that `begins_anew` may fire at once."""
    (row,) = await uow.fetch(
        _CHANGE,
        workspace=workspace,
        rule=rule,
        name_=name,
        kind_=kind,
        definition_=definition,
        channels_=channels,
        sealed_urls_=sealed_urls,
        enabled_=enabled,
        begins_anew=begins_anew,
        now=uow.now,
    )
    return row


async def fired(uow: UnitOfWork, workspace: UUID, rule: UUID) -> None:
    """From now on its cool-down counts."""
    await uow.execute(_FIRED, workspace=workspace, rule=rule, now=uow.now)


async def remove(uow: UnitOfWork, workspace: UUID, rule: UUID) -> None:
    await uow.execute(_REMOVE, workspace=workspace, id=rule)


async def lock_enabled(uow: UnitOfWork, workspace: UUID) -> list[SecretRow]:
    """The rules to check in a workspace that was entered; nobody else checks or changes them meanwhile."""
    return await uow.fetch(_LOCK_ENABLED, workspace=workspace)


async def watched(reader: Reader, workspaces: Sequence[UUID] | None = None) -> list[WatchedRow]:
    """Those of the workspaces, or of all, that have rules to check."""
    if workspaces is None:
        return await reader.fetch(_WATCHED)
    return await reader.fetch(_WATCHED_OF, workspaces=workspaces)


async def recipients(
    reader: Reader, workspace: UUID, *, users: Sequence[UUID], admins: bool
) -> list[RecipientRow]:
    """Those of the users who belong to the workspace, and with `admins` everybody who manages it, by address."""
    return await reader.fetch(_RECIPIENTS, workspace=workspace, users=users, admins=admins)


async def users_of_members(reader: Reader, workspace: UUID, members: Sequence[UUID]) -> list[UUID]:
    """Who they are, of those memberships that are of this workspace."""
    return [row.id for row in await reader.fetch(_MEMBERS, workspace=workspace, ids=members)]


async def sources_in(reader: Reader, workspace: UUID, ids: Sequence[UUID]) -> set[UUID]:
    """Those of the sources that are the workspace's."""
    return {row.id for row in await reader.fetch(_SOURCES, workspace=workspace, ids=ids)}


async def workspace_name(reader: Reader, workspace: UUID) -> str:
    (row,) = await reader.fetch(_NAME, workspace=workspace)
    return str(row["name"])
