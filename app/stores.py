"""Postgres and Redis: how a process reaches them, and the one clock."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import redis.asyncio

from app.settings import Settings, SettingsError
from domain.seals import Seals
from persistence import bus, database
from persistence.database import Database


def now() -> datetime:
    """The one clock."""
    return datetime.now(UTC)


def required(value: str | None, variable: str) -> str:
    """A setting that this process cannot do without."""
    if value is None:
        raise SettingsError(
            f"{variable}: is required here; `make run` sets it for the parts it starts itself"
        )
    return value


def direct_url(settings: Settings) -> str:
    """Where LISTEN and session locks work: past a transaction-mode proxy."""
    return settings.database_direct_url or required(settings.database_url, "DATABASE_URL")


def seals(settings: Settings) -> Seals:
    secret = settings.secret_key
    return Seals(required(secret.get_secret_value() if secret else None, "SECRET_KEY"))


@asynccontextmanager
async def open_database(settings: Settings, application: str) -> AsyncIterator[Database]:
    url = required(settings.database_url, "DATABASE_URL")
    store = await _connected(settings, url, application)
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def open_standby(settings: Settings, url: str, application: str) -> AsyncIterator[Database]:
    """A standby, which may be away."""
    store = await _connected(settings, url, application, eager=False)
    try:
        yield store
    finally:
        await store.close()


async def _connected(
    settings: Settings, url: str, application: str, *, eager: bool = True
) -> Database:
    return await database.connect(
        url,
        clock=now,
        pool_size=settings.database_pool_size,
        prepared_statements=settings.database_prepared_statements,
        application=application,
        eager=eager,
    )


@asynccontextmanager
async def open_redis(settings: Settings) -> AsyncIterator["redis.asyncio.Redis"]:
    client = bus.connect(required(settings.redis_url, "REDIS_URL"))
    try:
        yield client
    finally:
        await client.aclose()
