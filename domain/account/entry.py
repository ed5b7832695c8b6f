"""Coming in: registering and signing in."""

import asyncio
from dataclasses import dataclass

from domain import passwords, security
from domain.account import mails, second_factor
from domain.account.mails import About
from domain.account.people import LONGEST_NAME, User
from domain.account.session import Client, SessionPolicy, Tokens, open_session
from domain.checks import Checks
from domain.errors import ConflictError, InvalidCredentialsError
from domain.origin import storable
from domain.seals import Seals
from persistence import account as store
from persistence.account import EntryRow
from persistence.database import Database, UniqueViolationError, UnitOfWork


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
class Login:
    """`code` is of the second factor, or a recovery code."""

    email: str
    password: str
    code: str | None = None


async def register(
    database: Database, policy: SessionPolicy, client: Client, command: Register
) -> SignedIn:
    """Create an account, sign it in and mail it a link; ConflictError when the address is known.

    Takes the database rather than a transaction: no connection is held while the password is hashed.
    """
    email, password_hash = await _checked(command)
    try:
        async with database.transaction() as uow:
            user = await store.add_user(
                uow, email=email, name=command.name, password_hash=password_hash
            )
            await mails.ask(uow, About.VERIFY_EMAIL, user.id)
            await security.record(uow, user.id, security.Action.REGISTERED, client)
            return SignedIn(user, await open_session(uow, policy, client, user.id))
    except UniqueViolationError:
        raise ConflictError("This e-mail address is already registered.") from None


async def add(database: Database, command: Register) -> User:
    """Create an account whose address is known to be its user's; ConflictError when the address is known."""
    email, password_hash = await _checked(command)
    try:
        async with database.transaction() as uow:
            user = await store.add_user(
                uow, email=email, name=command.name, password_hash=password_hash
            )
            await store.set_verified(uow, user.id)
            await security.record(uow, user.id, security.Action.REGISTERED, None)
            return user
    except UniqueViolationError:
        raise ConflictError("This e-mail address is already registered.") from None


async def _checked(command: Register) -> tuple[str, str]:
    """The address as it is stored, and the password's hash; InvalidInputError."""
    checks = Checks()
    email = command.email.strip()
    checks.email(email, "email", required=True)
    checks.line(command.name, "name", longest=LONGEST_NAME, required=True)
    passwords.check(checks, command.password, "password", about=(email, command.name))
    checks.done()
    return email, await asyncio.to_thread(passwords.hash, command.password)


async def login(
    database: Database, policy: SessionPolicy, seals: Seals, client: Client, command: Login
) -> SignedIn:
    """Open a session; an unknown address and a wrong password look and last the same.

    SecondFactorRequiredError when all is right but for the code that is missing.
    """
    refused = InvalidCredentialsError("The e-mail address or the password is wrong.")
    password = command.password[: passwords.LONGEST + 1]
    while True:
        known = None
        if "\x00" not in command.email and command.email.isprintable():
            async with database.reader() as reader:
                known = await store.credentials(reader, command.email.strip())
        stored = None if known is None else known.password_hash
        if not await asyncio.to_thread(passwords.verify, stored, password):
            raise refused
        assert known is not None  # noqa: S101 - verify is False for nobody
        assert stored is not None  # noqa: S101 - and for who has no password
        fresh = None
        if passwords.is_outdated(stored):
            fresh = await asyncio.to_thread(passwords.hash, password)
        async with (
            security.noting_wrong_codes(database, known.id, client),
            database.transaction() as uow,
        ):
            user = await store.lock_entry(uow, known.id, client.device)
            # Whoever changes a password meanwhile ends the sessions there are, and this is to be no new one.
            if user is None or user.password_hash != stored:
                continue
            if user.totp_enabled:
                await second_factor.require(uow, seals, user, command.code)
            if fresh is not None:
                await store.rehash(uow, user.id, fresh)
            return await come_in(uow, policy, client, user)


async def come_in(
    uow: UnitOfWork, policy: SessionPolicy, client: Client, user: EntryRow
) -> SignedIn:
    """Open a session for who has proven all that it takes, and tell them of a device that is new."""
    if user.email_verified and not user.is_device_known:
        await mails.ask(
            uow,
            About.NEW_DEVICE,
            user.id,
            ip=client.ip,
            user_agent=storable(client.user_agent),
            at=uow.now.isoformat(timespec="seconds"),
        )
    return SignedIn(user, await open_session(uow, policy, client, user.id))
