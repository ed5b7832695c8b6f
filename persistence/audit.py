"""The audit log: who did what in a workspace. Rows are added, and refused to whoever would change them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Index,
    Text,
    Uuid,
    bindparam,
    cast,
    column,
    delete,
    func,
    insert,
    literal_column,
    select,
    text,
    true,
    tuple_,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import Field, SQLModel

from persistence.account import User
from persistence.api_key import ApiKey
from persistence.database import (
    TIMESTAMP,
    Columns,
    Reader,
    Record,
    Statement,
    UnitOfWork,
    given,
    new_id,
    one_of,
    only,
    table,
)
from persistence.workspace import managed

Key = tuple[datetime, UUID]


class AuditEntry(SQLModel, table=True):
    """Who did what to what, and from where. Whoever did it is known by name when they are gone."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index("audit_entry_at_idx", "workspace_id", "at", "id"),
        Index("audit_entry_actor_idx", "workspace_id", "actor_id", "at", "id"),
        Index("audit_entry_action_idx", "workspace_id", "action", "at", "id"),
    )

    id: UUID = Field(primary_key=True)
    workspace_id: UUID = Field(foreign_key="workspace.id", ondelete="CASCADE")
    at: datetime = Field(sa_type=TIMESTAMP)
    action: str = Field(sa_type=Text)
    actor_kind: str = Field(sa_type=Text)
    actor_id: UUID | None = Field(default=None)
    actor_name: str = Field(sa_type=Text)
    session_id: UUID | None = Field(default=None)
    target: str = Field(sa_type=Text)
    summary: str = Field(sa_type=Text)
    before: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    after: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    ip: str | None = Field(default=None, sa_type=Text)
    user_agent: str | None = Field(default=None, sa_type=Text)


class AuditEntryRow(Record):
    id: UUID
    workspace_id: UUID
    at: datetime
    action: str
    actor_kind: str
    actor_id: UUID | None
    actor_name: str
    session_id: UUID | None
    target: str
    summary: str
    before: str | None
    after: str | None
    ip: str | None
    user_agent: str | None


class WorkspaceRow(Record):
    workspace_id: UUID


@dataclass(frozen=True, slots=True)
class Where:
    """Which entries: by whom, of what action, from when on and until before when; None for all."""

    actor: UUID | None = None
    action: str | None = None
    start: datetime | None = None
    end: datetime | None = None

    def values(self) -> dict[str, Any]:
        """What is asked for."""
        return {name: value for name in self.__slots__ if (value := getattr(self, name))}


_entry = table(AuditEntry).c
_user = table(User).c
_key = table(ApiKey).c
_PAGE_KEYS = ("id", "workspace_id")
_COLUMNS: tuple[ColumnElement[Any], ...] = tuple(
    cast(_entry[name], Text).label(name) if name in {"before", "after"} else _entry[name]
    for name in AuditEntryRow.__annotations__
)
_CONDITIONS: dict[str, ColumnElement[bool]] = {
    "actor": _entry.actor_id == bindparam("actor"),
    "action": _entry.action == bindparam("action"),
    "start": _entry.at >= bindparam("start"),
    "end": _entry.at < bindparam("end"),
}
_actor = bindparam("actor_id", type_=Uuid)
_name_of_actor = func.coalesce(
    select(_user.name).where(_user.id == _actor).scalar_subquery(),
    select(_key.name)
    .where(_key.id == _actor, _key.workspace_id == bindparam("workspace"))
    .scalar_subquery(),
    bindparam("otherwise", type_=Text),
)
_ADD = Statement(
    insert(table(AuditEntry)).values(
        given(
            "id",
            "at",
            "action",
            "actor_kind",
            "actor_id",
            "session_id",
            "target",
            "summary",
            "ip",
            "user_agent",
            workspace_id="workspace",
        )
        | {
            "actor_name": _name_of_actor,
            "before": cast(bindparam("before", type_=Text), JSONB),
            "after": cast(bindparam("after", type_=Text), JSONB),
        }
    ),
    Record,
)
_BY_IDS = Statement(
    select(*_COLUMNS).where(one_of(_entry.id, "ids"), managed(_entry.workspace_id)), AuditEntryRow
)
# The newest is looked for from the end of the index; that of each workspace takes one look.
_WITH_OLD: Statement[WorkspaceRow] = Statement(
    text("""
    SELECT workspace.id AS workspace_id FROM workspace WHERE EXISTS (
        SELECT FROM audit_entry
        WHERE audit_entry.workspace_id = workspace.id AND audit_entry.at < :before
    )"""),
    WorkspaceRow,
)
_EXPUNGING: Statement[Record] = Statement(
    text("SELECT set_config('earful.expunging', 'on', true)"), Record
)
_EXPUNGE = Statement(
    delete(table(AuditEntry)).where(
        _entry.workspace_id == bindparam("workspace"), _entry.at < bindparam("before")
    ),
    Record,
)


