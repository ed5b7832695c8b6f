"""Sessions, and the refresh tokens that keep one alive."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Integer, Uuid, bindparam, delete, insert, null, select, update

from persistence.account.row import IdRow, RefreshToken, Session, SessionRow
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


class RefreshTokenRow(Record):
    session_id: UUID
    user_id: UUID
    expires_at: datetime
    used_at: datetime | None
    session_expires_at: datetime
    revoked_at: datetime | None


_session = table(Session).c
_token = table(RefreshToken).c

_COLUMNS = (
    _session.id,
    _session.user_id,
    _session.user_agent,
    _session.ip,
    _session.created_at,
    _session.last_seen_at,
)
_is_users = _session.user_id == bindparam("user")
_is_live = _session.revoked_at.is_(None) & (_session.expires_at > bindparam("now"))

_ADD = Statement(
    insert(table(Session)).values(
        given(
            "id",
            "user_agent",
            "ip",
            "expires_at",
            "device",
            user_id="user",
            created_at="now",
            last_seen_at="now",
        )
    ),
    Record,
)
_OF_USER = Statement(
    select(*_COLUMNS)
    .where(_is_users, _is_live)
    .order_by(_session.last_seen_at.desc(), _session.id.desc()),
    SessionRow,
)
_BY_IDS = Statement(
    select(*_COLUMNS).where(one_of(_session.id, "ids"), _is_users, _session.revoked_at.is_(None)),
    SessionRow,
)
_REVOKE = Statement(
    update(table(Session))
    .where(_session.id == bindparam("id_"), _session.revoked_at.is_(None))
    .values(revoked_at=bindparam("now")),
    Record,
)
_REVOKE_OF_USER = Statement(
    update(table(Session))
    .where(_session.id == bindparam("id_"), _is_users, _is_live)
    .values(revoked_at=bindparam("now"))
    .returning(_session.id),
    IdRow,
)
_REVOKE_ALL = Statement(
    update(table(Session))
    .where(
        _is_users,
        _is_live,
        _session.id.is_distinct_from(bindparam("but", type_=Uuid)),
    )
    .values(revoked_at=bindparam("now"))
    .returning(_session.id),
    IdRow,
)
_known = table(Session).alias("known")
_REVOKE_OLDEST = Statement(
    update(table(Session))
    .where(
        _session.id.in_(
            select(_known.c.id)
            .where(
                _known.c.user_id == bindparam("user"),
                _known.c.revoked_at.is_(None),
                _known.c.expires_at > bindparam("now"),
            )
            .order_by(_known.c.last_seen_at.desc(), _known.c.id.desc())
            .offset(bindparam("most", type_=Integer))
        )
    )
    .values(revoked_at=bindparam("now"))
    .returning(_session.id),
    IdRow,
)
_SCRUB = Statement(
    update(table(Session)).where(_is_users).values(user_agent=null(), ip=null(), device=null()),
    Record,
)
_REVOKED_SINCE = Statement(
    select(_session.id).where(_session.revoked_at > bindparam("since")), IdRow
)
_TOUCH = Statement(
    update(table(Session))
    .where(_session.id == bindparam("id_"))
    .values(last_seen_at=bindparam("now"), expires_at=bindparam("expires_at")),
    Record,
)
_ADD_TOKEN = Statement(
    insert(table(RefreshToken)).values(given("hash", "expires_at", session_id="session")),
    Record,
)
_LOCK_TOKEN = Statement(
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
_USE_TOKEN = Statement(
    update(table(RefreshToken))
    .where(_token.hash == bindparam("hash_"), _token.used_at.is_(None))
    .values(used_at=bindparam("now")),
    Record,
)
_FORGET_TOKENS = Statement(
    delete(table(RefreshToken)).where(_token.expires_at < bindparam("before")), Record
)
_FORGET = Statement(delete(table(Session)).where(_session.expires_at < bindparam("before")), Record)


async def add_session(
    uow: UnitOfWork,
    *,
    user: UUID,
    user_agent: str | None,
    ip: str | None,
    expires_at: datetime,
    device: bytes | None = None,
) -> UUID:
    session = new_id()
    await uow.execute(
        _ADD,
        id=session,
        user=user,
        user_agent=user_agent,
        ip=ip,
        device=device,
        now=uow.now,
        expires_at=expires_at,
    )
    return session


async def sessions(
    reader: Reader, user: UUID, now: datetime, *, columns: Columns | None = None
) -> list[SessionRow]:
    """The user's live sessions, the latest used first."""
    return await reader.fetch(_OF_USER.of(columns), user=user, now=now)


async def sessions_by_ids(
    reader: Reader, user: UUID, ids: Sequence[UUID], *, columns: Columns | None = None
) -> list[SessionRow]:
    """Those of the sessions that are the user's own and have not been revoked."""
    return await reader.fetch(_BY_IDS.of(columns), user=user, ids=ids)


async def touch_session(uow: UnitOfWork, session: UUID, expires_at: datetime) -> None:
    await uow.execute(_TOUCH, id_=session, now=uow.now, expires_at=expires_at)


async def revoke_session(uow: UnitOfWork, session: UUID) -> None:
    await uow.execute(_REVOKE, id_=session, now=uow.now)


async def revoke_session_of(uow: UnitOfWork, user: UUID, session: UUID) -> bool:
    """Whether it was a live session of the user's, and is no more."""
    return bool(await uow.fetch(_REVOKE_OF_USER, user=user, id_=session, now=uow.now))


async def revoke_sessions(uow: UnitOfWork, user: UUID, *, but: UUID | None) -> list[UUID]:
    """Revoke the user's live sessions but this one; answers which."""
    return [row.id for row in await uow.fetch(_REVOKE_ALL, user=user, but=but, now=uow.now)]


async def revoke_oldest(uow: UnitOfWork, user: UUID, *, most: int) -> list[UUID]:
    """Revoke the user's live sessions but those `most` that were used last; answers which."""
    return [row.id for row in await uow.fetch(_REVOKE_OLDEST, user=user, most=most, now=uow.now)]


async def scrub_sessions(uow: UnitOfWork, user: UUID) -> None:
    """Forget of the user's sessions where they were."""
    await uow.execute(_SCRUB, user=user)


async def revoked_since(reader: Reader, since: datetime) -> set[UUID]:
    return {row.id for row in await reader.fetch(_REVOKED_SINCE, since=since)}


async def add_refresh_token(
    uow: UnitOfWork, *, token_hash: bytes, session: UUID, expires_at: datetime
) -> None:
    await uow.execute(_ADD_TOKEN, hash=token_hash, session=session, expires_at=expires_at)


async def lock_refresh_token(uow: UnitOfWork, token_hash: bytes) -> RefreshTokenRow | None:
    """The token and its session, locked against a second caller with the same token."""
    return await uow.first(_LOCK_TOKEN, hash=token_hash)


async def use_refresh_token(uow: UnitOfWork, token_hash: bytes) -> None:
    await uow.execute(_USE_TOKEN, hash_=token_hash, now=uow.now)


async def forget_sessions(uow: UnitOfWork, before: datetime) -> None:
    """Forget the refresh tokens and sessions that expired before that time."""
    await uow.execute(_FORGET_TOKENS, before=before)
    await uow.execute(_FORGET, before=before)
