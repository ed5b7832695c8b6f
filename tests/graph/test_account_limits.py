"""Accounts over GraphQL: how often they may be tried, and that a refusal says and costs the same."""

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from types import FrameType
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher

from domain import passwords
from tests.callers import Caller
from tests.factories import PASSWORD, Factory
from tests.graph.account_queries import change, login, verified
from tests.graph.second_factors import Protected, sign_in

WRONG = {
    "__typename": "InvalidCredentials",
    "message": "The e-mail address or the password is wrong.",
}


def kinds(answers: list[Any]) -> Counter[str]:
    return Counter(answer["__typename"] for answer in answers)


async def test_failures_at_once_are_no_more_than_one_after_the_other(
    factory: Factory, strict: httpx.AsyncClient
) -> None:
    person, nobody = await factory.person(), Caller(strict)

    answers = await asyncio.gather(*(login(nobody, person.email, "wrong") for _ in range(15)))

    assert kinds(answers) == {"InvalidCredentials": 10, "RateLimited": 5}


async def test_who_is_right_may_come_as_often_as_they_like(
    factory: Factory, strict: httpx.AsyncClient
) -> None:
    person, nobody = await factory.person(), Caller(strict)

    answers = [await login(nobody, person.email) for _ in range(12)]

    assert kinds(answers) == {"LoginSuccess": 12}


async def test_five_wrong_codes_close_an_account_though_the_sixth_is_right(
    protected: Protected, strict: httpx.AsyncClient
) -> None:
    nobody = Caller(strict)

    wrong = [await sign_in(nobody, protected, "wrong") for _ in range(5)]
    right = await sign_in(nobody, protected, protected.code())
    without = await sign_in(nobody, protected, None)

    assert kinds(wrong) == {"InvalidCredentials": 5}
    assert right["__typename"] == "RateLimited"
    assert 175 <= right["retryAfterSeconds"] <= 180
    assert without["__typename"] == "SecondFactorRequired"


async def test_being_asked_for_a_code_is_no_failure(
    protected: Protected, strict: httpx.AsyncClient
) -> None:
    nobody = Caller(strict)

    answers = [await sign_in(nobody, protected, None) for _ in range(12)]
    answers.append(await sign_in(nobody, protected, protected.code()))

    assert kinds(answers) == {"SecondFactorRequired": 12, "LoginSuccess": 1}


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("changePassword", {"currentPassword": "wrong", "newPassword": "another good password"}),
        ("requestEmailChange", {"newEmail": "new@example.com", "password": "wrong"}),
        ("deleteAccount", {"password": "wrong"}),
    ],
)
async def test_ten_wrong_passwords_close_what_takes_one(
    factory: Factory, strict: httpx.AsyncClient, name: str, given: dict[str, str]
) -> None:
    caller = (await verified(factory)).on(strict)
    other = (await verified(factory)).on(strict)

    answers = [await change(caller, "startTotp", "secret", password="wrong") for _ in range(10)]
    closed = await change(caller, name, **given)

    assert kinds(answers) == {"InvalidCredentials": 10}
    assert closed["__typename"] == "RateLimited"
    assert (await change(other, name, **given))["__typename"] == "InvalidCredentials"


async def test_five_mails_an_hour_are_asked_for_one_address_whether_or_not_it_is_known(
    factory: Factory, strict: httpx.AsyncClient
) -> None:
    person, nobody = await factory.person(), Caller(strict)

    for email in (person.email, f"not.{person.email}"):
        answers = [await change(nobody, "requestPasswordReset", email=email) for _ in range(6)]
        assert kinds(answers) == {"RequestPasswordResetSuccess": 5, "RateLimited": 1}


async def test_five_changes_of_address_an_hour_are_asked_for(
    factory: Factory, strict: httpx.AsyncClient
) -> None:
    caller = (await verified(factory)).on(strict)

    answers = [
        await change(
            caller, "requestEmailChange", newEmail=f"new{i}@example.com", password=PASSWORD
        )
        for i in range(6)
    ]

    assert kinds(answers) == {"RequestEmailChangeSuccess": 5, "RateLimited": 1}


# What a refusal costs


@pytest.fixture
async def hashed() -> AsyncIterator[list[str]]:
    """Which of argon2's work is done off the event loop, by name."""
    seen: list[str] = []

    def see(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code in _WORK:
            seen.append(frame.f_code.co_name)

    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1, initializer=lambda: sys.setprofile(see)) as watched:
        loop.set_default_executor(watched)
        yield seen
        loop.set_default_executor(ThreadPoolExecutor())


_WORK = {PasswordHasher.verify.__code__, PasswordHasher.hash.__code__}


async def test_an_unknown_address_costs_as_many_hashes_as_a_wrong_password(
    nobody: Caller, factory: Factory, hashed: list[str]
) -> None:
    person = await factory.person()
    done = []
    for email, password in ((person.email, "wrong"), ("nobody@example.com", PASSWORD)):
        hashed.clear()
        answer = await login(nobody, email, password)
        done.append((answer, list(hashed)))

    assert done == [(WRONG, ["verify"])] * 2


def test_nobodys_hash_takes_what_everybodys_takes() -> None:
    parameters = [
        stored.rsplit("$", 2)[0] for stored in (passwords._NOBODY, passwords.hash(PASSWORD))
    ]

    assert parameters == ["$argon2id$v=19$m=19456,t=2,p=1"] * 2


async def test_a_hash_of_old_parameters_is_made_anew_by_signing_in(
    nobody: Caller, factory: Factory, hashed: list[str]
) -> None:
    person = await factory.person()
    old = PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1).hash(PASSWORD)
    await factory.change('UPDATE "user" SET password_hash = :old', old=old)

    answers = [await login(nobody, person.email) for _ in range(2)]

    ((stored,),) = await factory.rows('SELECT password_hash FROM "user"')
    assert kinds(answers) == {"LoginSuccess": 2}
    assert hashed == ["verify", "hash", "verify"]
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert await factory.rows('SELECT password_changed_at FROM "user"') == [(None,)]


async def test_callers_at_once_with_an_old_hash_all_come_in(
    nobody: Caller, factory: Factory
) -> None:
    person = await factory.person()
    old = PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1).hash(PASSWORD)
    await factory.change('UPDATE "user" SET password_hash = :old', old=old)

    answers = await asyncio.gather(*(login(nobody, person.email) for _ in range(4)))

    assert kinds(answers) == {"LoginSuccess": 4}
