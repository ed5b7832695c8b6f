"""Users, their sessions, and the refresh tokens that keep a session alive."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    Index,
    LargeBinary,
    Text,
    bindparam,
    delete,
    func,
    insert,
    select,
    text,
    update,
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
    one_of,
    table,
)


class User(SQLModel, table=True):
    """A person. Addresses are kept as written and compared without case."""

    __tablename__ = "user"
    __table_args__ = (Index("user_email_key", text("lower(email)"), unique=True),)

    id: UUID = Field(primary_key=True)
    email: str = Field(sa_type=Text)
    name: str = Field(sa_type=Text)
    password_hash: str = Field(sa_type=Text)
    email_verified_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    created_at: datetime = Field(sa_type=TIMESTAMP)


class Session(SQLModel, table=True):
    """One sign-in on one device: the family that its refresh tokens belong to."""

    __tablename__ = "session"

    id: UUID = Field(primary_key=True)
    user_id: UUID = Field(foreign_key="user.id", ondelete="CASCADE", index=True)
    user_agent: str | None = Field(default=None, sa_type=Text)
    ip: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = Field(sa_type=TIMESTAMP)
    last_seen_at: datetime = Field(sa_type=TIMESTAMP)
    expires_at: datetime = Field(sa_type=TIMESTAMP)
    revoked_at: datetime | None = Field(default=None, sa_type=TIMESTAMP, index=True)


class RefreshToken(SQLModel, table=True):
    """The hash of an opaque token that may be used once."""

    __tablename__ = "refresh_token"

    hash: bytes = Field(primary_key=True, sa_type=LargeBinary)
    session_id: UUID = Field(foreign_key="session.id", ondelete="CASCADE", index=True)
    expires_at: datetime = Field(sa_type=TIMESTAMP)
    used_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)


class SigningKey(SQLModel, table=True):
    """A key that signs access tokens; the private half is sealed with SECRET_KEY."""

    __tablename__ = "signing_key"

    kid: str = Field(primary_key=True, sa_type=Text)
    sealed_private_key: bytes = Field(sa_type=LargeBinary)
    created_at: datetime = Field(sa_type=TIMESTAMP)
    retired_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)


class UserRow(Record):
    id: UUID
    email: str
    name: str
    email_verified: bool
    created_at: datetime


class CredentialsRow(UserRow):
    password_hash: str


class SessionRow(Record):
    id: UUID
    user_id: UUID
    user_agent: str | None
    ip: str | None
    created_at: datetime
    last_seen_at: datetime


class RefreshTokenRow(Record):
    session_id: UUID
    user_id: UUID
    expires_at: datetime
    used_at: datetime | None
    session_expires_at: datetime
    revoked_at: datetime | None


class SigningKeyRow(Record):
    kid: str
    sealed_private_key: bytes
    created_at: datetime


class SessionIdRow(Record):
    id: UUID


_user = table(User).c
_session = table(Session).c
_token = table(RefreshToken).c
_key = table(SigningKey).c

USER_COLUMNS = (
    _user.id,
    _user.email,
    _user.name,
    _user.email_verified_at.is_not(None).label("email_verified"),
    _user.created_at,
)
_SESSION_COLUMNS = (
    _session.id,
    _session.user_id,
    _session.user_agent,
    _session.ip,
    _session.created_at,
    _session.last_seen_at,
)

_USERS = Statement(select(*USER_COLUMNS).where(one_of(_user.id, "ids")), UserRow)
_CREDENTIALS = Statement(
    select(*USER_COLUMNS, _user.password_hash).where(
        func.lower(_user.email) == func.lower(bindparam("email"))
    ),
    CredentialsRow,
)
_ADD_USER = Statement(
    insert(table(User))
    .values(given("id", "email", "name", "password_hash", created_at="now"))
    .returning(*USER_COLUMNS),
    UserRow,
)
_ADD_SESSION = Statement(
    insert(table(Session)).values(
        given(
            "id",
            "user_agent",
            "ip",
            "expires_at",
            user_id="user",
            created_at="now",
            last_seen_at="now",
        )
    ),
    Record,
)
_SESSIONS = Statement(
    select(*_SESSION_COLUMNS)
    .where(
        _session.user_id == bindparam("user"),
        _session.revoked_at.is_(None),
        _session.expires_at > bindparam("now"),
    )
    .order_by(_session.last_seen_at.desc(), _session.id.desc()),
    SessionRow,
)
_SESSIONS_BY_IDS = Statement(
    select(*_SESSION_COLUMNS).where(
        one_of(_session.id, "ids"),
        _session.user_id == bindparam("user"),
        _session.revoked_at.is_(None),
    ),
    SessionRow,
)
_REVOKE_SESSION = Statement(
    update(table(Session))
    .where(_session.id == bindparam("id_"), _session.revoked_at.is_(None))
    .values(revoked_at=bindparam("now")),
    Record,
)
_REVOKED_SINCE = Statement(
    select(_session.id).where(_session.revoked_at > bindparam("since")), SessionIdRow
)
_TOUCH_SESSION = Statement(
    update(table(Session))
    .where(_session.id == bindparam("id_"))
    .values(last_seen_at=bindparam("now"), expires_at=bindparam("expires_at")),
    Record,
)
_ADD_REFRESH_TOKEN = Statement(
    insert(table(RefreshToken)).values(given("hash", "expires_at", session_id="session")),
    Record,
)
_LOCK_REFRESH_TOKEN = Statement(
    select(
        _token.session_id,
        _session.user_id,
        _token.expires_at,
        _token.used_at,
        _session.expires_at.label("session_expires_at"),
        _session.revoked_at,
    )
    .join_from(table(RefreshToken), table(Session), _session.id == _token.session_id)
    .where(_token.hash == bindparam("hash"))
    .with_for_update(of=table(RefreshToken)),
    RefreshTokenRow,
)
_USE_REFRESH_TOKEN = Statement(
    update(table(RefreshToken))
    .where(_token.hash == bindparam("hash_"), _token.used_at.is_(None))
    .values(used_at=bindparam("now")),
    Record,
)
_FORGET_TOKENS = Statement(
    delete(table(RefreshToken)).where(_token.expires_at < bindparam("before")), Record
)
_FORGET_SESSIONS = Statement(
    delete(table(Session)).where(_session.expires_at < bindparam("before")), Record
)
_SIGNING_KEYS = Statement(
    select(_key.kid, _key.sealed_private_key, _key.created_at)
    .where(_key.retired_at.is_(None))
    .order_by(_key.created_at.desc(), _key.kid),
    SigningKeyRow,
)
_ADD_SIGNING_KEY = Statement(
    insert(table(SigningKey)).values(given("kid", "sealed_private_key", created_at="now")),
    Record,
)


async def users(
    reader: Reader, ids: Sequence[UUID], *, columns: Columns | None = None
) -> dict[UUID, UserRow]:
    """Those of the users that exist."""
    return {row.id: row for row in await reader.fetch(_USERS.of(columns), ids=ids)}


async def credentials(reader: Reader, email: str) -> CredentialsRow | None:
    """The user with this address, in any case, and the password's hash."""
    return await reader.first(_CREDENTIALS, email=email)


