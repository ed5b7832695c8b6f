"""What several tests share: a server for real sockets, a watched workspace, limits, a second factor."""

from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from app.main import Application, create_app
from app.resources import Api
from app.settings import Settings
from app.stores import open_redis
from domain import events
from graph.live.cursor import Cursor
from jobs.relay import Relay
from persistence.database import Database
from persistence.limits import Limiter
from tests.both_ways import BothWays
from tests.factories import Factory
from tests.graph.second_factors import Protected, protect
from tests.graph.sockets import served
from tests.graph.watching import World, connected


@pytest.fixture(scope="session")
async def server(application: Application) -> AsyncIterator[str]:
    async with served(application) as address:
        yield address


@pytest.fixture
async def world(
    factory: Factory,
    application: Application,
    http: httpx.AsyncClient,
    database: Database,
    api: Api,
    relay: Relay,
) -> AsyncIterator[World]:
    tenant = await factory.tenant()
    head = await api.bus.head(events.topic(tenant.id, events.FEEDBACK_TOPIC))
    async with connected(application, tenant.owner) as socket:
        yield World(
            tenant, tenant.owner.on(http), socket, database, str(Cursor(head.epoch, head.offset))
        )


@pytest.fixture
async def strict(
    factory: Factory, api: Api, settings: Settings
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application whose limits are those of production."""
    application = create_app(settings, BothWays)
    async with open_redis(settings) as redis:
        limiter = Limiter(redis, scale=1)
        services = replace(api.services, limiter=limiter)
        application.open(replace(api, services=services))
        transport = httpx.ASGITransport(application)
        async with httpx.AsyncClient(transport=transport, base_url="http://earful.test") as client:
            yield client
        await limiter.close()


@pytest.fixture
async def protected(factory: Factory, http: httpx.AsyncClient) -> Protected:
    return await protect(factory, http)
