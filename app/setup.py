"""Brings the stores to this version: migrations and the bucket."""

import asyncio

import structlog

from app.buckets import objects, origins
from app.settings import Settings, SettingsError
from app.stores import direct_url, open_database, open_redis
from persistence import migrate
from persistence.bus import Bus, BusUnavailableError
from persistence.database import StoreUnavailableError
from persistence.objects import Objects, ObjectsUnavailableError

log = structlog.get_logger(__name__)


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
        async with objects(settings) as bucket:
            await bucket.create_bucket()
            await _let_pages_in(bucket, settings)
    except ObjectsUnavailableError as error:
        raise SettingsError(f"S3_ENDPOINT_URL: {error}") from error


async def _let_pages_in(bucket: Objects, settings: Settings) -> None:
    allowed = origins(settings)
    try:
        await bucket.allow_origins(allowed)
    except ObjectsUnavailableError as error:
        # Not every S3 has rules for each bucket, and not every key may change them.
        log.warning(
            "the bucket's CORS rules cannot be set: browsers may be unable to upload",
            cure=f"let it take GET, HEAD and PUT from {', '.join(allowed)}",
            error=str(error),
        )
