"""The server that tests over real sockets share."""

from collections.abc import AsyncIterator

import pytest

from app.main import Application
from app.settings import Settings
from tests.graph.sockets import served


@pytest.fixture(scope="session")
async def server(application: Application, settings: Settings) -> AsyncIterator[str]:
    async with served(application, settings) as address:
        yield address
