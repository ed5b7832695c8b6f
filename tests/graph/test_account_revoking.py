"""Accounts over GraphQL: sessions ended by whose they are, devices that are new, and the name."""

import asyncio
from uuid import UUID

import httpx
import pytest

from domain.account import Client
from persistence.database import new_id
from tests.callers import Caller
from tests.factories import Factory
from tests.graph.account_queries import (
    PROBLEM,
    change,
    login,
    mailed,
    refresh,
    subjects,
    verified,
    who,
)
from tests.graph.sockets import acknowledged
from tests.graph.test_account import register
from tests.working import Worker

OTHERS = f"""
    mutation {{ answer: revokeOtherSessions {{
      {PROBLEM} ... on RevokeOtherSessionsSuccess {{ sessionIds }}
    }} }}
"""
NEW_DEVICE = "A new device has signed in"


def session_id(session: UUID) -> str:
    return f"session_{session.hex}"


async def test_a_session_ends_for_its_tokens_and_for_no_other(
    nobody: Caller, factory: Factory
) -> None:
    person = await factory.person()
    tokens = (await login(nobody, person.email))["tokens"]
    caller = nobody.signed_in(tokens["accessToken"])

    answer = await change(
        caller, "revokeSession", "sessionId", sessionId=session_id(person.session_id)
    )

    assert answer["sessionId"] == session_id(person.session_id)
    assert await who(nobody.signed_in(person.token)) is None
    assert await who(caller) == person.gid


async def test_the_socket_of_a_session_that_ends_is_closed(
    server: str, factory: Factory, http: httpx.AsyncClient
) -> None:
    person = await factory.person()
    ended = {"sessionId": session_id(person.session_id)}

    async with acknowledged(server, person.token) as socket:
        await change(person.on(http), "revokeSession", "sessionId", **ended)
        closed = await socket.ended()

    assert closed == (4403, "The session has ended")


async def test_of_sessions_only_ones_own_live_ones_are_found(
    nobody: Caller, factory: Factory, http: httpx.AsyncClient
) -> None:
    person, other = await factory.person(), await factory.person()
    caller = person.on(http)
    expired = (await login(nobody, person.email))["tokens"]["refreshToken"]
    await factory.change(
        "UPDATE session SET expires_at = now() WHERE user_id = :user AND id <> :id",
        user=person.id,
        id=person.session_id,
    )
    ((dead,),) = await factory.rows(
        "SELECT id FROM session WHERE user_id = :user AND id <> :id",
        user=person.id,
        id=person.session_id,
    )

    answers = [
        await change(caller, "revokeSession", "sessionId", sessionId=session_id(id_))
        for id_ in (other.session_id, new_id(), dead)
    ]
    malformed = await change(caller, "revokeSession", "sessionId", sessionId="nonsense")

    missing = {"__typename": "NotFound", "message": "There is no such session."}
    assert answers == [missing] * 3
    assert malformed["__typename"] == "InvalidInput"
    assert await factory.rows("SELECT count(revoked_at) FROM session") == [(0,)]
    assert await who(other.on(http)) == other.gid
    assert (await refresh(nobody, expired))["__typename"] == "InvalidCredentials"


async def test_all_other_sessions_end_at_once(nobody: Caller, factory: Factory) -> None:
    person, other = await factory.person(), await factory.person()
    mine, theirs = [(await login(nobody, person.email))["tokens"] for _ in range(2)]
    caller = nobody.signed_in(mine["accessToken"])

    answer = (await caller.ask(OTHERS))["answer"]

    assert len(answer["sessionIds"]) == 2
    assert session_id(person.session_id) in answer["sessionIds"]
    assert await who(nobody.signed_in(person.token)) is None
    assert await who(nobody.signed_in(theirs["accessToken"])) is None
    assert await who(nobody.signed_in(other.token)) == other.gid
    assert await who(caller) == person.gid
    assert (await caller.ask(OTHERS))["answer"]["sessionIds"] == []


async def test_who_end_each_other_at_once_do_not_wait_for_each_other(
    nobody: Caller, factory: Factory
) -> None:
    person = await factory.person()
    tokens = [(await login(nobody, person.email))["tokens"]["accessToken"] for _ in range(4)]

    answers = await asyncio.gather(*(nobody.signed_in(token).post(OTHERS) for token in tokens))

    assert ["INTERNAL" in answer.text for answer in answers] == [False] * 4
    ((left,),) = await factory.rows("SELECT count(*) FROM session WHERE revoked_at IS NULL")
    assert left <= 1


