"""What tests of live things share: a server for real sockets, and a watched workspace."""

from collections.abc import AsyncIterator

import httpx
import pytest

from app.main import Application
from app.resources import Api
from domain import events
from graph.live.cursor import Cursor
from jobs.relay import Relay
from persistence.database import Database
from tests.factories import Factory
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
