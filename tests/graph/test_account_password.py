"""Accounts over GraphQL: a password is forgotten, and changed."""

import asyncio
from dataclasses import replace

import httpx
import pytest

from app.resources import Api
from app.settings import Settings
from app.stores import open_database
from domain.account import About
from domain.account.mails import LIFETIMES
from tests.applications import client
from tests.callers import Caller
from tests.factories import PASSWORD, Factory
from tests.graph.account_queries import (
    RESET,
    change,
    login,
    mailed,
    refresh,
    subjects,
    token_of,
    verified,
    who,
)
from tests.graph.test_account_email import GONE
from tests.statements import watched
from tests.working import Worker

NEW = "another good password"
EASY = "is too easy to guess: it is one of the most common, or little more than one"
CHANGED = "Your password was changed"


async def signs_in(nobody: Caller, email: str, *passwords: str) -> list[bool]:
    """With which of the passwords one comes in."""
    answers = [await login(nobody, email, password) for password in passwords]
    return [answer["__typename"] == "LoginSuccess" for answer in answers]


async def test_a_forgotten_password_is_set_anew_by_mail(
    nobody: Caller, factory: Factory, worker: Worker
) -> None:
    person = await factory.person()
    tokens = (await login(nobody, person.email))["tokens"]

    asked = await change(nobody, "requestPasswordReset", email=f" {person.email.upper()} ")
    ((to, token),) = await mailed(worker, RESET)
    answer = await change(nobody, "resetPassword", token=token, newPassword=NEW)

    assert (asked["ok"], to, answer["ok"]) == (True, person.email, True)
    assert await signs_in(nobody, person.email, PASSWORD, NEW) == [False, True]
    assert await who(nobody.signed_in(person.token)) is None
    assert await who(nobody.signed_in(tokens["accessToken"])) is None
    assert (await refresh(nobody, tokens["refreshToken"]))["__typename"] == "InvalidCredentials"
    # The link was mailed to the address, which is proven by that, and told.
    assert await factory.rows('SELECT email_verified_at IS NOT NULL FROM "user"') == [(True,)]
    assert (person.email, CHANGED) in await subjects(worker)


async def test_nobody_learns_whether_an_address_is_known(
    factory: Factory, api: Api, settings: Settings, worker: Worker
) -> None:
    """The same answer after the same statements: whose the address is, the worker looks up."""
    await factory.person("ada@example.com")
    assert settings.database_url is not None
    taken = []
    async with watched(settings.database_url) as (url, executed):
        away = settings.model_copy(update={"database_url": url})
        async with open_database(away, "watched") as database:
            services = replace(api.services, database=database)
            async with client(settings, replace(api, services=services)) as http:
                await change(Caller(http), "requestPasswordReset", email="first@example.com")
                for email in ("ada@example.com", "nobody@example.com"):
                    executed.clear()
                    answer = await change(Caller(http), "requestPasswordReset", email=email)
                    taken.append((answer, list(executed)))

    assert taken[0] == taken[1]
    assert len(taken[0][1]) == 3
    assert [to for to, _ in await mailed(worker, RESET)] == ["ada@example.com"]


async def test_asking_twice_at_once_mails_once(
    nobody: Caller, factory: Factory, worker: Worker
) -> None:
    person = await factory.person()

    await change(nobody, "requestPasswordReset", email=person.email)
    await change(nobody, "requestPasswordReset", email=person.email.upper())

    assert len(await mailed(worker, RESET)) == 1


@pytest.mark.parametrize("email", ["", "ada", "a@b.example\nbcc: c@d.example", "a\x00@b.example"])
async def test_what_is_no_address_is_refused(nobody: Caller, factory: Factory, email: str) -> None:
    answer = await change(nobody, "requestPasswordReset", email=email)

    assert [field["path"] for field in answer["fields"]] == [["email"]]
    assert await factory.rows("SELECT id FROM job") == []


async def test_a_link_sets_one_password_though_two_use_it_at_once(
    nobody: Caller, factory: Factory, worker: Worker
) -> None:
    person = await factory.person()
    await change(nobody, "requestPasswordReset", email=person.email)
    token = await token_of(worker, RESET)
    passwords = [f"{number} good passwords" for number in ("one", "two", "six")]

    answers = await asyncio.gather(
        *(change(nobody, "resetPassword", token=token, newPassword=each) for each in passwords)
    )

    won = [answer["__typename"] == "ResetPasswordSuccess" for answer in answers]
    assert sorted(won) == [False, False, True]
    assert [answer for answer in answers if "ok" not in answer] == [GONE] * 2
    assert await signs_in(nobody, person.email, *passwords) == won


async def test_two_links_at_once_set_one_password_after_the_other(
    nobody: Caller, factory: Factory, worker: Worker
) -> None:
    person = await factory.person()
    tokens = []
    for _ in range(2):
        await change(nobody, "requestPasswordReset", email=person.email)
        tokens = [token for _, token in await mailed(worker, RESET)]

    answers = await asyncio.gather(
        *(change(nobody, "resetPassword", token=token, newPassword=NEW) for token in tokens)
    )

    assert sorted(answer["__typename"] for answer in answers) == [
        "InvalidCredentials",
        "ResetPasswordSuccess",
    ]


