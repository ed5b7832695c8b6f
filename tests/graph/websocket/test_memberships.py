"""Rights that change while somebody watches: the subscription ends or goes on elsewhere, and nobody misses anything."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import httpx
import pytest

from app.main import Application
from app.resources import Api
from app.settings import Settings
from app.stores import open_database
from domain.events import INSTANCE, MemberChanged
from domain.viewer import Viewer
from graph.live.hub import Hub
from graph.memberships import Memberships
from persistence.database import Database
from tests.factories import Factory, Person, Tenant
from tests.graph.sockets import endpoint
from tests.graph.test_member import change_role, remove
from tests.graph.test_sse import streaming
from tests.graph.watching import FROM, SECONDS, STATS, Socket, World, connected
from tests.statements import watched


@pytest.fixture
def hub(api: Api) -> Hub:
    return api.services.hub


@asynccontextmanager
async def submitting(world: World, count: int) -> AsyncIterator[list[str]]:
    """Events that happen all the time; those that have happened when it is over."""
    bodies = [str(number) for number in range(count)]

    async def work() -> None:
        for body in bodies:
            await world.submit(body)

    task = asyncio.ensure_future(work())
    yield bodies
    await task


async def bodies(client: Socket, count: int) -> list[str]:
    return [(await client.data())["feedback"]["body"] for _ in range(count)]


async def watch(world: World, *clients: Socket) -> None:
    """Subscriptions to the events that have begun."""
    for client in clients:
        await world.subscribe(on=client)
    await world.submit("begun")
    for client in clients:
        assert await bodies(client, 1) == ["begun"]


def roles(hub: Hub) -> list[str]:
    """Of which roles there are groups."""
    return sorted(key[2][1] for key in hub._groups)  # type: ignore[index]


async def test_who_is_taken_out_is_told_within_a_second(
    world: World, application: Application, factory: Factory, http: httpx.AsyncClient
) -> None:
    person = await factory.member(world.tenant, "ANALYST")
    member = await factory.membership(world.tenant, person)
    async with connected(application, person) as client:
        await watch(world, client)
        await remove(world.tenant.owner, http, member)

        assert await asyncio.wait_for(client.error(), 1) == (
            "NOT_FOUND",
            "There is no such workspace.",
        )
        await world.submit("unseen")
        assert await client.silent()


@pytest.mark.parametrize("leaver", [0, 1])
async def test_those_who_stay_miss_nothing_when_one_of_them_is_taken_out(
    world: World, application: Application, factory: Factory, http: httpx.AsyncClient, leaver: int
) -> None:
    people = [await factory.member(world.tenant, "ANALYST") for _ in range(2)]
    member = await factory.membership(world.tenant, people[leaver])
    async with (
        connected(application, people[0]) as one,
        connected(application, people[1]) as other,
    ):
        clients = [one, other]
        await watch(world, *clients)
        async with submitting(world, 30) as wanted:
            await remove(world.tenant.owner, http, member)
        got = await bodies(clients[1 - leaver], 30)

        assert got == wanted
        assert await clients[1 - leaver].silent()


async def test_an_event_that_the_first_of_a_group_may_not_see_any_more_comes_to_the_others(
    world: World, application: Application, factory: Factory, http: httpx.AsyncClient
) -> None:
    gone, stays = [await factory.member(world.tenant, "ANALYST") for _ in range(2)]
    async with connected(application, gone) as first, connected(application, stays) as second:
        await watch(world, first)
        await world.subscribe(on=second)
        assert await bodies(second, 1) == ["begun"]
        # Nobody was told: as if the news came late.
        await factory.change(
            "DELETE FROM member WHERE user_id = :user", within=world.tenant, user=gone.id
        )
        await world.submit("seen")

        assert await bodies(second, 1) == ["seen"]


@pytest.mark.parametrize("role", ["VIEWER", "ADMIN"])
async def test_a_changed_role_moves_a_subscriber_without_a_gap_or_a_repeat(
    world: World,
    application: Application,
    factory: Factory,
    http: httpx.AsyncClient,
    hub: Hub,
    role: str,
) -> None:
    person, fellow = [await factory.member(world.tenant, "ANALYST") for _ in range(2)]
    member = await factory.membership(world.tenant, person)
    async with connected(application, person) as client, connected(application, fellow) as other:
        await watch(world, client, other)
        before = roles(hub)
        async with submitting(world, 40) as wanted:
            await change_role(world.tenant.owner, http, member, role)
        got = await bodies(client, 40)
        of_other = await bodies(other, 40)
        after = roles(hub)

        assert (before, after) == (["ANALYST"], sorted(["ANALYST", role]))
        assert got == of_other == wanted
        assert await client.silent()


async def test_a_role_that_changes_all_the_time_loses_nothing(
    world: World, application: Application, factory: Factory, http: httpx.AsyncClient, hub: Hub
) -> None:
    person = await factory.member(world.tenant, "ANALYST")
    member = await factory.membership(world.tenant, person)
    async with connected(application, person) as client:
        await watch(world, client)
        async with submitting(world, 60) as wanted:
            for role in ("VIEWER", "ADMIN", "ANALYST", "VIEWER", "ANALYST", "ADMIN") * 2:
                await change_role(world.tenant.owner, http, member, role)

        assert await bodies(client, 60) == wanted
        assert await client.silent()


async def test_who_takes_nothing_while_their_role_changes_gets_the_rest(
    world: World, application: Application, factory: Factory, http: httpx.AsyncClient, hub: Hub
) -> None:
    person = await factory.member(world.tenant, "ANALYST")
    member = await factory.membership(world.tenant, person)
    async with connected(application, person) as client:
        await watch(world, client)
        client.wire.fill()
        await world.submit("took the last room")
        assert await bodies(client, 1) == ["took the last room"]
        async with submitting(world, 10) as wanted:
            await change_role(world.tenant.owner, http, member, "VIEWER")
        async with asyncio.timeout(SECONDS):
            while roles(hub) != ["VIEWER"]:
                await asyncio.sleep(0.01)
        held = client.wire.heard.qsize()
        client.wire.drain()

        assert held == 0
        assert await bodies(client, 10) == wanted
        assert await client.silent()


async def test_a_role_that_is_given_back_at_once_loses_nothing(
    world: World, application: Application, factory: Factory, hub: Hub
) -> None:
    person = await factory.member(world.tenant, "ANALYST")
    await factory.change(SET_ROLE, within=world.tenant, role="ANALYST", user=person.id)
    async with connected(application, person) as client:
        await world.subscribe(on=client, filter={"search": "wanted"})
        await world.submit("wanted first")
        assert await bodies(client, 1) == ["wanted first"]
        executed = hub.counters.executed
        # The news of this come only when it is over.
        await factory.change(SET_ROLE, within=world.tenant, role="VIEWER", user=person.id)
        await world.submit("something else")
        async with asyncio.timeout(SECONDS):
            while hub.counters.executed == executed:
                await asyncio.sleep(0.01)
        assert await client.silent()
        await factory.change(SET_ROLE, within=world.tenant, role="ANALYST", user=person.id)
        await announce(world, person)
        await world.submit("wanted again")

        assert await bodies(client, 1) == ["wanted again"]


SET_ROLE = "UPDATE member SET role = :role WHERE user_id = :user"


async def announce(world: World, person: Person) -> None:
    """Tell every process that the person's rights have changed."""
    async with world.database.transaction() as uow:
        event = MemberChanged(world.tenant.id, person.id)
        uow.emit(INSTANCE, event.kind, event.to_json())


