"""The hub on a real Redis: every entry once and in order, through holes, losses and reconnects."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
import redis.asyncio

from app.settings import Settings
from app.stores import open_redis
from graph.live.cursor import Cursor
from graph.live.hub import Gap, Hub, Live
from persistence.bus import Bus, BusUnavailableError

SECONDS = 20
RETAINED = 100


@pytest.fixture
async def client(settings: Settings) -> AsyncIterator["redis.asyncio.Redis"]:
    async with open_redis(settings) as opened:
        yield opened


@pytest.fixture
def bus(client: "redis.asyncio.Redis") -> Bus:
    return Bus(client, retained=RETAINED)


def hub_of(bus: Bus, silence: float = 5.0) -> Hub:
    return Hub(
        bus,
        unavailable=BusUnavailableError,
        describe=lambda error: str(error).encode(),
        silence=silence,
    )


@asynccontextmanager
async def running(bus: Bus, silence: float = 5.0) -> AsyncIterator[Hub]:
    hub = hub_of(bus, silence)
    task = asyncio.ensure_future(hub.run())
    try:
        yield hub
    finally:
        task.cancel()
        await asyncio.wait({task})


@pytest.fixture
async def hub(bus: Bus) -> AsyncIterator[Hub]:
    async with running(bus) as started:
        yield started


@pytest.fixture
def topic() -> str:
    return f"{uuid4().hex}:test"


async def publish(bus: Bus, topic: str, *payloads: str) -> None:
    assert await bus.publish(topic, [(uuid4().hex, payload) for payload in payloads], fence=1)


async def silently_publish(client: "redis.asyncio.Redis", topic: str, payload: str) -> int:
    """An entry whose announcement is late; answers its offset."""
    offset = int(await client.hincrby(f"earful:{{{topic}}}:meta", "offset", 1))
    await client.xadd(
        f"earful:{{{topic}}}:stream", {"key": uuid4().hex, "event": payload}, id=f"{offset}-0"
    )
    return offset


async def announce(client: "redis.asyncio.Redis", topic: str, offset: int, payload: str) -> None:
    await client.publish(f"earful:topic:{topic}", f"{offset}|{payload}")


async def cut(client: "redis.asyncio.Redis") -> None:
    """Close the connection of everybody who listens."""
    await client.client_kill_filter(_type="pubsub")


async def take(stream: AsyncGenerator[Live | Gap, None], count: int) -> list[tuple[int, str]]:
    """Offset and payload of the next entries; a gap has no payload."""
    items = [await asyncio.wait_for(anext(stream), SECONDS) for _ in range(count)]
    return [
        (item.cursor.offset, item.entry.payload.decode() if isinstance(item, Live) else "gap")
        for item in items
    ]


async def begun(hub: Hub, bus: Bus, topic: str) -> AsyncGenerator[Live | Gap, None]:
    """A stream that is known to follow: its first entry has been taken."""
    stream = hub.follow(topic)
    first = asyncio.ensure_future(anext(stream))
    async with asyncio.timeout(SECONDS):
        while topic not in hub._topics or not hub._topics[topic].confirmed.is_set():
            await asyncio.sleep(0.01)
    await publish(bus, topic, "begun")
    await first
    return stream


async def test_what_happens_comes_in_order(hub: Hub, bus: Bus, topic: str) -> None:
    async with aclosing(await begun(hub, bus, topic)) as stream:
        await publish(bus, topic, "a", "b")
        await publish(bus, topic, "c")

        assert await take(stream, 3) == [(2, "a"), (3, "b"), (4, "c")]


async def test_after_a_cursor_everything_comes_once(hub: Hub, bus: Bus, topic: str) -> None:
    await publish(bus, topic, "a", "b", "c")
    epoch = (await bus.head(topic)).epoch

    async with aclosing(hub.follow(topic, Cursor(epoch, 1))) as stream:
        replayed = await take(stream, 2)
        await publish(bus, topic, "d")
        live = await take(stream, 1)

    assert (replayed, live) == ([(2, "b"), (3, "c")], [(4, "d")])


async def test_from_the_beginning_is_a_cursor_too(hub: Hub, bus: Bus, topic: str) -> None:
    head = await bus.head(topic)
    await publish(bus, topic, "a")

    async with aclosing(hub.follow(topic, Cursor(head.epoch, 0))) as stream:
        assert await take(stream, 1) == [(1, "a")]


async def test_two_followers_share_a_topic(hub: Hub, bus: Bus, topic: str) -> None:
    async with (
        aclosing(await begun(hub, bus, topic)) as one,
        aclosing(hub.follow(topic, Cursor((await bus.head(topic)).epoch, 0))) as other,
    ):
        await publish(bus, topic, "a")

        assert await take(one, 1) == [(2, "a")]
        assert await take(other, 2) == [(1, "begun"), (2, "a")]
        assert hub._topics[topic].followers == 2


async def test_a_hole_is_filled_from_the_log(
    hub: Hub, bus: Bus, client: "redis.asyncio.Redis", topic: str
) -> None:
    async with aclosing(await begun(hub, bus, topic)) as stream:
        await silently_publish(client, topic, "silent")
        await publish(bus, topic, "loud")

        assert await take(stream, 2) == [(2, "silent"), (3, "loud")]


async def test_an_entry_that_is_replayed_before_its_announcement_comes_once(
    hub: Hub, bus: Bus, client: "redis.asyncio.Redis", topic: str
) -> None:
    await publish(bus, topic, "a", "b")
    epoch = (await bus.head(topic)).epoch
    async with aclosing(hub.follow(topic, Cursor(epoch, 1))) as opener:
        assert await take(opener, 1) == [(2, "b")]
        offset = await silently_publish(client, topic, "late")

        async with aclosing(hub.follow(topic, Cursor(epoch, 0))) as stream:
            replayed = await take(stream, 2)
            following = asyncio.ensure_future(take(stream, 2))
            await asyncio.wait({following}, timeout=0.1)
            await announce(client, topic, offset, "late")
            await publish(bus, topic, "last")

            assert replayed == [(1, "a"), (2, "b")]
            assert await following == [(3, "late"), (4, "last")]


async def test_a_cursor_that_is_ahead_of_its_announcement_is_no_gap(
    hub: Hub, bus: Bus, client: "redis.asyncio.Redis", topic: str
) -> None:
    async with aclosing(await begun(hub, bus, topic)):
        epoch = (await bus.head(topic)).epoch
        offset = await silently_publish(client, topic, "seen elsewhere")

        async with aclosing(hub.follow(topic, Cursor(epoch, offset))) as stream:
            following = asyncio.ensure_future(take(stream, 1))
            await asyncio.wait({following}, timeout=0.1)
            await announce(client, topic, offset, "seen elsewhere")
            await publish(bus, topic, "next")

            assert await following == [(3, "next")]


@pytest.mark.parametrize("epoch", ["other", ""])
async def test_a_cursor_of_another_epoch_meets_a_gap_and_goes_on(
    hub: Hub, bus: Bus, topic: str, epoch: str
) -> None:
    await publish(bus, topic, "a", "b")

    async with aclosing(hub.follow(topic, Cursor(epoch, 1))) as stream:
        gap = await take(stream, 1)
        await publish(bus, topic, "c")

        assert (gap, await take(stream, 1)) == ([(2, "gap")], [(3, "c")])


async def test_a_cursor_from_the_future_meets_a_gap(hub: Hub, bus: Bus, topic: str) -> None:
    await publish(bus, topic, "a")
    epoch = (await bus.head(topic)).epoch

    async with aclosing(hub.follow(topic, Cursor(epoch, 99))) as stream:
        assert await take(stream, 1) == [(1, "gap")]


async def test_what_is_no_longer_kept_is_a_gap(
    hub: Hub, bus: Bus, client: "redis.asyncio.Redis", topic: str
) -> None:
    await publish(bus, topic, *"abcde")
    epoch = (await bus.head(topic)).epoch
    await client.xtrim(f"earful:{{{topic}}}:stream", maxlen=2, approximate=False)

    async with aclosing(hub.follow(topic, Cursor(epoch, 1))) as stream:
        gap = await take(stream, 1)
        await publish(bus, topic, "f")

        assert (gap, await take(stream, 1)) == ([(5, "gap")], [(6, "f")])


async def test_an_emptied_redis_is_a_gap_to_those_who_follow(
    hub: Hub, bus: Bus, client: "redis.asyncio.Redis", topic: str
) -> None:
    async with aclosing(await begun(hub, bus, topic)) as stream:
        await publish(bus, topic, "a")
        assert await take(stream, 1) == [(2, "a")]
        await client.delete(f"earful:{{{topic}}}:stream", f"earful:{{{topic}}}:meta")
        await publish(bus, topic, "anew")
        await cut(client)

        gap = await take(stream, 1)
        await publish(bus, topic, "next")

        assert (gap, await take(stream, 1)) == ([(1, "gap")], [(2, "next")])


async def test_a_lost_connection_loses_nothing(
    hub: Hub, bus: Bus, client: "redis.asyncio.Redis", topic: str
) -> None:
    async with aclosing(await begun(hub, bus, topic)) as stream:
        for number in range(60):
            await publish(bus, topic, str(number))
            if number % 20 == 10:
                await cut(client)

        assert await take(stream, 60) == [(number + 2, str(number)) for number in range(60)]


async def test_many_entries_are_replayed_in_order(bus: Bus, topic: str) -> None:
    big = Bus(bus._client, retained=5_000)
    await publish(big, topic, *map(str, range(3_000)))
    epoch = (await bus.head(topic)).epoch

    async with running(bus) as hub, aclosing(hub.follow(topic, Cursor(epoch, 0))) as stream:
        assert await take(stream, 3_000) == [(number + 1, str(number)) for number in range(3_000)]


async def test_followers_leave_no_topic_behind(hub: Hub, bus: Bus, topic: str) -> None:
    streams = [await begun(hub, bus, topic) for _ in range(3)]
    for stream in streams:
        await stream.aclose()

    assert hub._topics == {}


async def test_a_follower_that_gives_up_while_opening_leaves_no_topic_behind(
    bus: Bus, topic: str
) -> None:
    hub = hub_of(bus)  # not running: nothing is ever confirmed
    opening = asyncio.ensure_future(anext(hub.follow(topic)))
    await asyncio.wait({opening}, timeout=0.05)
    opening.cancel()
    await asyncio.wait({opening})

    assert hub._topics == {}


async def test_a_stream_can_be_opened_again_at_once(hub: Hub, bus: Bus, topic: str) -> None:
    for _ in range(20):
        await (await begun(hub, bus, topic)).aclose()

    async with aclosing(await begun(hub, bus, topic)) as stream:
        await publish(bus, topic, "a")

        assert await take(stream, 1) == [(22, "a")]


class Network:
    """Between us and Redis. What is frozen passes nothing on, and does not say so."""

    def __init__(self, url: str) -> None:
        self._to = urlsplit(url)
        self._frozen = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: list[asyncio.StreamWriter] = []

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[str]:
        """The URL to go through it."""
        server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        user = self._to.netloc.rpartition("@")[0]
        yield self._to._replace(
            netloc=f"{user}@127.0.0.1:{port}" if user else f"127.0.0.1:{port}"
        ).geturl()
        server.close()
        for task in list(self._tasks):
            task.cancel()
        for writer in self._writers:
            writer.close()
        await asyncio.gather(
            *self._tasks, *(each.wait_closed() for each in self._writers), return_exceptions=True
        )

    def freeze(self) -> None:
        """The connections there are, not those to come."""
        self._frozen.set()
        self._frozen = asyncio.Event()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(self._to.hostname, self._to.port)
        self._writers += (writer, back)
        for source, target in ((reader, back), (there, writer)):
            task = asyncio.ensure_future(self._pass(source, target, self._frozen))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pass(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, frozen: asyncio.Event
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65_536):
                if frozen.is_set():
                    await asyncio.Event().wait()
                target.write(data)
        target.close()


async def test_a_connection_that_is_dead_without_a_sign_is_found_out(
    settings: Settings, bus: Bus, topic: str
) -> None:
    assert settings.redis_url is not None
    network = Network(settings.redis_url)
    async with (
        network.opened() as url,
        open_redis(settings.model_copy(update={"redis_url": url})) as client,
    ):
        hub = hub_of(Bus(client, retained=RETAINED), silence=0.2)
        task = asyncio.ensure_future(hub.run())
        try:
            stream = await begun(hub, bus, topic)
            network.freeze()
            await publish(bus, topic, "unheard")

            assert await take(stream, 1) == [(2, "unheard")]
            await stream.aclose()
        finally:
            task.cancel()
            await asyncio.wait({task})


async def test_a_quiet_connection_is_kept(hub: Hub, bus: Bus, topic: str) -> None:
    async with (
        running(bus, silence=0.05) as quiet,
        aclosing(await begun(quiet, bus, topic)) as stream,
    ):
        listener = quiet._listener
        await asyncio.sleep(0.5)
        await publish(bus, topic, "heard")

        assert await take(stream, 1) == [(2, "heard")]
        assert quiet._listener is listener
