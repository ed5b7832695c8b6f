"""Event streams: graphql-sse's distinct connections mode, and resuming by Last-Event-ID."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import orjson
import pytest

from persistence.database import Database
from tests.factories import Factory, Person
from tests.graph.watching import EVENTS, SECONDS, STATS, World

EVENT_STREAM = "text/event-stream"
# What urql sends.
ANYTHING = "application/graphql-response+json, application/json, text/event-stream, multipart/mixed"


@dataclass(frozen=True, slots=True)
class Event:
    name: str
    data: Any
    id: str | None


@dataclass(slots=True)
class Stream:
    response: httpx.Response
    lines: AsyncIterator[str]

    async def next(self) -> Event:
        """The next event; comments and mere ids are passed over."""
        found: dict[str, str] = {}
        async with asyncio.timeout(SECONDS):
            async for line in self.lines:
                if not line and "event" in found:
                    break
                name, _, value = line.partition(":")
                if name:
                    found[name] = value.removeprefix(" ")
        data = found.get("data") or None
        return Event(found["event"], data and orjson.loads(data), found.get("id"))

    async def ended(self) -> bool:
        """Whether nothing but the response's end comes."""
        async with asyncio.timeout(SECONDS):
            return [line async for line in self.lines if line.startswith(("event", "data"))] == []


@asynccontextmanager
async def streaming(
    server: str,
    person: Person | None,
    query: str,
    accept: str = EVENT_STREAM,
    last: str | None = None,
    **variables: Any,
) -> AsyncIterator[Stream]:
    headers = {"accept": accept}
    if person is not None:
        headers["authorization"] = f"Bearer {person.token}"
    if last is not None:
        headers["last-event-id"] = last
    async with (
        httpx.AsyncClient(base_url=f"http://{server}", timeout=SECONDS) as client,
        client.stream(
            "POST", "/graphql", json={"query": query, "variables": variables}, headers=headers
        ) as response,
    ):
        yield Stream(response, response.aiter_lines())


async def test_events_come_as_they_happen(server: str, world: World) -> None:
    async with streaming(
        server, world.tenant.owner, EVENTS, workspace=world.tenant.gid, after=world.start
    ) as stream:
        await world.submit("Heard.")
        event = await stream.next()

        assert stream.response.status_code == 200
        assert stream.response.headers["content-type"] == "text/event-stream; charset=utf-8"
        item = event.data["data"]["feedbackEvents"]
        assert (event.name, item["type"], item["feedback"]["body"]) == ("next", "ADDED", "Heard.")
        assert event.id == item["cursor"]


async def test_a_stream_resumes_behind_the_last_id(server: str, world: World) -> None:
    for body in ("one", "two", "three"):
        await world.submit(body)
    async with streaming(
        server, world.tenant.owner, EVENTS, workspace=world.tenant.gid, after=world.start
    ) as stream:
        first = await stream.next()
    async with streaming(
        server,
        world.tenant.owner,
        EVENTS,
        last=first.id,
        workspace=world.tenant.gid,
        after=world.start,
    ) as stream:
        bodies = [
            (await stream.next()).data["data"]["feedbackEvents"]["feedback"]["body"]
            for _ in range(2)
        ]

    assert bodies == ["two", "three"]


async def test_a_stream_tells_where_it_is_before_its_first_event(server: str, world: World) -> None:
    async with streaming(server, world.tenant.owner, EVENTS, workspace=world.tenant.gid) as stream:
        async with asyncio.timeout(SECONDS):
            told = [line async for line in _until_id(stream.lines)][-1]
    await world.submit("meanwhile")
    async with streaming(
        server,
        world.tenant.owner,
        EVENTS,
        last=told.removeprefix("id: "),
        workspace=world.tenant.gid,
    ) as stream:
        event = await stream.next()

    assert event.data["data"]["feedbackEvents"]["feedback"]["body"] == "meanwhile"


async def _until_id(lines: AsyncIterator[str]) -> AsyncIterator[str]:
    async for line in lines:
        yield line
        if line.startswith("id"):
            return


async def test_a_state_comes_at_once(server: str, factory: Factory) -> None:
    tenant = await factory.tenant()
    async with streaming(
        server, tenant.owner, STATS, workspace=tenant.gid, **{"from": "2026-01-01T00:00:00Z"}
    ) as stream:
        event = await stream.next()

        assert event.data["data"]["statsChanged"]["total"] == 0
        assert event.id is None


async def test_a_query_is_answered_and_complete(server: str, database: Database) -> None:
    async with streaming(server, None, "{ __typename }") as stream:
        assert await stream.next() == Event("next", {"data": {"__typename": "Query"}}, None)
        assert await stream.next() == Event("complete", None, None)
        assert await stream.ended()


@pytest.mark.parametrize("query", ["{ nothing }", "{"])
async def test_a_document_that_is_not_valid_is_answered_in_the_stream(
    server: str, database: Database, query: str
) -> None:
    async with streaming(server, None, query) as stream:
        event = await stream.next()

        assert event.data["errors"][0]["extensions"] == {"code": "BAD_REQUEST"}
        assert "data" not in event.data
        assert await stream.next() == Event("complete", None, None)


async def test_a_subscription_that_is_refused_says_why(server: str, factory: Factory) -> None:
    tenant, stranger = await factory.tenant(), await factory.person()
    async with streaming(server, stranger, EVENTS, workspace=tenant.gid) as stream:
        event = await stream.next()

        assert event.data["errors"][0]["extensions"] == {"code": "NOT_FOUND"}
        assert await stream.next() == Event("complete", None, None)


async def test_who_takes_json_too_gets_json_unless_it_is_a_subscription(
    server: str, factory: Factory
) -> None:
    tenant = await factory.tenant()
    async with streaming(server, None, "{ __typename }", ANYTHING) as stream:
        assert stream.response.headers["content-type"].startswith(
            "application/graphql-response+json"
        )
    async with streaming(
        server,
        tenant.owner,
        STATS,
        ANYTHING,
        workspace=tenant.gid,
        **{"from": "2026-01-01T00:00:00Z"},
    ) as stream:
        assert (await stream.next()).name == "next"


async def test_a_subscription_over_get_is_what_event_source_sends(
    server: str, factory: Factory
) -> None:
    tenant = await factory.tenant()
    variables = orjson.dumps({"workspace": tenant.gid, "from": "2026-01-01T00:00:00Z"}).decode()
    async with (
        httpx.AsyncClient(base_url=f"http://{server}", timeout=SECONDS) as client,
        client.stream(
            "GET",
            "/graphql",
            params={"query": STATS, "variables": variables},
            headers={
                "accept": EVENT_STREAM,
                "authorization": f"Bearer {tenant.owner.token}",
            },
        ) as response,
    ):
        event = await Stream(response, response.aiter_lines()).next()

    assert event.data["data"]["statsChanged"]["total"] == 0


async def test_a_stream_ends_with_the_session_and_is_not_complete(
    server: str, factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    async with streaming(
        server, tenant.owner, STATS, workspace=tenant.gid, **{"from": "2026-01-01T00:00:00Z"}
    ) as stream:
        await stream.next()
        await tenant.owner.on(http).ask("mutation { logout { __typename } }")

        assert await stream.ended()
