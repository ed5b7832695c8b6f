"""Sessions: opened by signing in, kept alive by refresh tokens, seen and ended by whose they are."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from uuid import UUID

from domain import security, tokens
from domain.errors import InvalidCredentialsError, NotFoundError
from domain.events import INSTANCE, SessionRevoked
from domain.origin import Origin, storable
from domain.tokens import AccessTokens, IssuedToken
from domain.viewer import Viewer
from persistence import account as store
from persistence.database import Columns, Database, Reader, UnitOfWork

Session = store.SessionRow

# Two tabs that wake together may both send the last refresh token; after this a second use is a theft.
GRACE = timedelta(seconds=10)
MOST_SESSIONS = 1_000
"""Of one user: who opens another ends the one that was used least lately."""
# What a provider gives to one line: an address changes within it from day to day.
_NETWORK_BITS = {4: 24, 6: 48}
_VERSIONS = re.compile(r"[\d._]+")


class Client(Origin):
    """The device that asks, as far as HTTP tells."""

    __slots__ = ()

    @property
    def device(self) -> bytes:
        """What is the same for one program in one network, whatever its version and its address there."""
        told = f"{_VERSIONS.sub('', self.user_agent or '')}\n{_network(self.ip)}"
        return hashlib.sha256(told.encode("utf-8", "surrogatepass")).digest()[:16]


@dataclass(frozen=True, slots=True)
class Tokens:
    access: IssuedToken
    refresh: IssuedToken


@dataclass(frozen=True, slots=True)
class SessionPolicy:
    """How tokens are made and how long a session lives without use."""

    access: AccessTokens
    refresh_lifetime: timedelta


async def open_session(
    uow: UnitOfWork, policy: SessionPolicy, client: Client, user: UUID
) -> Tokens:
    """A new session of somebody who has proven to be this user."""
    session = await store.add_session(
        uow,
        user=user,
        user_agent=storable(client.user_agent),
        ip=client.ip,
        device=client.device,
        expires_at=uow.now + policy.refresh_lifetime,
    )
    await security.record(uow, user, security.Action.SIGNED_IN, client, session=session)
    announce(uow, await store.revoke_oldest(uow, user, most=MOST_SESSIONS))
    return await _issue(uow, policy, user, session)


async def refresh(
    database: Database, policy: SessionPolicy, token: str, client: Client | None = None
) -> Tokens:
    """Trade a refresh token for a new pair.

    Each token works once, and once more within the grace. A later use is a theft: the session is revoked and
    InvalidCredentialsError raised, after the revocation was committed.
    """
    refused = InvalidCredentialsError("The refresh token is not valid. Sign in again.")
    async with database.transaction() as uow:
        token_hash = tokens.hash_token(token)
        known = await store.lock_refresh_token(uow, token_hash)
        if known is None or known.revoked_at is not None:
            raise refused
        if min(known.expires_at, known.session_expires_at) <= uow.now:
            raise refused
        stolen = known.used_at is not None and uow.now - known.used_at > GRACE
        if stolen:
            await store.revoke_session(uow, known.session_id)
            announce(uow, [known.session_id])
            await security.record(
                uow,
                known.user_id,
                security.Action.REFRESH_TOKEN_REUSED,
                client,
                session=known.session_id,
            )
        else:
            await store.use_refresh_token(uow, token_hash)
            fresh = await _issue(uow, policy, known.user_id, known.session_id)
            await store.touch_session(uow, known.session_id, fresh.refresh.expires_at)
    if stolen:
        raise refused
    return fresh


async def logout(uow: UnitOfWork, viewer: Viewer) -> None:
    """End the caller's session: its refresh tokens and access tokens are refused from now on."""
    viewer.require_person()
    await store.revoke_session(uow, viewer.session_id)
    announce(uow, [viewer.session_id])
    await security.record_own(uow, viewer, security.Action.SIGNED_OUT)


async def logout_by_token(uow: UnitOfWork, token: str, client: Client) -> UUID:
    """End the session whose refresh token this is, used or not, and answer which; InvalidCredentialsError for none."""
    known = await store.lock_refresh_token(uow, tokens.hash_token(token))
    if known is None or known.revoked_at is not None:
        raise InvalidCredentialsError("Nobody is signed in.")
    await store.revoke_session(uow, known.session_id)
    announce(uow, [known.session_id])
    await security.record(
        uow, known.user_id, security.Action.SIGNED_OUT, client, session=known.session_id
    )
    return known.session_id


async def revoke_session(uow: UnitOfWork, viewer: Viewer, session: UUID) -> None:
    """End one of the caller's sessions; NotFoundError when it is no live one of theirs."""
    if not await store.revoke_session_of(uow, viewer.user_id, session):
        raise NotFoundError("There is no such session.")
    announce(uow, [session])
    await security.record(
        uow, viewer.user_id, security.Action.SESSION_REVOKED, viewer.origin, session=session
    )


async def revoke_others(uow: UnitOfWork, viewer: Viewer) -> list[UUID]:
    """End all of the caller's sessions but this one; answers which."""
    # One at a time, so that no two wait for each other's sessions.
    await store.lock(uow, viewer.user_id)
    await security.record_own(uow, viewer, security.Action.OTHER_SESSIONS_REVOKED)
    return await revoke_all(uow, viewer.user_id, but=viewer.session_id)


async def revoke_all(uow: UnitOfWork, user: UUID, *, but: UUID | None = None) -> list[UUID]:
    """End the sessions of a user who is locked; answers which."""
    revoked = await store.revoke_sessions(uow, user, but=but)
    announce(uow, revoked)
    return revoked


def announce(uow: UnitOfWork, revoked: Sequence[UUID]) -> None:
    """Tell every process that these sessions have ended."""
    for session in revoked:
        event = SessionRevoked(session)
        uow.emit(INSTANCE, event.kind, event.to_json())


async def sessions(
    reader: Reader, viewer: Viewer, now: datetime, *, columns: Columns | None = None
) -> list[Session]:
    """The caller's live sessions, the latest used first; a key has none."""
    if viewer.key is not None:
        return []
    return await store.sessions(reader, viewer.user_id, now, columns=columns)


async def sessions_by_ids(
    reader: Reader, viewer: Viewer, wanted: Sequence[UUID], *, columns: Columns | None = None
) -> list[Session]:
    """Those of the sessions that are the caller's own and have not been revoked."""
    return await store.sessions_by_ids(reader, viewer.id, wanted, columns=columns)


async def revoked_since(reader: Reader, since: datetime) -> set[UUID]:
    """Sessions that were revoked after that time."""
    return await store.revoked_since(reader, since)


async def _issue(uow: UnitOfWork, policy: SessionPolicy, user: UUID, session: UUID) -> Tokens:
    refresh_token = IssuedToken(tokens.new_refresh_token(), uow.now + policy.refresh_lifetime)
    await store.add_refresh_token(
        uow,
        token_hash=tokens.hash_token(refresh_token.text),
        session=session,
        expires_at=refresh_token.expires_at,
    )
    return Tokens(policy.access.issue(user, session, uow.now), refresh_token)


def _network(ip: str) -> str:
    try:
        address = ip_address(ip)
    except ValueError:
        return ip
    return str(ip_network((address, _NETWORK_BITS[address.version]), strict=False))
