"""The endpoints beside operations: the playground, the schema, the public keys, health and readiness."""

from dataclasses import replace

import httpx

from app.main import create_app
from app.resources import Api
from app.settings import Settings
from persistence.bus import Bus, connect
from tests.applications import client, without_postgres
from tests.graph.posting import QUERY

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


async def test_a_browser_gets_the_playground(http: httpx.AsyncClient) -> None:
    response = await http.get("/graphql", headers={"accept": BROWSER})

    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["content-security-policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert '<div id="graphiql"></div>' in response.text


async def test_the_playground_has_its_parts(http: httpx.AsyncClient) -> None:
    script, styles = await http.get("/graphiql/main.js"), await http.get("/graphiql/main.css")

    assert (script.status_code, styles.status_code) == (200, 200)
    assert script.headers["content-type"].partition(";")[0] == "text/javascript"


async def test_the_root_leads_to_the_playground(http: httpx.AsyncClient) -> None:
    response = await http.get("/")

    assert (response.status_code, response.headers["location"]) == (307, "/graphql")


async def test_a_browser_that_asks_a_query_gets_an_answer(http: httpx.AsyncClient) -> None:
    response = await http.get(
        "/graphql", params={"query": QUERY}, headers={"accept": "text/html, */*;q=0.8"}
    )

    assert response.json()["data"] == {"__typename": "Query"}


async def test_the_schema_is_served(http: httpx.AsyncClient) -> None:
    response = await http.get("/schema.graphql")

    assert response.status_code == 200
    assert "type Query {" in response.text
    assert response.text.endswith("}\n")


async def test_the_public_keys_are_served(http: httpx.AsyncClient) -> None:
    response = await http.get("/.well-known/jwks.json")

    (key,) = response.json()["keys"]
    assert response.headers["cache-control"] == "public, max-age=300"
    assert key.keys() == {"kty", "crv", "x", "kid", "use", "alg"}
    assert (key["kty"], key["crv"], key["use"], key["alg"]) == ("OKP", "Ed25519", "sig", "EdDSA")


async def test_a_living_process_is_healthy(http: httpx.AsyncClient) -> None:
    response = await http.get("/healthz")

    assert (response.status_code, response.json()) == (200, {"status": "ok"})


async def test_a_server_with_all_its_parts_is_ready(http: httpx.AsyncClient) -> None:
    response = await http.get("/readyz")

    assert response.status_code == 200
    assert response.json() == {
        "status": "ok",
        "parts": {"postgres": "ok", "redis": "ok", "s3": "ok", "model": "ok", "live": "ok"},
    }


async def test_a_server_without_resources_is_starting(settings: Settings) -> None:
    transport = httpx.ASGITransport(create_app(settings))
    async with httpx.AsyncClient(transport=transport, base_url="http://earful.test") as http:
        ready = await http.get("/readyz")
        graphql = await http.post("/graphql", json={"query": QUERY})

    assert (ready.status_code, ready.json()) == (503, {"status": "starting", "parts": {}})
    assert graphql.status_code == 404


async def test_a_server_without_postgres_says_so(settings: Settings, api: Api) -> None:
    async with without_postgres(settings, api) as http:
        response = await http.get("/readyz")

    assert response.status_code == 503
    assert response.json() == {
        "status": "unavailable",
        "parts": {
            "postgres": "away: Postgres cannot be reached",
            "redis": "ok",
            "s3": "ok",
            "model": "ok",
            "live": "ok",
        },
    }


async def test_a_server_without_redis_says_so(settings: Settings, api: Api) -> None:
    nowhere = connect("redis://127.0.0.1:1")
    async with client(settings, replace(api, bus=Bus(nowhere, retained=100))) as http:
        response = await http.get("/readyz")

    parts = response.json()["parts"]
    assert response.status_code == 503
    assert parts["redis"].startswith("away: Redis cannot be reached: ")
    assert (parts["postgres"], parts["s3"]) == ("ok", "ok")
