"""Accounts over GraphQL: an address is proven, and changed."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from app.stores import now
from clients.mail import SmtpMailer
from domain.account import About
from domain.account.mails import LIFETIMES
from jobs import housekeeping
from persistence.database import Database
from tests.callers import Caller
from tests.clients.mailboxes import serving
from tests.factories import PASSWORD, Factory
from tests.graph.account_queries import (
    CHANGE,
    PROBLEM,
    VERIFY,
    change,
    login,
    mailed,
    subjects,
    token_of,
    verified,
)
from tests.graph.test_account import register
from tests.working import Worker

AGAIN = f"""
    mutation {{ answer: requestEmailVerification {{
      {PROBLEM} ... on RequestEmailVerificationSuccess {{ ok }}
    }} }}
"""
GONE = {
    "__typename": "InvalidCredentials",
    "message": "This link is not valid any more. Ask for a new one.",
}
OK = {"ok": True}
USER = "user { id email emailVerified }"


async def test_who_registers_proves_the_address_by_mail(
    nobody: Caller, factory: Factory, worker: Worker
) -> None:
    user = (await register(nobody))["user"]
    ((to, token),) = await mailed(worker, VERIFY)

    answer = await change(nobody, "verifyEmail", USER, token=token)

    assert to == "ada@example.com"
    assert answer["user"] == {"id": user["id"], "email": "ada@example.com", "emailVerified": True}
    assert await change(nobody, "verifyEmail", USER, token=token) == GONE


async def test_the_mail_says_the_same_in_text_and_html_and_calls_nobody_by_a_name(
    nobody: Caller, factory: Factory, worker: Worker
) -> None:
    await register(nobody, name="Buy <b>now</b> at evil.example")
    await worker.work()

    (mail,) = worker.mail()

    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert "evil.example" not in mail.as_string()
    link = "http://earful.test/account/verify?token=earful_mt_"
    assert plain.get_content().count(link) == 1
    assert html.get_content().count(link) == 1


async def test_a_token_is_in_the_mail_alone(
    nobody: Caller, factory: Factory, worker: Worker
) -> None:
    await register(nobody)
    token = await token_of(worker, VERIFY)

    jobs = await factory.rows("SELECT j::text FROM job j")
    tokens = await factory.rows("SELECT encode(hash, 'escape') FROM account_token")

    assert len(jobs) == len(tokens) == 1
    assert token[10:] not in str(jobs)
    assert token[10:] not in str(tokens)


async def test_mail_goes_over_smtp(nobody: Caller, factory: Factory, worker: Worker) -> None:
    async with serving() as mailbox:
        mailer = SmtpMailer(f"smtp://127.0.0.1:{mailbox.port}", "Earful <earful@earful.test>")
        resources = replace(worker.resources, mailer=mailer)
        await register(nobody)
        await replace(worker, resources=resources).work()

    (arrived,) = mailbox.arrived
    assert arrived.envelope.rcpt_tos == ["ada@example.com"]
    assert arrived.message["subject"] == VERIFY


async def test_the_mail_is_sent_again_until_the_address_is_proven(
    factory: Factory, http: httpx.AsyncClient, nobody: Caller, worker: Worker
) -> None:
    person = await factory.person()
    caller = person.on(http)

    first = (await caller.ask(AGAIN))["answer"]
    await change(nobody, "verifyEmail", USER, token=await token_of(worker, VERIFY))
    second = (await caller.ask(AGAIN))["answer"]

    assert first == {"__typename": "RequestEmailVerificationSuccess"} | OK
    assert second == {
        "__typename": "Conflict",
        "message": "This e-mail address is verified already.",
    }
    assert await subjects(worker) == [(person.email, VERIFY)]


async def test_each_link_works_until_one_is_used(
    factory: Factory, http: httpx.AsyncClient, nobody: Caller, worker: Worker
) -> None:
    person = await factory.person()
    await person.on(http).ask(AGAIN)
    old = await token_of(worker, VERIFY)
    await person.on(http).ask(AGAIN)
    new = (await mailed(worker, VERIFY))[1][1]

    first = await change(nobody, "verifyEmail", USER, token=old)
    second = await change(nobody, "verifyEmail", USER, token=new)

    assert first["__typename"] == "VerifyEmailSuccess"
    assert second == GONE


@pytest.mark.parametrize("token", ["", "nonsense", "earful_mt_" + "A" * 43, "\x00", "x" * 9_999])
async def test_what_is_no_token_proves_nothing(
    nobody: Caller, factory: Factory, token: str
) -> None:
    assert await change(nobody, "verifyEmail", USER, token=token) == GONE
    assert await change(nobody, "confirmEmailChange", USER, token=token) == GONE


async def test_a_token_is_good_for_one_purpose_and_for_its_time(
    nobody: Caller, factory: Factory, worker: Worker
) -> None:
    await register(nobody)
    token = await token_of(worker, VERIFY)

    other = [
        await change(nobody, "confirmEmailChange", USER, token=token),
        await change(nobody, "resetPassword", token=token, newPassword="another good password"),
    ]
    lasts = await factory.rows("SELECT expires_at - now() < :week FROM account_token", week=WEEK)
    await factory.change("UPDATE account_token SET expires_at = now()")
    late = await change(nobody, "verifyEmail", USER, token=token)

    assert [*other, late] == [GONE] * 3
    assert lasts == [(True,)]
    assert LIFETIMES[About.VERIFY_EMAIL] == WEEK
    assert await factory.rows('SELECT email_verified_at FROM "user"') == [(None,)]


WEEK = timedelta(days=7)


async def test_an_address_is_changed_by_who_reads_its_mail(
    factory: Factory, http: httpx.AsyncClient, nobody: Caller, worker: Worker
) -> None:
    person = await verified(factory)
    caller = person.on(http)

    asked = await change(
        caller, "requestEmailChange", newEmail="New@Example.com", password=PASSWORD
    )
    told = await subjects(worker)
    token = await token_of(worker, CHANGE)
    before = await login(nobody, person.email)
    answer = await change(nobody, "confirmEmailChange", USER, token=token)

    assert asked["ok"] is True
    assert told == [
        ("New@example.com", CHANGE),
        (person.email, "Your e-mail address is to change"),
    ]
    assert before["__typename"] == "LoginSuccess"
    assert answer["user"] == {"id": person.gid, "email": "New@Example.com", "emailVerified": True}
    assert (await login(nobody, person.email))["__typename"] == "InvalidCredentials"
    assert (await login(nobody, "new@example.com"))["__typename"] == "LoginSuccess"


async def test_an_address_that_is_not_proven_is_told_nothing(
    factory: Factory, http: httpx.AsyncClient, worker: Worker
) -> None:
    person = await factory.person()

    await change(
        person.on(http), "requestEmailChange", newEmail="new@example.com", password=PASSWORD
    )

    assert await subjects(worker) == [("new@example.com", CHANGE)]


@pytest.mark.parametrize(
    ("new", "password", "kind"),
    [
        ("new@example.com", "wrong", "InvalidCredentials"),
        ("new@example.com", "", "InvalidCredentials"),
        ("nowhere", PASSWORD, "InvalidInput"),
        ("a@b.example\nbcc: c@d.example", PASSWORD, "InvalidInput"),
        ("OTHER@example.com", PASSWORD, "Conflict"),
        ("own@example.com", PASSWORD, "Conflict"),
    ],
)
async def test_a_change_that_is_refused_mails_nothing(
    factory: Factory, http: httpx.AsyncClient, new: str, password: str, kind: str
) -> None:
    await factory.person("other@example.com")
    person = await factory.person("own@example.com")

    answer = await change(person.on(http), "requestEmailChange", newEmail=new, password=password)

    assert answer["__typename"] == kind
    assert await factory.rows("SELECT id FROM job") == []


async def test_an_address_that_is_taken_meanwhile_is_a_conflict(
    factory: Factory, http: httpx.AsyncClient, nobody: Caller, worker: Worker
) -> None:
    person = await factory.person()
    await change(
        person.on(http), "requestEmailChange", newEmail="new@example.com", password=PASSWORD
    )
    token = await token_of(worker, CHANGE)
    await factory.person("NEW@example.com")

    answer = await change(nobody, "confirmEmailChange", USER, token=token)

    assert answer == {
        "__typename": "Conflict",
        "message": "This e-mail address is already registered.",
    }
    assert (await login(nobody, person.email))["__typename"] == "LoginSuccess"


async def test_after_another_password_a_change_that_was_asked_for_is_void(
    factory: Factory, http: httpx.AsyncClient, nobody: Caller, worker: Worker
) -> None:
    person = await factory.person()
    caller, new = person.on(http), {"newEmail": "new@example.com"}
    passwords = [PASSWORD, "another good password", "yet another good one"]

    await change(caller, "requestEmailChange", password=passwords[0], **new)
    mailed_before = await token_of(worker, CHANGE)
    await change(caller, "requestEmailChange", password=passwords[0], **new)
    await change(caller, "changePassword", currentPassword=passwords[0], newPassword=passwords[1])

    assert len(await mailed(worker, CHANGE)) == 1
    assert await change(nobody, "confirmEmailChange", USER, token=mailed_before) == GONE


async def test_of_callers_at_once_with_one_token_one_wins(
    factory: Factory, http: httpx.AsyncClient, nobody: Caller, worker: Worker
) -> None:
    person = await factory.person()
    await change(
        person.on(http), "requestEmailChange", newEmail="new@example.com", password=PASSWORD
    )
    token = await token_of(worker, CHANGE)

    answers = await asyncio.gather(
        *(change(nobody, "confirmEmailChange", USER, token=token) for _ in range(3))
    )

    assert sorted(answer["__typename"] for answer in answers) == [
        "ConfirmEmailChangeSuccess",
        "InvalidCredentials",
        "InvalidCredentials",
    ]


async def test_what_was_mailed_to_the_old_address_proves_nothing_about_the_new(
    factory: Factory, http: httpx.AsyncClient, nobody: Caller, worker: Worker
) -> None:
    person = await factory.person()
    caller = person.on(http)
    await caller.ask(AGAIN)
    await change(nobody, "requestPasswordReset", email=person.email)
    await change(caller, "requestEmailChange", newEmail="new@example.com", password=PASSWORD)
    token = await token_of(worker, CHANGE)
    old = await token_of(worker, VERIFY)
    reset = await token_of(worker, "Set a new password")

    await change(nobody, "confirmEmailChange", USER, token=token)

    assert await change(nobody, "verifyEmail", USER, token=old) == GONE
    assert (
        await change(nobody, "resetPassword", token=reset, newPassword="another good password")
        == GONE
    )


async def test_tokens_that_have_run_out_are_forgotten(
    factory: Factory, http: httpx.AsyncClient, worker: Worker, database: Database
) -> None:
    old, new = await factory.person(), await factory.person()
    for person in (old, new):
        await person.on(http).ask(AGAIN)
    await worker.work()
    await factory.change(
        "UPDATE account_token SET expires_at = now() - interval '1 second' WHERE user_id = :user",
        user=old.id,
    )

    await housekeeping.forget(database, now(), job_history=timedelta(days=30))

    assert await factory.rows("SELECT user_id FROM account_token") == [(new.id,)]
