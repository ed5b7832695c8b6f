"""Accounts over GraphQL: registering."""

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.callers import JSON, Caller
from tests.factories import Factory
from tests.graph.account_queries import PROBLEM, TOKENS, refresh, who

REGISTER = f"""
    mutation($input: RegisterInput!) {{ register(input: $input) {{
      {PROBLEM} ... on InvalidInput {{ fields {{ path message }} }}
      ... on RegisterSuccess {{ user {{ id email name emailVerified }} {TOKENS} }}
    }} }}
"""
GOOD = {"email": "ada@example.com", "password": "correct horse battery", "name": "Ada"}


async def register(nobody: Caller, **input: Any) -> JSON:
    return (await nobody.ask(REGISTER, input=GOOD | input))["register"]


async def test_registering_makes_an_account_and_signs_in(nobody: Caller, factory: Factory) -> None:
    before = datetime.now(UTC)

    answer = await register(nobody, email=" Ada@Example.com ")

    user, tokens = answer["user"], answer["tokens"]
    assert user == {
        "id": user["id"],
        "email": "Ada@Example.com",
        "name": "Ada",
        "emailVerified": False,
    }
    assert await who(nobody.signed_in(tokens["accessToken"])) == user["id"]
    assert (await refresh(nobody, tokens["refreshToken"]))["__typename"] == "RefreshSessionSuccess"
    access = datetime.fromisoformat(tokens["accessTokenExpiresAt"]) - before
    refreshing = datetime.fromisoformat(tokens["refreshTokenExpiresAt"]) - before
    assert timedelta(seconds=598) < access < timedelta(seconds=610)
    assert timedelta(days=30) <= refreshing < timedelta(days=30, seconds=10)


async def test_a_password_and_a_refresh_token_are_stored_as_hashes_only(
    nobody: Caller, factory: Factory
) -> None:
    answer = await register(nobody)

    ((password_hash,),) = await factory.rows('SELECT password_hash FROM "user"')
    ((token_hash,),) = await factory.rows("SELECT hash FROM refresh_token")
    assert password_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert token_hash == hashlib.sha256(answer["tokens"]["refreshToken"].encode()).digest()


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"password": "elevenchars"}, "password", "must have at least 12 characters"),
        ({"password": "x" * 257}, "password", "must have at most 256 characters, has 257"),
        ({"password": "twelve chars\x00"}, "password", "must not contain the NUL character"),
        ({"email": ""}, "email", "must not be blank"),
        ({"email": "ada"}, "email", "must be an e-mail address"),
        ({"email": "ada@example"}, "email", "must be an e-mail address"),
        ({"email": "a da@example.com"}, "email", "must be an e-mail address"),
        ({"email": "ada@@example.com"}, "email", "must be an e-mail address"),
        ({"email": "a@example.com,b@example.com"}, "email", "must be an e-mail address"),
        ({"email": "ada@example.com\nbcc: x@y.zz"}, "email", "must be an e-mail address"),
        ({"email": "ada\x00@example.com"}, "email", "must not contain the NUL character"),
        (
            {"email": "x" * 243 + "@example.com"},
            "email",
            "must have at most 254 characters, has 255",
        ),
        ({"name": " "}, "name", "must not be blank"),
        ({"name": "\x00"}, "name", "must not contain the NUL character"),
        ({"name": "x" * 201}, "name", "must have at most 200 characters, has 201"),
    ],
)
async def test_an_account_that_breaks_a_rule_is_refused(
    nobody: Caller, factory: Factory, change: dict[str, str], field: str, message: str
) -> None:
    answer = await register(nobody, **change)

    assert answer == {
        "__typename": "InvalidInput",
        "message": "Some fields are not valid.",
        "fields": [{"path": [field], "message": message}],
    }
    assert await factory.rows('SELECT email FROM "user"') == []


@pytest.mark.parametrize("email", ["ada@example.com", "ADA@EXAMPLE.COM", " Ada@example.com"])
async def test_a_taken_address_is_a_conflict_in_any_case(
    nobody: Caller, factory: Factory, email: str
) -> None:
    await factory.person("Ada@Example.com")

    answer = await register(nobody, email=email)

    assert answer == {
        "__typename": "Conflict",
        "message": "This e-mail address is already registered.",
    }
    assert await factory.rows('SELECT email FROM "user"') == [("Ada@Example.com",)]


async def test_of_callers_at_once_one_gets_the_address(nobody: Caller, factory: Factory) -> None:
    answers = await asyncio.gather(*(register(nobody) for _ in range(3)))

    assert sorted(answer["__typename"] for answer in answers) == [
        "Conflict",
        "Conflict",
        "RegisterSuccess",
    ]
    assert await factory.rows('SELECT email FROM "user"') == [("ada@example.com",)]
