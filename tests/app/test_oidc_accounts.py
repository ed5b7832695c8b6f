"""Accounts that a provider signs in: with a second factor, and with the link undone."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx

from app.resources import Api
from app.settings import Settings
from app.stores import open_redis
from domain import account
from persistence.limits import Limiter
from tests.app.signing_in import COOKIES, Browser, accounts, browser
from tests.callers import Caller
from tests.factories import Factory
from tests.graph.account_queries import change, subjects
from tests.graph.second_factors import Protected
from tests.identity_providers import Liar
from tests.working import Worker

# The second factor


async def test_the_second_factor_is_asked_for_after_the_provider(
    ada: Browser, provider: Liar, protected: Protected, factory: Factory
) -> None:
    provider.claims = {"email": protected.person.email}

    answer = await ada.by_liar(provider)
    between = (set(ada.http.cookies), await ada.user(), await accounts(factory))
    wrong = await change(Caller(ada.http), "completeSignIn", "user { id }", code="000000")
    right = await change(Caller(ada.http), "completeSignIn", "user { id }", code=protected.code())

    assert answer.headers["location"] == "/account/second-factor?return_to=%2Finbox%3Ftab%3Dnew"
    # Nothing is linked before the code has come.
    assert between == ({"earful_pending"}, None, [(protected.person.email, None, None)])
    assert wrong["__typename"] == "InvalidCredentials"
    assert right["user"] == {"id": protected.person.gid}
    assert set(ada.http.cookies) == COOKIES
    assert (await ada.user())["id"] == protected.person.gid
    events = await factory.rows("SELECT action FROM security_event ORDER BY id DESC LIMIT 3")
    assert events == [("session.opened",), ("identity.linked",), ("second_factor.failed",)]


async def test_a_code_alone_signs_nobody_in(
    ada: Browser, protected: Protected, api: Api, factory: Factory
) -> None:
    services, proven = api.services, account.Proven("https://x", "ada", None, True, None)
    now = services.clock()
    late = account.seal_ticket(services.seals, proven, now - timedelta(minutes=10))
    stranger = account.seal_text(services.seals, {}, "another purpose", now + timedelta(days=1))

    answers = []
    for ticket in ("", "x", late, stranger):
        ada.http.cookies.set("earful_pending", ticket, domain="earful.test", path="/")
        answers.append(
            await change(Caller(ada.http), "completeSignIn", "user { id }", code=protected.code())
        )

    assert (
        answers
        == [
            {
                "__typename": "InvalidCredentials",
                "message": "Too much time has passed: sign in with the provider again.",
            }
        ]
        * 4
    )
    assert await ada.user() is None


async def test_codes_are_guessed_five_times(
    provider: Liar, settings: Settings, api: Api, protected: Protected
) -> None:
    provider.claims = {"email": protected.person.email}
    async with open_redis(settings) as redis:
        limiter = Limiter(redis, scale=1)
        strict = replace(api, services=replace(api.services, limiter=limiter))
        liars = {"liar": provider.issuer}
        async with browser(settings, strict, liars, address="192.0.2.42") as ada:
            await ada.by_liar(provider)
            answers = [
                await change(Caller(ada.http), "completeSignIn", "user { id }", code="000000")
                for _ in range(6)
            ]
        await limiter.close()

    assert [answer["__typename"] for answer in answers] == ["InvalidCredentials"] * 5 + [
        "RateLimited"
    ]


# Undoing it


async def unlink(browser: Browser, identity: str) -> Any:
    return await change(Caller(browser.http), "unlinkIdentity", "identityId", identityId=identity)


async def test_the_last_way_to_sign_in_stays(
    ada: Browser, provider: Liar, factory: Factory, worker: Worker, nobody: Caller
) -> None:
    await ada.by_liar(provider)
    ((id_,),) = await factory.rows("SELECT 'identity_' || replace(id::text, '-', '') FROM identity")

    refused = await unlink(ada, id_)
    await factory.change(
        "INSERT INTO identity (id, user_id, issuer, subject, created_at, last_used_at)"
        " SELECT gen_random_uuid(), user_id, 'https://gone.example', 'ada', now(), now() FROM identity"
    )
    still = await unlink(ada, id_)
    await factory.change(
        'UPDATE "user" SET password_hash = :hash', hash="$argon2id$v=19$m=8,t=1,p=1$YWFhYWFhYWE$YQ"
    )
    done = await unlink(ada, id_)
    again = await unlink(ada, id_)

    assert [refused["__typename"], still["__typename"]] == ["Conflict"] * 2
    assert done == {"__typename": "UnlinkIdentitySuccess", "identityId": id_}
    assert again["__typename"] == "NotFound"
    assert [each["issuer"] for each in (await ada.user())["linkedIdentities"]] == [
        "https://gone.example"
    ]
    assert ("ada@example.com", "A way to sign in is gone") in await subjects(worker)


async def test_nobody_sees_or_undoes_anothers(
    ada: Browser, provider: Liar, factory: Factory, http: httpx.AsyncClient
) -> None:
    await ada.by_liar(provider)
    ((id_,),) = await factory.rows("SELECT 'identity_' || replace(id::text, '-', '') FROM identity")
    tenant = await factory.tenant()
    user = (await ada.user())["id"]
    await factory.change(
        "INSERT INTO member (id, workspace_id, user_id, role, joined_at)"
        " SELECT gen_random_uuid(), :workspace, user_id, 'VIEWER', now() FROM identity",
        within=tenant,
        workspace=tenant.id,
    )
    owner = tenant.owner.on(http)

    seen = await owner.ask(
        "query($ids: [ID!]!) { nodes(ids: $ids) { id ... on User { linkedIdentities { id } } } }",
        ids=[user, id_],
    )
    answer = await change(owner, "unlinkIdentity", "identityId", identityId=id_)

    assert seen == {"nodes": [{"id": user, "linkedIdentities": []}, None]}
    assert answer == {"__typename": "NotFound", "message": "There is no such identity."}
    assert len((await ada.user())["linkedIdentities"]) == 1


async def test_what_takes_a_password_takes_one_that_was_set(
    ada: Browser, provider: Liar, nobody: Caller, worker: Worker
) -> None:
    await ada.by_liar(provider)
    caller = Caller(ada.http)

    refused = await change(caller, "deleteAccount", password="")
    await change(nobody, "requestPasswordReset", email="ada@example.com")
    mail = [to for to, subject in await subjects(worker) if subject == "Set a new password"]

    assert refused["__typename"] == "InvalidCredentials"
    assert mail == ["ada@example.com"]
