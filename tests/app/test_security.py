"""What every answer tells browsers, and that only https says so of itself."""

from ipaddress import ip_network

import httpx
import pytest

from app.resources import Api
from app.settings import Settings
from tests.applications import client

DEFAULTS = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/healthz"),
        ("GET", "/schema.graphql"),
        ("GET", "/graphiql/main.js"),
        ("GET", "/nowhere"),
        ("GET", "/"),
        ("GET", "/graphql?query={__typename}"),
        ("GET", "/graphql?query={"),
        ("PUT", "/graphql"),
        ("POST", "/hooks/x"),
    ],
)
async def test_every_answer_is_secured(http: httpx.AsyncClient, method: str, path: str) -> None:
    response = await http.request(method, path)

    headers = response.headers.multi_items()
    assert {name: value for name, value in headers if name in DEFAULTS} == DEFAULTS
    assert len([name for name, _ in headers if name in DEFAULTS]) == len(DEFAULTS)
    assert "strict-transport-security" not in response.headers


@pytest.mark.parametrize(
    ("address", "said"), [("10.0.0.1", "max-age=31536000"), ("192.0.2.1", None)]
)
async def test_only_https_asks_for_https(
    settings: Settings, api: Api, address: str, said: str | None
) -> None:
    behind = settings.model_copy(update={"trusted_proxies": (ip_network("10.0.0.0/8"),)})
    async with client(behind, api, address=address) as http:
        response = await http.get("/healthz", headers={"x-forwarded-proto": "https"})

    assert response.headers.get("strict-transport-security") == said


@pytest.mark.parametrize(
    "path",
    ["/", "/healthz/", "/graphiql", "/schema.graphql/", "/auth/oidc/x/start/", "//x.example/"],
)
async def test_nobody_is_led_to_a_host_that_the_request_names(
    http: httpx.AsyncClient, path: str
) -> None:
    response = await http.get(f"http://earful.test{path}", headers={"host": "evil.example"})

    assert response.headers.get("location") == ("/graphql" if path == "/" else None)
