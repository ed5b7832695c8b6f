"""Where feedback comes from, and the deliveries that a webhook source has already made."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    LargeBinary,
    Select,
    Text,
    any_,
    bindparam,
    delete,
    insert,
    select,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlmodel import Field, SQLModel

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
from persistence.workspace import visible


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
    )

    id: UUID = Field(primary_key=True)
    workspace_id: UUID = Field(foreign_key="workspace.id", ondelete="CASCADE", index=True)
    name: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    provider: str = Field(sa_type=Text)
    sealed_secret: bytes | None = Field(default=None, sa_type=LargeBinary)
    created_at: datetime = Field(sa_type=TIMESTAMP)


class Delivery(SQLModel, table=True):
    """A webhook that was stored: the same `webhook-id` from the same source is stored once."""

    __tablename__ = "delivery"

    source_id: UUID = Field(primary_key=True, foreign_key="source.id", ondelete="CASCADE")
    webhook_id: str = Field(primary_key=True, sa_type=Text)
    workspace_id: UUID = Field(foreign_key="workspace.id", ondelete="CASCADE")
    received_at: datetime = Field(sa_type=TIMESTAMP, index=True)


class SourceRow(Record):
    id: UUID
    workspace_id: UUID
    name: str
    kind: str
    provider: str
    created_at: datetime


class OwnerRow(Record):
    workspace_id: UUID


class SecretRow(SourceRow):
    sealed_secret: bytes | None


_source = table(Source).c
_delivery = table(Delivery).c

_COLUMNS = (
    _source.id,
    _source.workspace_id,
    _source.name,
    _source.kind,
    _source.provider,
    _source.created_at,
)
_OF_WORKSPACES = Statement(
    select(*_COLUMNS)
    .where(one_of(_source.workspace_id, "workspaces"), visible(_source.workspace_id))
    .order_by(_source.created_at, _source.id),
    SourceRow,
    keys=("id", "workspace_id"),
)
_visible = select(*_COLUMNS).where(visible(_source.workspace_id))
_BY_IDS = Statement(_visible.where(one_of(_source.id, "ids")), SourceRow)
_IN_WORKSPACE = Statement(
    select(*_COLUMNS).where(
        _source.id == bindparam("id"), _source.workspace_id == bindparam("workspace")
    ),
    SourceRow,
)
_DEFAULT_API = Statement(
    select(*_COLUMNS)
    .where(_source.workspace_id == bindparam("workspace"), _source.kind == "API")
    .order_by(_source.created_at, _source.id)
    .limit(1),
    SourceRow,
)
_ADD = Statement(
    insert(table(Source))
    .values(
        given(
            "id",
            "name",
            "kind",
            "provider",
            "sealed_secret",
            workspace_id="workspace",
            created_at="now",
        )
    )
    .returning(*_COLUMNS),
    SourceRow,
)
_SECRET = Statement(
    select(*_COLUMNS, _source.sealed_secret).where(_source.id == bindparam("id")), SecretRow
)
_ENTER = Statement(
    select(*_COLUMNS, enter_workspace(_source.workspace_id)).where(_source.id == bindparam("id")),
    SourceRow,
)
_RECORD_DELIVERY = Statement(
    upsert(table(Delivery))
    .values(
        given(source_id="source", webhook_id="webhook", workspace_id="workspace", received_at="now")
    )
    .on_conflict_do_nothing(),
    Record,
)
_WITH_OLD_DELIVERIES = Statement(
    select(_delivery.workspace_id).where(_delivery.received_at < bindparam("before")).distinct(),
    OwnerRow,
)
_FORGET_DELIVERIES = Statement(
    delete(table(Delivery)).where(
        _delivery.workspace_id == bindparam("workspace"),
        _delivery.received_at < bindparam("before"),
    ),
    Record,
)


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


def nested(ids: Select[Any], columns: Columns) -> Nested[SourceRow]:
    """The sources whose ids another statement selects, as a value of that."""
    return Nested(_visible.where(_source.id == any_(array_of(ids))), SourceRow, columns)


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
) -> SourceRow:
    (row,) = await uow.fetch(
        _ADD,
        id=source or new_id(),
        workspace=workspace,
        name=name,
        kind=kind,
        provider=provider,
        sealed_secret=sealed_secret,
        now=uow.now,
    )
    return row


async def secret(reader: Reader, source: UUID) -> SecretRow | None:
    """Any workspace's source with its sealed secret: for checking a signature, before anyone is known."""
    return await reader.first(_SECRET, id=source)


async def enter(uow: UnitOfWork, source: UUID) -> SourceRow | None:
    """The source whose signature was verified; then this transaction may write its workspace's rows."""
    return await uow.first(_ENTER, id=source)


async def record_delivery(uow: UnitOfWork, source: SourceRow, webhook: str) -> bool:
    """Remember a delivery; False when it was already made."""
    return bool(
        await uow.execute(
            _RECORD_DELIVERY,
            source=source.id,
            webhook=webhook,
            workspace=source.workspace_id,
            now=uow.now,
        )
    )


async def with_old_deliveries(reader: Reader, before: datetime) -> list[UUID]:
    """The workspaces, of all tenants, that have deliveries received before that time."""
    return [row.workspace_id for row in await reader.fetch(_WITH_OLD_DELIVERIES, before=before)]


async def forget_deliveries(uow: UnitOfWork, workspace: UUID, before: datetime) -> int:
    """Forget the workspace's deliveries received before that time; it must have been entered."""
    return await uow.execute(_FORGET_DELIVERIES, workspace=workspace, before=before)
