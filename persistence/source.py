"""Where feedback comes from."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Column,
    Index,
    LargeBinary,
    Select,
    Text,
    any_,
    bindparam,
    delete,
    func,
    insert,
    null,
    select,
    text,
    update,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import Field, SQLModel

from persistence import spelling
from persistence.database import (
    TIMESTAMP,
    Columns,
    Nested,
    Reader,
    Record,
    Statement,
    UnitOfWork,
    array_of,
    enter_workspace,
    given,
    new_id,
    one_of,
    table,
)
from persistence.spelling import Outline
from persistence.workspace import Member, visible


class Source(SQLModel, table=True):
    """A place that sends feedback; webhook sources have a signing secret, sealed with SECRET_KEY."""

    __tablename__ = "source"
    __table_args__ = (
        CheckConstraint("kind IN ('WEBHOOK', 'API', 'FORM', 'IMPORT')", name="kind"),
        CheckConstraint(
            "provider IN ('STANDARD', 'STRIPE', 'GITHUB', 'SLACK', 'TYPEFORM', 'INTERCOM', "
            "'ZENDESK', 'GENERIC')",
            name="provider",
        ),
        Index("source_publishable_key_key", "publishable_key", unique=True),
    )

    id: UUID = Field(primary_key=True)
    workspace_id: UUID = Field(foreign_key="workspace.id", ondelete="CASCADE", index=True)
    name: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    provider: str = Field(sa_type=Text)
    sealed_secret: bytes | None = Field(default=None, sa_type=LargeBinary)
    created_at: datetime = Field(sa_type=TIMESTAMP)
    settings: dict[str, Any] = Field(
        sa_column=Column(JSONB, nullable=False, server_default=text("'{}'::jsonb"))
    )
    publishable_key: str | None = Field(default=None, sa_type=Text)
    deliveries_per_minute: int | None = Field(default=None)
    closed_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    masking: dict[str, Any] | None = Field(default=None, sa_type=JSONB)


class SourceSecret(SQLModel, table=True):
    """A secret that was replaced, and is still good until it expires."""

    __tablename__ = "source_secret"
    __table_args__ = (Index("source_secret_source_id_idx", "source_id"),)

    id: UUID = Field(primary_key=True)
    source_id: UUID = Field(foreign_key="source.id", ondelete="CASCADE")
    workspace_id: UUID = Field(foreign_key="workspace.id", ondelete="CASCADE")
    sealed_secret: bytes = Field(sa_type=LargeBinary)
    expires_at: datetime = Field(sa_type=TIMESTAMP)


class SourceRow(Record):
    id: UUID
    workspace_id: UUID
    name: str
    kind: str
    provider: str
    created_at: datetime
    settings: str  # JSON text
    publishable_key: str | None
    deliveries_per_minute: int | None
    masking: str | None  # JSON text


class SecretRow(SourceRow):
    sealed_secret: bytes | None
    older_secrets: Sequence[bytes]


class EnteredRow(SourceRow):
    role: str


_source = table(Source).c
_secret = table(SourceSecret).c

_COLUMNS = (
    _source.id,
    _source.workspace_id,
    _source.name,
    _source.kind,
    _source.provider,
    _source.created_at,
    sql_cast(_source.settings, Text).label("settings"),
    _source.publishable_key,
    _source.deliveries_per_minute,
    sql_cast(_source.masking, Text).label("masking"),
)
_open = _source.closed_at.is_(None)
_OF_WORKSPACES = Statement(
    select(*_COLUMNS)
    .where(one_of(_source.workspace_id, "workspaces"), visible(_source.workspace_id), _open)
    .order_by(_source.created_at, _source.id),
    SourceRow,
    keys=("id", "workspace_id"),
)
_visible = select(*_COLUMNS).where(visible(_source.workspace_id))
_BY_IDS = Statement(_visible.where(one_of(_source.id, "ids")), SourceRow)
_IN_WORKSPACE = Statement(
    select(*_COLUMNS).where(
        _source.id == bindparam("id"), _source.workspace_id == bindparam("workspace"), _open
    ),
    SourceRow,
)
_DEFAULT_API = Statement(
    select(*_COLUMNS)
    .where(_source.workspace_id == bindparam("workspace"), _source.kind == "API", _open)
    .order_by(_source.created_at, _source.id)
    .limit(1),
    SourceRow,
)
_settings = sql_cast(bindparam("settings", type_=Text), JSONB)
_masking = sql_cast(bindparam("masking", type_=Text), JSONB)
_ADD = Statement(
    insert(table(Source))
    .values(
        given(
            "id",
            "name",
            "kind",
            "provider",
            "sealed_secret",
            "publishable_key",
            "deliveries_per_minute",
            workspace_id="workspace",
            created_at="now",
        )
        | {"settings": _settings, "masking": _masking}
    )
    .returning(*_COLUMNS),
    SourceRow,
)
_older = (
    select(_secret.sealed_secret)
    .where(_secret.source_id == _source.id, _secret.expires_at > bindparam("now"))
    .order_by(_secret.expires_at.desc())
    .scalar_subquery()
)
_SECRETS = Statement(
    select(*_COLUMNS, _source.sealed_secret, func.array(_older).label("older_secrets")).where(
        one_of(_source.id, "ids"), _open
    ),
    SecretRow,
)
_FORM = Statement(
    select(*_COLUMNS).where(
        _source.publishable_key == bindparam("key"), _source.kind == "FORM", _open
    ),
    SourceRow,
)
_ENTER = Statement(
    select(*_COLUMNS, enter_workspace(_source.workspace_id)).where(
        _source.id == bindparam("id"), _open
    ),
    SourceRow,
)
_member = table(Member).c
_ENTER_AS_MEMBER = Statement(
    select(*_COLUMNS, _member.role, enter_workspace(_source.workspace_id))
    .join_from(table(Source), table(Member), _member.workspace_id == _source.workspace_id)
    .where(_source.id == bindparam("id"), _member.principal_id == bindparam("viewer"), _open),
    EnteredRow,
)
# Row-level security hides a row from FOR UPDATE until its workspace is entered, hence a statement of its own.
_LOCK = Statement(
    select(*_COLUMNS, _source.sealed_secret)
    .where(_source.id == bindparam("id"), _source.workspace_id == bindparam("workspace"), _open)
    .with_for_update(),
    SecretRow,
)
_mine = (_source.id == bindparam("source"), _source.workspace_id == bindparam("workspace"))
_CHANGE = Statement(
    update(table(Source))
    .where(*_mine)
    .values(
        name=bindparam("name"),
        settings=_settings,
        deliveries_per_minute=bindparam("deliveries_per_minute"),
        masking=_masking,
    )
    .returning(*_COLUMNS),
    SourceRow,
)
_SET_SECRET = Statement(
    update(table(Source))
    .where(*_mine)
    .values(sealed_secret=bindparam("sealed_secret"))
    .returning(*_COLUMNS),
    SourceRow,
)
_SET_KEY = Statement(
    update(table(Source))
    .where(*_mine)
    .values(publishable_key=bindparam("publishable_key"))
    .returning(*_COLUMNS),
    SourceRow,
)
_RETIRE: Statement[Record] = Statement(
    insert(table(SourceSecret)).values(
        given(
            "id",
            "sealed_secret",
            "expires_at",
            source_id="source",
            workspace_id="workspace",
        )
    ),
    Record,
)
_COUNT_SECRETS = Statement(
    select(func.count().label("count"))
    .select_from(table(SourceSecret))
    .where(
        _secret.source_id == bindparam("source"),
        _secret.workspace_id == bindparam("workspace"),
        _secret.expires_at > bindparam("now"),
    ),
    Record,
)
_FORGET_SECRETS: Statement[Record] = Statement(
    delete(table(SourceSecret)).where(
        _secret.source_id == bindparam("source"),
        _secret.workspace_id == bindparam("workspace"),
        _secret.expires_at <= bindparam("until"),
    ),
    Record,
)
_CLOSE: Statement[Record] = Statement(
    update(table(Source))
    .where(*_mine)
    .values(closed_at=bindparam("now"), sealed_secret=null(), publishable_key=null()),
    Record,
)
_REMOVE: Statement[Record] = Statement(delete(table(Source)).where(*_mine), Record)


async def of_workspaces(
    reader: Reader, viewer: UUID, workspaces: Sequence[UUID], *, columns: Columns | None = None
) -> list[SourceRow]:
    """The sources of all these workspaces, the oldest first."""
    return await reader.fetch(_OF_WORKSPACES.of(columns), viewer=viewer, workspaces=workspaces)


async def by_ids(
    reader: Reader, viewer: UUID, ids: Sequence[UUID], *, columns: Columns | None = None
) -> dict[UUID, SourceRow]:
    rows = await reader.fetch(_BY_IDS.of(columns), viewer=viewer, ids=ids)
    return {row.id: row for row in rows}


_KNOWN = frozenset(column.key for column in _COLUMNS)


def is_writable(outline: Outline) -> bool:
    """Whether sources can be written by it."""
    return spelling.written(outline, _KNOWN) is not None


def nested(ids: Select[Any], columns: Columns) -> Nested[SourceRow]:
    """The sources whose ids another statement selects, as a value of that."""
    return Nested(_among(ids), SourceRow, columns)


def nested_written(ids: Select[Any], outline: Outline) -> ColumnElement[Any]:
    """The same as pairs: the id, as bytes, and the source as JSON."""
    return spelling.nested(_among(ids), outline, func.uuid_send(_source.id))


def _among(ids: Select[Any]) -> Select[Any]:
    return _visible.where(_source.id == any_(array_of(ids)))


async def in_workspace(reader: Reader, workspace: UUID, source: UUID) -> SourceRow | None:
    """The source, if it is one of a workspace that the caller has already entered."""
    return await reader.first(_IN_WORKSPACE, workspace=workspace, id=source)


async def default_api(reader: Reader, workspace: UUID) -> SourceRow | None:
    """The workspace's first API source: where feedback without a source goes."""
    return await reader.first(_DEFAULT_API, workspace=workspace)