@lru_cache(maxsize=256)
def _page(
    limit: int, names: tuple[str, ...], *, continued: bool, columns: Columns | None = None
) -> Statement[AuditEntryRow]:
    parent = (
        func.unnest(bindparam("workspaces", type_=ARRAY(Uuid)))
        .table_valued(column("id", Uuid), with_ordinality="position", name="parent")
        .render_derived()
    )
    page = (
        select(*only(columns, _COLUMNS, keys=(*_PAGE_KEYS, "at")))
        .where(
            _entry.workspace_id == parent.c.id,
            managed(_entry.workspace_id),
            *(_CONDITIONS[name] for name in names),
        )
        .order_by(_entry.at.desc(), _entry.id.desc())
        .limit(literal_column(str(limit)))
    )
    if continued:
        behind = tuple_(bindparam("after_time", type_=TIMESTAMP), bindparam("after_id", type_=Uuid))
        page = page.where(tuple_(_entry.at, _entry.id) < behind)
    rows = page.lateral("page")
    return Statement(
        select(*only(columns, rows.c, keys=_PAGE_KEYS))
        .join_from(parent, rows, true())
        .order_by(parent.c.position, rows.c.at.desc(), rows.c.id.desc()),
        AuditEntryRow,
    )


async def add(
    uow: UnitOfWork,
    *,
    workspace: UUID,
    action: str,
    actor_kind: str,
    actor: UUID | None,
    otherwise: str,
    session: UUID | None,
    target: str,
    summary: str,
    before: str | None,
    after: str | None,
    ip: str | None,
    user_agent: str | None,
) -> None:
    """Add an entry of a workspace that was entered, `before` and `after` as JSON.

    The actor is named as they are called now, and `otherwise` where there is none.
    """
    await uow.execute(
        _ADD,
        id=new_id(),
        workspace=workspace,
        at=uow.now,
        action=action,
        actor_kind=actor_kind,
        actor_id=actor,
        otherwise=otherwise,
        session_id=session,
        target=target,
        summary=summary,
        before=before,
        after=after,
        ip=ip,
        user_agent=user_agent,
    )


async def pages(
    reader: Reader,
    viewer: UUID,
    managers: Sequence[str],
    workspaces: Sequence[UUID],
    *,
    where: Where,
    limit: int,
    after: Key | None,
    columns: Columns | None = None,
) -> list[AuditEntryRow]:
    """The newest `limit` entries older than `after` of each workspace where the viewer has one of these roles."""
    values = where.values()
    keyset = {} if after is None else {"after_time": after[0], "after_id": after[1]}
    return await reader.fetch(
        _page(limit, tuple(values), continued=after is not None, columns=columns),
        viewer=viewer,
        managers=managers,
        workspaces=workspaces,
        **values,
        **keyset,
    )


async def by_ids(
    reader: Reader,
    viewer: UUID,
    managers: Sequence[str],
    ids: Sequence[UUID],
    *,
    columns: Columns | None = None,
) -> list[AuditEntryRow]:
    return await reader.fetch(_BY_IDS.of(columns), viewer=viewer, managers=managers, ids=ids)


async def with_old(reader: Reader, before: datetime) -> list[UUID]:
    """The workspaces that have entries from before then."""
    return [row.workspace_id for row in await reader.fetch(_WITH_OLD, before=before)]


async def expunge(uow: UnitOfWork, workspace: UUID, before: datetime) -> None:
    """Take away what the log of the entered workspace has from before then."""
    await uow.execute(_EXPUNGING)
    await uow.execute(_EXPUNGE, workspace=workspace, before=before)
