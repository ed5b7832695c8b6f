"""Users: found, added, changed, gone."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Text, bindparam, delete, exists, func, insert, null, select, update

from persistence.account.row import (
    CREDENTIALS_COLUMNS,
    USER_COLUMNS,
    CredentialsRow,
    Session,
    User,
    UserRow,
)
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


class EntryRow(CredentialsRow):
    """A user who is about to come in, and whether that is from a device that they have come from before."""

    is_device_known: bool


_user = table(User).c
_session = table(Session).c
_is_user = _user.id == bindparam("user")

_USERS = Statement(select(*USER_COLUMNS).where(one_of(_user.id, "ids")), UserRow)
_BY_EMAIL = Statement(
    select(*CREDENTIALS_COLUMNS).where(func.lower(_user.email) == func.lower(bindparam("email"))),
    CredentialsRow,
)
_CREDENTIALS = Statement(select(*CREDENTIALS_COLUMNS).where(_is_user), CredentialsRow)
# Weaker than FOR UPDATE: rows that refer to the user may be written meanwhile.
_LOCK = Statement(
    select(*CREDENTIALS_COLUMNS).where(_is_user).with_for_update(key_share=True), CredentialsRow
)
_LOCK_TO_DELETE = Statement(
    select(*CREDENTIALS_COLUMNS).where(_is_user).with_for_update(), CredentialsRow
)
_ENTRY = Statement(
    select(
        *CREDENTIALS_COLUMNS,
        exists()
        .where(_session.user_id == _user.id, _session.device == bindparam("device"))
        .label("is_device_known"),
    )
    .where(_is_user)
    .with_for_update(key_share=True, of=table(User)),
    EntryRow,
)
_ADD = Statement(
    insert(table(User))
    .values(given("id", "email", "name", "password_hash", created_at="now"))
    .returning(*USER_COLUMNS),
    UserRow,
)
_SET_NAME = Statement(
    update(table(User)).where(_is_user).values(name=bindparam("name_")).returning(*USER_COLUMNS),
    UserRow,
)
_SET_EMAIL = Statement(
    update(table(User))
    .where(_is_user)
    .values(email=bindparam("email_", type_=Text), email_verified_at=bindparam("now"))
    .returning(*USER_COLUMNS),
    UserRow,
)
_SET_VERIFIED = Statement(
    update(table(User))
    .where(_is_user)
    .values(email_verified_at=func.coalesce(_user.email_verified_at, bindparam("now")))
    .returning(*USER_COLUMNS),
    UserRow,
)
_SET_PASSWORD = Statement(
    update(table(User))
    .where(_is_user)
    .values(password_hash=bindparam("hash_"), password_changed_at=bindparam("now")),
    Record,
)
_REHASH = Statement(
    update(table(User)).where(_is_user).values(password_hash=bindparam("hash_")), Record
)
_WANT_AVATAR = Statement(
    update(table(User))
    .where(_is_user)
    .values(wanted_avatar_id=bindparam("file"))
    .returning(*USER_COLUMNS),
    UserRow,
)
_SET_AVATAR = Statement(
    update(table(User))
    .where(_is_user, _user.wanted_avatar_id == bindparam("file"))
    .values(avatar_key=bindparam("avatar"), wanted_avatar_id=null())
    .returning(*USER_COLUMNS),
    UserRow,
)
_REMOVE_AVATAR = Statement(
    update(table(User))
    .where(_is_user)
    .values(avatar_key=null(), wanted_avatar_id=null())
    .returning(*USER_COLUMNS),
    UserRow,
)
_DELETE = Statement(delete(table(User)).where(_is_user), Record)


async def users(
    reader: Reader, ids: Sequence[UUID], *, columns: Columns | None = None
) -> dict[UUID, UserRow]:
    """Those of the users that exist."""
    return {row.id: row for row in await reader.fetch(_USERS.of(columns), ids=ids)}


async def credentials(reader: Reader, email: str) -> CredentialsRow | None:
    """The user with this address, in any case, and what proves that somebody is them."""
    return await reader.first(_BY_EMAIL, email=email)


async def credentials_of(reader: Reader, user: UUID) -> CredentialsRow | None:
    return await reader.first(_CREDENTIALS, user=user)


async def lock(uow: UnitOfWork, user: UUID) -> CredentialsRow | None:
    """The user, whom nobody else signs in or changes meanwhile."""
    return await uow.first(_LOCK, user=user)


async def lock_to_delete(uow: UnitOfWork, user: UUID) -> CredentialsRow | None:
    """The user, to whom nobody else gives a session or a place in a workspace meanwhile."""
    return await uow.first(_LOCK_TO_DELETE, user=user)


async def lock_entry(uow: UnitOfWork, user: UUID, device: bytes) -> EntryRow | None:
    """As `lock`, for who comes in from that device."""
    return await uow.first(_ENTRY, user=user, device=device)


async def add_user(uow: UnitOfWork, *, email: str, name: str, password_hash: str | None) -> UserRow:
    """Insert a user; UniqueViolationError("user_email_key") when the address is known."""
    (row,) = await uow.fetch(
        _ADD, id=new_id(), email=email, name=name, password_hash=password_hash, now=uow.now
    )
    return row


async def set_name(uow: UnitOfWork, user: UUID, name: str) -> UserRow | None:
    return await uow.first(_SET_NAME, user=user, name_=name)


async def set_email(uow: UnitOfWork, user: UUID, email: str) -> UserRow | None:
    """Give the user an address that is proven theirs; UniqueViolationError when it is another's."""
    return await uow.first(_SET_EMAIL, user=user, email_=email, now=uow.now)


async def set_verified(uow: UnitOfWork, user: UUID) -> UserRow | None:
    return await uow.first(_SET_VERIFIED, user=user, now=uow.now)


async def set_password(uow: UnitOfWork, user: UUID, password_hash: str) -> None:
    await uow.execute(_SET_PASSWORD, user=user, hash_=password_hash, now=uow.now)


async def rehash(uow: UnitOfWork, user: UUID, password_hash: str) -> None:
    """Keep the same password's hash by other parameters."""
    await uow.execute(_REHASH, user=user, hash_=password_hash)


async def want_avatar(uow: UnitOfWork, user: UUID, file: UUID) -> UserRow | None:
    """Let this file be the one that is made into the user's picture."""
    return await uow.first(_WANT_AVATAR, user=user, file=file)


async def set_avatar(uow: UnitOfWork, user: UUID, file: UUID, key: str) -> UserRow | None:
    """Let the object made of this file be the user's picture; None when another is wanted by now, or none."""
    return await uow.first(_SET_AVATAR, user=user, file=file, avatar=key)


async def remove_avatar(uow: UnitOfWork, user: UUID) -> UserRow | None:
    """Take the user's picture away, and the one that is being made."""
    return await uow.first(_REMOVE_AVATAR, user=user)


async def delete_user(uow: UnitOfWork, user: UUID) -> None:
    """Take the user away, from all workspaces too; sessions stay and are nobody's."""
    await uow.execute(_DELETE, user=user)
