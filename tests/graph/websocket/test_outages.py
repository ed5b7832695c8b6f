"""Redis goes, comes back, and may have forgotten: sockets stay, and whoever watches gets everything or is told."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest

from app.main import Application, create_app
from app.resources import open_api
from app.settings import Settings
from app.stores import open_redis
from domain import events
from tests.factories import Tenant
from tests.graph.sockets import SECONDS, Socket, acknowledged, served
from tests.graph.test_sse import streaming
from tests.graph.watching import EVENTS, FROM, STATS, World


@dataclass
class Gate:
    """The way to Redis, which can be shut."""

    host: str
    port: int
    is_open: bool = True
    _pairs: set[asyncio.StreamWriter] = field(default_factory=set)

    def shut(self) -> None:
        """Cut everybody off, and let nobody in."""
        self.is_open = False
        for writer in self._pairs:
            writer.transport.abort()

    def open(self) -> None:
        self.is_open = True

    async def admit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.is_open:
            writer.transport.abort()
            return
        there, back = await asyncio.open_connection(self.host, self.port)
        ends = {writer, back}
        self._pairs |= ends
        await asyncio.gather(_pass(reader, back), _pass(there, writer))
        self._pairs -= ends

    async def end(self) -> None:
        self.shut()
        async with asyncio.timeout(SECONDS):
            while self._pairs:
                await asyncio.sleep(0.01)


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.transport.abort()


@pytest.fixture
def gate(settings: Settings) -> Gate:
    url = urlsplit(settings.redis_url or "")
    assert url.hostname is not None
    assert url.port is not None
    return Gate(url.hostname, url.port)


@pytest.fixture
async def away(
    settings: Settings, gate: Gate, world: World
) -> AsyncIterator[tuple[str, Application]]:
    """A server of its own that reaches Redis through the gate; events are published beside it."""
    async with await asyncio.start_server(gate.admit, "127.0.0.1", 0) as listening:
        host, port = listening.sockets[0].getsockname()
        assert settings.redis_url is not None
        url = settings.redis_url.replace(f"{gate.host}:{gate.port}", f"{host}:{port}")
        behind = settings.model_copy(update={"redis_url": url})
        async with open_api(behind) as api:
            application = create_app(behind)
            application.open(api)
            async with served(application) as server:
                yield server, application
        await gate.end()


def is_connected(application: Application) -> bool:
    assert application.api is not None
    return application.api.services.hub.connected


async def noticed(application: Application, *, connected: bool) -> None:
    """The hub knows that Redis has gone, or that it is back."""
    async with asyncio.timeout(2 * SECONDS):
        while is_connected(application) is not connected:
            await asyncio.sleep(0.01)


async def follow(client: Socket, world: World, id_: str = "1") -> None:
    await client.subscribe(id_, EVENTS, workspace=world.tenant.gid, after=world.start)


async def bodies(client: Socket, count: int) -> list[str]:
    """Of the events that come next; a gap has none."""
    found = []
    for _ in range(count):
        item = (await client.hear())["payload"]["data"]["feedbackEvents"]
        found.append("gap" if item["__typename"] == "StreamGap" else item["feedback"]["body"])
    return found


async def test_what_happens_while_redis_is_out_of_reach_comes_when_it_is_back(
    world: World, away: tuple[str, Application], gate: Gate
) -> None:
    server, application = away
    async with acknowledged(server, world.tenant.owner.token) as client:
        await follow(client, world)
        await world.submit("before")
        assert await bodies(client, 1) == ["before"]
        gate.shut()
        await noticed(application, connected=False)
        for number in range(3):
            await world.submit(f"away {number}")
        gate.open()
        got = await bodies(client, 3)
        await world.submit("after")

        assert got == ["away 0", "away 1", "away 2"]
        assert await bodies(client, 1) == ["after"]


async def test_what_begins_while_redis_is_out_of_reach_begins_when_it_is_back(
    world: World, away: tuple[str, Application], gate: Gate
) -> None:
    server, application = away
    given = {"workspace": world.tenant.gid, "from": FROM}
    async with acknowledged(server, world.tenant.owner.token) as client:
        gate.shut()
        await noticed(application, connected=False)
        await follow(client, world)
        await client.subscribe("2", STATS, **given)
        await world.submit("away")
        # Nothing is known, and nothing is refused.
        await client.say(type="ping")
        assert await client.hear() == {"type": "pong"}
        gate.open()
        heard = [await client.hear() for _ in range(2)]

        by_id = {message["id"]: message["payload"]["data"] for message in heard}
        assert by_id["1"]["feedbackEvents"]["feedback"]["body"] == "away"
        assert by_id["2"]["statsChanged"]["total"] == 1


async def test_who_gives_up_while_redis_is_out_of_reach_leaves_nothing_behind(
    world: World, away: tuple[str, Application], gate: Gate
) -> None:
    server, application = away
    assert application.api is not None
    hub = application.api.services.hub
    async with acknowledged(server, world.tenant.owner.token) as client:
        gate.shut()
        await noticed(application, connected=False)
        await follow(client, world)
        await client.say(id="1", type="complete")
        await client.say(type="ping")
        assert await client.hear() == {"type": "pong"}
        await follow(client, world, "2")
    gate.open()
    await noticed(application, connected=True)

    async with asyncio.timeout(SECONDS):
        while any(world.tenant.id.hex in name for name in hub._topics):
            await asyncio.sleep(0.01)
    assert hub.groups == 0


async def test_a_state_is_read_anew_when_redis_is_back(
    world: World, away: tuple[str, Application], gate: Gate
) -> None:
    server, application = away
    given = {"workspace": world.tenant.gid, "from": FROM}
    async with acknowledged(server, world.tenant.owner.token) as client:
        await client.subscribe("1", STATS, **given)
        first = await client.hear()
        gate.shut()
        await noticed(application, connected=False)
        await world.submit("away")
        gate.open()
        second = await client.hear()

        assert first["payload"]["data"]["statsChanged"]["total"] == 0
        assert second["payload"]["data"]["statsChanged"]["total"] == 1


async def test_a_redis_that_has_forgotten_everything_is_a_gap_and_goes_on(
    world: World, away: tuple[str, Application], gate: Gate, settings: Settings
) -> None:
    server, application = away
    async with acknowledged(server, world.tenant.owner.token) as client:
        await follow(client, world)
        await world.submit("before")
        assert await bodies(client, 1) == ["before"]
        gate.shut()
        await noticed(application, connected=False)
        await forget(settings, world.tenant)
        await world.submit("unseen")
        gate.open()
        told = await bodies(client, 1)
        await world.submit("live")

        assert told == ["gap"]
        assert await bodies(client, 1) == ["live"]


async def test_a_redis_that_forgets_while_it_is_followed_is_a_gap_and_goes_on(
    world: World, away: tuple[str, Application], settings: Settings
) -> None:
    server, _ = away
    async with acknowledged(server, world.tenant.owner.token) as client:
        await follow(client, world)
        await world.submit("before")
        assert await bodies(client, 1) == ["before"]
        await forget(settings, world.tenant)
        await world.submit("unseen")
        told = await bodies(client, 1)
        await world.submit("live")

        assert told == ["gap"]
        assert await bodies(client, 1) == ["live"]


async def forget(settings: Settings, tenant: Tenant) -> None:
    """Let Redis know nothing of the workspace's topic."""
    topic = events.topic(tenant.id, events.FEEDBACK_TOPIC)
    async with open_redis(settings) as redis:
        await redis.delete(f"earful:{{{topic}}}:stream", f"earful:{{{topic}}}:meta")


