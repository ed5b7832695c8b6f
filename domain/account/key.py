"""The keys that sign access tokens: made, exchanged, forgotten.

A new key is published at once and signs only once every process, and whoever has read /.well-known/jwks.json, must
have heard of it. The one before verifies until the last of its tokens has run out. So nobody is signed out.
"""

from datetime import datetime, timedelta

from domain.seals import SealBrokenError, Seals
from domain.tokens import SigningKey
from persistence import account as store
from persistence.account import SigningKeyRow
from persistence.database import Database, UnitOfWork

PUBLISHED = timedelta(minutes=10)
"""How long a key is known before it signs: longer than processes and caches remember the keys before."""
_LONGEST_LIFETIME = timedelta(days=1)
_SLACK = timedelta(minutes=5)
_PURPOSE = "signing key"


async def signing_keys(
    database: Database, seals: Seals, now: datetime, *, lifetime: timedelta
) -> list[SigningKey]:
    """The key that signs, then the others whose tokens of that lifetime are good or will be.

    The first process to come makes one.
    """
    rows = await _read(database, now - lifetime - _SLACK)
    if not any(_signs(row, now) for row in rows):
        async with database.transaction() as uow:
            await store.lock_signing_keys(uow)
            if not any(_signs(row, now) for row in await store.signing_keys(uow, now)):
                await _add(uow, seals)
        rows = await _read(database, now - lifetime - _SLACK)
    # The oldest of those that are not retired signs: the newer ones are not known to everybody yet.
    rows.sort(key=lambda row: not _signs(row, now))
    return [SigningKey.load(seals.open(row.sealed_private_key, _PURPOSE)) for row in rows]


async def opens_keys(database: Database, seals: Seals, now: datetime) -> bool:
    """Whether these seals are those that the keys there are were sealed with; True where there are none."""
    rows = await _read(database, now)
    try:
        for row in rows:
            seals.open(row.sealed_private_key, _PURPOSE)
    except SealBrokenError:
        return False
    return True


async def rotate_keys(database: Database, seals: Seals) -> None:
    """Make a new key, which signs in place of the one before after ten minutes."""
    async with database.transaction() as uow:
        await store.lock_signing_keys(uow)
        await store.retire_signing_keys(uow, uow.now + PUBLISHED)
        await _add(uow, seals)


async def replace_keys(database: Database, seals: Seals) -> None:
    """Forget every key and make a new one: whatever the old ones have signed is refused."""
    async with database.transaction() as uow:
        await store.lock_signing_keys(uow)
        await store.delete_signing_keys(uow)
        await _add(uow, seals)


async def forget_expired(uow: UnitOfWork) -> None:
    """Forget what has run out: sessions, tokens, keys. Until then a used refresh token still tells a theft."""
    await store.forget_sessions(uow, uow.now)
    await store.forget_tokens(uow, uow.now)
    await store.forget_signing_keys(uow, uow.now - _LONGEST_LIFETIME - _SLACK)


async def _read(database: Database, since: datetime) -> list[SigningKeyRow]:
    async with database.reader() as reader:
        return await store.signing_keys(reader, since)


async def _add(uow: UnitOfWork, seals: Seals) -> None:
    key = SigningKey.new()
    sealed = seals.seal(key.private_bytes(), _PURPOSE)
    await store.add_signing_key(uow, kid=key.kid, sealed_private_key=sealed)


def _signs(row: SigningKeyRow, now: datetime) -> bool:
    return row.retired_at is None or row.retired_at > now
