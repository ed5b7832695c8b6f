"""What tests of signing in with a provider share: the providers, and somebody's browser."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from app.resources import Api
from app.settings import Settings
from tests.app.signing_in import Browser, browser
from tests.factories import Factory
from tests.graph.second_factors import Protected, protect
from tests.identity_providers import Liar, liar, real


@pytest.fixture(scope="session")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with real(tmp_path_factory.mktemp("provider")) as started:
        yield started


@pytest.fixture
async def provider() -> AsyncIterator[Liar]:
    async with liar() as opened:
        yield opened


@pytest.fixture
async def ada(
    settings: Settings, api: Api, issuer: str, provider: Liar, factory: Factory
) -> AsyncIterator[Browser]:
    """Her browser."""
    async with browser(settings, api, {"real": issuer, "liar": provider.issuer}) as opened:
        yield opened


@pytest.fixture
async def protected(factory: Factory, http: httpx.AsyncClient) -> Protected:
    return await protect(factory, http)
