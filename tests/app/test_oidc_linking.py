"""Linking an identity of a provider to the account that somebody is signed in to."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from app.oidc import FLOW_COOKIE
from app.resources import Api
from app.settings import Settings
from domain import account
from graph.context import LINK_COOKIE
from tests.app.signing_in import Browser, accounts, browser, code, register
from tests.callers import JSON, Caller
from tests.factories import PASSWORD, Factory, Person
from tests.graph.account_queries import change, login, subjects, verified
from tests.identity_providers import Liar, sign_in_at
from tests.working import Worker

CLIENT = account.Client(ip="127.0.0.1", user_agent=None)
PROVEN = account.Proven("https://one.example", "ada", "ada@example.com", True, "Ada")
OLD = "UPDATE session SET created_at = created_at - interval '11 minutes'"


async def ask(browser: Browser, provider: str = "liar", **input: Any) -> JSON:
    return await change(
        Caller(browser.http),
        "startIdentityLink",
        "url",
        providerId=provider,
        returnTo="/account?tab=ways",
        **input,
    )


async def sign_in(browser: Browser, person: Person) -> None:
    """By the password, with cookies."""
    await login(Caller(browser.http), person.email, cookies=True)


async def leave(browser: Browser, url: str) -> httpx.Response:
    """For the provider, by an address that a mutation has answered."""
    return await browser.http.get(httpx.URL(url).raw_path.decode())


async def link(browser: Browser, liar: Liar, subject: str = "ada") -> httpx.Response:
    """The whole way."""
    left = await leave(browser, (await ask(browser))["url"])
    return await browser.come_back(liar.grant(left.headers["location"], subject))


async def linked(factory: Factory) -> list[tuple[Any, ...]]:
    return [row for row in await accounts(factory) if row[1] is not None]


async def test_an_identity_is_linked_by_the_real_provider_whatever_its_address(
    ada: Browser, issuer: str, factory: Factory, worker: Worker, settings: Settings
) -> None:
    person = await verified(factory)
    await register(issuer, "other", email="other@example.com", email_verified=False)
    await sign_in(ada, person)
    sessions = await factory.rows("SELECT id FROM session ORDER BY id DESC")

    url = (await ask(ada, "real"))["url"]
    left = await leave(ada, url)
    answer = await ada.come_back(await sign_in_at(left.headers["location"], "other"))

    assert url.startswith(
        f"{settings.base_url}/auth/oidc/real/start?return_to=%2Faccount%3Ftab%3Dways"
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/account?tab=ways")
    assert await linked(factory) == [(person.email, issuer, "other")]
    assert (person.email, "Another way to sign in") in await subjects(worker)
    told = [
        " ".join(plain.get_content().split())
        for mail in worker.mail()
        if mail["subject"] == "Another way to sign in" and (plain := mail.get_body(("plain",)))
    ]
    assert ["whatever its password. You can unlink it" in each for each in told] == [True]
    last = await factory.rows(
        "SELECT action, session_id FROM security_event ORDER BY id DESC LIMIT 1"
    )
    assert last == [("identity.linked", *sessions[0])]
    # It was no sign-in, and nothing is kept of it.
    assert await factory.rows("SELECT id FROM session ORDER BY id DESC") == sessions
    assert {LINK_COOKIE, FLOW_COOKIE}.isdisjoint(ada.http.cookies)

    ada.http.cookies.clear()
    await ada.by_real("other")
    assert (await ada.user())["id"] == person.gid


async def test_anothers_identity_is_not_linked(
    ada: Browser, provider: Liar, factory: Factory, settings: Settings, api: Api
) -> None:
    async with browser(settings, api, {"liar": provider.issuer}) as other:
        await other.by_liar(provider)
        theirs = (await other.user())["email"]
    await sign_in(ada, await verified(factory))

    answer = await link(ada, provider)

    assert code(answer) == (403, "identity_taken")
    assert "Nothing was linked" in answer.text
    assert "Try again" not in answer.text
    assert await linked(factory) == [(theirs, provider.issuer, "ada")]


async def test_of_two_who_link_one_identity_at_once_one_has_it(
    ada: Browser, provider: Liar, factory: Factory, settings: Settings, api: Api
) -> None:
    async with browser(settings, api, {"liar": provider.issuer}) as other:
        await sign_in(ada, await verified(factory))
        await sign_in(other, await verified(factory))
        answers = await asyncio.gather(link(ada, provider), link(other, provider))

    assert sorted(answer.status_code for answer in answers) == [303, 403]
    assert len(await linked(factory)) == 1


async def test_linking_what_is_linked_changes_nothing(
    ada: Browser, provider: Liar, factory: Factory, worker: Worker
) -> None:
    await sign_in(ada, await verified(factory))

    answers = [await link(ada, provider), await link(ada, provider)]

    assert [answer.status_code for answer in answers] == [303, 303]
    assert len(await linked(factory)) == 1
    mails = [
        subject for _, subject in await subjects(worker) if subject == "Another way to sign in"
    ]
    assert len(mails) == 1


async def test_who_signed_in_long_ago_gives_the_password(
    ada: Browser, provider: Liar, factory: Factory
) -> None:
    await sign_in(ada, await verified(factory))
    await factory.change(OLD)

    answers = [await ask(ada), await ask(ada, password="wrong"), await ask(ada, password=PASSWORD)]

    assert [answer["__typename"] for answer in answers] == [
        "InvalidCredentials",
        "InvalidCredentials",
        "StartIdentityLinkSuccess",
    ]
    assert (
        answers[0]["message"] == "You signed in a while ago: give your password, or sign in again."
    )


async def test_an_account_whose_address_nobody_has_proven_gets_no_identity(
    ada: Browser, provider: Liar, factory: Factory
) -> None:
    await sign_in(ada, await factory.person())

    answer = await ask(ada)

    assert answer == {"__typename": "Conflict", "message": "Verify your e-mail address first."}


async def test_a_session_that_has_ended_links_nothing(
    ada: Browser, provider: Liar, factory: Factory
) -> None:
    await sign_in(ada, await verified(factory))
    left = await leave(ada, (await ask(ada))["url"])
    await factory.change("UPDATE session SET revoked_at = now()")

    answer = await ada.come_back(provider.grant(left.headers["location"]))

    assert code(answer) == (403, "session_ended")
    assert await linked(factory) == []


async def test_what_was_asked_for_is_linked_once(
    ada: Browser, provider: Liar, factory: Factory
) -> None:
    """Whoever has kept the cookies of a way that was gone to its end."""
    await sign_in(ada, await verified(factory))
    url = (await ask(ada))["url"]
    wished = ada.http.cookies[LINK_COOKIE]
    left = await leave(ada, url)
    begun = ada.http.cookies[FLOW_COOKIE]
    ada.http.cookies.set(LINK_COOKIE, wished)
    left_again = await leave(ada, url)
    begun_again = ada.http.cookies[FLOW_COOKIE]

    answers = []
    for flow, location, subject in (
        (begun, left, "ada"),
        (begun, left, "grace"),
        (begun_again, left_again, "grace"),
    ):
        ada.http.cookies.set(FLOW_COOKIE, flow)
        answers.append(await ada.come_back(provider.grant(location.headers["location"], subject)))

    assert answers[0].status_code == 303
    assert [code(answer) for answer in answers[1:]] == [(403, "link_used")] * 2
    assert [row[2] for row in await linked(factory)] == ["ada"]
    assert await factory.rows("SELECT 1 FROM account_token WHERE purpose = 'LINK_IDENTITY'") == []


async def test_what_was_refused_is_used_up_too(
    ada: Browser, provider: Liar, factory: Factory, settings: Settings, api: Api
) -> None:
    async with browser(settings, api, {"liar": provider.issuer}) as other:
        await other.by_liar(provider, "grace")
    await sign_in(ada, await verified(factory))
    left = await leave(ada, (await ask(ada))["url"])
    begun = ada.http.cookies[FLOW_COOKIE]

    answers = []
    for subject in ("grace", "ada"):
        ada.http.cookies.set(FLOW_COOKIE, begun)
        answers.append(await ada.come_back(provider.grant(left.headers["location"], subject)))

    assert [code(answer) for answer in answers] == [(403, "identity_taken"), (403, "link_used")]


@pytest.mark.parametrize("has_left", [False, True])
async def test_what_another_session_asked_for_is_not_done(
    ada: Browser, provider: Liar, factory: Factory, has_left: bool
) -> None:
    """Nor the same person's: the browser has been signed in anew meanwhile."""
    person = await verified(factory)
    await sign_in(ada, person)
    url = (await ask(ada))["url"]
    if has_left:
        url = (await leave(ada, url)).headers["location"]
    await sign_in(ada, person)

    answer = await (ada.come_back(provider.grant(url)) if has_left else leave(ada, url))

    assert code(answer) == (400, "state")
    assert await linked(factory) == []