async def test_a_state_goes_on_with_another_role(
    world: World, application: Application, factory: Factory, http: httpx.AsyncClient, hub: Hub
) -> None:
    person = await factory.member(world.tenant, "ANALYST")
    member = await factory.membership(world.tenant, person)
    async with connected(application, person) as client:
        await client.subscribe(STATS, workspace=world.tenant.gid, **{"from": FROM})
        assert (await client.data())["total"] == 0
        await change_role(world.tenant.owner, http, member, "VIEWER")
        assert (await client.data())["total"] == 0
        await world.submit()

        assert (await client.data())["total"] == 1
        assert roles(hub) == ["VIEWER"]


async def test_a_state_ends_for_who_is_taken_out(
    world: World, application: Application, factory: Factory, http: httpx.AsyncClient
) -> None:
    person = await factory.member(world.tenant, "ANALYST")
    member = await factory.membership(world.tenant, person)
    async with connected(application, person) as client:
        await client.subscribe(STATS, workspace=world.tenant.gid, **{"from": FROM})
        assert (await client.data())["total"] == 0
        await remove(world.tenant.owner, http, member)

        assert (await asyncio.wait_for(client.error(), 1))[0] == "NOT_FOUND"


async def test_every_subscription_of_every_socket_of_theirs_ends(
    world: World, application: Application, factory: Factory, http: httpx.AsyncClient
) -> None:
    person = await factory.member(world.tenant, "ANALYST")
    member = await factory.membership(world.tenant, person)
    async with connected(application, person) as one, connected(application, person) as other:
        await watch(world, one, one, other)
        await remove(world.tenant.owner, http, member)
        refusals = [await client.error() for client in (one, one, other)]
        # The socket itself is theirs still.
        await one.say(type="ping")

        assert [code for code, _ in refusals] == ["NOT_FOUND"] * 3
        assert await one.hear() == {"type": "pong"}