async def add_user(uow: UnitOfWork, *, email: str, name: str, password_hash: str) -> UserRow:
    """Insert a user; UniqueViolationError("user_email_key") when the address is known."""
    (row,) = await uow.fetch(
        _ADD_USER, id=new_id(), email=email, name=name, password_hash=password_hash, now=uow.now
    )
    return row


async def add_session(
    uow: UnitOfWork, *, user: UUID, user_agent: str | None, ip: str | None, expires_at: datetime
) -> UUID:
    session = new_id()
    await uow.execute(
        _ADD_SESSION,
        id=session,
        user=user,
        user_agent=user_agent,
        ip=ip,
        now=uow.now,
        expires_at=expires_at,
    )
    return session


async def sessions(
    reader: Reader, user: UUID, now: datetime, *, columns: Columns | None = None
) -> list[SessionRow]:
    """The user's live sessions, the latest used first."""
    return await reader.fetch(_SESSIONS.of(columns), user=user, now=now)


async def sessions_by_ids(
    reader: Reader, user: UUID, ids: Sequence[UUID], *, columns: Columns | None = None
) -> list[SessionRow]:
    """Those of the sessions that are the user's own and have not been revoked."""
    return await reader.fetch(_SESSIONS_BY_IDS.of(columns), user=user, ids=ids)


async def touch_session(uow: UnitOfWork, session: UUID, expires_at: datetime) -> None:
    await uow.execute(_TOUCH_SESSION, id_=session, now=uow.now, expires_at=expires_at)


async def revoke_session(uow: UnitOfWork, session: UUID) -> None:
    await uow.execute(_REVOKE_SESSION, id_=session, now=uow.now)


async def revoked_since(reader: Reader, since: datetime) -> set[UUID]:
    return {row.id for row in await reader.fetch(_REVOKED_SINCE, since=since)}


async def add_refresh_token(
    uow: UnitOfWork, *, token_hash: bytes, session: UUID, expires_at: datetime
) -> None:
    await uow.execute(_ADD_REFRESH_TOKEN, hash=token_hash, session=session, expires_at=expires_at)


async def lock_refresh_token(uow: UnitOfWork, token_hash: bytes) -> RefreshTokenRow | None:
    """The token and its session, locked against a second caller with the same token."""
    return await uow.first(_LOCK_REFRESH_TOKEN, hash=token_hash)


async def use_refresh_token(uow: UnitOfWork, token_hash: bytes) -> None:
    await uow.execute(_USE_REFRESH_TOKEN, hash_=token_hash, now=uow.now)


async def forget_expired(uow: UnitOfWork, before: datetime) -> None:
    """Forget the refresh tokens and sessions that expired before that time."""
    await uow.execute(_FORGET_TOKENS, before=before)
    await uow.execute(_FORGET_SESSIONS, before=before)


async def signing_keys(reader: Reader) -> list[SigningKeyRow]:
    """The keys in use, the newest first."""
    return await reader.fetch(_SIGNING_KEYS)


async def add_signing_key(uow: UnitOfWork, *, kid: str, sealed_private_key: bytes) -> None:
    await uow.execute(_ADD_SIGNING_KEY, kid=kid, sealed_private_key=sealed_private_key, now=uow.now)
