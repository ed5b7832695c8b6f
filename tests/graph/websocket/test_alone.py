"""Subscriptions that are ordinary generators: nothing is shared, and they are asked for no more than is taken."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field

import pytest
import strawberry

from app.main import Application
from app.resources import Api
from domain.errors import NotFoundError
from graph import resolutions
from graph.context import Info
from graph.live.hub import Hub
from graph.websocket import GraphQLOverWebSocket
from tests.factories import Factory
from tests.graph.sockets import endpoint
from tests.graph.watching import SECONDS, Socket, connected


@dataclass
class Source:
    """What the generators have done."""

    begun: int = 0
    ended: int = 0
    pulled: list[int] = field(default_factory=list)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def counted(self, until: int) -> AsyncGenerator[int]:
        self.begun += 1
        try:
            for number in range(until):
                self.pulled.append(number)
                yield number
                await asyncio.sleep(0)
            await self.go_on.wait()
        finally:
            self.ended += 1


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def alone(api: Api, source: Source) -> GraphQLOverWebSocket:
    """An endpoint whose subscriptions are generators."""

    @strawberry.type
    class Query:
        one: int = 1

    @strawberry.type
    class Subscription:
        @strawberry.subscription
        async def count(self, until: int) -> AsyncGenerator[int, None]:
            async for number in source.counted(until):
                yield number

        @strawberry.subscription
        async def who(self, info: Info) -> AsyncGenerator[str, None]:
            yield str(info.context.viewer.user_id)

        @strawberry.subscription
        async def fails(self) -> AsyncGenerator[int, None]:
            yield 1
            raise NotFoundError("Gone.")

    schema = resolutions.declare(strawberry.Schema(Query, subscription=Subscription))
    return endpoint(api, graphql=schema._schema)


@pytest.fixture
async def client(
    application: Application, alone: GraphQLOverWebSocket, factory: Factory
) -> AsyncIterator[Socket]:
    async with connected(application, await factory.person(), alone) as opened:
        yield opened


async def pulled(source: Source, count: int) -> None:
    async with asyncio.timeout(SECONDS):
        while len(source.pulled) < count:
            await asyncio.sleep(0)


async def over(source: Source, count: int = 1) -> None:
    async with asyncio.timeout(SECONDS):
        while source.ended < count:
            await asyncio.sleep(0.01)


COUNT = "subscription($until: Int!) { count(until: $until) }"


async def test_a_generators_items_come_in_order_and_then_its_end(
    client: Socket, source: Source
) -> None:
    source.go_on.set()
    await client.subscribe(COUNT, until=5)

    assert [await client.data() for _ in range(5)] == [0, 1, 2, 3, 4]
    assert await client.hear() == {"id": "0", "type": "complete"}
    assert source.ended == 1


async def test_everybody_has_a_generator_of_their_own(
    application: Application, alone: GraphQLOverWebSocket, factory: Factory, source: Source
) -> None:
    people = [await factory.person() for _ in range(2)]
    async with (
        connected(application, people[0], alone) as one,
        connected(application, people[1], alone) as other,
    ):
        for client in (one, one, other):
            await client.subscribe(COUNT, until=1)
        for client in (one, one, other):
            assert await client.data() == 0
        for client in (one, other):
            await client.subscribe("subscription { who }")

        assert source.begun == 3
        assert [await client.data() for client in (one, other)] == [str(p.id) for p in people]


async def test_a_generator_is_not_asked_for_what_is_not_taken(
    client: Socket, source: Source
) -> None:
    client.wire.fill()
    await client.subscribe(COUNT, until=100)
    await pulled(source, 1)
    assert await client.data() == 0
    assert await client.silent()
    while_full = list(source.pulled)
    client.wire.take()
    assert await client.data() == 1
    assert await client.silent()
    after_one = list(source.pulled)
    client.wire.drain()

    assert while_full == [0]
    assert after_one == [0, 1]
    assert [await client.data() for _ in range(98)] == list(range(2, 100))


async def test_a_generator_is_closed_when_it_is_not_wanted_any_more(
    client: Socket, source: Source
) -> None:
    await client.subscribe(COUNT, until=1)
    assert await client.data() == 0
    await client.say(id="0", type="complete")

    await over(source)
    assert await client.silent()


async def test_a_generator_is_closed_when_its_client_has_gone(
    client: Socket, source: Source
) -> None:
    for _ in range(3):
        await client.subscribe(COUNT, until=1)
        assert await client.data() == 0
    client.wire.leave()

    await over(source, 3)


async def test_a_generator_is_closed_when_its_client_goes_while_taking_nothing(
    client: Socket, source: Source
) -> None:
    client.wire.fill()
    await client.subscribe(COUNT, until=100)
    await pulled(source, 1)
    client.wire.leave()

    await over(source)
    assert source.pulled == [0]


async def test_a_generator_that_fails_says_why(client: Socket) -> None:
    await client.subscribe("subscription { fails }")

    assert await client.data() == 1
    assert await client.error() == ("NOT_FOUND", "Gone.")


async def test_generators_are_in_no_group(client: Socket, api: Api, source: Source) -> None:
    hub: Hub = api.services.hub
    before = hub.groups
    await client.subscribe(COUNT, until=1)
    assert await client.data() == 0

    assert hub.groups == before
