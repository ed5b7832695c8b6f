"""Clients that take nothing: they cost one bounded delivery, nobody else notices, and they are cut off in the end."""

import asyncio
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import orjson
import pytest
from websockets.frames import Close, Opcode

from app.main import Application
from app.resources import Api
from graph.live.log import BATCH_BYTES
from graph.seats import Seats
from graph.websocket.socket import BUFFER_BYTES
from tests.graph.sockets import acknowledged, endpoint, served
from tests.graph.watching import EVENTS, FROM, SECONDS, STATS, Socket, World, connected
from tests.graph.websocket import raw
from tests.graph.websocket.test_sessions import token_for


@pytest.fixture
async def slow(world: World, application: Application) -> AsyncIterator[Socket]:
    """A second socket of the owner's, that has subscribed."""
    async with connected(application, world.tenant.owner) as client:
        await world.subscribe(on=client)
        yield client


def waiting(client: Socket) -> list[str]:
    """The bodies that were written and not yet looked at."""
    return [
        message["payload"]["data"]["feedbackEvents"]["feedback"]["body"]
        for message in written(client)
    ]


def written(client: Socket) -> list[Any]:
    return [
        orjson.loads(client.wire.heard.get_nowait().data) for _ in range(client.wire.heard.qsize())
    ]


async def bodies(client: Socket, count: int) -> list[str]:
    return [(await client.data())["feedback"]["body"] for _ in range(count)]


async def ended(client: Socket) -> Close:
    """The close that comes, after whatever else."""
    async with asyncio.timeout(2 * SECONDS):
        while (frame := await client.wire.heard.get()).opcode is not Opcode.CLOSE:
            pass
    return Close.parse(frame.data)


async def test_who_takes_nothing_gets_one_delivery_and_then_exactly_the_rest(
    world: World, slow: Socket
) -> None:
    await world.subscribe()
    slow.wire.fill()

    for number in range(5):
        await world.submit(str(number))
    quick = await bodies(world.socket, 5)
    held = waiting(slow)
    slow.wire.drain()
    rest = await bodies(slow, 4)
    await world.submit("live")

    assert quick == ["0", "1", "2", "3", "4"]
    assert held == ["0"]
    assert rest == ["1", "2", "3", "4"]
    assert await bodies(slow, 1) == await bodies(world.socket, 1) == ["live"]
    assert await slow.silent()


async def test_who_takes_nothing_is_not_read(world: World, slow: Socket) -> None:
    await world.subscribe()
    reads = [slow.wire.is_read]
    slow.wire.fill()
    await world.submit("one")
    await world.next()
    reads.append(slow.wire.is_read)
    slow.wire.drain()
    reads.append(slow.wire.is_read)

    assert reads == [True, False, True]


async def test_who_is_behind_gets_one_bounded_batch_at_a_time(world: World, slow: Socket) -> None:
    body = "x" * 9_000
    slow.wire.fill()
    for number in range(40):
        await world.submit(f"{number} {body}")
    await world.subscribe()
    for _ in range(40):
        await world.next()

    batches = [waiting(slow)]
    while sum(map(len, batches)) < 40:
        slow.wire.take()
        batches.append([*await bodies(slow, 1), *waiting(slow)])

    sizes = [sum(map(len, batch)) for batch in batches]
    assert [text.split()[0] for batch in batches for text in batch] == [*map(str, range(40))]
    assert max(sizes) <= BATCH_BYTES + len(body) + 10
    # What fits goes at once: it would cost a write for each otherwise.
    assert len(batches) <= 8


async def test_every_subscription_of_a_full_socket_goes_on_where_it_was(
    world: World, application: Application
) -> None:
    async with connected(application, world.tenant.owner) as slow:
        for _ in range(3):
            await slow.subscribe(EVENTS, workspace=world.tenant.gid, after=world.start)
        await world.submit("seen")
        assert await bodies(slow, 3) == ["seen"] * 3
        slow.wire.fill()
        for number in range(3):
            await world.submit(str(number))
        await world.subscribe()
        for _ in range(4):
            await world.next()
        slow.wire.drain()
        got = [await slow.hear() for _ in range(9)]

    by_id: dict[str, list[str]] = {}
    for message in got:
        item = message["payload"]["data"]["feedbackEvents"]
        by_id.setdefault(message["id"], []).append(item["feedback"]["body"])
    assert by_id == {id_: ["0", "1", "2"] for id_ in ("0", "1", "2")}


async def test_of_a_state_only_the_newest_is_kept_for_who_takes_nothing(
    world: World, application: Application
) -> None:
    given = {"workspace": world.tenant.gid, "from": FROM}
    async with connected(application, world.tenant.owner) as slow:
        await slow.subscribe(STATS, **given)
        await world.socket.subscribe(STATS, **given)
        assert (await slow.data())["total"] == (await world.socket.data())["total"] == 0
        slow.wire.fill()
        totals = [0]
        for _ in range(4):
            await world.submit()
            totals.append((await world.socket.data())["total"])
        held = written(slow)
        slow.wire.drain()
        newest = await slow.data()

        assert totals == [0, 1, 2, 3, 4]
        assert [message["payload"]["data"]["statsChanged"]["total"] for message in held] == [1]
        assert newest["total"] == 4
        assert await slow.silent()