async def test_a_wish_is_good_for_its_session_alone_and_once(
    ada: Browser, provider: Liar, factory: Factory, api: Api
) -> None:
    person, stranger = await verified(factory), await verified(factory)
    await sign_in(ada, person)
    await ask(ada)
    services = api.services
    wish = account.open_wish(services.seals, ada.http.cookies[LINK_COOKIE], services.clock())
    assert wish is not None
    for changed in (
        replace(wish, session=uuid4().hex),
        replace(wish, user=stranger.id.hex),
        replace(wish, provider="real"),
    ):
        with pytest.raises(account.IdentityRefusedError, match="done once already"):
            await account.link_identity(services.database, CLIENT, changed, PROVEN)

    # Two come back at once.
    ends = await asyncio.gather(
        *(
            account.link_identity(services.database, CLIENT, wish, replace(PROVEN, subject=subject))
            for subject in ("ada", "grace")
        ),
        return_exceptions=True,
    )
    assert sorted(type(end).__name__ for end in ends) == ["IdentityRefusedError", "NoneType"]
    assert len(await linked(factory)) == 1


async def test_an_address_to_link_by_works_in_the_browser_that_asked_alone(
    ada: Browser, provider: Liar, factory: Factory, settings: Settings, api: Api
) -> None:
    await sign_in(ada, await verified(factory))
    url = (await ask(ada))["url"]
    async with browser(settings, api, {"liar": provider.issuer}) as other:
        elsewhere = await leave(other, url)
    forged = await ada.start("liar", "/&link=x")
    guessed = await leave(ada, url + "x")
    elsewhere_named = await leave(ada, url.replace("/liar/", "/real/"))
    first = await leave(ada, url)
    again = await leave(ada, url)

    assert [code(answer) for answer in (elsewhere, guessed, elsewhere_named, again)] == [
        (400, "state")
    ] * 4
    assert [forged.status_code, first.status_code] == [303, 303]
    assert await linked(factory) == []


