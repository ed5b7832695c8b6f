"""The second factor: an authenticator app's codes, and codes to recover with when the app is lost."""

import base64
import secrets
from dataclasses import dataclass
from uuid import UUID

from domain import security, tokens, totp
from domain.account import mails
from domain.account.confirming import confirmed, lock_confirmed
from domain.account.mails import About
from domain.account.people import there
from domain.errors import ConflictError, InvalidCredentialsError, SecondFactorRequiredError
from domain.seals import Seals
from domain.viewer import Viewer
from persistence import account as store
from persistence.account import CredentialsRow
from persistence.database import Database, UnitOfWork

ISSUER = "Earful"
RECOVERY_CODES = 10
_RECOVERY_BYTES = 10
_NOT_ON = "This account has no second factor."


@dataclass(frozen=True, slots=True)
class Secret:
    """What an authenticator app is given, to type and as a QR code."""

    text: str
    uri: str


async def start(database: Database, viewer: Viewer, seals: Seals, *, password: str) -> Secret:
    """A secret for the caller's app, which counts once a code of it has been confirmed.

    ConflictError when there is a second factor already, or the address is not proven: whoever proves it later must
    not find the account locked by somebody else's app.
    """
    user = await confirmed(database, viewer, password)
    secret = totp.new_secret()
    async with database.transaction() as uow:
        user = await lock_confirmed(uow, user)
        if user.totp_enabled:
            raise ConflictError("This account has a second factor: disable that first.")
        if not user.email_verified:
            raise ConflictError("Verify your e-mail address first.")
        await store.set_totp(uow, user.id, seals.seal(secret, _purpose(user.id)))
        await security.record_own(uow, viewer, security.Action.SECOND_FACTOR_STARTED)
    return Secret(totp.written(secret), totp.uri(secret, issuer=ISSUER, account=user.email))


async def confirm(uow: UnitOfWork, viewer: Viewer, seals: Seals, code: str) -> list[str]:
    """From now on signing in takes a code; answers the recovery codes, which are told this once."""
    user = there(await store.lock(uow, viewer.user_id))
    if user.totp_enabled or user.sealed_totp_secret is None:
        raise ConflictError("There is no second factor to confirm: start with one.")
    step = _step(uow, seals, user, code)
    if step is None:
        raise _wrong()
    await store.enable_totp(uow, user.id, step)
    await mails.ask(uow, About.TOTP_ENABLED, user.id)
    await security.record_own(uow, viewer, security.Action.SECOND_FACTOR_ENABLED)
    return await _new_codes(uow, user.id)


async def disable(
    database: Database, viewer: Viewer, seals: Seals, *, password: str, code: str
) -> None:
    """Signing in takes no code any more."""
    user = await confirmed(database, viewer, password)
    async with (
        security.noting_wrong_codes(database, user.id, viewer.origin),
        database.transaction() as uow,
    ):
        user = await _lock_with_code(uow, user, seals, code)
        await security.record_own(uow, viewer, security.Action.SECOND_FACTOR_DISABLED)
        await store.set_totp(uow, user.id, None)
        await store.set_recovery_codes(uow, user.id, [])
        await mails.ask(uow, About.TOTP_DISABLED, user.id)


async def new_recovery_codes(
    database: Database, viewer: Viewer, seals: Seals, *, password: str, code: str
) -> list[str]:
    """Others in place of all that are left; they are told this once."""
    user = await confirmed(database, viewer, password)
    async with (
        security.noting_wrong_codes(database, user.id, viewer.origin),
        database.transaction() as uow,
    ):
        user = await _lock_with_code(uow, user, seals, code)
        await security.record_own(uow, viewer, security.Action.RECOVERY_CODES_REPLACED)
        return await _new_codes(uow, user.id)


async def require(uow: UnitOfWork, seals: Seals, user: CredentialsRow, code: str | None) -> None:
    """Use up a code of a user who is locked and has a second factor.

    SecondFactorRequiredError without one; InvalidCredentialsError for a wrong one or one that was used before.
    """
    plain = "".join((code or "").split()).replace("-", "").upper()
    if not plain:
        raise SecondFactorRequiredError("This account takes a code of its authenticator app too.")
    if len(plain) == totp.DIGITS:
        step = _step(uow, seals, user, plain)
        if step is None:
            raise _wrong()
        await store.use_totp(uow, user.id, step)
    elif not await store.use_recovery_code(uow, user.id, tokens.hash_token(plain)):
        raise _wrong()


async def _lock_with_code(
    uow: UnitOfWork, user: CredentialsRow, seals: Seals, code: str
) -> CredentialsRow:
    user = await lock_confirmed(uow, user)
    if not user.totp_enabled:
        raise ConflictError(_NOT_ON)
    await require(uow, seals, user, code)
    return user


def _step(uow: UnitOfWork, seals: Seals, user: CredentialsRow, code: str) -> int | None:
    assert user.sealed_totp_secret is not None  # noqa: S101 - the caller has looked
    secret = seals.open(user.sealed_totp_secret, _purpose(user.id))
    return totp.step_of(secret, code.strip(), uow.now, after=user.totp_step)


async def _new_codes(uow: UnitOfWork, user: UUID) -> list[str]:
    # 80 random bits: a fast hash is enough for them.
    plain = [
        base64.b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode()
        for _ in range(RECOVERY_CODES)
    ]
    await store.set_recovery_codes(uow, user, [tokens.hash_token(code) for code in plain])
    return ["-".join(code[i : i + 4] for i in range(0, len(code), 4)).lower() for code in plain]


def _purpose(user: UUID) -> str:
    """Sealed for one user, it cannot be given to another."""
    return f"TOTP secret of {user.hex}"


def _wrong() -> InvalidCredentialsError:
    return InvalidCredentialsError("The code is wrong, or was used before.")
