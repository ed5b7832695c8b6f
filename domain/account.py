"""Accounts: who may sign in, and the sessions and tokens that follow from it."""

import asyncio
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from domain import passwords, tokens
from domain.checks import Checks
from domain.errors import ConflictError, InvalidCredentialsError
from domain.events import INSTANCE, SessionRevoked
from domain.seals import Seals
from domain.tokens import AccessTokens, IssuedToken, SigningKey
from domain.viewer import Viewer
from persistence import account as store
from persistence import workspace as workspace_store
from persistence.database import Columns, Database, Reader, UniqueViolationError, UnitOfWork

User = store.UserRow
Session = store.SessionRow

# Two tabs that wake together may both send the last refresh token; after this a second use is a theft.
GRACE = timedelta(seconds=10)
_KEY_PURPOSE = "signing key"


class Client(NamedTuple):
    """The device that asks, as far as HTTP tells."""

    ip: str
    user_agent: str | None


@dataclass(frozen=True, slots=True)
class Tokens:
    access: IssuedToken
    refresh: IssuedToken


@dataclass(frozen=True, slots=True)
class SignedIn:
    user: User
    tokens: Tokens


@dataclass(frozen=True, slots=True)
class Register:
    email: str
    password: str
    name: str


@dataclass(frozen=True, slots=True)
class SessionPolicy:
    """How tokens are made and how long a session lives without use."""

    access: AccessTokens
    refresh_lifetime: timedelta


async def register(
    database: Database, policy: SessionPolicy, client: Client, command: Register
) -> SignedIn:
    """Create an account and sign it in; ConflictError when the address is known.

    Takes the database rather than a transaction: no connection is held while the password is hashed.
    """
    checks = Checks()
    email = command.email.strip()
    checks.email(email, "email", required=True)
    checks.text(command.name, "name", longest=200, required=True)
    passwords.check(checks, command.password)
    checks.done()
    password_hash = await asyncio.to_thread(passwords.hash, command.password)
    try:
        async with database.transaction() as uow:
            user = await store.add_user(
                uow, email=email, name=command.name, password_hash=password_hash
            )
            return SignedIn(user, await _open_session(uow, policy, client, user.id))
    except UniqueViolationError:
        raise ConflictError("This e-mail address is already registered.") from None


async def login(
    database: Database, policy: SessionPolicy, client: Client, *, email: str, password: str
) -> SignedIn:
    """Open a session; an unknown address and a wrong password look and last the same."""
    refused = InvalidCredentialsError("The e-mail address or the password is wrong.")
    known = None
    if "\x00" not in email and email.isprintable():
        async with database.reader() as reader:
            known = await store.credentials(reader, email.strip())
    stored = None if known is None else known.password_hash
    if not await asyncio.to_thread(passwords.verify, stored, password[: passwords.LONGEST + 1]):
        raise refused
    assert known is not None  # noqa: S101 - verify is False for nobody
    async with database.transaction() as uow:
        return SignedIn(known, await _open_session(uow, policy, client, known.id))


async def refresh(database: Database, policy: SessionPolicy, token: str) -> Tokens:
    """Trade a refresh token for a new pair.

    Each token works once, and once more within the grace. A later use is a theft: the session is revoked and
    InvalidCredentialsError raised, after the revocation was committed.
    """
    refused = InvalidCredentialsError("The refresh token is not valid. Sign in again.")
    async with database.transaction() as uow:
        token_hash = tokens.hash_refresh_token(token)
        known = await store.lock_refresh_token(uow, token_hash)
        if known is None or known.revoked_at is not None:
            raise refused
        if min(known.expires_at, known.session_expires_at) <= uow.now:
            raise refused
        stolen = known.used_at is not None and uow.now - known.used_at > GRACE
        if stolen:
            await _revoke(uow, known.session_id)
        else:
            await store.use_refresh_token(uow, token_hash)
            fresh = await _issue(uow, policy, known.user_id, known.session_id)
            await store.touch_session(uow, known.session_id, fresh.refresh.expires_at)
    if stolen:
        raise refused
    return fresh