@pytest.mark.parametrize(
    "operation",
    [
        OTHERS,
        'mutation { revokeSession(input: {sessionId: "x"}) { __typename } }',
        'mutation { updateProfile(input: {name: "x"}) { __typename } }',
        'mutation { changePassword(input: {currentPassword: "x", newPassword: "y"}) { __typename } }',
        'mutation { requestEmailChange(input: {newEmail: "x", password: "y"}) { __typename } }',
        "mutation { requestEmailVerification { __typename } }",
        'mutation { startTotp(input: {password: "x"}) { __typename } }',
        'mutation { confirmTotp(input: {code: "x"}) { __typename } }',
        'mutation { disableTotp(input: {password: "x", code: "y"}) { __typename } }',
        'mutation { regenerateRecoveryCodes(input: {password: "x", code: "y"}) { __typename } }',
        'mutation { deleteAccount(input: {password: "x"}) { __typename } }',
    ],
)
async def test_nobody_changes_an_account(nobody: Caller, factory: Factory, operation: str) -> None:
    (error,) = await nobody.errors(operation)

    assert error["extensions"] == {"code": "UNAUTHENTICATED"}


# Devices


async def test_the_first_sign_in_from_a_device_is_told_to_a_proven_address(
    nobody: Caller, factory: Factory, worker: Worker
) -> None:
    person = await verified(factory)
    agents = ["Browser/1.0", "Browser/2.1", "Other/1.0", "Browser/3.0"]
    for agent in agents:
        nobody.http.headers["user-agent"] = agent
        await login(nobody, person.email)

    told = await mailed(worker, NEW_DEVICE)

    bodies = sorted(
        body.get_content().split("Device: ")[1].split()[0]
        for mail in worker.mail()
        if (body := mail.get_body(("plain",)))
    )
    assert told == [(person.email, "")] * 2
    assert bodies == ["Browser/1.0", "Other/1.0"]


async def test_who_has_just_registered_comes_from_a_known_device(
    nobody: Caller, factory: Factory, worker: Worker
) -> None:
    await register(nobody)
    await factory.change('UPDATE "user" SET email_verified_at = now()')

    await login(nobody, "ada@example.com")

    assert await mailed(worker, NEW_DEVICE) == []


async def test_an_address_that_is_not_proven_hears_of_no_device(
    nobody: Caller, factory: Factory, worker: Worker
) -> None:
    person = await factory.person()

    await login(nobody, person.email)

    assert await subjects(worker) == []


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (("192.0.2.1", "Browser/1.0"), ("192.0.2.200", "Browser/1.2.3"), True),
        (("192.0.2.1", "Browser/1.0"), ("192.0.3.1", "Browser/1.0"), False),
        (("192.0.2.1", "Browser/1.0"), ("192.0.2.1", "Other/1.0"), False),
        (("2001:db8::1", None), ("2001:db8:0:ffff::2", None), True),
        (("2001:db8::1", None), ("2001:db8:1::1", None), False),
        (("unknown", None), ("unknown", ""), True),
    ],
)
def test_a_device_is_a_program_in_a_network(
    one: tuple[str, str | None], other: tuple[str, str | None], same: bool
) -> None:
    assert (Client(*one).device == Client(*other).device) is same


# The name


async def test_a_name_is_changed(factory: Factory, http: httpx.AsyncClient) -> None:
    person = await factory.person(name="Ada")

    answer = await change(person.on(http), "updateProfile", "user { id name }", name="Ada Lovelace")

    assert answer["user"] == {"id": person.gid, "name": "Ada Lovelace"}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (" ", "must not be blank"),
        ("x" * 201, "must have at most 200 characters, has 201"),
        ("Ada\nbcc: all", "must be one line of printable characters"),
    ],
)
async def test_a_name_that_breaks_a_rule_is_refused(
    factory: Factory, http: httpx.AsyncClient, name: str, message: str
) -> None:
    person = await factory.person(name="Ada")

    answer = await change(person.on(http), "updateProfile", "user { id }", name=name)

    assert answer["fields"] == [{"path": ["name"], "message": message}]
    assert await factory.rows('SELECT name FROM "user"') == [("Ada",)]
