"""The keys that sign access tokens: kept current in a process, and exchanged from the command line."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import structlog

from app.settings import Settings
from app.stores import now, open_database, seals
from domain import account
from domain.seals import Seals
from domain.tokens import AccessTokens
from persistence.database import Database, StoreUnavailableError

log = structlog.get_logger(__name__)

EVERY_SECONDS = 30.0


async def keep_current(
    access: AccessTokens,
    database: Database,
    sealing: Seals,
    lifetime: timedelta,
    *,
    seconds: float = EVERY_SECONDS,
) -> None:
    """Use the keys that there are, until cancelled."""
    while True:
        await asyncio.sleep(seconds)
        try:
            access.use(await account.signing_keys(database, sealing, now(), lifetime=lifetime))
        except StoreUnavailableError as error:
            log.warning("the signing keys cannot be read", error=str(error))
        except Exception:
            log.exception("the signing keys cannot be used")


def rotate(settings: Settings) -> None:
    """Let a new key sign in place of the one before, once everybody knows it. Nobody is signed out."""
    asyncio.run(_change(settings, account.rotate_keys))


def replace(settings: Settings) -> None:
    """Forget the keys and make a new one: access tokens are refused within half a minute, and have to be renewed."""
    asyncio.run(_change(settings, account.replace_keys))


async def _change(settings: Settings, change: Callable[[Database, Seals], Awaitable[None]]) -> None:
    async with open_database(settings, "earful keys") as database:
        await change(database, seals(settings))