async def test_another_workspaces_change_changes_nothing(
    world: World, application: Application, factory: Factory, http: httpx.AsyncClient, hub: Hub
) -> None:
    person: Person = await factory.member(world.tenant, "ANALYST")
    elsewhere = await factory.tenant(owner=person)
    fellow = await factory.member(elsewhere, "OWNER")
    member = await factory.membership(elsewhere, person)
    async with connected(application, person) as client:
        await watch(world, client)
        async with submitting(world, 10) as wanted:
            await remove(fellow, http, member)

        assert await bodies(client, 10) == wanted
        assert roles(hub) == ["ANALYST"]


async def test_an_event_stream_of_who_is_taken_out_says_so_and_is_complete(
    world: World, server: str, factory: Factory, http: httpx.AsyncClient
) -> None:
    person = await factory.member(world.tenant, "ANALYST")
    member = await factory.membership(world.tenant, person)
    given = {"workspace": world.tenant.gid, "from": FROM}
    async with streaming(server, person, STATS, **given) as stream:
        await stream.next()
        await remove(world.tenant.owner, http, member)
        told, complete = await stream.next(), await stream.next()

    assert told.data["errors"][0]["extensions"] == {"code": "NOT_FOUND"}
    assert complete.name == "complete"


@pytest.fixture
async def seen(settings: Settings) -> AsyncIterator[tuple[Database, list[str]]]:
    """The database, and the statements that go to it by this way."""
    assert settings.database_url is not None
    async with (
        watched(settings.database_url) as (url, executed),
        open_database(settings.model_copy(update={"database_url": url}), "watched") as database,
    ):
        yield database, executed


def of_roles(executed: list[str]) -> int:
    return sum("member.principal_id = ANY (" in text for text in executed)


async def test_those_who_ask_at_the_same_time_share_a_statement(
    factory: Factory, seen: tuple[Database, list[str]]
) -> None:
    database, executed = seen
    tenants = [await factory.tenant(), await factory.tenant()]
    memberships = Memberships(database)

    async def role(user: UUID, tenant: Tenant) -> str | None:
        viewer = Viewer(user, UUID(int=1), datetime(2030, 1, 1, tzinfo=UTC))
        return await memberships.role(viewer, tenant.id)

    analyst = await factory.member(tenants[0], "ANALYST")
    answers = await asyncio.gather(
        role(tenants[0].owner.id, tenants[0]),
        role(tenants[1].owner.id, tenants[0]),
        role(tenants[1].owner.id, tenants[1]),
        role(analyst.id, tenants[0]),
        role(analyst.id, tenants[1]),
    )

    assert list(answers) == ["OWNER", None, "OWNER", "ANALYST", None]
    assert of_roles(executed) == 1


async def test_missed_events_take_a_statement_for_all_who_watch(
    world: World, application: Application, api: Api, factory: Factory,
    seen: tuple[Database, list[str]],
) -> None:  # fmt: skip
    database, executed = seen
    memberships = Memberships(database)
    services = replace(api.services, database=database, memberships=memberships)
    websocket = endpoint(replace(api, services=services))
    people = [await factory.member(world.tenant, role) for role in ("VIEWER", "ANALYST") * 10]
    async with AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(connected(application, person, websocket))
            for person in people
        ]
        await watch(world, *clients)
        await factory.change(
            "DELETE FROM member WHERE user_id = :user", within=world.tenant, user=people[0].id
        )
        executed.clear()
        await memberships.any_changed()
        refused = (await clients[0].error())[0]
        await world.submit("after")
        got = [await bodies(client, 1) for client in clients[1:]]

        assert refused == "NOT_FOUND"
        assert got == [["after"]] * 19
        # One for all, and one that says why to who was taken out.
        assert of_roles(executed) == 2