async def test_a_way_that_was_begun_to_link_is_over_after_ten_minutes(
    ada: Browser, provider: Liar, factory: Factory, api: Api
) -> None:
    await sign_in(ada, await verified(factory))
    await ask(ada)
    seals, kept, now = api.services.seals, ada.http.cookies[LINK_COOKIE], api.services.clock()

    asked = [
        account.open_wish(seals, kept, now + timedelta(minutes=minutes)) is not None
        for minutes in (9, 11)
    ]

    assert asked == [True, False]


async def test_an_account_has_twenty_identities_at_most(
    ada: Browser, provider: Liar, factory: Factory
) -> None:
    person = await verified(factory)
    await sign_in(ada, person)
    await factory.change(
        "INSERT INTO identity (id, user_id, issuer, subject, created_at, last_used_at)"
        " SELECT gen_random_uuid(), :user, 'https://one.example', n::text, now(), now()"
        " FROM generate_series(1, 20) n",
        user=person.id,
    )

    answer = await link(ada, provider)

    assert code(answer) == (409, "conflict")
    assert len(await linked(factory)) == 20


async def test_there_is_a_provider_or_nothing_is_begun(ada: Browser, factory: Factory) -> None:
    await sign_in(ada, await verified(factory))

    answer = await ask(ada, "nowhere")

    assert answer == {"__typename": "NotFound", "message": "There is no such provider."}


@pytest.mark.usefixtures("database")
async def test_nobody_begins_to_link(nobody: Caller) -> None:
    (error,) = await nobody.errors(
        'mutation { startIdentityLink(input: {providerId: "liar"}) { __typename } }'
    )

    assert error["extensions"] == {"code": "UNAUTHENTICATED"}
