"""Stores of the relay tests' own."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from app.settings import Settings
from persistence import migrate
from persistence.database import Database
from tests.factories import Factory
from tests.jobs.relays import Stores, emptied
from tests.jobs.runners import Desk, Notes


@pytest.fixture
def desk(database: Database, factory: Factory) -> Desk:
    """Jobs, and who looks at them."""
    return Desk(database, factory, Notes())


@pytest.fixture(scope="session")
async def apart(settings: Settings) -> Settings:
    """Settings with a database and a Redis database that no other test's relay looks at."""
    assert settings.database_url is not None
    name = f"relay_{secrets.token_hex(4)}"
    url = urlunsplit(urlsplit(settings.database_url)._replace(path=f"/{name}"))
    connection = await asyncpg.connect(settings.database_url)
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    await asyncio.to_thread(migrate.upgrade, url)
    return settings.model_copy(update={"database_url": url, "redis_url": f"{settings.redis_url}/5"})


@pytest.fixture
async def stores(apart: Settings) -> AsyncIterator[Stores]:
    """What a relay uses, empty."""
    async with emptied(apart) as opened:
        yield opened
