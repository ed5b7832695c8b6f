"""Signing in with what a provider of identities says, and the identities that an account has there."""

import base64
import binascii
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import orjson

from domain import security
from domain.account import mails, second_factor
from domain.account.entry import SignedIn, come_in
from domain.account.mails import About
from domain.account.people import LONGEST_NAME, there
from domain.account.session import Client, SessionPolicy, open_session
from domain.checks import EMAIL
from domain.errors import (
    ConflictError,
    ForbiddenError,
    InvalidCredentialsError,
    NotFoundError,
)
from domain.seals import SealBrokenError, Seals
from domain.viewer import Viewer
from persistence import account as store
from persistence.account import EntryRow
from persistence.database import Columns, Database, Reader, UniqueViolationError, UnitOfWork

Identity = store.IdentityRow

TICKET_LIFETIME = timedelta(minutes=10)
_TICKET = "sign-in that lacks a code"
_LONGEST_EMAIL = 254
# Two who come first at once collide; the second finds what the first has made.
_TRIES = 3


@dataclass(frozen=True, slots=True)
class IdentityProvider:
    """Who may sign people in."""

    id: str
    name: str
    issuer: str


@dataclass(frozen=True, slots=True)
class Proven:
    """Whom a provider has signed in, in its words."""

    issuer: str
    subject: str
    email: str | None
    email_verified: bool
    name: str | None


class Refusal(StrEnum):
    """Why somebody whom a provider has signed in is not let in here, or not linked."""

    EMAIL_UNVERIFIED = "email_unverified"
    ACCOUNT_UNVERIFIED = "account_unverified"
    IDENTITY_TAKEN = "identity_taken"
    SESSION_ENDED = "session_ended"
    LINK_USED = "link_used"


_REASONS = {
    Refusal.EMAIL_UNVERIFIED: "The provider does not say that your e-mail address is verified.",
    Refusal.ACCOUNT_UNVERIFIED: "There is an account with your e-mail address, and nobody has proven yet whose it is. "
    "Ask for a new password for it: that proves the address. Then try again.",
    Refusal.IDENTITY_TAKEN: "Somebody else is signed in by this identity: they would have to unlink it first.",
    Refusal.SESSION_ENDED: "The session in which you asked for this has ended. Sign in, and begin again.",
    Refusal.LINK_USED: "This was done once already, or you asked too long ago. Begin again.",
}


class IdentityRefusedError(ForbiddenError):
    """The provider has signed somebody in who gets no account here, or not the one that they want."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(_REASONS[refusal])
        self.refusal = refusal


class _Again(Exception):  # noqa: N818 - no error: what was read is outdated
    pass


async def sign_in(
    database: Database,
    policy: SessionPolicy,
    seals: Seals,
    client: Client,
    proven: Proven,
    code: str | None = None,
) -> SignedIn:
    """Open a session for whom the provider knows; the first time for whose address that is, or with a new account.

    SecondFactorRequiredError when the account takes a code, which no provider stands in for; then nothing was
    changed. IdentityRefusedError when it cannot be known whose the account is.
    """
    for _ in range(_TRIES):
        async with database.reader() as reader:
            identity = await store.find_identity(reader, proven.issuer, proven.subject)
            user = await _to_link(reader, proven) if identity is None else identity.user_id
        try:
            if user is None:
                return await _register(database, policy, client, proven)
            async with (
                security.noting_wrong_codes(database, user, client),
                database.transaction() as uow,
            ):
                row = await store.lock_entry(uow, user, client.device)
                if row is None:
                    raise _Again
                if row.totp_enabled:
                    await second_factor.require(uow, seals, row, code)
                if identity is None:
                    await _link(uow, row, client, proven)
                elif not await store.use_identity(uow, user, identity.id, proven.email):
                    raise _Again
                return await come_in(uow, policy, client, row)
        except (UniqueViolationError, _Again):
            continue
    raise ConflictError("Somebody else is changing this account. Try again.")


async def unlink(
    uow: UnitOfWork, viewer: Viewer, identity: UUID, *, issuers: Collection[str]
) -> None:
    """Sign the caller in by this identity no more; ConflictError when nothing else does.

    `issuers` are those of the providers that there are.
    """
    user = there(await store.lock(uow, viewer.user_id))
    known = await store.identities(uow, user.id)
    gone = next((each for each in known if each.id == identity), None)
    if gone is None:
        raise NotFoundError("There is no such identity.")
    others = [each for each in known if each.id != identity and each.issuer in issuers]
    if user.password_hash is None and not others:
        raise ConflictError(
            "Nothing else signs you in: set a password first, by `requestPasswordReset`."
        )
    await store.delete_identity(uow, user.id, identity)
    await mails.ask(uow, About.IDENTITY_UNLINKED, user.id, issuer=gone.issuer)
    await security.record_own(uow, viewer, security.Action.IDENTITY_UNLINKED)


async def identities(
    reader: Reader, viewer: Viewer, *, columns: Columns | None = None
) -> list[Identity]:
    """The caller's identities, the oldest first; a key has none."""
    if viewer.key is not None:
        return []
    return await store.identities(reader, viewer.user_id, columns=columns)


