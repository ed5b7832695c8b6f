"""Accounts over GraphQL: signing in, its cookies and its limits."""

from dataclasses import replace

import httpx
import pytest

from app.main import create_app
from app.resources import Api
from app.settings import Settings
from tests.both_ways import BothWays
from tests.callers import Caller
from tests.factories import PASSWORD, Factory
from tests.graph.account_queries import LOGIN, login, who

WRONG = {
    "__typename": "InvalidCredentials",
    "message": "The e-mail address or the password is wrong.",
}


# Signing in


@pytest.mark.parametrize("email", ["Ada@Example.com", "ada@example.com", " ADA@EXAMPLE.COM "])
async def test_signing_in_takes_the_address_in_any_case(
    nobody: Caller, factory: Factory, email: str
) -> None:
    person = await factory.person("Ada@Example.com")

    answer = await login(nobody, email)

    assert answer["user"] == {"id": person.gid, "email": "Ada@Example.com"}
    assert await who(nobody.signed_in(answer["tokens"]["accessToken"])) == person.gid


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("ada@example.com", "wrong"),
        ("ada@example.com", ""),
        ("ada@example.com", PASSWORD + " "),
        ("ada@example.com", PASSWORD.upper()),
        ("ada@example.com", PASSWORD + "\x00"),
        ("ada@example.com", "x" * 100_000),
        ("nobody@example.com", PASSWORD),
        ("nobody@example.com", "nobody has this password"),
        ("ada@example.com\x00", PASSWORD),
        ("", PASSWORD),
        ("%", PASSWORD),
        ("x" * 100_000, PASSWORD),
    ],
)
async def test_what_is_wrong_is_not_told(
    nobody: Caller, factory: Factory, email: str, password: str
) -> None:
    await factory.person("ada@example.com")

    assert await login(nobody, email, password) == WRONG
    assert await factory.rows("SELECT count(*) FROM session") == [(1,)]


async def test_without_cookies_asked_for_none_is_set(nobody: Caller, factory: Factory) -> None:
    person = await factory.person()

    response = await nobody.post(LOGIN, input={"email": person.email, "password": PASSWORD})

    assert "set-cookie" not in response.headers


def attributes(response: httpx.Response) -> dict[str, tuple[str, set[str]]]:
    """Each cookie's value and attributes, by its name."""
    cookies = {}
    for header in response.headers.get_list("set-cookie"):
        pair, *rest = header.split("; ")
        name, _, value = pair.partition("=")
        cookies[name] = (value, {part for part in rest if not part.startswith("Max-Age=")})
    return cookies


async def test_cookies_are_out_of_reach_for_scripts_and_foreign_pages(
    nobody: Caller, factory: Factory
) -> None:
    person = await factory.person()

    response = await nobody.post(
        LOGIN, input={"email": person.email, "password": PASSWORD, "cookies": True}
    )

    tokens = response.json()["data"]["login"]["tokens"]
    flags = {"Path=/", "HttpOnly", "SameSite=Lax"}
    assert attributes(response) == {
        "earful_access": (tokens["accessToken"], flags),
        "earful_refresh": (tokens["refreshToken"], flags),
    }
    ages = [
        int(header.partition("Max-Age=")[2].partition(";")[0])
        for header in response.headers.get_list("set-cookie")
    ]
    assert 590 <= ages[0] <= 600
    assert 30 * 86_400 - 10 <= ages[1] <= 30 * 86_400


async def test_in_production_cookies_are_secure_and_bound_to_the_host(
    factory: Factory, api: Api, settings: Settings
) -> None:
    person = await factory.person()
    application = create_app(settings, BothWays)
    application.open(replace(api, services=replace(api.services, secure_cookies=True)))
    transport = httpx.ASGITransport(application)
    async with httpx.AsyncClient(transport=transport, base_url="https://earful.test") as client:
        caller = Caller(client)

        response = await caller.post(
            LOGIN, input={"email": person.email, "password": PASSWORD, "cookies": True}
        )
        seen = await who(caller)

    flags = {"Path=/", "HttpOnly", "SameSite=Lax", "Secure"}
    assert {name: rest for name, (_, rest) in attributes(response).items()} == {
        "__Host-earful_access": flags,
        "__Host-earful_refresh": flags,
    }
    assert seen == person.gid


async def test_a_cookie_signs_a_request_in_and_a_header_outranks_it(
    nobody: Caller, factory: Factory
) -> None:
    ada, bob = await factory.person(), await factory.person()
    await nobody.post(LOGIN, input={"email": ada.email, "password": PASSWORD, "cookies": True})

    by_cookie = await who(nobody)
    by_header = await who(nobody.signed_in(bob.token))
    by_bad_header = await who(nobody.signed_in("nonsense"))

    assert (by_cookie, by_header, by_bad_header) == (ada.gid, bob.gid, None)


# Limits


async def test_ten_failures_close_an_account_and_no_other(
    factory: Factory, strict: httpx.AsyncClient
) -> None:
    person, other = await factory.person(), await factory.person()
    nobody = Caller(strict)
    await login(nobody, person.email)

    failures = [await login(nobody, person.email.upper(), "wrong") for _ in range(10)]
    closed = [await login(nobody, person.email), await login(nobody, person.email, "wrong")]

    assert failures == [WRONG] * 10
    assert [answer["__typename"] for answer in closed] == ["RateLimited"] * 2
    assert [answer["message"] for answer in closed] == ["Too many requests. Try again later."] * 2
    assert [28 <= answer["retryAfterSeconds"] <= 30 for answer in closed] == [True] * 2
    assert (await login(nobody, other.email))["__typename"] == "LoginSuccess"
    assert await who(nobody.signed_in(person.token)) == person.gid


async def test_failures_of_an_unknown_address_are_counted_alike(
    factory: Factory, strict: httpx.AsyncClient
) -> None:
    nobody = Caller(strict)

    answers = [await login(nobody, "unknown@example.com", "wrong") for _ in range(11)]

    assert [answer["__typename"] for answer in answers] == [
        *["InvalidCredentials"] * 10,
        "RateLimited",
    ]