async def test_who_takes_nothing_for_long_is_cut_off_alone(
    world: World, application: Application, api: Api
) -> None:
    seats = Seats(most=10, most_per_caller=10)
    strict = endpoint(api, stall_seconds=0.5, farewell_seconds=0.5, seats=seats)
    before = api.services.hub.counters.dropped
    gid = world.tenant.gid
    async with (
        connected(application, world.tenant.owner, strict) as slow,
        connected(application, world.tenant.owner, strict) as quick,
    ):
        for client in (slow, quick):
            await client.subscribe(EVENTS, workspace=gid, after=world.start)
        slow.wire.fill()
        await world.submit("one")
        close = await ended(slow)
        taken, dropped = seats.taken, api.services.hub.counters.dropped
        await world.submit("two")

        assert close == Close(4413, "The client does not read")
        assert dropped == before + 1
        assert await bodies(quick, 2) == ["one", "two"]
        assert taken == 1
        async with asyncio.timeout(SECONDS):
            while not slow.wire.is_lost:
                await asyncio.sleep(0.01)


async def test_who_takes_something_in_time_is_not_cut_off(
    world: World, application: Application, api: Api
) -> None:
    strict = endpoint(api, stall_seconds=2)
    async with connected(application, world.tenant.owner, strict) as client:
        await client.subscribe(EVENTS, workspace=world.tenant.gid, after=world.start)
        client.wire.fill()
        until = strict.clock.now() + 4
        number = 0
        while strict.clock.now() < until:
            await world.submit(str(number))
            assert await bodies(client, 1) == [str(number)]
            client.wire.take()
            number += 1

        client.wire.drain()
        await world.submit("after")
        assert await bodies(client, 1) == ["after"]


async def test_pauses_do_not_put_off_the_end_of_a_token(
    world: World, application: Application, api: Api
) -> None:
    token = token_for(api, world.tenant.owner, seconds=3)
    async with connected(application, None, token=token) as client:
        await client.subscribe(EVENTS, workspace=world.tenant.gid, after=world.start)
        client.wire.fill()
        await world.submit("one")
        assert await bodies(client, 1) == ["one"]
        client.wire.drain()

        assert await ended(client) == Close(4403, "The access token has expired")


async def test_who_says_nothing_more_and_takes_nothing_is_dropped(
    world: World, application: Application, api: Api
) -> None:
    strict = endpoint(api, stall_seconds=0.1, farewell_seconds=0.1)
    async with connected(application, world.tenant.owner, strict) as client:
        await client.subscribe(EVENTS, workspace=world.tenant.gid, after=world.start)
        client.wire.is_full = True
        client.wire.half_close()
        await world.submit("one")

        async with asyncio.timeout(2 * SECONDS):
            while not client.wire.is_lost:
                await asyncio.sleep(0.01)
    assert strict._connections == {}


LONG = """
    subscription($workspace: ID!, $after: String) {
      feedbackEvents(workspaceId: $workspace, after: $after) {
        ... on FeedbackEvent { feedback { a: body b: body c: body d: body } }
      }
    }
"""
STALLED = 50


async def test_fifty_clients_that_do_not_read_cost_a_delivery_each(
    world: World, application: Application, api: Api
) -> None:
    patient = endpoint(api)
    body, gid = "x" * 50_000, world.tenant.gid
    largest = 4 * len(body) + 200
    async with served(application, patient, send_buffer=8_192) as server, AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(raw.opened(server, receive_buffer=4_096))
            for _ in range(STALLED)
        ]
        quick = await stack.enter_async_context(acknowledged(server, world.tenant.owner.token))
        await quick.subscribe("1", LONG, workspace=gid, after=world.start)
        for client in clients:
            await client.acknowledged(world.tenant.owner.token)
            await client.say(
                id="1",
                type="subscribe",
                payload={"query": LONG, "variables": {"workspace": gid, "after": world.start}},
            )
        tracemalloc.start()
        stack.callback(tracemalloc.stop)
        for number in range(20):
            await world.submit(f"{number:02}{body[2:]}")
            answer = await quick.hear()
            item = answer["payload"]["data"]["feedbackEvents"]
            assert item["feedback"]["a"][:2] == f"{number:02}"
        held, _ = tracemalloc.get_traced_memory()
        quickest, *kept = sorted(
            connection.socket._transport.get_write_buffer_size()
            for connection in patient._connections
        )
        rest = [(await clients[-1].hear())["payload"]["data"]["feedbackEvents"] for _ in range(20)]

    assert quickest == 0
    assert min(kept) > BUFFER_BYTES
    assert max(kept) <= BUFFER_BYTES + largest
    # What is kept for all of them included. Unbounded, each would hold four megabytes.
    assert held < STALLED * 1_200_000
    assert [item["feedback"]["d"][:2] for item in rest] == [f"{n:02}" for n in range(20)]
