"""Who a socket speaks for, and that it ends with the session or the token."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from app.main import create_app
from app.resources import Api
from app.settings import Settings
from domain import account
from domain.tokens import AccessTokens
from domain.viewer import Viewer
from graph.account import ACCESS_COOKIE
from jobs.relay import Relay
from persistence import account as account_store
from persistence.database import Database
from tests.callers import Caller
from tests.factories import PASSWORD, Factory, Person
from tests.graph.sockets import (
    acknowledged,
    answered,
    following,
    opened,
    served,
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


# Renewing a token in band


async def test_a_renewed_token_keeps_the_socket_beyond_the_first(
    server: str, factory: Factory, api: Api
) -> None:
    tenant = await factory.tenant()

    async with acknowledged(server, token_for(api, tenant.owner, seconds=3)) as client:
        await following(client, tenant, "live")
        await client.say(
            type="ping", payload={"authorization": f"Bearer {tenant.owner.token}", "n": [1]}
        )
        pong = await client.hear()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.connection.recv(), 5)
        answer = await answered(client)

    assert pong == {"type": "pong", "payload": {"n": [1]}}
    assert answer == {"data": {"viewer": {"user": {"email": tenant.owner.email}}}}


async def test_a_pong_to_a_token_alone_has_an_empty_payload(server: str, factory: Factory) -> None:
    person = await factory.person()

    async with acknowledged(server, person.token) as client:
        await client.say(type="ping", payload={"authorization": f"Bearer {person.token}"})

        assert await client.hear() == {"type": "pong", "payload": {}}


async def test_a_renewed_token_may_end_earlier(server: str, factory: Factory, api: Api) -> None:
    person = await factory.person()

    async with acknowledged(server, person.token) as client:
        short = token_for(api, person, seconds=2)
        await client.say(type="ping", payload={"authorization": f"Bearer {short}"})
        assert await client.hear() == {"type": "pong", "payload": {}}

        assert await client.ended() == (4403, "The access token has expired")


async def test_a_token_that_is_not_good_does_not_renew(server: str, factory: Factory) -> None:
    person = await factory.person()

    async with acknowledged(server, person.token) as client:
        await client.say(type="ping", payload={"authorization": "Bearer x"})

        assert await client.ended() == (4403, "The access token is not valid.")


async def test_a_token_of_somebody_else_does_not_renew(server: str, factory: Factory) -> None:
    person, other = await factory.person(), await factory.person()

    async with acknowledged(server, person.token) as client:
        await client.say(type="ping", payload={"authorization": f"Bearer {other.token}"})

        assert await client.ended() == (4403, "The token is another user's")


@pytest.mark.parametrize("authorization", [1, None, ["x"], {}])
async def test_a_renewal_of_a_wrong_type_ends_the_socket(
    server: str, factory: Factory, authorization: Any
) -> None:
    person = await factory.person()

    async with acknowledged(server, person.token) as client:
        await client.say(type="ping", payload={"authorization": authorization})

        assert await client.ended() == (
            4400,
            "authorization must be a string, on a socket that is signed in",
        )


async def test_nobody_cannot_become_somebody_later(server: str, factory: Factory) -> None:
    person = await factory.person()

    async with acknowledged(server) as client:
        await client.say(type="ping", payload={"authorization": f"Bearer {person.token}"})

        assert await client.ended() == (
            4400,
            "authorization must be a string, on a socket that is signed in",
        )


async def test_a_renewed_socket_ends_with_the_session_of_its_new_token(
    server: str, factory: Factory, api: Api, database: Database, relay: Relay
) -> None:
    person = await factory.person()
    first, second = person.session_id, await another_session(database, person)

    async with acknowledged(server, person.token) as client:
        await client.say(type="ping", payload={"authorization": f"Bearer {second.on(api)}"})
        assert await client.hear() == {"type": "pong", "payload": {}}
        api.services.sessions.revoke(first)
        answer = await answered(client)
        api.services.sessions.revoke(second.session_id)
        ended = await client.ended()

    assert answer == {"data": {"viewer": {"user": {"email": person.email}}}}
    assert ended == (4403, "The session has ended")


@dataclass(frozen=True, slots=True)
class Session:
    """Another session of a person."""

    person: Person
    session_id: UUID

    def on(self, api: Api) -> str:
        """A token of it."""
        access = api.services.policy.access
        return access.issue(self.person.id, self.session_id, datetime.now(UTC)).text


async def another_session(database: Database, person: Person) -> Session:
    async with database.transaction() as uow:
        id_ = await account_store.add_session(
            uow,
            user=person.id,
            user_agent="tests",
            ip="127.0.0.1",
            expires_at=uow.now + timedelta(days=1),
        )
    return Session(person, id_)


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
    "origin",
    [
        "http://evil.example",
        "null",
        "http://127.0.0.1",
        "http://127.0.0.1.evil.example",
        "http://[",
        "http://[::1",
    ],
)
async def test_a_foreign_page_opens_no_socket_with_a_cookie(
    server: str, factory: Factory, nobody: Caller, origin: str
) -> None:
    given = await cookie(nobody, await factory.person())

    with pytest.raises(InvalidStatus) as refused:
        async with opened(server, cookie=given, origin=origin):
            pass

    assert refused.value.response.status_code == 403
    assert refused.value.response.body == (
        b"Pages of this origin may not use their visitors' cookies here.\n"
    )


async def test_a_cookie_signs_in_on_pages_that_are_named(
    settings: Settings, api: Api, factory: Factory, nobody: Caller
) -> None:
    named = settings.model_copy(
        update={"cors_origins": ("https://app.example",), "public_url": "https://earful.example/x"}
    )
    person = await factory.person()
    given = await cookie(nobody, person)
    application = create_app(named)
    application.open(api)

    async with served(application) as server:
        answers = []
        for origin in ("https://app.example", "https://earful.example"):
            async with acknowledged(server, cookie=given, origin=origin) as client:
                answers.append(await answered(client))

    assert answers == [{"data": {"viewer": {"user": {"email": person.email}}}}] * 2


async def test_a_token_signs_in_on_any_page(server: str, factory: Factory) -> None:
    person = await factory.person()

    async with acknowledged(
        server, person.token, origin="https://partner.example", cookie="theirs=1"
    ) as client:
        answer = await answered(client)

    assert answer == {"data": {"viewer": {"user": {"email": person.email}}}}