async def add(
    uow: UnitOfWork,
    *,
    workspace: UUID,
    name: str,
    kind: str,
    provider: str,
    source: UUID | None = None,
    sealed_secret: bytes | None = None,
    settings: str = "{}",
    publishable_key: str | None = None,
    deliveries_per_minute: int | None = None,
    masking: str | None = None,
) -> SourceRow:
    """A new source; `settings` and `masking` are JSON texts."""
    (row,) = await uow.fetch(
        _ADD,
        id=source or new_id(),
        workspace=workspace,
        name=name,
        kind=kind,
        provider=provider,
        sealed_secret=sealed_secret,
        settings=settings,
        publishable_key=publishable_key,
        deliveries_per_minute=deliveries_per_minute,
        masking=masking,
        now=uow.now,
    )
    return row


async def secrets(reader: Reader, ids: Sequence[UUID], now: datetime) -> list[SecretRow]:
    """Any workspace's sources with their sealed secrets: for checking signatures, before anyone is known."""
    return await reader.fetch(_SECRETS, ids=ids, now=now)


async def form(reader: Reader, key: str) -> SourceRow | None:
    """Any workspace's form by its publishable key, which anybody may have."""
    return await reader.first(_FORM, key=key)


async def enter(uow: UnitOfWork, source: UUID) -> SourceRow | None:
    """The source whose signature was verified; then this transaction may write its workspace's rows."""
    return await uow.first(_ENTER, id=source)


