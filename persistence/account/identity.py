"""Identities: whom providers know, and who that is here."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Text, bindparam, delete, insert, select, update

from persistence.account.row import Identity, IdentityRow
from persistence.database import (
    Columns,
    Reader,
    Record,
    Statement,
    UnitOfWork,
    given,
    new_id,
    one_of,
    table,
)

_identity = table(Identity).c
_COLUMNS = (
    _identity.id,
    _identity.user_id,
    _identity.issuer,
    _identity.email,
    _identity.created_at,
    _identity.last_used_at,
)
_is_users = _identity.user_id == bindparam("user")

_FIND = Statement(
    select(*_COLUMNS).where(
        _identity.issuer == bindparam("issuer"), _identity.subject == bindparam("subject")
    ),
    IdentityRow,
)
_OF_USER = Statement(
    select(*_COLUMNS).where(_is_users).order_by(_identity.created_at, _identity.id), IdentityRow
)
_BY_IDS = Statement(select(*_COLUMNS).where(one_of(_identity.id, "ids"), _is_users), IdentityRow)
_ADD = Statement(
    insert(table(Identity)).values(
        given(
            "id", "issuer", "subject", "email", user_id="user", created_at="now", last_used_at="now"
        )
    ),
    Record,
)
_USE = Statement(
    update(table(Identity))
    .where(_identity.id == bindparam("id_"), _is_users)
    .values(last_used_at=bindparam("now"), email=bindparam("email_", type_=Text))
    .returning(_identity.id),
    IdentityRow,
)
_DELETE = Statement(
    delete(table(Identity)).where(_identity.id == bindparam("id"), _is_users), Record
)


async def find_identity(reader: Reader, issuer: str, subject: str) -> IdentityRow | None:
    return await reader.first(_FIND, issuer=issuer, subject=subject)


async def identities(
    reader: Reader, user: UUID, *, columns: Columns | None = None
) -> list[IdentityRow]:
    """The user's identities, the oldest first."""
    return await reader.fetch(_OF_USER.of(columns), user=user)


async def identities_by_ids(
    reader: Reader, user: UUID, ids: Sequence[UUID], *, columns: Columns | None = None
) -> list[IdentityRow]:
    """Those of the identities that are the user's own."""
    return await reader.fetch(_BY_IDS.of(columns), user=user, ids=ids)


async def add_identity(
    uow: UnitOfWork, *, user: UUID, issuer: str, subject: str, email: str | None
) -> UUID:
    """Insert an identity; UniqueViolationError when it is known by now."""
    id_ = new_id()
    await uow.execute(
        _ADD, id=id_, user=user, issuer=issuer, subject=subject, email=email, now=uow.now
    )
    return id_


async def use_identity(uow: UnitOfWork, user: UUID, identity: UUID, email: str | None) -> bool:
    """Note that it was used; False when it is not the user's any more."""
    return bool(await uow.fetch(_USE, user=user, id_=identity, email_=email, now=uow.now))


async def delete_identity(uow: UnitOfWork, user: UUID, identity: UUID) -> None:
    await uow.execute(_DELETE, user=user, id=identity)
