"""The deliveries that a webhook source has already made, so that each is stored once."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import Text, bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlmodel import Field, SQLModel

from persistence.database import TIMESTAMP, Reader, Record, Statement, UnitOfWork, given, table
from persistence.source import SourceRow

NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class Delivery(SQLModel, table=True):
    """A webhook that was stored: the same `webhook-id` from the same source is stored once."""

    __tablename__ = "delivery"

    source_id: UUID = Field(primary_key=True, foreign_key="source.id", ondelete="CASCADE")
    webhook_id: str = Field(primary_key=True, sa_type=Text)
    workspace_id: UUID = Field(foreign_key="workspace.id", ondelete="CASCADE")
    received_at: datetime = Field(sa_type=TIMESTAMP, index=True)


class OwnerRow(Record):
    workspace_id: UUID


_delivery = table(Delivery).c

_recording = upsert(table(Delivery)).values(
    given(source_id="source", webhook_id="webhook", workspace_id="workspace", received_at="now")
)
_RECORD: Statement[Record] = Statement(
    _recording.on_conflict_do_update(
        index_elements=["source_id", "webhook_id"],
        set_={"received_at": _recording.excluded.received_at},
        where=_delivery.received_at < bindparam("forgotten"),
    ),
    Record,
)
_WITH_OLD = Statement(
    select(_delivery.workspace_id).where(_delivery.received_at < bindparam("before")).distinct(),
    OwnerRow,
)
_FORGET = Statement(
    delete(table(Delivery)).where(
        _delivery.workspace_id == bindparam("workspace"),
        _delivery.received_at < bindparam("before"),
    ),
    Record,
)


async def record(
    uow: UnitOfWork, source: SourceRow, webhook: str, *, forgotten: datetime = NEVER
) -> bool:
    """Remember a delivery; False when it was already made, and not before `forgotten`."""
    return bool(
        await uow.execute(
            _RECORD,
            source=source.id,
            webhook=webhook,
            workspace=source.workspace_id,
            now=uow.now,
            forgotten=forgotten,
        )
    )


async def with_old(reader: Reader, before: datetime) -> list[UUID]:
    """The workspaces, of all tenants, that have deliveries received before that time."""
    return [row.workspace_id for row in await reader.fetch(_WITH_OLD, before=before)]


async def forget(uow: UnitOfWork, workspace: UUID, before: datetime) -> int:
    """Forget the workspace's deliveries received before that time; it must have been entered."""
    return await uow.execute(_FORGET, workspace=workspace, before=before)
