"""The password of an account: forgotten, and changed."""

import asyncio
from uuid import UUID

from domain import passwords, security, tokens
from domain.account import mails
from domain.account.confirming import confirmed, lock_confirmed, not_valid, spend_token
from domain.account.mails import About
from domain.account.session import revoke_all
from domain.checks import Checks
from domain.origin import Origin
from domain.viewer import Viewer
from persistence import account as store
from persistence.account import CredentialsRow
from persistence.database import Database, UnitOfWork

# Tokens that were mailed under the password before.
_WITH_IT = [About.RESET_PASSWORD.value, About.CHANGE_EMAIL.value]


async def request_reset(uow: UnitOfWork, email: str) -> None:
    """Mail a link to whoever has this address; whether anybody has does not show here."""
    email = email.strip()
    checks = Checks()
    checks.email(email, "email", required=True)
    checks.done()
    await mails.ask_for_reset(uow, email)


async def reset(
    database: Database, token: str, password: str, origin: Origin | None = None
) -> list[UUID]:
    """Set a new password by a mailed token, which proves the address too; answers the sessions that it ended: all."""
    # Looked at before: whoever has no token is to cost no hash.
    async with database.transaction() as uow:
        user = await _owner(uow, token)
    password_hash = await _hash(password, "newPassword", user.email, user.name)
    async with database.transaction() as uow:
        user, email = await spend_token(uow, token, About.RESET_PASSWORD)
        if email == user.email:
            await store.set_verified(uow, user.id)
        await security.record(uow, user.id, security.Action.PASSWORD_RESET, origin)
        return await _set(uow, user.id, password_hash)


async def change(database: Database, viewer: Viewer, *, current: str, new: str) -> list[UUID]:
    """Set another password; answers the sessions that it ended: all of the caller's others."""
    user = await confirmed(database, viewer, current)
    password_hash = await _hash(new, "newPassword", user.email, user.name, other_than=current)
    async with database.transaction() as uow:
        await lock_confirmed(uow, user)
        await security.record_own(uow, viewer, security.Action.PASSWORD_CHANGED)
        return await _set(uow, user.id, password_hash, but=viewer.session_id)


async def _owner(uow: UnitOfWork, token: str) -> CredentialsRow:
    purpose = About.RESET_PASSWORD.value
    found = await store.find_token(uow, tokens.hash_token(token), purpose, uow.now)
    user = None if found is None else await store.credentials_of(uow, found.user_id)
    if user is None:
        raise not_valid()
    return user


async def _hash(password: str, field: str, *about: str, other_than: str | None = None) -> str:
    checks = Checks()
    passwords.check(checks, password, field, about=about)
    if password == other_than:
        checks.refuse([field], "must be another one than the current password")
    checks.done()
    return await asyncio.to_thread(passwords.hash, password)


async def _set(
    uow: UnitOfWork, user: UUID, password_hash: str, *, but: UUID | None = None
) -> list[UUID]:
    await store.set_password(uow, user, password_hash)
    await store.use_tokens(uow, user, _WITH_IT)
    await mails.ask(uow, About.PASSWORD_CHANGED, user)
    return await revoke_all(uow, user, but=but)
