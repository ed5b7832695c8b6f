"""Linking an identity of a provider to the account that somebody is signed in to, whatever the addresses are."""

import secrets
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from uuid import UUID

from domain import security, tokens
from domain.account import mails
from domain.account.confirming import confirmed
from domain.account.identity import (
    IdentityRefusedError,
    Proven,
    Refusal,
    add_identity,
    open_text,
    seal_text,
)
from domain.account.mails import About
from domain.account.people import there
from domain.account.session import Client
from domain.errors import ConflictError, InvalidCredentialsError
from domain.seals import Seals
from domain.viewer import Viewer
from persistence import account as store
from persistence.database import Database, UniqueViolationError

LIFETIME = timedelta(minutes=10)
"""From asking to coming back from the provider."""
RECENT = timedelta(minutes=10)
"""Who signed in longer ago gives their password once more."""
MOST_IDENTITIES = 20
_PURPOSE = "link that was asked for"
_WISH = "LINK_IDENTITY"


@dataclass(frozen=True, slots=True)
class Wish:
    """That somebody who is signed in asked to be known by a provider; `key` is in the address they are sent to."""

    provider: str
    user: str
    session: str
    key: str


async def start(
    database: Database, viewer: Viewer, seals: Seals, *, provider: str, password: str | None
) -> tuple[str, Wish]:
    """What the browser is to keep, sealed, and what is in there.

    InvalidCredentialsError for a wrong password, or for none when the session is not recent. ConflictError when the
    address is not proven: whoever proves it later must not find somebody else's identity in the account.
    """
    if password is not None:
        await confirmed(database, viewer, password)
    async with database.transaction() as uow:
        user = there(await store.credentials_of(uow, viewer.user_id))
        now = uow.now
        opened = [
            each.created_at
            for each in await store.sessions(uow, user.id, now)
            if each.id == viewer.session_id
        ]
        if password is None and not any(now - at < RECENT for at in opened):
            raise InvalidCredentialsError(
                "You signed in a while ago: give your password, or sign in again."
            )
        if not user.email_verified:
            raise ConflictError("Verify your e-mail address first.")
        wish = Wish(provider, user.id.hex, viewer.session_id.hex, secrets.token_urlsafe(32))
        await store.add_token(
            uow,
            token_hash=_hash(wish),
            user=user.id,
            purpose=_WISH,
            email=user.email,
            expires_at=now + LIFETIME,
        )
    return seal_text(seals, asdict(wish), _PURPOSE, now + LIFETIME), wish


def open_wish(seals: Seals, kept: str | None, now: datetime) -> Wish | None:
    """What a browser has kept, if it is ours and not too old."""
    told = open_text(seals, kept, _PURPOSE, now)
    return None if told is None else Wish(**told)


async def link(database: Database, client: Client, wish: Wish, proven: Proven) -> None:
    """Let the provider sign that user in from now on; nothing happens when it does so already.

    IdentityRefusedError when it is somebody else's identity, the session that asked for it has ended, or the wish was
    used before: it is used up whatever comes of it.
    """
    user, session = UUID(wish.user), UUID(wish.session)
    async with database.transaction() as uow:
        token_hash = _hash(wish)
        found = await store.lock_token(uow, token_hash, _WISH)
        is_unused = (
            found is not None
            and found.user_id == user
            and token_hash in await store.use_tokens(uow, user, [_WISH])
        )
    if not is_unused:
        raise IdentityRefusedError(Refusal.LINK_USED)
    taken = IdentityRefusedError(Refusal.IDENTITY_TAKEN)
    try:
        async with database.transaction() as uow:
            owner = await store.lock(uow, user)
            live = () if owner is None else await store.sessions(uow, user, uow.now)
            if owner is None or all(each.id != session for each in live):
                raise IdentityRefusedError(Refusal.SESSION_ENDED)
            known = await store.find_identity(uow, proven.issuer, proven.subject)
            if known is not None and known.user_id != user:
                raise taken
            if known is not None:
                return
            if not owner.email_verified:
                raise ConflictError("Verify your e-mail address first.")
            if len(await store.identities(uow, user)) >= MOST_IDENTITIES:
                raise ConflictError(f"An account has {MOST_IDENTITIES} identities at most.")
            await add_identity(uow, user, proven)
            await mails.ask(uow, About.IDENTITY_LINKED, user, issuer=proven.issuer)
            await security.record(
                uow, user, security.Action.IDENTITY_LINKED, client, session=session
            )
    except UniqueViolationError:
        # The user is locked: somebody else was as quick.
        raise taken from None


def _hash(wish: Wish) -> bytes:
    """What is stored of a wish: its key is no good for another provider, user or session."""
    return tokens.hash_token(f"{wish.provider} {wish.user} {wish.session} {wish.key}")
