"""The security log: what happened to people's accounts. Rows are added, and refused to whoever would change them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    Index,
    Text,
    Uuid,
    bindparam,
    delete,
    insert,
    or_,
    select,
    text,
    tuple_,
)
from sqlmodel import Field, SQLModel

from persistence.database import (
    TIMESTAMP,
    Columns,
    Reader,
    Record,
    Statement,
    UnitOfWork,
    given,
    new_id,
    table,
)

Key = tuple[datetime, UUID]


class SecurityEvent(SQLModel, table=True):
    """Something that concerns the safety of an account, and from where it came."""

    __tablename__ = "security_event"
    __table_args__ = (
        Index("security_event_at_idx", "user_id", "at", "id"),
        Index("security_event_old_idx", "at"),
    )

    id: UUID = Field(primary_key=True)
    user_id: UUID = Field(foreign_key="user.id", ondelete="CASCADE")
    at: datetime = Field(sa_type=TIMESTAMP)
    action: str = Field(sa_type=Text)
    session_id: UUID | None = Field(default=None)
    ip: str | None = Field(default=None, sa_type=Text)
    user_agent: str | None = Field(default=None, sa_type=Text)


class SecurityEventRow(Record):
    id: UUID
    at: datetime
    action: str
    session_id: UUID | None
    ip: str | None
    user_agent: str | None


_event = table(SecurityEvent).c
_COLUMNS = tuple(_event[name] for name in SecurityEventRow.__annotations__)
_after_time = bindparam("after_time", type_=TIMESTAMP)
_ADD = Statement(
    insert(table(SecurityEvent)).values(
        given("id", "at", "action", "ip", "user_agent", user_id="user", session_id="session")
    ),
    Record,
)
_PAGE = Statement(
    select(*_COLUMNS)
    .where(
        _event.user_id == bindparam("user"),
        or_(
            _after_time.is_(None),
            tuple_(_event.at, _event.id) < tuple_(_after_time, bindparam("after_id", type_=Uuid)),
        ),
    )
    .order_by(_event.at.desc(), _event.id.desc())
    .limit(bindparam("limit")),
    SecurityEventRow,
    keys=("id", "at"),
)
_EXPUNGING: Statement[Record] = Statement(
    text("SELECT set_config('earful.expunging', 'on', true)"), Record
)
_EXPUNGE = Statement(delete(table(SecurityEvent)).where(_event.at < bindparam("before")), Record)


async def add(
    uow: UnitOfWork,
    *,
    user: UUID,
    action: str,
    session: UUID | None,
    ip: str | None,
    user_agent: str | None,
) -> None:
    await uow.execute(
        _ADD,
        id=new_id(),
        user=user,
        at=uow.now,
        action=action,
        session=session,
        ip=ip,
        user_agent=user_agent,
    )


async def page(
    reader: Reader, user: UUID, *, limit: int, after: Key | None, columns: Columns | None = None
) -> list[SecurityEventRow]:
    """The newest `limit` events of a user's log that are older than `after`."""
    after_time, after_id = after or (None, None)
    return await reader.fetch(
        _PAGE.of(columns), user=user, limit=limit, after_time=after_time, after_id=after_id
    )


async def expunge(uow: UnitOfWork, before: datetime) -> None:
    """Take away what is from before then."""
    await uow.execute(_EXPUNGING)
    await uow.execute(_EXPUNGE, before=before)
