"""The security log of a person over GraphQL, and in the store."""

from datetime import timedelta

import asyncpg
import httpx
import pytest

from app.stores import now
from domain import security
from persistence.database import Database
from tests.callers import JSON, Caller
from tests.factories import PASSWORD, Factory
from tests.graph.account_queries import change, login, refresh
from tests.graph.second_factors import CODES, Protected, sign_in

LOG = """
    query($first: Int, $after: String) {
      viewer { securityLog(first: $first, after: $after) {
        nodes { at action sessionId ip userAgent } pageInfo { endCursor hasNextPage }
      } }
    }
"""


async def log(caller: Caller, **asked: object) -> JSON:
    return (await caller.ask(LOG, **asked))["viewer"]["securityLog"]


async def actions(caller: Caller) -> list[str]:
    return [event["action"] for event in (await log(caller))["nodes"]]


async def test_signing_in_is_told_with_where_it_came_from(
    factory: Factory, http: httpx.AsyncClient, nobody: Caller
) -> None:
    person = await factory.person()
    http.headers["user-agent"] = "a browser"

    token = (await login(nobody, person.email))["tokens"]["accessToken"]

    (event,) = (await log(nobody.signed_in(token)))["nodes"]
    assert (event["action"], event["ip"], event["userAgent"]) == (
        "session.opened",
        "127.0.0.1",
        "a browser",
    )
    sessions = await nobody.signed_in(token).ask("{ viewer { sessions { id current } } }")
    assert {"id": event["sessionId"], "current": True} in sessions["viewer"]["sessions"]


async def test_a_refresh_token_that_is_used_again_is_told(
    factory: Factory, http: httpx.AsyncClient, nobody: Caller
) -> None:
    person = await factory.person()
    token = (await login(nobody, person.email))["tokens"]["refreshToken"]
    await refresh(nobody, token)
    await factory.change("UPDATE refresh_token SET used_at = used_at - interval '11 seconds'")

    refused = await refresh(nobody, token)

    assert refused["__typename"] == "InvalidCredentials"
    assert await actions(person.on(http)) == ["session.refresh_token_reused", "session.opened"]


async def test_the_second_factor_is_told_of_and_a_wrong_code(
    protected: Protected, nobody: Caller
) -> None:
    code = {"password": PASSWORD, "code": protected.code()}
    wrong = {"password": PASSWORD, "code": "000000"}

    await sign_in(nobody, protected, "000000")
    await change(protected.caller, "regenerateRecoveryCodes", CODES, **wrong)
    await change(protected.caller, "regenerateRecoveryCodes", CODES, **code)
    await change(protected.caller, "disableTotp", password=PASSWORD, code=protected.code(steps=1))

    assert await actions(protected.caller) == [
        "second_factor.disabled",
        "second_factor.recovery_codes_replaced",
        "second_factor.failed",
        "second_factor.failed",
        "second_factor.enabled",
        "second_factor.started",
    ]


async def test_a_changed_password_is_told(factory: Factory, http: httpx.AsyncClient) -> None:
    caller = (await factory.person()).on(http)

    await change(
        caller, "changePassword", currentPassword=PASSWORD, newPassword="another one entirely"
    )

    assert await actions(caller) == ["password.changed"]


async def test_it_is_read_page_by_page_and_only_by_whose_it_is(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    caller, other = (await factory.person()).on(http), (await factory.person()).on(http)
    for name in ("One", "Two", "Three"):
        await change(caller, "updateProfile", "user { id }", name=name)

    first = await log(caller, first=2)
    rest = await log(caller, first=2, after=first["pageInfo"]["endCursor"])

    assert (len(first["nodes"]), len(rest["nodes"])) == (2, 1)
    assert (first["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasNextPage"]) == (True, False)
    assert await actions(other) == []


async def test_a_key_has_none(factory: Factory, http: httpx.AsyncClient) -> None:
    partner = await factory.api_key(await factory.tenant(), "stats:read")

    errors = await partner.on(http).errors(LOG)

    assert errors[0]["extensions"] == {"code": "FORBIDDEN"}


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE security_event SET action = ''",
        "DELETE FROM security_event",
        "TRUNCATE security_event",
    ],
)
async def test_postgres_refuses_to_change_it(
    sql: str, factory: Factory, http: httpx.AsyncClient
) -> None:
    caller = (await factory.person()).on(http)
    await change(caller, "updateProfile", "user { id }", name="Ada")

    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="security_event is only added to"):
        await factory.change(sql)

    assert await actions(caller) == ["profile.updated"]


async def test_what_has_run_out_is_expunged(
    factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    person = await factory.person()
    async with database.transaction() as uow:
        uow.now -= timedelta(hours=2)
        await security.record(uow, person.id, security.Action.SIGNED_IN, None)
        uow.now += timedelta(hours=1, minutes=30)
        await security.record(uow, person.id, security.Action.SIGNED_OUT, None)

    async with database.transaction() as uow:
        await security.expunge(uow, now(), kept=timedelta(hours=1))

    assert await actions(person.on(http)) == ["session.closed"]


async def test_an_account_that_is_deleted_takes_it_along(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    caller = (await factory.person()).on(http)
    await change(caller, "updateProfile", "user { id }", name="Ada")

    await change(caller, "deleteAccount", password=PASSWORD)

    assert await factory.rows("SELECT id FROM security_event") == []
