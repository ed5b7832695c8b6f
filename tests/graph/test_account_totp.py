"""Accounts over GraphQL: a second factor, and what stands in for it."""

import asyncio
import re
from datetime import UTC, datetime

import httpx
import pytest

from app.settings import Settings
from domain import totp
from tests.callers import Caller
from tests.factories import PASSWORD, Factory
from tests.graph.account_queries import (
    RESET,
    change,
    login,
    subjects,
    token_of,
    verified,
    who,
)
from tests.graph.second_factors import CODES, STARTED, Protected, read, sign_in
from tests.holding import held
from tests.working import Worker

ME = "{ viewer { user { totpEnabled } } }"
WRONG = {
    "__typename": "InvalidCredentials",
    "message": "The code is wrong, or was used before.",
}
REQUIRED = {
    "__typename": "SecondFactorRequired",
    "message": "This account takes a code of its authenticator app too.",
}


async def test_a_second_factor_begins_once_a_code_of_it_was_seen(
    factory: Factory, http: httpx.AsyncClient, nobody: Caller, worker: Worker
) -> None:
    person = await verified(factory)
    caller = person.on(http)

    started = await change(caller, "startTotp", STARTED, password=PASSWORD)
    before = [await caller.ask(ME), (await login(nobody, person.email))["__typename"]]
    code = totp.code(read(started), int(datetime.now(UTC).timestamp()) // 30)
    confirmed = await change(caller, "confirmTotp", CODES, code=f" {code} ")
    after = [await caller.ask(ME), await login(nobody, person.email)]

    assert started["otpauthUrl"] == (
        f"otpauth://totp/Earful:{person.email}?secret={started['secret']}"
        "&issuer=Earful&digits=6&period=30"
    )
    codes = confirmed["recoveryCodes"]
    assert len(set(codes)) == 10
    assert [re.fullmatch(r"([a-z2-7]{4}-){3}[a-z2-7]{4}", code) is None for code in codes] == [
        False
    ] * 10
    assert before == [{"viewer": {"user": {"totpEnabled": False}}}, "LoginSuccess"]
    assert after == [{"viewer": {"user": {"totpEnabled": True}}}, REQUIRED]
    assert (person.email, "Signing in takes a code now") in await subjects(worker)


async def test_what_is_secret_is_sealed_or_hashed(protected: Protected, factory: Factory) -> None:
    ((sealed,),) = await factory.rows('SELECT sealed_totp_secret FROM "user"')
    hashes = await factory.rows("SELECT hash FROM recovery_code")

    assert protected.secret not in sealed
    assert {len(hash_) for (hash_,) in hashes} == {32}
    assert len(hashes) == 10


async def test_a_code_signs_in_and_no_second_time(protected: Protected, nobody: Caller) -> None:
    code = protected.code()

    first, again = [await sign_in(nobody, protected, code) for _ in range(2)]

    assert await who(nobody.signed_in(first["tokens"]["accessToken"])) == protected.person.gid
    assert again == WRONG


async def test_of_callers_at_once_with_one_code_one_comes_in(
    protected: Protected, nobody: Caller, settings: Settings
) -> None:
    code, user = protected.code(), protected.person.id

    async with held(
        settings, f"SELECT 1 FROM \"user\" WHERE id = '{user}' FOR SHARE"
    ) as waited_for:
        coming = [asyncio.ensure_future(sign_in(nobody, protected, code)) for _ in range(3)]
        await waited_for(3)
    answers = await asyncio.gather(*coming)

    assert sorted(answer["__typename"] for answer in answers) == [
        *["InvalidCredentials"] * 2,
        "LoginSuccess",
    ]


async def test_a_clock_may_be_a_step_off_and_no_more(
    protected: Protected, nobody: Caller, factory: Factory
) -> None:
    # Of two steps off only those are asked for that stay so when the half minute ends meanwhile.
    kinds = [
        (await sign_in(nobody, protected, protected.code(steps)))["__typename"]
        for steps in (-3, -1, 0, 3)
    ]

    assert kinds == ["InvalidCredentials", "LoginSuccess", "LoginSuccess", "InvalidCredentials"]


async def test_codes_go_forward_only(protected: Protected, nobody: Caller) -> None:
    older, newer = protected.code(), protected.code(1)

    first, second = [await sign_in(nobody, protected, code) for code in (newer, older)]

    assert first["__typename"] == "LoginSuccess"
    assert second == WRONG


@pytest.mark.parametrize(
    "code", ["000000x", "1", "abcd-efgh-ijkl-mnop", "x" * 9_999, "\x00", "\uff11" * 6]
)
async def test_what_is_no_code_does_not_sign_in(
    protected: Protected, nobody: Caller, factory: Factory, code: str
) -> None:
    assert await sign_in(nobody, protected, code) == WRONG
    assert await factory.rows("SELECT count(*) FROM session") == [(1,)]


@pytest.mark.parametrize("code", [None, "", " "])
async def test_without_a_code_one_is_asked_for(
    protected: Protected, nobody: Caller, factory: Factory, code: str | None
) -> None:
    assert await sign_in(nobody, protected, code) == REQUIRED
    assert await factory.rows("SELECT count(*) FROM session") == [(1,)]


async def test_a_wrong_password_is_not_helped_by_a_code(
    protected: Protected, nobody: Caller, factory: Factory
) -> None:
    answer = await login(nobody, protected.person.email, "wrong", code=protected.code())

    assert answer["message"] == "The e-mail address or the password is wrong."
    assert await factory.rows('SELECT totp_step FROM "user"') == [(0,)]


async def test_a_recovery_code_signs_in_once_however_it_is_typed(
    protected: Protected, nobody: Caller, factory: Factory
) -> None:
    first, second = protected.recovery_codes[:2]

    kinds = [
        (await sign_in(nobody, protected, code))["__typename"]
        for code in (first.upper(), first, second.replace("-", " "))
    ]

    assert kinds == ["LoginSuccess", "InvalidCredentials", "LoginSuccess"]
    assert await factory.rows("SELECT count(*) FROM recovery_code") == [(8,)]


async def test_an_account_without_one_takes_any_code(nobody: Caller, factory: Factory) -> None:
    person = await factory.person()

    answer = await login(nobody, person.email, code="123456")

    assert answer["__typename"] == "LoginSuccess"


async def test_a_second_factor_is_given_up_with_the_password_and_a_code(
    protected: Protected, nobody: Caller, factory: Factory, worker: Worker
) -> None:
    answer = await change(protected.caller, "disableTotp", password=PASSWORD, code=protected.code())

    assert answer["ok"] is True
    assert (await login(nobody, protected.person.email))["__typename"] == "LoginSuccess"
    assert await factory.rows("SELECT count(*) FROM recovery_code") == [(0,)]
    told = (protected.person.email, "Signing in takes no code any more")
    assert told in await subjects(worker)


async def test_new_recovery_codes_take_the_place_of_the_old(
    protected: Protected, nobody: Caller
) -> None:
    old = protected.recovery_codes

    answer = await change(
        protected.caller, "regenerateRecoveryCodes", CODES, password=PASSWORD, code=old[0]
    )

    new = answer["recoveryCodes"]
    kinds = [(await sign_in(nobody, protected, code))["__typename"] for code in (old[1], new[0])]
    assert len(set(new) | set(old)) == 20
    assert kinds == ["InvalidCredentials", "LoginSuccess"]


@pytest.mark.parametrize("name", ["disableTotp", "regenerateRecoveryCodes"])
@pytest.mark.parametrize(
    ("password", "code", "kind"),
    [
        ("wrong", None, "InvalidCredentials"),
        (PASSWORD, "abcd-efgh-ijkl-mnop", "InvalidCredentials"),
        (PASSWORD, "", "SecondFactorRequired"),
    ],
)
async def test_neither_the_password_nor_a_code_alone_changes_it(
    protected: Protected,
    factory: Factory,
    name: str,
    password: str,
    code: str | None,
    kind: str,
) -> None:
    before = await factory.rows('SELECT u::text, c::text FROM "user" u, recovery_code c ORDER BY 2')
    given = protected.code() if code is None else code

    answer = await change(protected.caller, name, "__typename", password=password, code=given)

    after = await factory.rows('SELECT u::text, c::text FROM "user" u, recovery_code c ORDER BY 2')
    assert answer["__typename"] == kind
    assert after == before


async def test_there_is_one_second_factor_at_most(protected: Protected, factory: Factory) -> None:
    before = await factory.rows('SELECT u::text FROM "user" u')

    answers = [
        await change(protected.caller, "startTotp", STARTED, password=PASSWORD),
        await change(protected.caller, "confirmTotp", CODES, code=protected.code()),
    ]

    assert [answer["__typename"] for answer in answers] == ["Conflict"] * 2
    assert await factory.rows('SELECT u::text FROM "user" u') == before


async def test_who_has_none_can_neither_confirm_nor_give_it_up(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    caller = (await verified(factory)).on(http)

    answers = [
        await change(caller, "confirmTotp", CODES, code="123456"),
        await change(caller, "disableTotp", password=PASSWORD, code="123456"),
        await change(caller, "regenerateRecoveryCodes", CODES, password=PASSWORD, code="123456"),
    ]

    assert [answer["__typename"] for answer in answers] == ["Conflict"] * 3


async def test_it_takes_the_password_and_a_proven_address_to_begin(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    unproven, proven = await factory.person(), await verified(factory)

    answers = [
        await change(unproven.on(http), "startTotp", STARTED, password=PASSWORD),
        await change(proven.on(http), "startTotp", STARTED, password="wrong"),
    ]

    assert [answer["__typename"] for answer in answers] == ["Conflict", "InvalidCredentials"]
    assert await factory.rows('SELECT DISTINCT sealed_totp_secret FROM "user"') == [(None,)]


async def test_a_wrong_code_confirms_nothing_and_the_last_secret_counts(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    caller = (await verified(factory)).on(http)
    first = await change(caller, "startTotp", STARTED, password=PASSWORD)
    second = await change(caller, "startTotp", STARTED, password=PASSWORD)
    step = int(datetime.now(UTC).timestamp()) // 30

    answers = [
        await change(caller, "confirmTotp", CODES, code=totp.code(read(started), step))
        for started in (first, second)
    ]

    assert [answer["__typename"] for answer in answers] == [
        "InvalidCredentials",
        "ConfirmTotpSuccess",
    ]


async def test_a_new_password_by_mail_leaves_the_second_factor(
    protected: Protected, nobody: Caller, worker: Worker
) -> None:
    await change(nobody, "requestPasswordReset", email=protected.person.email)
    token = await token_of(worker, RESET)

    await change(nobody, "resetPassword", token=token, newPassword="another good password")

    assert await login(nobody, protected.person.email, "another good password") == REQUIRED
