"""Who a socket speaks for, and that it ends with the session or the token."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from app.resources import Api
from domain import account
from domain.tokens import AccessTokens
from domain.viewer import Viewer
from graph.account import ACCESS_COOKIE
from jobs.relay import Relay
from persistence.database import Database
from tests.callers import Caller
from tests.factories import PASSWORD, Factory, Person
from tests.graph.sockets import (
    acknowledged,
    answered,
    following,
    opened,
)


async def test_a_token_in_the_payload_signs_in(server: str, factory: Factory) -> None:
    person = await factory.person()

    async with acknowledged(server, person.token) as client:
        answer = await answered(client)

    assert answer == {"data": {"viewer": {"user": {"email": person.email}}}}


async def test_a_token_in_the_handshake_signs_in(server: str, factory: Factory) -> None:
    person = await factory.person()

    async with acknowledged(server, authorization=f"bearer {person.token}") as client:
        answer = await answered(client)

    assert answer == {"data": {"viewer": {"user": {"email": person.email}}}}


async def test_without_a_token_nobody_is_signed_in(server: str, database: Database) -> None:
    async with acknowledged(server) as client:
        answer = await answered(client)

    assert answer == {"data": {"viewer": None}}


@pytest.mark.parametrize("authorization", [1, True, ["x"], {"a": 1}])
async def test_an_authorization_of_a_wrong_type_ends_the_socket(
    server: str, database: Database, authorization: Any
) -> None:
    async with opened(server) as client:
        await client.say(type="connection_init", payload={"authorization": authorization})

        assert await client.ended() == (4400, "authorization must be a string")


@pytest.mark.parametrize("authorization", ["Bearer x", "Bearer ", "x", "Basic YTpi", "Bearer ä"])
async def test_a_token_that_is_not_good_ends_the_socket(
    server: str, database: Database, authorization: str
) -> None:
    async with opened(server) as client:
        await client.say(type="connection_init", payload={"authorization": authorization})

        assert await client.ended() == (4403, "The access token is not valid.")


LOGOUT = "mutation { logout { ... on LogoutSuccess { ok } } }"


async def test_a_logout_ends_the_sessions_sockets_within_a_second(
    server: str, factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    other = await factory.member(tenant, "VIEWER")

    async with (
        acknowledged(server, tenant.owner.token) as client,
        acknowledged(server, other.token) as kept,
    ):
        await following(client, tenant, "live")
        assert await tenant.owner.on(http).ask(LOGOUT) == {"logout": {"ok": True}}
        ended = await asyncio.wait_for(client.ended(), 1)
        answer = await answered(kept)

    assert ended == (4403, "The session has ended")
    assert answer == {"data": {"viewer": {"user": {"email": other.email}}}}


async def test_a_revocation_in_another_process_ends_the_sockets_within_a_second(
    server: str, factory: Factory, database: Database, relay: Relay
) -> None:
    person = await factory.person()
    viewer = Viewer(person.id, person.session_id, datetime.now(UTC) + timedelta(minutes=5))

    async with acknowledged(server, person.token) as client:
        async with database.transaction() as uow:
            await account.logout(uow, viewer)
        ended = await asyncio.wait_for(client.ended(), 1)

    assert ended == (4403, "The session has ended")


async def test_a_revoked_token_opens_no_socket(
    server: str, factory: Factory, http: httpx.AsyncClient
) -> None:
    person = await factory.person()
    await person.on(http).ask(LOGOUT)

    async with opened(server) as client:
        await client.say(
            type="connection_init", payload={"authorization": f"Bearer {person.token}"}
        )

        assert await client.ended() == (4403, "The session has ended. Sign in again.")


def token_for(api: Api, person: Person, seconds: float) -> str:
    """A token that ends so many seconds from now."""
    access: AccessTokens = api.services.policy.access
    lifetime = access._lifetime
    issued_at = datetime.now(UTC) - lifetime + timedelta(seconds=seconds)
    return access.issue(person.id, person.session_id, issued_at).text


async def test_an_expired_token_opens_no_socket(server: str, factory: Factory, api: Api) -> None:
    person = await factory.person()

    async with opened(server) as client:
        token = token_for(api, person, seconds=-1)
        await client.say(type="connection_init", payload={"authorization": f"Bearer {token}"})

        assert await client.ended() == (4403, "The access token has expired.")


async def test_a_socket_ends_when_its_token_expires(
    server: str, factory: Factory, api: Api
) -> None:
    tenant = await factory.tenant()

    async with acknowledged(server, token_for(api, tenant.owner, seconds=2)) as client:
        await following(client, tenant, "live")

        assert await client.ended() == (4403, "The access token has expired")


LOGIN = """
    mutation($email: String!, $password: String!) {
      login(input: {email: $email, password: $password, cookies: true}) {
        ... on LoginSuccess { user { email } }
      }
    }
"""


async def cookie(nobody: Caller, person: Person) -> str:
    """The Cookie header of a browser in which the person has signed in."""
    await nobody.ask(LOGIN, email=person.email, password=PASSWORD)
    return f"{ACCESS_COOKIE}={nobody.http.cookies[ACCESS_COOKIE]}"


async def test_a_cookie_signs_in_on_our_own_pages(
    server: str, factory: Factory, nobody: Caller
) -> None:
    person = await factory.person()
    given = await cookie(nobody, person)

    async with acknowledged(server, cookie=given, origin=f"http://{server}") as client:
        answer = await answered(client)

    assert answer == {"data": {"viewer": {"user": {"email": person.email}}}}


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1", "http://127.0.0.1.evil.example"]
)
async def test_a_cookie_signs_nobody_in_on_a_foreign_page(
    server: str, factory: Factory, nobody: Caller, origin: str
) -> None:
    given = await cookie(nobody, await factory.person())

    async with acknowledged(server, cookie=given, origin=origin) as client:
        answer = await answered(client)

    assert answer == {"data": {"viewer": None}}
