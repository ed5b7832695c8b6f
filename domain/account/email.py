"""The address of an account: proven to be somebody's, and changed."""

from domain import security
from domain.account import mails
from domain.account.confirming import confirmed, lock_confirmed, not_valid, spend_token
from domain.account.mails import About
from domain.account.people import User, there
from domain.checks import Checks
from domain.errors import ConflictError
from domain.origin import Origin
from domain.viewer import Viewer
from persistence import account as store
from persistence.database import Database, UniqueViolationError, UnitOfWork

_TAKEN = "This e-mail address is already registered."


async def request_verification(uow: UnitOfWork, viewer: Viewer) -> None:
    """Mail the caller another link; ConflictError when the address is proven already."""
    user = there(await store.credentials_of(uow, viewer.user_id))
    if user.email_verified:
        raise ConflictError("This e-mail address is verified already.")
    await mails.ask(uow, About.VERIFY_EMAIL, user.id)


async def verify(uow: UnitOfWork, token: str, origin: Origin | None = None) -> User:
    """The address that the token was mailed to is its user's, if it still has that."""
    owner, email = await spend_token(uow, token, About.VERIFY_EMAIL)
    if owner.email != email:
        raise not_valid()
    await security.record(uow, owner.id, security.Action.EMAIL_VERIFIED, origin)
    return there(await store.set_verified(uow, owner.id))


async def request_change(database: Database, viewer: Viewer, *, email: str, password: str) -> None:
    """Mail a link to the new address, and a notice to the one that there is.

    InvalidCredentialsError for a wrong password, ConflictError when the address is somebody's.
    """
    email = email.strip()
    checks = Checks()
    checks.email(email, "newEmail", required=True)
    checks.done()
    user = await confirmed(database, viewer, password)
    async with database.transaction() as uow:
        await lock_confirmed(uow, user)
        other = await store.credentials(uow, email)
        if other is not None and (other.id != user.id or other.email == email):
            raise ConflictError(_TAKEN)
        at = uow.now.isoformat()
        await mails.ask(uow, About.CHANGE_EMAIL, user.id, email=email, at=at)
        await mails.ask(uow, About.EMAIL_CHANGE_ASKED, user.id, email=email)
        await security.record_own(uow, viewer, security.Action.EMAIL_CHANGE_REQUESTED)


async def confirm_change(uow: UnitOfWork, token: str, origin: Origin | None = None) -> User:
    """Give the token's user the address that it was mailed to; ConflictError when it is another's by now."""
    owner, email = await spend_token(uow, token, About.CHANGE_EMAIL)
    try:
        user = there(await store.set_email(uow, owner.id, email))
    except UniqueViolationError:
        raise ConflictError(_TAKEN) from None
    await security.record(uow, user.id, security.Action.EMAIL_CHANGED, origin)
    # What was mailed to the address before proves nothing about this one.
    await store.use_tokens(uow, owner.id, [About.VERIFY_EMAIL, About.RESET_PASSWORD])
    return user
