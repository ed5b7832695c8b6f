"""Brings the stores to this version: migrations and the bucket."""

import asyncio

from app.buckets import objects
from app.settings import Settings
from app.stores import direct_url
from persistence import migrate


def prepare(settings: Settings) -> None:
    """Migrate the database and make the bucket. Doing it again does nothing."""
    migrate.upgrade(direct_url(settings))
    asyncio.run(objects(settings).create_bucket())
