"""Proving once more that somebody is the user: by the password, or by a token that was mailed."""

import asyncio

from domain import passwords, tokens
from domain.account.mails import About
from domain.account.people import there
from domain.errors import InvalidCredentialsError
from domain.viewer import Viewer
from persistence import account as store
from persistence.account import CredentialsRow
from persistence.database import Database, UnitOfWork


async def confirmed(database: Database, viewer: Viewer, password: str) -> CredentialsRow:
    """The caller, whose password this is; else InvalidCredentialsError."""
    async with database.reader() as reader:
        user = there(await store.credentials_of(reader, viewer.user_id))
    given = password[: passwords.LONGEST + 1]
    if not await asyncio.to_thread(passwords.verify, user.password_hash, given):
        raise wrong_password()
    return user


async def lock_confirmed(uow: UnitOfWork, user: CredentialsRow) -> CredentialsRow:
    """The same user now, for a change; InvalidCredentialsError when the password is another one meanwhile."""
    return _same(await store.lock(uow, user.id), user)


async def lock_confirmed_to_delete(uow: UnitOfWork, user: CredentialsRow) -> CredentialsRow:
    """The same, with nothing given to them any more."""
    return _same(await store.lock_to_delete(uow, user.id), user)


async def spend_token(uow: UnitOfWork, token: str, about: About) -> tuple[CredentialsRow, str]:
    """Use a token up, and others for the same with it; answers whose it was and the address it was mailed to."""
    token_hash = tokens.hash_token(token)
    found = await store.lock_token(uow, token_hash, about.value)
    if found is None or token_hash not in await store.use_tokens(uow, found.user_id, [about.value]):
        raise not_valid()
    return there(await store.credentials_of(uow, found.user_id)), found.email


def not_valid() -> InvalidCredentialsError:
    return InvalidCredentialsError("This link is not valid any more. Ask for a new one.")


def wrong_password() -> InvalidCredentialsError:
    return InvalidCredentialsError("The password is wrong.")


def _same(now: CredentialsRow | None, user: CredentialsRow) -> CredentialsRow:
    if now is None or now.password_hash != user.password_hash:
        raise wrong_password()
    return now