async def logout(uow: UnitOfWork, viewer: Viewer) -> None:
    """End the caller's session: its refresh tokens and access tokens are refused from now on."""
    await _revoke(uow, viewer.session_id)


async def me(reader: Reader, viewer: Viewer, *, columns: Columns | None = None) -> User | None:
    found = await store.users(reader, [viewer.user_id], columns=columns)
    return found.get(viewer.user_id)


async def is_operator(reader: Reader, viewer: Viewer, operators: AbstractSet[str]) -> bool:
    """Whether the viewer's address is one of these (in lower case), and is proven to be the viewer's."""
    if not operators:
        return False
    user = await me(reader, viewer)
    return user is not None and user.email_verified and user.email.lower() in operators


async def sessions(
    reader: Reader, viewer: Viewer, now: datetime, *, columns: Columns | None = None
) -> list[Session]:
    """The caller's live sessions, the latest used first."""
    return await store.sessions(reader, viewer.user_id, now, columns=columns)


async def sessions_by_ids(
    reader: Reader, viewer: Viewer, wanted: Sequence[UUID], *, columns: Columns | None = None
) -> list[Session]:
    """Those of the sessions that are the caller's own and have not been revoked."""
    return await store.sessions_by_ids(reader, viewer.user_id, wanted, columns=columns)


async def users(
    reader: Reader, viewer: Viewer, ids: Sequence[UUID], *, columns: Columns | None = None
) -> Mapping[UUID, User]:
    """Those of the users that the viewer shares a workspace with, and the viewer."""
    return await workspace_store.fellows(reader, viewer.user_id, ids, columns=columns)


async def load_signing_keys(database: Database, seals: Seals) -> list[SigningKey]:
    """The keys in use, the newest first; the first process to come makes one."""
    async with database.reader() as reader:
        rows = await store.signing_keys(reader)
    if not rows:
        key = SigningKey.new()
        async with database.transaction() as uow:
            await store.add_signing_key(
                uow,
                kid=key.kid,
                sealed_private_key=seals.seal(key.private_bytes(), _KEY_PURPOSE),
            )
        async with database.reader() as reader:
            rows = await store.signing_keys(reader)
    return [SigningKey.load(seals.open(row.sealed_private_key, _KEY_PURPOSE)) for row in rows]


async def forget_expired(uow: UnitOfWork) -> None:
    """Forget sessions and refresh tokens that have run out; until then a used one still tells a theft."""
    await store.forget_expired(uow, uow.now)


async def revoked_since(reader: Reader, since: datetime) -> set[UUID]:
    """Sessions that were revoked after that time."""
    return await store.revoked_since(reader, since)


async def _revoke(uow: UnitOfWork, session: UUID) -> None:
    await store.revoke_session(uow, session)
    event = SessionRevoked(session)
    uow.emit(INSTANCE, event.kind, event.to_json())


async def _open_session(
    uow: UnitOfWork, policy: SessionPolicy, client: Client, user: UUID
) -> Tokens:
    expires_at = uow.now + policy.refresh_lifetime
    session = await store.add_session(
        uow,
        user=user,
        user_agent=_storable(client.user_agent),
        ip=client.ip,
        expires_at=expires_at,
    )
    return await _issue(uow, policy, user, session)


async def _issue(uow: UnitOfWork, policy: SessionPolicy, user: UUID, session: UUID) -> Tokens:
    refresh_token = IssuedToken(tokens.new_refresh_token(), uow.now + policy.refresh_lifetime)
    await store.add_refresh_token(
        uow,
        token_hash=tokens.hash_refresh_token(refresh_token.text),
        session=session,
        expires_at=refresh_token.expires_at,
    )
    return Tokens(policy.access.issue(user, session, uow.now), refresh_token)


def _storable(user_agent: str | None) -> str | None:
    return None if user_agent is None else user_agent.replace("\x00", "")[:500]