async def test_a_reset_works_for_an_hour(nobody: Caller, factory: Factory, worker: Worker) -> None:
    person = await factory.person()
    await change(nobody, "requestPasswordReset", email=person.email)
    token = await token_of(worker, RESET)
    ((lasts,),) = await factory.rows(
        "SELECT expires_at - now() BETWEEN interval '59 minutes' AND interval '1 hour' FROM account_token"
    )
    await factory.change("UPDATE account_token SET expires_at = now()")

    late = await change(nobody, "resetPassword", token=token, newPassword=NEW)

    assert (LIFETIMES[About.RESET_PASSWORD].total_seconds(), lasts, late) == (3600, True, GONE)
    assert await signs_in(nobody, person.email, PASSWORD, NEW) == [True, False]


@pytest.mark.parametrize(
    ("password", "message"),
    [
        ("short", "must have at least 12 characters"),
        ("x" * 257, "must have at most 256 characters, has 257"),
        ("Password1234!", EASY),
        ("grace@example.com", EASY),
    ],
)
async def test_a_password_that_is_refused_uses_no_link_up(
    nobody: Caller, factory: Factory, worker: Worker, password: str, message: str
) -> None:
    person = await factory.person("grace@example.com")
    await change(nobody, "requestPasswordReset", email=person.email)
    token = await token_of(worker, RESET)

    refused = await change(nobody, "resetPassword", token=token, newPassword=password)
    taken = await change(nobody, "resetPassword", token=token, newPassword=NEW)

    assert refused["fields"] == [{"path": ["newPassword"], "message": message}]
    assert taken["ok"] is True


async def test_who_changes_the_password_stays_signed_in_and_nobody_else_does(
    nobody: Caller, factory: Factory, worker: Worker
) -> None:
    person, other = await verified(factory), await factory.person()
    tokens = (await login(nobody, person.email))["tokens"]
    caller = nobody.signed_in(tokens["accessToken"])

    answer = await change(caller, "changePassword", currentPassword=PASSWORD, newPassword=NEW)

    assert answer["ok"] is True
    assert await who(caller) == person.gid
    assert (await refresh(nobody, tokens["refreshToken"]))["__typename"] == "RefreshSessionSuccess"
    assert await who(nobody.signed_in(person.token)) is None
    assert await who(nobody.signed_in(other.token)) == other.gid
    assert await signs_in(nobody, person.email, PASSWORD, NEW) == [False, True]
    assert (person.email, CHANGED) in await subjects(worker)


@pytest.mark.parametrize(
    ("current", "new", "kind"),
    [
        ("wrong", NEW, "InvalidCredentials"),
        ("", NEW, "InvalidCredentials"),
        ("x" * 100_000, NEW, "InvalidCredentials"),
        (PASSWORD, "short", "InvalidInput"),
        (PASSWORD, PASSWORD, "InvalidInput"),
    ],
)
async def test_a_refused_change_changes_nothing(
    factory: Factory, http: httpx.AsyncClient, current: str, new: str, kind: str
) -> None:
    person = await verified(factory)
    before = await factory.rows('SELECT u::text, s::text FROM "user" u, session s')

    answer = await change(
        person.on(http), "changePassword", currentPassword=current, newPassword=new
    )

    assert answer["__typename"] == kind
    assert await factory.rows('SELECT u::text, s::text FROM "user" u, session s') == before
    assert await factory.rows("SELECT id FROM job") == []


async def test_of_two_changes_at_once_one_is_made(
    factory: Factory, http: httpx.AsyncClient, nobody: Caller
) -> None:
    person = await factory.person()
    passwords = [f"{number} good passwords" for number in ("one", "two")]

    answers = await asyncio.gather(
        *(
            change(person.on(http), "changePassword", currentPassword=PASSWORD, newPassword=each)
            for each in passwords
        )
    )

    won = [answer["__typename"] == "ChangePasswordSuccess" for answer in answers]
    assert sorted(won) == [False, True]
    assert await signs_in(nobody, person.email, *passwords) == won


async def test_a_sign_in_that_a_reset_overtakes_opens_no_session(
    nobody: Caller, factory: Factory, worker: Worker
) -> None:
    person = await factory.person()
    await change(nobody, "requestPasswordReset", email=person.email)
    token = await token_of(worker, RESET)

    *answers, _ = await asyncio.gather(
        *(login(nobody, person.email) for _ in range(5)),
        change(nobody, "resetPassword", token=token, newPassword=NEW),
    )

    opened = [each["tokens"]["accessToken"] for each in answers if "tokens" in each]
    assert [await who(nobody.signed_in(token)) for token in opened] == [None] * len(opened)


@pytest.mark.parametrize("is_forgotten", [False, True])
async def test_the_notice_says_who_signs_in_as_before(
    nobody: Caller, factory: Factory, worker: Worker, is_forgotten: bool
) -> None:
    """Whoever had the account for a while may have linked an identity, which a new password does not end."""
    person = await verified(factory)
    await factory.change(
        "INSERT INTO identity (id, user_id, issuer, subject, created_at, last_used_at)"
        " SELECT gen_random_uuid(), :user, issuer, subject::text, now(), now()"
        " FROM unnest(ARRAY['https://two.example', 'https://one.example']) issuer, generate_series(1, 2) subject",
        user=person.id,
    )
    if is_forgotten:
        await change(nobody, "requestPasswordReset", email=person.email)
        token = await token_of(worker, "Set a new password")
        await change(nobody, "resetPassword", token=token, newPassword=NEW)
    else:
        await change(
            person.on(nobody.http), "changePassword", currentPassword=PASSWORD, newPassword=NEW
        )

    await worker.work()
    (told,) = [
        " ".join(plain.get_content().split())
        for mail in worker.mail()
        if mail["subject"] == CHANGED and (plain := mail.get_body(("plain",)))
    ]
    through = "https://one.example and https://two.example"
    assert f"It can be signed in to through {through} as before. Unlink what is not yours." in told