async def enter_as_member(uow: UnitOfWork, viewer: UUID, source: UUID) -> EnteredRow | None:
    """The source and the viewer's role; then this transaction may write its workspace's rows."""
    return await uow.first(_ENTER_AS_MEMBER, viewer=viewer, id=source)


async def lock(uow: UnitOfWork, workspace: UUID, source: UUID) -> SecretRow | None:
    """The source as it is now; a second writer of it waits until this transaction ends."""
    return await uow.first(_LOCK, workspace=workspace, id=source)


async def change(
    uow: UnitOfWork,
    row: SourceRow,
    *,
    name: str,
    settings: str,
    deliveries_per_minute: int | None,
    masking: str | None,
) -> SourceRow:
    (changed,) = await uow.fetch(
        _CHANGE,
        source=row.id,
        workspace=row.workspace_id,
        name=name,
        settings=settings,
        deliveries_per_minute=deliveries_per_minute,
        masking=masking,
    )
    return changed


async def replace_secret(
    uow: UnitOfWork, row: SecretRow, sealed_secret: bytes, *, until: datetime
) -> SourceRow:
    """Another secret; the one before is good until that time, and older ones no longer than that."""
    of = {"source": row.id, "workspace": row.workspace_id}
    await uow.execute(_FORGET_SECRETS, until=uow.now, **of)
    if row.sealed_secret is not None and until > uow.now:
        await uow.execute(
            _RETIRE, id=new_id(), sealed_secret=row.sealed_secret, expires_at=until, **of
        )
    (changed,) = await uow.fetch(_SET_SECRET, sealed_secret=sealed_secret, **of)
    return changed


async def count_older_secrets(uow: UnitOfWork, row: SourceRow) -> int:
    """How many secrets are good beside the newest."""
    (counted,) = await uow.fetch(
        _COUNT_SECRETS, source=row.id, workspace=row.workspace_id, now=uow.now
    )
    count: int = counted["count"]
    return count


async def set_key(uow: UnitOfWork, row: SourceRow, publishable_key: str) -> SourceRow:
    (changed,) = await uow.fetch(
        _SET_KEY, source=row.id, workspace=row.workspace_id, publishable_key=publishable_key
    )
    return changed


async def forget_older_secrets(uow: UnitOfWork, row: SourceRow) -> None:
    """From now on the newest secret alone is good."""
    forever = datetime.max.replace(tzinfo=UTC)
    await uow.execute(_FORGET_SECRETS, source=row.id, workspace=row.workspace_id, until=forever)


async def close(uow: UnitOfWork, row: SourceRow) -> None:
    """Nothing comes in any more, and nobody finds the source but by its feedback."""
    await uow.execute(_CLOSE, source=row.id, workspace=row.workspace_id, now=uow.now)


async def remove(uow: UnitOfWork, workspace: UUID, source: UUID) -> None:
    """Take a source away with all that is of it."""
    await uow.execute(_REMOVE, workspace=workspace, source=source)
