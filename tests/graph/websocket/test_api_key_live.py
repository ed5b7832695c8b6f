"""API keys on live connections: let in, changed, rotated, expired and revoked while they are open."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from app.main import Application
from app.resources import Api
from app.stores import open_database
from domain import api_key
from domain.api_key import UpdateApiKey
from domain.viewer import Viewer
from graph.keys import Keys
from persistence.database import UnitOfWork
from tests.factories import Factory, Partner, Person
from tests.graph.partner_queries import REVOKE, ROTATE, UPDATE, WHO, change
from tests.graph.sockets import acknowledged, answered, endpoint, following, opened, served
from tests.graph.test_sse import streaming
from tests.graph.watching import FROM, STATS, Socket, World, connected

QUERY = "{ viewer { apiKey { id } } }"


def owner(world: World) -> Viewer:
    person = world.tenant.owner
    return Viewer(person.id, person.session_id, datetime.now(UTC) + timedelta(minutes=5))


@asynccontextmanager
async def in_another_process(world: World) -> AsyncIterator[tuple[UnitOfWork, Viewer]]:
    """A change that this process hears of by the outbox alone."""
    async with world.database.transaction() as uow:
        yield uow, owner(world)


def holder(partner: Partner) -> Person:
    """As tests of event streams know who asks."""
    return Person(partner.id, "", partner.id, partner.token)


async def bodies(client: Socket, count: int) -> list[str]:
    return [(await client.data())["feedback"]["body"] for _ in range(count)]


# Letting in


async def test_a_secret_in_the_payload_lets_its_key_in(server: str, factory: Factory) -> None:
    tenant = await factory.tenant()
    partner = await factory.api_key(tenant, "stats:read")

    async with acknowledged(server, partner.token) as client:
        await following(client, tenant, "live")
        answer = await answered(client, QUERY)

    assert answer == {"data": {"viewer": {"apiKey": {"id": partner.gid}}}}


async def test_a_secret_in_the_handshake_lets_its_key_in(server: str, factory: Factory) -> None:
    partner = await factory.api_key(await factory.tenant())

    async with acknowledged(server, authorization=f"bearer {partner.token}") as client:
        answer = await answered(client, QUERY)

    assert answer == {"data": {"viewer": {"apiKey": {"id": partner.gid}}}}


async def refused(server: str, token: str) -> tuple[int, str]:
    async with opened(server) as client:
        await client.say(type="connection_init", payload={"authorization": f"Bearer {token}"})
        return await client.ended()


async def test_a_secret_that_nobody_has_ends_the_socket(server: str, factory: Factory) -> None:
    assert await refused(server, f"earful_{'0' * 8}_{'0' * 32}") == (
        4403,
        "The API key is not valid.",
    )


async def test_a_key_ends_the_socket_where_it_may_not_be_used(
    server: str, factory: Factory
) -> None:
    partner = await factory.api_key(await factory.tenant(), allowed_ips=["192.0.2.1"])

    assert await refused(server, partner.token) == (
        4403,
        "The API key may not be used from this address.",
    )


async def test_without_postgres_a_socket_may_come_back_later(
    application: Application, factory: Factory, api: Api
) -> None:
    partner = await factory.api_key(await factory.tenant())
    async with open_database(application._settings, "live keys away") as away:
        pass
    keys = Keys(away, api.services.limiter, api.services.clock)
    websocket = endpoint(replace(api, services=replace(api.services, keys=keys)))

    async with served(application, websocket) as server:
        assert await refused(server, partner.token) == (
            1013,
            "A part of the server is away for the moment",
        )


async def test_nothing_may_be_asked_before_the_key_is_known(server: str, factory: Factory) -> None:
    partner = await factory.api_key(await factory.tenant())

    async with opened(server) as client:
        payload = {"authorization": f"Bearer {partner.token}"}
        await client.say(type="connection_init", payload=payload)
        await client.subscribe("early", QUERY)

        assert await client.ended() == (4401, "Unauthorized: send connection_init first")


async def test_a_key_is_let_in_once(server: str, factory: Factory) -> None:
    partner = await factory.api_key(await factory.tenant())

    async with opened(server) as client:
        for _ in range(2):
            payload = {"authorization": f"Bearer {partner.token}"}
            await client.say(type="connection_init", payload=payload)

        assert await client.ended() == (4429, "Too many initialisation requests")


async def test_an_event_stream_is_opened_by_key(server: str, factory: Factory) -> None:
    tenant = await factory.tenant()
    partner = await factory.api_key(tenant, "stats:read")

    async with streaming(
        server, holder(partner), STATS, workspace=tenant.gid, **{"from": FROM}
    ) as stream:
        event = await stream.next()

    assert event.data["data"]["statsChanged"]["total"] == 0


# Who shares


async def test_keys_share_with_keys_of_the_same_scopes_and_with_nobody_else(
    world: World, application: Application, factory: Factory, api: Api
) -> None:
    first, second = [await factory.api_key(world.tenant, "feedback:read") for _ in range(2)]
    other = await factory.api_key(world.tenant, "feedback:read", "stats:read")
    async with (
        connected(application, None, token=first.token) as one,
        connected(application, None, token=second.token) as two,
        connected(application, None, token=other.token) as three,
    ):
        for client in (one, two, three, world.socket):
            await world.subscribe(on=client)
        await world.submit("heard")
        heard = [await bodies(client, 1) for client in (one, two, three, world.socket)]
        scopes = [key[2] for key in api.services.hub._groups]  # type: ignore[index]
        # Others' groups may not have ended yet.
        roles = sorted(role for of, role in scopes if of == world.tenant.id)

    assert heard == [["heard"]] * 4
    assert roles == ["KEY feedback:read", "KEY feedback:read stats:read", "OWNER"]


# Revoked


async def test_a_revocation_ends_the_sockets_of_the_key_within_a_second(
    server: str, world: World, factory: Factory, http: httpx.AsyncClient
) -> None:
    partner, other = [await factory.api_key(world.tenant, "stats:read") for _ in range(2)]

    async with (
        acknowledged(server, partner.token) as client,
        acknowledged(server, other.token) as kept,
    ):
        await following(client, world.tenant, "live")
        await change(world.tenant.owner, http, REVOKE, apiKeyId=partner.gid)
        ended = await asyncio.wait_for(client.ended(), 1)
        answer = await answered(kept, QUERY)

    assert ended == (4403, "The API key is not valid.")
    assert answer == {"data": {"viewer": {"apiKey": {"id": other.gid}}}}


async def test_a_revocation_in_another_process_ends_them_within_a_second(
    server: str, world: World, factory: Factory
) -> None:
    partner = await factory.api_key(world.tenant, "stats:read")
    async with (
        acknowledged(server, partner.token) as client,
        streaming(
            server, holder(partner), STATS, workspace=world.tenant.gid, **{"from": FROM}
        ) as stream,
    ):
        await following(client, world.tenant, "live")
        await stream.next()
        async with in_another_process(world) as (uow, viewer):
            await api_key.revoke(uow, viewer, partner.id)
        ended, is_cut = await asyncio.wait_for(asyncio.gather(client.ended(), stream.ended()), 1)

    assert ended == (4403, "The API key is not valid.")
    assert is_cut
    assert await refused(server, partner.token) == (4403, "The API key is not valid.")


async def test_a_request_is_refused_within_a_second_of_a_revocation_in_another_process(
    world: World, factory: Factory, http: httpx.AsyncClient
) -> None:
    partner = await factory.api_key(world.tenant)
    caller = partner.on(http)
    assert (await caller.ask(WHO))["viewer"] is not None

    async with in_another_process(world) as (uow, viewer):
        await api_key.revoke(uow, viewer, partner.id)

    async with asyncio.timeout(1):
        while (await caller.ask(WHO))["viewer"] is not None:
            await asyncio.sleep(0.01)


async def test_after_missed_events_every_key_is_looked_at_again(
    server: str, world: World, factory: Factory, api: Api
) -> None:
    partner, other = [await factory.api_key(world.tenant, "stats:read") for _ in range(2)]
    async with (
        acknowledged(server, partner.token) as client,
        acknowledged(server, other.token) as kept,
    ):
        # Nobody was told.
        await factory.change(
            "DELETE FROM api_key_secret WHERE api_key_id = :key",
            within=world.tenant,
            key=partner.id,
        )
        await api.services.keys.any_changed()
        ended = await client.ended()
        answer = await answered(kept, QUERY)

    assert ended == (4403, "The API key is not valid.")
    assert answer == {"data": {"viewer": {"apiKey": {"id": other.gid}}}}


# Expired


async def test_a_socket_ends_when_its_key_expires(server: str, factory: Factory) -> None:
    tenant = await factory.tenant()
    end = datetime.now(UTC) + timedelta(seconds=2)
    partner = await factory.api_key(tenant, "stats:read", expires_at=end)

    async with acknowledged(server, partner.token) as client:
        await following(client, tenant, "live")

        assert await client.ended() == (4403, "The API key has expired")


async def test_an_end_that_is_set_while_a_socket_is_open_ends_it(
    server: str, world: World, factory: Factory
) -> None:
    partner = await factory.api_key(world.tenant, "stats:read")

    async with acknowledged(server, partner.token) as client:
        await following(client, world.tenant, "live")
        end = datetime.now(UTC) + timedelta(seconds=2)
        async with in_another_process(world) as (uow, viewer):
            await api_key.update(uow, viewer, UpdateApiKey(partner.id, {"expires_at": end}))

        assert await client.ended() == (4403, "The API key has expired")


# Changed


async def test_networks_that_leave_a_client_out_end_its_socket(
    server: str, world: World, factory: Factory, http: httpx.AsyncClient
) -> None:
    partner = await factory.api_key(world.tenant, "stats:read")
    given = {"apiKeyId": partner.gid, "allowedIps": ["192.0.2.1"]}

    async with acknowledged(server, partner.token) as client:
        await following(client, world.tenant, "live")
        await change(world.tenant.owner, http, UPDATE, **given)

        assert await client.ended() == (4403, "The API key may not be used from this address.")


async def test_a_lost_scope_ends_the_subscriptions_that_need_it_and_no_others(
    world: World, application: Application, factory: Factory
) -> None:
    partner = await factory.api_key(world.tenant, "feedback:read", "stats:read")
    async with connected(application, None, token=partner.token) as client:
        await client.subscribe(STATS, workspace=world.tenant.gid, **{"from": FROM})
        assert (await client.data())["total"] == 0
        await world.subscribe(on=client)
        await world.submit("begun")
        before = sorted([_kind(await client.data()), _kind(await client.data())])

        async with in_another_process(world) as (uow, viewer):
            command = UpdateApiKey(partner.id, {"scopes": ["stats:read"]})
            await api_key.update(uow, viewer, command)
        ended, again = await asyncio.wait_for(_two(client), 1)
        await world.submit("unseen")
        after = await client.data()

    assert before == ["event", "total"]
    assert ended == ("FORBIDDEN", "This API key needs the scope feedback:read to do this.")
    assert again["total"] == 1
    assert after["total"] == 2


def _kind(item: Any) -> str:
    return "total" if "total" in item else "event"


async def _two(client: Socket) -> tuple[tuple[str, str], Any]:
    """The refusal of one subscription and the new state of another, whichever comes first."""
    messages = {message["type"]: message for message in [await client.hear(), await client.hear()]}
    (error,) = messages["error"]["payload"]
    state = messages["next"]["payload"]["data"]["statsChanged"]
    return (error["extensions"]["code"], error["message"]), state


async def test_other_scopes_move_a_subscriber_without_a_gap_or_a_repeat(
    world: World, application: Application, factory: Factory, http: httpx.AsyncClient, api: Api
) -> None:
    partner = await factory.api_key(world.tenant, "feedback:read", "jobs:read")
    wanted = [str(number) for number in range(30)]

    async def submit() -> None:
        for body in wanted:
            await world.submit(body)

    async with connected(application, None, token=partner.token) as client:
        await world.subscribe(on=client)
        await world.submit("begun")
        assert await bodies(client, 1) == ["begun"]
        submitting = asyncio.ensure_future(submit())
        given = {"apiKeyId": partner.gid, "scopes": ["feedback:read"]}
        await change(world.tenant.owner, http, UPDATE, **given)
        await submitting
        got = await bodies(client, 30)
        roles = [key[2][1] for key in api.services.hub._groups]  # type: ignore[index]

        assert await client.silent()
    assert got == wanted
    assert roles == ["KEY feedback:read"]


async def test_another_name_disturbs_nobody(
    server: str, world: World, factory: Factory, http: httpx.AsyncClient
) -> None:
    partner = await factory.api_key(world.tenant, "stats:read")

    async with streaming(
        server, holder(partner), STATS, workspace=world.tenant.gid, **{"from": FROM}
    ) as stream:
        await stream.next()
        async with in_another_process(world) as (uow, viewer):
            await api_key.update(uow, viewer, UpdateApiKey(partner.id, {"name": "Other"}))
        await world.submit()
        event = await stream.next()

    assert event.data["data"]["statsChanged"]["total"] == 1


# Rotated


async def test_a_socket_of_the_secret_before_goes_on_while_it_is_good(
    server: str, world: World, factory: Factory, http: httpx.AsyncClient
) -> None:
    partner = await factory.api_key(world.tenant, "stats:read")

    async with acknowledged(server, partner.token) as client:
        await following(client, world.tenant, "live")
        await change(world.tenant.owner, http, ROTATE, apiKeyId=partner.gid)
        answer = await answered(client, QUERY)
        await change(world.tenant.owner, http, ROTATE, apiKeyId=partner.gid, overlapHours=0)
        ended = await client.ended()

    assert answer == {"data": {"viewer": {"apiKey": {"id": partner.gid}}}}
    assert ended == (4403, "The API key is not valid.")


async def test_a_socket_goes_on_with_the_new_secret_in_a_ping(
    server: str, world: World, factory: Factory, http: httpx.AsyncClient
) -> None:
    partner = await factory.api_key(world.tenant, "stats:read")

    async with acknowledged(server, partner.token) as client:
        rotated = await change(world.tenant.owner, http, ROTATE, apiKeyId=partner.gid)
        payload = {"authorization": f"Bearer {rotated['secret']}", "n": 1}
        await client.say(type="ping", payload=payload)
        pong = await client.hear()
        await factory.change(
            "DELETE FROM api_key_secret WHERE hash = :hash",
            within=world.tenant,
            hash=api_key.hash_secret(partner.token),
        )
        # Whoever watches the key looks its secret up again.
        await change(world.tenant.owner, http, UPDATE, apiKeyId=partner.gid, scopes=[])
        answer = await answered(client, QUERY)

    assert pong == {"type": "pong", "payload": {"n": 1}}
    assert answer == {"data": {"viewer": {"apiKey": {"id": partner.gid}}}}


@pytest.mark.parametrize("is_person", [True, False])
async def test_a_secret_of_another_key_and_a_persons_token_do_not_renew(
    server: str, factory: Factory, is_person: bool
) -> None:
    tenant = await factory.tenant()
    partner, other = [await factory.api_key(tenant) for _ in range(2)]
    token = {True: tenant.owner.token, False: other.token}[is_person]

    async with acknowledged(server, partner.token) as client:
        await client.say(type="ping", payload={"authorization": f"Bearer {token}"})

        assert await client.ended() == (4403, "The token is another user's")


async def test_a_person_does_not_become_a_key(server: str, factory: Factory) -> None:
    tenant = await factory.tenant()
    partner = await factory.api_key(tenant)

    async with acknowledged(server, tenant.owner.token) as client:
        await client.say(type="ping", payload={"authorization": f"Bearer {partner.token}"})

        assert await client.ended() == (4403, "The token is another user's")
