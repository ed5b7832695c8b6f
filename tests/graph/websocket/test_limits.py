"""How many live connections there may be, how fast they may ask, and how they end when the server does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from app.main import Application, create_app
from app.resources import Api
from app.settings import Settings
from graph.seats import Seats
from persistence.database import Database
from tests.factories import Factory
from tests.graph.sockets import (
    QUERY,
    SECONDS,
    acknowledged,
    answered,
    endpoint,
    following,
    opened,
    served,
)
from tests.graph.test_sse import streaming
from tests.graph.watching import FROM, STATS

WITHOUT_ROOM = "No more sockets are opened here for now.\n"


@asynccontextmanager
async def limited(
    settings: Settings, api: Api, **limits: float
) -> AsyncIterator[tuple[str, Application]]:
    """A server of an application that has these limits."""
    application = create_app(settings.model_copy(update={"rate_limit_scale": 1.0} | limits))
    application.open(api)
    async with served(application) as server:
        yield server, application


async def refusal(server: str) -> tuple[int, str | None, str]:
    """Status, Retry-After and body of the answer to a handshake."""
    with pytest.raises(InvalidStatus) as refused:
        async with opened(server):
            pass
    response = refused.value.response
    return response.status_code, response.headers.get("Retry-After"), response.body.decode()


async def gone(seats: Seats) -> None:
    async with asyncio.timeout(SECONDS):
        while seats.taken:
            await asyncio.sleep(0.01)


async def test_a_full_process_opens_no_socket_until_one_has_gone(
    application: Application, api: Api, database: Database
) -> None:
    seats = Seats(most=2, most_per_caller=10)
    async with served(application, endpoint(api, seats=seats)) as server:
        async with acknowledged(server), opened(server):
            refused = await refusal(server)
        await gone(seats)
        async with acknowledged(server) as client:
            answer = await answered(client)

    assert refused == (503, "2", WITHOUT_ROOM)
    assert answer == {"data": {"viewer": None}}


async def test_a_refused_handshake_takes_no_seat(
    application: Application, api: Api, database: Database
) -> None:
    seats = Seats(most=1, most_per_caller=10)
    async with served(application, endpoint(api, seats=seats)) as server:
        async with opened(server, protocols=["graphql-ws"]) as client:
            assert (await client.ended())[0] == 4406
        assert seats.taken == 0


async def test_a_caller_has_so_many_sockets_and_others_have_theirs(
    application: Application, api: Api, factory: Factory
) -> None:
    greedy, modest = await factory.person(), await factory.person()
    seats = Seats(most=10, most_per_caller=2)
    async with served(application, endpoint(api, seats=seats)) as server:
        async with acknowledged(server, greedy.token) as first, acknowledged(server, greedy.token):
            async with opened(server) as third:
                payload = {"authorization": f"Bearer {greedy.token}"}
                await third.say(type="connection_init", payload=payload)
                refused = await third.ended()
            async with acknowledged(server, modest.token) as other:
                answers = [await answered(first), await answered(other)]
            taken = seats.taken
        await gone(seats)
        async with acknowledged(server, greedy.token) as again:
            await answered(again)

    assert refused == (1013, "Too many live connections of one user")
    assert answers == [
        {"data": {"viewer": {"user": {"email": person.email}}}} for person in (greedy, modest)
    ]
    assert taken in {2, 3}
    assert seats._callers == {}


async def test_who_is_not_signed_in_has_so_many_sockets_by_their_address(
    application: Application, api: Api, factory: Factory
) -> None:
    person = await factory.person()
    seats = Seats(most=10, most_per_caller=2)
    async with served(application, endpoint(api, seats=seats)) as server:
        async with acknowledged(server), opened(server) as second:
            refused = await refusal(server)
            # It is the user's from now on, and the address has room again.
            payload = {"authorization": f"Bearer {person.token}"}
            await second.say(type="connection_init", payload=payload)
            assert await second.hear() == {"type": "connection_ack"}
            async with acknowledged(server) as third:
                answer = await answered(third)
            taken = dict(seats._callers)
        await gone(seats)

    assert refused == (503, "2", "Too many live connections of one address.\n")
    assert answer == {"data": {"viewer": None}}
    assert taken[person.id] == 1
    assert seats._callers == {}


async def test_operations_may_come_at_once_and_then_so_many_a_second(
    application: Application, api: Api, database: Database
) -> None:
    # Two at once, and one every two seconds.
    async with (
        served(application, endpoint(api, scale=0.01)) as server,
        acknowledged(server) as client,
    ):
        for _ in range(2):
            await answered(client)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.connection.recv(), 2.1)
        await answered(client)
        await client.subscribe("1", QUERY)

        assert await client.ended() == (4429, "Too many operations at once: wait between them")


async def test_a_hundred_operations_are_not_too_many_and_one_that_ended_makes_room(
    server: str, factory: Factory
) -> None:
    tenant = await factory.tenant()
    async with acknowledged(server, tenant.owner.token) as client:
        for number in range(100):
            await following(client, tenant, str(number))
        await client.say(id="7", type="complete")
        await following(client, tenant, "7")
        await client.subscribe("100", QUERY)

        assert await client.ended() == (4429, "At most 100 operations on one socket")


async def test_event_streams_and_sockets_share_the_seats(
    settings: Settings, api: Api, factory: Factory
) -> None:
    tenant = await factory.tenant()
    given = {"workspace": tenant.gid, "from": FROM}
    async with limited(settings, api, live_connections=2) as (server, _):
        async with (
            streaming(server, tenant.owner, STATS, **given) as stream,
            acknowledged(server, tenant.owner.token),
        ):
            await stream.next()
            refused = await refusal(server)
            async with streaming(server, tenant.owner, STATS, **given) as late:
                status = late.response.status_code, late.response.headers["retry-after"]
                errors = (await late.response.aread()).decode()
        async with asyncio.timeout(SECONDS):
            while (await probed(server, tenant.owner.token)) != 200:
                await asyncio.sleep(0.01)

    assert refused == (503, "2", WITHOUT_ROOM)
    assert status == (503, "2")
    assert "No more streams are opened here for now." in errors


async def test_event_streams_count_for_their_caller(
    settings: Settings, api: Api, factory: Factory
) -> None:
    tenant = await factory.tenant()
    other = await factory.member(tenant, "VIEWER")
    given = {"workspace": tenant.gid, "from": FROM}
    async with (
        limited(settings, api, live_connections_per_caller=1) as (server, _),
        streaming(server, tenant.owner, STATS, **given) as stream,
    ):
        await stream.next()
        async with streaming(server, tenant.owner, STATS, **given) as second:
            refused = second.response.status_code, second.response.headers["retry-after"]
            errors = (await second.response.aread()).decode()
        async with opened(server) as client:
            payload = {"authorization": f"Bearer {tenant.owner.token}"}
            await client.say(type="connection_init", payload=payload)
            ended = await client.ended()
        async with streaming(server, other, STATS, **given) as theirs:
            event = await theirs.next()

    assert refused == (503, "2")
    assert "Too many live connections of one user." in errors
    assert ended == (1013, "Too many live connections of one user")
    assert event.data["data"]["statsChanged"]["total"] == 0


async def test_streams_of_nobody_count_for_their_address(
    settings: Settings, api: Api, database: Database
) -> None:
    asked, events = {"query": "{ __typename }"}, {"accept": "text/event-stream"}
    async with (
        limited(settings, api, live_connections_per_caller=1) as (server, _),
        httpx.AsyncClient(base_url=f"http://{server}", headers=events) as http,
    ):
        async with acknowledged(server):
            refused = await http.post("/graphql", json=asked)
        async with asyncio.timeout(SECONDS):
            while (answer := await http.post("/graphql", json=asked)).status_code != 200:
                await asyncio.sleep(0.01)

    assert (refused.status_code, refused.headers["retry-after"]) == (503, "2")
    assert "Too many live connections of one address." in refused.text
    assert "__typename" in answer.text


async def probed(server: str, token: str) -> int:
    """200 when a socket can be opened and acknowledged now."""
    try:
        async with acknowledged(server, token):
            return 200
    except InvalidStatus as refused:
        return refused.response.status_code


# The end of the server


async def test_a_server_that_ends_closes_its_sockets_some_at_a_time(
    application: Application, api: Api, database: Database
) -> None:
    ending = endpoint(api, drain_seconds=1)
    async with served(application, ending) as server, AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(acknowledged(server)) for _ in range(40)]
        ending.drain()
        ending.drain()  # once is enough
        first = await clients[0].ended()
        still_open = len([each for each in clients if each.connection.close_code is None])
        refused = await refusal(server)
        rest = [await client.ended() for client in clients[1:]]

    # Two of them at once, and the next two a twentieth of the time later.
    assert 30 <= still_open <= 39
    assert refused == (503, "2", WITHOUT_ROOM)
    assert {first, *rest} == {(1012, "The server restarts: come back with your last cursor")}


async def test_what_was_watched_goes_on_elsewhere_when_a_server_ends(
    application: Application, api: Api, factory: Factory
) -> None:
    tenant = await factory.tenant()
    ending = endpoint(api)
    async with served(application, ending) as server:
        async with acknowledged(server, tenant.owner.token) as client:
            await following(client, tenant, "live")
            ending.drain()
            assert (await client.ended())[0] == 1012
        assert ending._connections == {}


async def test_event_streams_end_with_the_server_and_are_not_complete(
    settings: Settings, api: Api, factory: Factory
) -> None:
    tenant = await factory.tenant()
    given = {"workspace": tenant.gid, "from": FROM}
    async with (
        limited(settings, api) as (server, application),
        AsyncExitStack() as stack,
    ):
        streams = [
            await stack.enter_async_context(streaming(server, tenant.owner, STATS, **given))
            for _ in range(3)
        ]
        client = await stack.enter_async_context(acknowledged(server, tenant.owner.token))
        for stream in streams:
            await stream.next()
        application.drain()
        async with streaming(server, tenant.owner, STATS, **given) as late:
            refused = late.response.status_code, late.response.headers["retry-after"]

        assert [await stream.ended() for stream in streams] == [True] * 3
        assert (await client.ended())[0] == 1012
        assert refused == (503, "2")