async def identities_by_ids(
    reader: Reader, viewer: Viewer, ids: Sequence[UUID], *, columns: Columns | None = None
) -> list[Identity]:
    """Those of the identities that are the caller's own."""
    return await store.identities_by_ids(reader, viewer.id, ids, columns=columns)


def seal_ticket(seals: Seals, proven: Proven, now: datetime) -> str:
    """What a browser keeps while its user looks for the code."""
    return seal_text(seals, asdict(proven), _TICKET, now + TICKET_LIFETIME)


def open_ticket(seals: Seals, ticket: str | None, now: datetime) -> Proven:
    """Whom the provider has signed in; InvalidCredentialsError when that is too long ago."""
    told = open_text(seals, ticket, _TICKET, now)
    if told is None:
        raise InvalidCredentialsError("Too much time has passed: sign in with the provider again.")
    return Proven(**told)


def seal_text(seals: Seals, told: dict[str, Any], purpose: str, until: datetime) -> str:
    """Something for a browser to keep until then, which it can neither read nor change."""
    data = orjson.dumps({"until": until.timestamp(), "told": told})
    return base64.urlsafe_b64encode(seals.seal(data, purpose)).decode()


def open_text(seals: Seals, text: str | None, purpose: str, now: datetime) -> dict[str, Any] | None:
    """What was sealed for this purpose, if its time is not over."""
    try:
        sealed = base64.urlsafe_b64decode((text or "").encode("ascii"))
        kept = orjson.loads(seals.open(sealed, purpose))
    except (SealBrokenError, binascii.Error, ValueError):
        return None
    told: dict[str, Any] = kept["told"]
    return told if kept["until"] > now.timestamp() else None


async def _to_link(reader: Reader, proven: Proven) -> UUID | None:
    """Whose account an identity that comes first belongs to; None where there is none."""
    email = proven.email
    if not proven.email_verified or email is None or not _is_address(email):
        raise IdentityRefusedError(Refusal.EMAIL_UNVERIFIED)
    known = await store.credentials(reader, email)
    if known is None:
        return None
    # Anybody can register with somebody else's address, and wait for its owner to come by a provider.
    if not known.email_verified:
        raise IdentityRefusedError(Refusal.ACCOUNT_UNVERIFIED)
    return known.id


async def _link(uow: UnitOfWork, user: EntryRow, client: Client, proven: Proven) -> None:
    if not user.email_verified or user.email.lower() != (proven.email or "").lower():
        raise _Again
    await add_identity(uow, user.id, proven)
    await mails.ask(uow, About.IDENTITY_LINKED, user.id, issuer=proven.issuer)
    await security.record(uow, user.id, security.Action.IDENTITY_LINKED, client)


async def _register(
    database: Database, policy: SessionPolicy, client: Client, proven: Proven
) -> SignedIn:
    """A new account, without a password, with the address that the provider has verified."""
    email = proven.email or ""
    async with database.transaction() as uow:
        added = await store.add_user(uow, email=email, name=_name(proven), password_hash=None)
        user = there(await store.set_verified(uow, added.id))
        await add_identity(uow, user.id, proven)
        await security.record(uow, user.id, security.Action.REGISTERED, client)
        return SignedIn(user, await open_session(uow, policy, client, user.id))


async def add_identity(uow: UnitOfWork, user: UUID, proven: Proven) -> None:
    """Let it sign the user in from now on; UniqueViolationError when it does somebody by now."""
    await store.add_identity(
        uow, user=user, issuer=proven.issuer, subject=proven.subject, email=proven.email
    )


def _is_address(email: str) -> bool:
    return (
        len(email) <= _LONGEST_EMAIL and email.isprintable() and EMAIL.fullmatch(email) is not None
    )


def _name(proven: Proven) -> str:
    """One line of what the provider calls them, or what stands before the @."""
    return ((proven.name or "").strip() or (proven.email or "").partition("@")[0])[:LONGEST_NAME]
