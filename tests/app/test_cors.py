"""Pages of other origins: those that are named may use the server, and no others."""

from collections.abc import AsyncIterator

import httpx
import pytest

from app.main import create_app
from app.resources import Api
from app.settings import Settings

OURS = "https://app.example.com"
QUERY = {"query": "{ __typename }"}


@pytest.fixture
async def browser(settings: Settings, api: Api) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a server that knows another origin."""
    application = create_app(settings.model_copy(update={"cors_origins": (OURS,)}))
    application.open(api)
    transport = httpx.ASGITransport(application)
    async with httpx.AsyncClient(transport=transport, base_url="http://earful.test") as client:
        yield client


def preflight(origin: str) -> dict[str, str]:
    return {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type",
    }


async def test_a_page_that_is_named_may_ask_with_its_cookies(browser: httpx.AsyncClient) -> None:
    asked = await browser.options("/graphql", headers=preflight(OURS))
    answered = await browser.post("/graphql", json=QUERY, headers={"origin": OURS})

    assert asked.status_code == 200
    assert asked.headers["access-control-allow-headers"].lower().count("authorization") == 1
    for response in (asked, answered):
        assert response.headers["access-control-allow-origin"] == OURS
        assert response.headers["access-control-allow-credentials"] == "true"
        assert "Origin" in response.headers["vary"]
    assert answered.json()["data"] == {"__typename": "Query"}


@pytest.mark.parametrize("origin", ["https://evil.example", "null", f"{OURS}.evil.example"])
async def test_another_page_may_not(browser: httpx.AsyncClient, origin: str) -> None:
    asked = await browser.options("/graphql", headers=preflight(origin))
    answered = await browser.post("/graphql", json=QUERY, headers={"origin": origin})

    assert asked.status_code == 400
    assert "access-control-allow-origin" not in asked.headers
    assert "access-control-allow-origin" not in answered.headers


async def test_without_origins_no_page_may(http: httpx.AsyncClient) -> None:
    asked = await http.options("/graphql", headers=preflight(OURS))
    answered = await http.post("/graphql", json=QUERY, headers={"origin": OURS})

    assert asked.status_code == 405
    assert "access-control-allow-origin" not in answered.headers
