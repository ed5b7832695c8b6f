"""Applications around resources of a test's own, and a watch on their statements in Postgres."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import asyncpg
import httpx

from app.main import create_app
from app.resources import Api
from app.settings import Settings
from app.stores import open_database
from graph.execution import Operations
from tests.both_ways import BothWays


def client(
    settings: Settings,
    api: Api,
    operations: type[Operations] = BothWays,
    *,
    address: str = "127.0.0.1",
) -> httpx.AsyncClient:
    """A client of another application, that has these resources and settings."""
    application = create_app(settings, operations)
    application.open(api)
    transport = httpx.ASGITransport(application, client=(address, 123))
    return httpx.AsyncClient(transport=transport, base_url="http://earful.test")


@asynccontextmanager
async def without_postgres(settings: Settings, api: Api) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application whose pool has been closed."""
    async with open_database(settings, "http away") as away:
        pass
    services = replace(api.services, database=away)
    async with client(settings, replace(api, services=services)) as http:
        yield http


async def reached(
    connection: "asyncpg.Connection[asyncpg.Record]", query: str, name: str, count: int
) -> None:
    """Until the query counts so many, for at most ten seconds."""
    async with asyncio.timeout(10):
        while await connection.fetchval(query, name) != count:
            await asyncio.sleep(0.01)
