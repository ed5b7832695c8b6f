"""Accounts over GraphQL: deleted, with the workspaces where nobody else is."""

import asyncio
from datetime import timedelta

import httpx
import pytest

from app.resources import Api
from app.settings import Settings
from app.stores import now
from graph.sessions import Sessions
from persistence.database import Database
from tests.callers import Caller
from tests.factories import PASSWORD, Factory
from tests.graph.account_queries import (
    LOGIN,
    change,
    login,
    mutation,
    refresh,
    subjects,
    verified,
    who,
)
from tests.graph.test_account import register
from tests.holding import held
from tests.working import Worker

LEFT = "SELECT count(*) FROM workspace"


async def test_an_account_is_deleted_and_signs_in_no_more(
    nobody: Caller, factory: Factory, worker: Worker
) -> None:
    person, other = await factory.person("ada@example.com"), await factory.person()
    tokens = (await login(nobody, person.email))["tokens"]

    answer = await change(
        nobody.signed_in(tokens["accessToken"]), "deleteAccount", password=PASSWORD
    )

    assert answer["ok"] is True
    assert await who(nobody.signed_in(person.token)) is None
    assert await who(nobody.signed_in(tokens["accessToken"])) is None
    assert (await refresh(nobody, tokens["refreshToken"]))["__typename"] == "InvalidCredentials"
    assert (await login(nobody, person.email))["__typename"] == "InvalidCredentials"
    assert await who(nobody.signed_in(other.token)) == other.gid
    assert (await register(nobody))["__typename"] == "RegisterSuccess"


async def test_of_who_is_gone_nothing_is_left_but_that_the_sessions_have_ended(
    nobody: Caller, factory: Factory, http: httpx.AsyncClient, worker: Worker
) -> None:
    person = await verified(factory)
    await change(nobody, "requestPasswordReset", email=person.email)
    await worker.work()

    await change(person.on(http), "deleteAccount", password=PASSWORD)

    assert await factory.rows('SELECT count(*) FROM "user"') == [(0,)]
    assert await factory.rows("SELECT count(*) FROM account_token") == [(0,)]
    assert await factory.rows(
        "SELECT user_id, user_agent, ip, device, revoked_at IS NOT NULL FROM session"
    ) == [(None, None, None, None, True)]


async def test_an_access_token_of_who_is_gone_is_refused_by_a_process_that_starts_later(
    factory: Factory, http: httpx.AsyncClient, api: Api, database: Database
) -> None:
    person = await factory.person()
    await change(person.on(http), "deleteAccount", password=PASSWORD)
    policy = api.services.policy.access
    later = Sessions(database, now, token_lifetime=timedelta(minutes=10))

    await later.load()

    assert later.is_revoked(policy.read(person.token, now()))


async def test_workspaces_where_others_own_are_left_and_keep_what_there_is(
    factory: Factory, http: httpx.AsyncClient, worker: Worker
) -> None:
    tenant = await factory.tenant()
    leaver = await factory.member(tenant, "OWNER")
    await factory.feedback(tenant)

    answer = await change(leaver.on(http), "deleteAccount", password=PASSWORD)
    await worker.work()

    assert answer["ok"] is True
    assert await factory.rows("SELECT user_id FROM member") == [(tenant.owner.id,)]
    assert await factory.rows("SELECT count(*) FROM feedback") == [(1,)]


@pytest.mark.parametrize("role", ["VIEWER", "ADMIN"])
async def test_the_only_owner_of_a_workspace_with_others_stays(
    factory: Factory, http: httpx.AsyncClient, role: str
) -> None:
    tenant = await factory.tenant("shop")
    await factory.member(tenant, role)
    alone = await factory.tenant(owner=tenant.owner)
    before = await factory.rows('SELECT u::text, m::text FROM "user" u, member m ORDER BY 1, 2')

    answer = await change(tenant.owner.on(http), "deleteAccount", password=PASSWORD)

    after = await factory.rows('SELECT u::text, m::text FROM "user" u, member m ORDER BY 1, 2')
    assert answer == {
        "__typename": "Conflict",
        "message": "Others are left without an owner in Shop: make somebody else an OWNER first.",
    }
    assert after == before
    assert await factory.rows("SELECT id FROM job") == []
    assert alone.owner == tenant.owner


async def test_workspaces_where_nobody_is_left_go_with_all_that_is_in_them(
    factory: Factory, http: httpx.AsyncClient, worker: Worker
) -> None:
    gone, kept = await factory.tenant(), await factory.tenant()
    for tenant in (gone, kept):
        feedback = await factory.feedback(tenant)
        await factory.tag(tenant, "red", feedback)
        await factory.job_changed(tenant, await factory.job(tenant), "SUCCEEDED")

    await change(gone.owner.on(http), "deleteAccount", password=PASSWORD)
    before = await factory.rows(LEFT)
    await worker.work()

    assert before == [(2,)]
    for table in ("source", "feedback", "tag", "feedback_tag", "member"):
        assert await factory.rows(f"SELECT DISTINCT workspace_id FROM {table}") == [(kept.id,)]
    assert await factory.rows("SELECT id FROM workspace") == [(kept.id,)]


async def test_a_wrong_password_deletes_nothing(
    factory: Factory, http: httpx.AsyncClient, worker: Worker
) -> None:
    tenant = await factory.tenant()

    answer = await change(tenant.owner.on(http), "deleteAccount", password="wrong")

    assert answer["__typename"] == "InvalidCredentials"
    assert await who(tenant.owner.on(http)) == tenant.owner.gid
    assert await subjects(worker) == []
    assert await factory.rows(LEFT) == [(1,)]


async def test_two_owners_who_leave_at_once_leave_no_workspace_without_an_owner(
    factory: Factory, http: httpx.AsyncClient, settings: Settings
) -> None:
    tenant = await factory.tenant()
    second = await factory.member(tenant, "OWNER")
    await factory.member(tenant, "VIEWER")

    async with held(
        settings,
        f"SET LOCAL earful.workspace_id = '{tenant.id}'",
        f"SELECT 1 FROM workspace WHERE id = '{tenant.id}' FOR NO KEY UPDATE",
    ) as waited_for:
        leaving = [
            asyncio.ensure_future(change(person.on(http), "deleteAccount", password=PASSWORD))
            for person in (tenant.owner, second)
        ]
        await waited_for(2)
    answers = await asyncio.gather(*leaving)

    assert sorted(answer["__typename"] for answer in answers) == [
        "Conflict",
        "DeleteAccountSuccess",
    ]
    assert await factory.rows("SELECT count(*) FROM member WHERE role = 'OWNER'") == [(1,)]


async def test_the_cookies_of_who_is_gone_are_taken_away(nobody: Caller, factory: Factory) -> None:
    person = await factory.person()
    await nobody.post(LOGIN, input={"email": person.email, "password": PASSWORD, "cookies": True})

    await nobody.post(mutation("deleteAccount"), input={"password": PASSWORD})

    assert dict(nobody.http.cookies) == {}
