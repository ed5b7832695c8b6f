"""The keys that sign access tokens."""

from datetime import datetime

from sqlalchemy import bindparam, delete, insert, or_, select, text, update

from persistence.account.row import SigningKey
from persistence.database import Reader, Record, Statement, UnitOfWork, given, table


class SigningKeyRow(Record):
    kid: str
    sealed_private_key: bytes
    created_at: datetime
    retired_at: datetime | None


_key = table(SigningKey).c

_KEYS = Statement(
    select(_key.kid, _key.sealed_private_key, _key.created_at, _key.retired_at)
    .where(or_(_key.retired_at.is_(None), _key.retired_at > bindparam("since")))
    .order_by(_key.created_at, _key.kid),
    SigningKeyRow,
)
_ADD = Statement(
    insert(table(SigningKey)).values(given("kid", "sealed_private_key", created_at="now")),
    Record,
)
# Reading goes on meanwhile; others who would add or retire keys wait.
_LOCK: Statement[Record] = Statement(
    text("LOCK TABLE signing_key IN SHARE ROW EXCLUSIVE MODE"), Record
)
_RETIRE = Statement(
    update(table(SigningKey)).where(_key.retired_at.is_(None)).values(retired_at=bindparam("at")),
    Record,
)
_DELETE = Statement(delete(table(SigningKey)), Record)
_FORGET = Statement(delete(table(SigningKey)).where(_key.retired_at < bindparam("before")), Record)


async def signing_keys(reader: Reader, since: datetime) -> list[SigningKeyRow]:
    """The keys that had not been retired by then, the oldest first."""
    return await reader.fetch(_KEYS, since=since)


async def lock_signing_keys(uow: UnitOfWork) -> None:
    """Until this transaction ends nobody else adds or retires one."""
    await uow.execute(_LOCK)


async def add_signing_key(uow: UnitOfWork, *, kid: str, sealed_private_key: bytes) -> None:
    await uow.execute(_ADD, kid=kid, sealed_private_key=sealed_private_key, now=uow.now)


async def retire_signing_keys(uow: UnitOfWork, at: datetime) -> None:
    """Those that are to go on without end sign until then."""
    await uow.execute(_RETIRE, at=at)


async def delete_signing_keys(uow: UnitOfWork) -> None:
    await uow.execute(_DELETE)


async def forget_signing_keys(uow: UnitOfWork, before: datetime) -> None:
    """Forget those that were retired before that time."""
    await uow.execute(_FORGET, before=before)