async def test_a_socket_is_closed_for_a_session_that_ended_while_redis_was_out_of_reach(
    world: World, away: tuple[str, Application], gate: Gate
) -> None:
    server, application = away
    async with acknowledged(server, world.tenant.owner.token) as client:
        await follow(client, world)
        gate.shut()
        await noticed(application, connected=False)
        await world.owner.ask("mutation { logout { __typename } }")
        gate.open()

        assert await client.ended() == (4403, "The session has ended")


async def test_an_event_stream_that_waits_for_redis_ends_with_its_server(
    world: World, away: tuple[str, Application], gate: Gate
) -> None:
    server, application = away
    gate.shut()
    await noticed(application, connected=False)
    given = {"workspace": world.tenant.gid, "after": world.start}
    async with streaming(server, world.tenant.owner, EVENTS, **given) as stream:
        application.drain()

        assert await stream.ended()


async def test_an_event_stream_that_waited_for_redis_has_everything(
    world: World, away: tuple[str, Application], gate: Gate
) -> None:
    server, application = away
    gate.shut()
    await noticed(application, connected=False)
    given = {"workspace": world.tenant.gid, "after": world.start}
    async with streaming(server, world.tenant.owner, EVENTS, **given) as stream:
        await world.submit("unheard")
        gate.open()
        event = await stream.next()

        assert event.data["data"]["feedbackEvents"]["feedback"]["body"] == "unheard"
