"""Which sentiment model an operator has made the one of all processes: one row for all of them, or none."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Text, delete, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlmodel import Field, SQLModel

from persistence.database import TIMESTAMP, Reader, Record, Statement, UnitOfWork, given, table


class ActiveModel(SQLModel, table=True):
    """The model in use: the name of its directory among the models, and what it calls itself."""

    __tablename__ = "active_model"
    __table_args__ = (CheckConstraint("is_only", name="one"),)

    is_only: bool = Field(default=True, primary_key=True)
    directory: str = Field(sa_type=Text)
    name: str = Field(sa_type=Text)
    activated_at: datetime = Field(sa_type=TIMESTAMP)
    activated_by: UUID | None = Field(default=None, foreign_key="user.id", ondelete="SET NULL")


class ActiveModelRow(Record):
    directory: str
    name: str
    activated_at: datetime


_active = table(ActiveModel).c
_ACTIVE = Statement(select(_active.directory, _active.name, _active.activated_at), ActiveModelRow)
_activating = upsert(table(ActiveModel)).values(
    {"is_only": True} | given("directory", "name", activated_at="now", activated_by="viewer")
)
_ACTIVATE: Statement[Record] = Statement(
    _activating.on_conflict_do_update(
        index_elements=["is_only"],
        set_={
            name: _activating.excluded[name]
            for name in ("directory", "name", "activated_at", "activated_by")
        },
    ),
    Record,
)
_RETIRE: Statement[Record] = Statement(delete(table(ActiveModel)), Record)


async def active(reader: Reader) -> ActiveModelRow | None:
    """What was activated; None where the setting says which model it is."""
    return await reader.first(_ACTIVE)


async def activate(uow: UnitOfWork, viewer: UUID, *, directory: str, name: str) -> None:
    """Let all processes take this model."""
    await uow.execute(_ACTIVATE, viewer=viewer, directory=directory, name=name, now=uow.now)


async def retire(uow: UnitOfWork) -> None:
    """Let all processes go back to the model that the setting names."""
    await uow.execute(_RETIRE)
