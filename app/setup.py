"""Brings the stores to this version: migrations and the bucket."""

import asyncio

from app.buckets import objects
from app.settings import Settings, SettingsError
from app.stores import direct_url, open_database, open_redis
from persistence import migrate
from persistence.bus import Bus, BusUnavailableError
from persistence.database import StoreUnavailableError
from persistence.objects import ObjectsUnavailableError


def prepare(settings: Settings) -> None:
    """Migrate the database and make the bucket. Doing it again does nothing.

    SettingsError names the variable of a store that cannot be used.
    """
    asyncio.run(_reach(settings))
    migrate.upgrade(direct_url(settings))


async def _reach(settings: Settings) -> None:
    try:
        async with open_database(settings, "earful setup"):
            pass
    except StoreUnavailableError as error:
        raise SettingsError(f"DATABASE_URL: {error}") from error
    try:
        async with open_redis(settings) as client:
            await Bus(client, retained=settings.live_retained_events).ping()
    except BusUnavailableError as error:
        raise SettingsError(f"REDIS_URL: {error}") from error
    try:
        await objects(settings).create_bucket()
    except ObjectsUnavailableError as error:
        raise SettingsError(f"S3_ENDPOINT_URL: {error}") from error
