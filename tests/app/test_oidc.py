"""Signing in with a provider of identities: one that is real, and one that lies."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from app.oidc import FLOW_COOKIE, is_local
from app.resources import Api
from app.settings import Settings
from app.stores import open_database, open_redis
from domain import account
from persistence.limits import Limiter
from tests.app.signing_in import COOKIES, Browser, accounts, browser, code, register
from tests.callers import Caller
from tests.factories import Factory
from tests.graph.account_queries import login, subjects, verified
from tests.identity_providers import Liar, free_port
from tests.working import Worker

ADA = {"email": "ada@example.com", "email_verified": True, "name": "Ada"}


# The whole way


async def test_a_real_provider_signs_somebody_in_who_is_new(
    ada: Browser, issuer: str, factory: Factory, nobody: Caller
) -> None:
    await register(issuer, "ada", **ADA)

    answer = await ada.by_real("ada")

    assert (answer.status_code, answer.headers["location"]) == (303, "/inbox?tab=new")
    assert answer.headers["cache-control"] == "no-store"
    assert set(ada.http.cookies) == COOKIES
    user = await ada.user()
    assert (user["email"], user["name"], user["emailVerified"]) == ("ada@example.com", "Ada", True)
    assert [(each["issuer"], each["email"]) for each in user["linkedIdentities"]] == [
        (issuer, "ada@example.com")
    ]
    assert (await login(nobody, "ada@example.com", ""))["__typename"] == "InvalidCredentials"


async def test_who_comes_again_is_the_same_whatever_the_address_is_now(
    ada: Browser, issuer: str, factory: Factory
) -> None:
    await register(issuer, "ada", **ADA)
    await ada.by_real("ada")
    first = await ada.user()
    await register(issuer, "ada", email="countess@example.com", email_verified=False)

    answer = await ada.by_real("ada")

    again = await ada.user()
    assert answer.status_code == 303
    assert (again["id"], again["email"]) == (first["id"], "ada@example.com")
    assert await accounts(factory) == [("ada@example.com", issuer, "ada")]


async def test_an_account_with_the_proven_address_is_linked_and_told(
    ada: Browser, issuer: str, factory: Factory, worker: Worker
) -> None:
    person = await verified(factory)
    await register(issuer, "known", email=person.email.upper(), email_verified=True)

    await ada.by_real("known")

    assert (await ada.user())["id"] == person.gid
    assert await accounts(factory) == [(person.email, issuer, "known")]
    assert (person.email, "Another way to sign in") in await subjects(worker)


async def test_who_declines_is_told_so(ada: Browser, issuer: str, factory: Factory) -> None:
    url = (await ada.start("real")).headers["location"]
    async with httpx.AsyncClient() as there:
        declined = await there.post(url, data={"action": "deny"})
    state = parse_qs(urlsplit(url).query)["state"][0]

    answer = await ada.come_back(f"{declined.headers['location']}&state={state}")

    assert code(answer) == (403, "denied")
    assert "/auth/oidc/real/start?return_to=%2Finbox%3Ftab%3Dnew" in answer.text
    assert await accounts(factory) == []


# Whose account it is


@pytest.mark.parametrize(
    "claims",
    [
        {"email_verified": False},
        {"email_verified": None},
        {"email": None},
        {"email": "no address"},
        {"email": "a\x00da@example.com"},
    ],
)
async def test_who_has_proven_no_address_there_gets_no_account_here(
    ada: Browser, provider: Liar, factory: Factory, claims: dict[str, Any]
) -> None:
    person = await verified(factory)
    before = await accounts(factory)
    provider.claims = {"email": person.email} | claims

    answer = await ada.by_liar(provider)

    assert code(answer) == (403, "email_unverified")
    assert await accounts(factory) == before
    assert await ada.user() is None


async def test_an_account_whose_address_nobody_has_proven_is_not_linked(
    ada: Browser, provider: Liar, factory: Factory
) -> None:
    person = await factory.person("ada@example.com")

    answer = await ada.by_liar(provider)

    assert code(answer) == (403, "account_unverified")
    assert await accounts(factory) == [(person.email, None, None)]
    assert await ada.user() is None


async def test_a_subject_is_somebody_else_at_another_provider(
    ada: Browser, issuer: str, provider: Liar, factory: Factory
) -> None:
    await register(issuer, "same", email="real@example.com", email_verified=True)

    await ada.by_real("same")
    first = await ada.user()
    await ada.by_liar(provider, "same")

    assert (await ada.user())["id"] != first["id"]
    assert await accounts(factory) == [
        ("real@example.com", issuer, "same"),
        ("same@example.com", provider.issuer, "same"),
    ]


async def test_of_two_who_come_first_at_once_one_account_is_made(
    ada: Browser, provider: Liar, factory: Factory, settings: Settings, api: Api
) -> None:
    async with browser(settings, api, {"liar": provider.issuer}) as other:
        answers = await asyncio.gather(ada.by_liar(provider), other.by_liar(provider))

        assert [answer.status_code for answer in answers] == [303, 303]
        assert (await ada.user())["id"] == (await other.user())["id"]
    assert await accounts(factory) == [("ada@example.com", provider.issuer, "ada")]


@pytest.mark.parametrize("name", ["A\nda", "", None, "x" * 300])
async def test_any_name_that_a_provider_tells_is_made_one_line(
    ada: Browser, provider: Liar, factory: Factory, name: str | None
) -> None:
    provider.claims = {"name": name}

    await ada.by_liar(provider)

    expected = {"A\nda": "Ada", "x" * 300: "x" * 200}.get(name or "", "ada")
    assert (await ada.user())["name"] == expected


# What was tampered with


async def test_a_way_back_that_was_not_begun_here_leads_nowhere(
    ada: Browser, provider: Liar, settings: Settings, api: Api, factory: Factory
) -> None:
    url = (await ada.start("liar")).headers["location"]
    back = provider.grant(url)
    async with browser(settings, api, {"liar": provider.issuer}) as other:
        elsewhere = await other.come_back(back)
    tampered = await ada.come_back(back.replace("state=", "state=x"))
    stateless = await ada.come_back(back.partition("&state=")[0])
    wrong_provider = await ada.come_back(back.replace("/liar/", "/real/"))

    answers = [elsewhere, tampered, stateless, wrong_provider]
    assert [code(answer) for answer in answers] == [(400, "state")] * 4
    assert await accounts(factory) == []
    assert await ada.user() is None


async def test_a_way_back_is_taken_once(ada: Browser, provider: Liar) -> None:
    back = provider.grant((await ada.start("liar")).headers["location"])
    kept = ada.http.cookies[FLOW_COOKIE]

    first = await ada.come_back(back)
    again = await ada.come_back(back)
    ada.http.cookies.set(FLOW_COOKIE, kept, domain="earful.test", path="/")
    replayed = await ada.come_back(back)

    assert first.status_code == 303
    assert [code(again), code(replayed)] == [(400, "state"), (502, "provider_invalid")]


async def test_a_way_back_is_open_for_ten_minutes(
    ada: Browser, provider: Liar, api: Api, factory: Factory
) -> None:
    back = provider.grant((await ada.start("liar")).headers["location"])
    services = api.services
    now = services.clock()
    flow = account.open_text(
        services.seals, ada.http.cookies[FLOW_COOKIE], "sign-in on its way", now
    )
    assert flow is not None
    late = account.seal_text(services.seals, flow, "sign-in on its way", now)

    lasts = [
        account.open_text(services.seals, ada.http.cookies[FLOW_COOKIE], "sign-in on its way", at)
        is not None
        for at in (now + timedelta(minutes=9), now + timedelta(minutes=11))
    ]
    ada.http.cookies.clear()
    ada.http.cookies.set(FLOW_COOKIE, late, domain="earful.test", path="/")

    assert lasts == [True, False]
    assert code(await ada.come_back(back)) == (400, "state")
    assert await accounts(factory) == []


@pytest.mark.parametrize("cookie", ["", "x", "AAAA", "é", "A" * 100])
async def test_a_cookie_that_is_not_ours_leads_nowhere(
    ada: Browser, provider: Liar, cookie: str
) -> None:
    back = provider.grant((await ada.start("liar")).headers["location"])
    ada.http.cookies.clear()
    url = httpx.URL(back)

    answer = await ada.http.get(
        url.raw_path.decode(), headers=[(b"cookie", f"{FLOW_COOKIE}={cookie}".encode())]
    )

    assert code(answer) == (400, "state")


@pytest.mark.parametrize(
    "claims",
    [{"nonce": "another"}, {"iss": "https://evil.example"}, {"aud": "another"}, {"exp": 1}],
)
async def test_a_token_that_was_not_made_for_this_sign_in_signs_nobody_in(
    ada: Browser, provider: Liar, factory: Factory, claims: dict[str, Any]
) -> None:
    provider.claims = claims

    answer = await ada.by_liar(provider)

    assert code(answer) == (502, "provider_invalid")
    assert await accounts(factory) == []
    assert await ada.user() is None


@pytest.mark.parametrize(
    "return_to",
    [
        "",
        "inbox",
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        " /inbox",
        "javascript:alert(1)",
        "/inböx",
        "/" + "x" * 1_000,
    ],
)
async def test_nobody_is_sent_to_a_foreign_page(ada: Browser, return_to: str) -> None:
    answer = await ada.start("liar", return_to)

    assert code(answer) == (400, "return_to")
    assert "location" not in answer.headers


@pytest.mark.parametrize("path", ["/", "/inbox?tab=new#top", "/a//b", "/%2f%2fevil.example"])
def test_a_path_of_ours_may_be_gone_back_to(path: str) -> None:
    assert is_local(path)


async def test_what_a_page_repeats_is_text(ada: Browser, provider: Liar) -> None:
    url = (await ada.start("liar", '/"><script>alert(1)</script>')).headers["location"]
    state = parse_qs(urlsplit(url).query)["state"][0]

    answer = await ada.http.get(f"/auth/oidc/liar/callback?error=x&state={state}")

    assert code(answer) == (403, "provider_error")
    assert "<script>" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


# What is away


async def test_a_provider_that_is_down_is_a_page_that_says_so(
    ada: Browser, provider: Liar, settings: Settings, api: Api
) -> None:
    back = provider.grant((await ada.start("liar")).headers["location"])
    provider.down = {"/token"}
    during = await ada.come_back(back)
    gone = {"gone": f"http://127.0.0.1:{free_port()}"}
    async with browser(settings, api, gone) as other:
        before = await other.start("gone")

    assert [code(before), code(during)] == [(503, "provider_unavailable")] * 2
    assert "The provider does not answer" in before.text


async def test_without_postgres_it_is_a_page_too(
    provider: Liar, settings: Settings, api: Api, factory: Factory
) -> None:
    async with open_database(settings, "oidc away") as away:
        pass
    without = replace(api, services=replace(api.services, database=away))
    async with browser(settings, without, {"liar": provider.issuer}) as ada:
        answer = await ada.by_liar(provider)

    assert code(answer) == (503, "unavailable")


async def test_an_unknown_provider_is_a_page(ada: Browser) -> None:
    answers = [await ada.start("<b>"), await ada.http.get("/auth/oidc/other/callback?code=x")]

    assert [code(answer) for answer in answers] == [(404, "provider_unknown")] * 2
    assert (await ada.http.head("/auth/oidc/liar/start")).status_code == 405


@pytest.mark.parametrize("network", ["192.0.2.41", "2001:db8:41::{}"])
async def test_ways_in_are_counted_with_all_others(
    provider: Liar, settings: Settings, api: Api, factory: Factory, network: str
) -> None:
    async with open_redis(settings) as redis:
        limiter = Limiter(redis, scale=0.01)
        strict = replace(api, services=replace(api.services, limiter=limiter))
        liars = {"liar": provider.issuer}
        answers = []
        for n in range(4):
            async with browser(settings, strict, liars, address=network.format(n)) as ada:
                answers.append(await ada.start("liar"))
        await limiter.close()

    assert code(answers[-1]) == (429, "rate_limited")


async def test_the_providers_are_listed(ada: Browser, issuer: str, settings: Settings) -> None:
    listed = await Caller(ada.http).ask("{ identityProviders { id name issuer startUrl } }")

    assert listed["identityProviders"][0] == {
        "id": "real",
        "name": "Real",
        "issuer": issuer,
        "startUrl": f"{settings.base_url}/auth/oidc/real/start",
    }
    assert [each["id"] for each in listed["identityProviders"]] == ["real", "liar"]
