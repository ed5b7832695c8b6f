"""Tokens that were mailed, and second factors: what proves once that somebody is a user."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    LargeBinary,
    Uuid,
    bindparam,
    delete,
    func,
    insert,
    null,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY

from persistence.account.row import AccountToken, RecoveryCode, User
from persistence.database import Reader, Record, Statement, UnitOfWork, given, one_of, table


class TokenRow(Record):
    """Whose token it is, and the address that it was mailed to."""

    user_id: UUID
    email: str


class HashRow(Record):
    hash: bytes


_token = table(AccountToken).c
_code = table(RecoveryCode).c
_user = table(User).c
_is_user = _user.id == bindparam("user")

_ADD = Statement(
    insert(table(AccountToken)).values(
        given("hash", "purpose", "email", "expires_at", user_id="user")
    ),
    Record,
)
_found = (
    select(_token.user_id, _token.email)
    .join_from(table(AccountToken), table(User), _user.id == _token.user_id)
    .where(
        _token.hash == bindparam("hash"),
        _token.purpose == bindparam("purpose"),
        _token.expires_at > bindparam("now"),
    )
)
_FIND = Statement(_found, TokenRow)
_LOCK = Statement(_found.with_for_update(key_share=True, of=table(User)), TokenRow)
_USE = Statement(
    delete(table(AccountToken))
    .where(_token.user_id == bindparam("user"), one_of(_token.purpose, "purposes"))
    .returning(_token.hash),
    HashRow,
)
_FORGET = Statement(
    delete(table(AccountToken)).where(_token.expires_at < bindparam("before")), Record
)

_SET_TOTP = Statement(
    update(table(User))
    .where(_is_user)
    .values(
        sealed_totp_secret=bindparam("sealed", type_=LargeBinary),
        totp_enabled_at=null(),
        totp_step=null(),
    ),
    Record,
)
_ENABLE_TOTP = Statement(
    update(table(User))
    .where(_is_user)
    .values(totp_enabled_at=bindparam("now"), totp_step=bindparam("step")),
    Record,
)
_USE_TOTP = Statement(
    update(table(User)).where(_is_user).values(totp_step=bindparam("step")), Record
)
_DROP_CODES = Statement(
    delete(table(RecoveryCode)).where(_code.user_id == bindparam("user")), Record
)
_ADD_CODES = Statement(
    insert(table(RecoveryCode)).from_select(
        ["user_id", "hash"],
        select(
            bindparam("user", type_=Uuid),
            func.unnest(bindparam("hashes", type_=ARRAY(LargeBinary))),
        ),
    ),
    Record,
)
_USE_CODE = Statement(
    delete(table(RecoveryCode)).where(
        _code.user_id == bindparam("user"), _code.hash == bindparam("hash")
    ),
    Record,
)


async def add_token(
    uow: UnitOfWork,
    *,
    token_hash: bytes,
    user: UUID,
    purpose: str,
    email: str,
    expires_at: datetime,
) -> None:
    await uow.execute(
        _ADD, hash=token_hash, user=user, purpose=purpose, email=email, expires_at=expires_at
    )


async def find_token(
    reader: Reader, token_hash: bytes, purpose: str, now: datetime
) -> TokenRow | None:
    """The token if it is good for this."""
    return await reader.first(_FIND, hash=token_hash, purpose=purpose, now=now)


async def lock_token(uow: UnitOfWork, token_hash: bytes, purpose: str) -> TokenRow | None:
    """The same, and nobody else changes its user meanwhile. Another may just have used it."""
    return await uow.first(_LOCK, hash=token_hash, purpose=purpose, now=uow.now)


async def use_tokens(uow: UnitOfWork, user: UUID, purposes: Sequence[str]) -> set[bytes]:
    """Take away all of the user's tokens for these purposes; answers the hashes of those that there were."""
    return {row.hash for row in await uow.fetch(_USE, user=user, purposes=purposes)}


async def forget_tokens(uow: UnitOfWork, before: datetime) -> None:
    """Forget the mailed tokens that expired before that time."""
    await uow.execute(_FORGET, before=before)


async def set_totp(uow: UnitOfWork, user: UUID, sealed_secret: bytes | None) -> None:
    """Give the user a second factor that does not count yet, or none."""
    await uow.execute(_SET_TOTP, user=user, sealed=sealed_secret)


async def enable_totp(uow: UnitOfWork, user: UUID, step: int) -> None:
    await uow.execute(_ENABLE_TOTP, user=user, step=step, now=uow.now)


async def use_totp(uow: UnitOfWork, user: UUID, step: int) -> None:
    """No code of that step or before is taken any more."""
    await uow.execute(_USE_TOTP, user=user, step=step)


async def set_recovery_codes(uow: UnitOfWork, user: UUID, hashes: Sequence[bytes]) -> None:
    """Give the user these, in place of all that were left."""
    await uow.execute(_DROP_CODES, user=user)
    if hashes:
        await uow.execute(_ADD_CODES, user=user, hashes=hashes)


async def use_recovery_code(uow: UnitOfWork, user: UUID, code_hash: bytes) -> bool:
    """Whether there was such a code; there is no more."""
    return await uow.execute(_USE_CODE, user=user, hash=code_hash) == 1
