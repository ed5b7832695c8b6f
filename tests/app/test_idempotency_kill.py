"""A server that is killed in the middle of a keyed mutation: what was done is done once, and that is known."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.settings import Settings
from tests.factories import Factory
from tests.graph.account_queries import mutation
from tests.holding import held
from tests.processes import process

SECONDS = 60
CREATE = mutation("createSource", "source { name lastReceivedAt }")
LOST = "This request was carried out, and its answer is lost: look for what it has changed."


@asynccontextmanager
async def serving(
    settings: Settings, directory: Path
) -> AsyncIterator[tuple[httpx.AsyncClient, asyncio.subprocess.Process]]:
    """A server of its own on the test's stores, and a client of it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with (
        process(settings, directory, "api", PORT=str(port)) as server,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=SECONDS) as http,
    ):
        async with asyncio.timeout(SECONDS):
            while not await _is_up(http):
                assert server.returncode is None
                await asyncio.sleep(0.05)
        yield http, server


async def _is_up(http: httpx.AsyncClient) -> bool:
    with suppress(httpx.TransportError):
        return (await http.get("/healthz")).status_code == httpx.codes.OK
    return False


async def create(http: httpx.AsyncClient, token: str, workspace: str) -> httpx.Response:
    headers = {"authorization": f"Bearer {token}", "idempotency-key": "once"}
    body: dict[str, Any] = {"query": CREATE}
    body["variables"] = {"input": {"workspaceId": workspace, "name": "Shop"}}
    return await http.post("/graphql", json=body, headers=headers)


@pytest.mark.parametrize(
    ("locked", "made_by_then", "expected"),
    [
        # Where it has waited for: before the row is written; after the commit, for the answer.
        ("source", 0, (200, None)),
        ("feedback", 1, (409, LOST)),
    ],
)
async def test_it_is_done_once_whenever_the_server_is_killed(
    locked: str,
    made_by_then: int,
    expected: tuple[int, str | None],
    settings: Settings,
    factory: Factory,
    http: httpx.AsyncClient,
    tmp_path: Path,
) -> None:
    tenant = await factory.tenant()
    partner = await factory.api_key(tenant, "sources:manage", "feedback:read")
    async with (
        serving(settings, tmp_path) as (server, running),
        held(settings, f"LOCK TABLE {locked} IN ACCESS EXCLUSIVE MODE") as waited_for,
    ):
        asked = asyncio.ensure_future(create(server, partner.token, tenant.gid))
        await waited_for(1)
        running.kill()
        await asyncio.wait({asked})
    made = "SELECT count(*) FROM source WHERE name = 'Shop'"
    assert await factory.rows(made) == [(made_by_then,)]

    early = await create(http, partner.token, tenant.gid)
    await factory.change("UPDATE idempotency_key SET claimed_until = now() - interval '1 second'")
    late = await create(http, partner.token, tenant.gid)

    assert isinstance(asked.exception(), httpx.TransportError)
    assert (early.status_code, early.headers["retry-after"]) == (409, "1")
    message = late.json().get("errors", [{"message": None}])[0]["message"]
    assert (late.status_code, message) == expected
    assert await factory.rows(made) == [(1,)]
