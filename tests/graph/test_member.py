"""Members over GraphQL: giving them other roles, taking them out, and leaving."""

import asyncio
from collections.abc import Awaitable
from typing import Any

import asyncpg
import httpx
import pytest

from app.settings import Settings
from domain.events import INSTANCE, MemberChanged
from tests.callers import JSON, Caller
from tests.factories import Factory, Person, Tenant

pytestmark = pytest.mark.usefixtures("kept_outbox")

UNKNOWN = f"member_{'0' * 32}"
PROBLEM = "__typename ... on Problem { message } ... on InvalidInput { fields { path message } }"
CHANGE_ROLE = f"""
    mutation($input: ChangeMemberRoleInput!) {{
      result: changeMemberRole(input: $input) {{
        {PROBLEM} ... on ChangeMemberRoleSuccess {{ member {{ id role user {{ id }} }} }}
      }}
    }}
"""
REMOVE = f"""
    mutation($input: RemoveMemberInput!) {{
      result: removeMember(input: $input) {{
        {PROBLEM} ... on RemoveMemberSuccess {{ memberId }}
      }}
    }}
"""
NO_MEMBER = {"__typename": "NotFound", "message": "There is no such member."}
NO_OWNER_LEFT = {
    "__typename": "Conflict",
    "message": "A workspace needs an owner: make somebody else an OWNER first.",
}


def forbidden(least: str, action: str, yours: str) -> JSON:
    message = f"You need the role {least} to {action}; yours is {yours}."
    return {"__typename": "Forbidden", "message": message}


async def change_role(person: Person, http: httpx.AsyncClient, member: str, role: str) -> JSON:
    answer = await person.on(http).ask(CHANGE_ROLE, input={"memberId": member, "role": role})
    return answer["result"]


async def remove(person: Person, http: httpx.AsyncClient, member: str) -> JSON:
    return (await person.on(http).ask(REMOVE, input={"memberId": member}))["result"]


async def members(factory: Factory, tenant: Tenant) -> dict[Any, str]:
    """The role of each user of the workspace."""
    rows = await factory.rows(
        "SELECT user_id, role FROM member WHERE workspace_id = :id", id=tenant.id
    )
    return dict(rows)


async def announced(factory: Factory) -> list[MemberChanged]:
    """What the outbox tells of members."""
    rows = await factory.rows(
        "SELECT workspace_id, payload::text FROM outbox WHERE kind = 'member.changed' ORDER BY id"
    )
    assert {workspace for workspace, _ in rows} <= {INSTANCE}
    return [MemberChanged.from_json(payload) for _, payload in rows]


# Who may


@pytest.mark.parametrize(
    ("actor", "before", "after"),
    [
        ("ADMIN", "VIEWER", "ANALYST"),
        ("ADMIN", "VIEWER", "ADMIN"),
        ("ADMIN", "ADMIN", "VIEWER"),
        ("OWNER", "VIEWER", "OWNER"),
        ("OWNER", "OWNER", "VIEWER"),
    ],
)
async def test_a_member_gets_another_role(
    factory: Factory, http: httpx.AsyncClient, actor: str, before: str, after: str
) -> None:
    tenant = await factory.tenant()
    manager, person = await factory.member(tenant, actor), await factory.member(tenant, before)
    id_ = await factory.membership(tenant, person)

    answer = await change_role(manager, http, id_, after)

    assert answer == {
        "__typename": "ChangeMemberRoleSuccess",
        "member": {"id": id_, "role": after, "user": {"id": person.gid}},
    }
    assert (await members(factory, tenant))[person.id] == after
    assert await announced(factory) == [MemberChanged(tenant.id, person.id)]


@pytest.mark.parametrize(
    ("actor", "before", "after", "refused"),
    [
        (actor, "VIEWER", "ANALYST", forbidden("ADMIN", "manage members who are not owners", actor))
        for actor in ("VIEWER", "ANALYST")
    ]
    + [
        ("ADMIN", before, after, forbidden("OWNER", "make or unmake owners", "ADMIN"))
        for before, after in (("ADMIN", "OWNER"), ("OWNER", "ADMIN"), ("OWNER", "OWNER"))
    ],
)
async def test_a_role_is_not_given_by_who_may_not(
    factory: Factory,
    http: httpx.AsyncClient,
    actor: str,
    before: str,
    after: str,
    refused: JSON,
) -> None:
    tenant = await factory.tenant()
    manager, person = await factory.member(tenant, actor), await factory.member(tenant, before)
    unchanged = await members(factory, tenant)

    answer = await change_role(manager, http, await factory.membership(tenant, person), after)

    assert answer == refused
    assert await members(factory, tenant) == unchanged
    assert await announced(factory) == []


@pytest.mark.parametrize(
    ("actor", "role"), [("ADMIN", "VIEWER"), ("ADMIN", "ADMIN"), ("OWNER", "OWNER")]
)
async def test_a_member_is_taken_out(
    factory: Factory, http: httpx.AsyncClient, actor: str, role: str
) -> None:
    tenant = await factory.tenant("acme")
    manager, person = await factory.member(tenant, actor), await factory.member(tenant, role)
    id_ = await factory.membership(tenant, person)

    answer = await remove(manager, http, id_)

    assert answer == {"__typename": "RemoveMemberSuccess", "memberId": id_}
    assert (await members(factory, tenant)).keys() == {tenant.owner.id, manager.id}
    assert await announced(factory) == [MemberChanged(tenant.id, person.id)]
    seen = await person.on(http).ask('{ workspace(slug: "acme") { id } }')
    assert seen == {"workspace": None}


@pytest.mark.parametrize(
    ("actor", "role", "refused"),
    [
        (actor, "VIEWER", forbidden("ADMIN", "manage members who are not owners", actor))
        for actor in ("VIEWER", "ANALYST")
    ]
    + [("ADMIN", "OWNER", forbidden("OWNER", "make or unmake owners", "ADMIN"))],
)
async def test_a_member_is_not_taken_out_by_who_may_not(
    factory: Factory, http: httpx.AsyncClient, actor: str, role: str, refused: JSON
) -> None:
    tenant = await factory.tenant()
    manager, person = await factory.member(tenant, actor), await factory.member(tenant, role)
    unchanged = await members(factory, tenant)

    answer = await remove(manager, http, await factory.membership(tenant, person))

    assert answer == refused
    assert await members(factory, tenant) == unchanged
    assert await announced(factory) == []


@pytest.mark.parametrize("role", ["VIEWER", "ANALYST", "ADMIN", "OWNER"])
async def test_everybody_may_leave_where_an_owner_stays(
    factory: Factory, http: httpx.AsyncClient, role: str
) -> None:
    tenant = await factory.tenant()
    person = await factory.member(tenant, role)

    answer = await remove(person, http, await factory.membership(tenant, person))

    assert answer["__typename"] == "RemoveMemberSuccess"
    assert await members(factory, tenant) == {tenant.owner.id: "OWNER"}
    assert await announced(factory) == [MemberChanged(tenant.id, person.id)]


async def test_a_stranger_finds_no_member(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant, stranger = await factory.tenant(), await factory.tenant()
    id_ = await factory.membership(tenant, tenant.owner)
    former = await factory.member(tenant, "OWNER")
    await remove(former, http, await factory.membership(tenant, former))

    answers = [
        answer
        for person in (stranger.owner, former)
        for member in (id_, UNKNOWN)
        for answer in (
            await change_role(person, http, member, "VIEWER"),
            await remove(person, http, member),
        )
    ]

    assert answers == [NO_MEMBER] * 8
    assert await members(factory, tenant) == {tenant.owner.id: "OWNER"}
    assert await announced(factory) == [MemberChanged(tenant.id, former.id)]


async def test_nobody_changes_no_member(factory: Factory, nobody: Caller) -> None:
    tenant = await factory.tenant()
    id_ = await factory.membership(tenant, tenant.owner)

    refused = [
        await nobody.errors(CHANGE_ROLE, input={"memberId": id_, "role": "VIEWER"}),
        await nobody.errors(REMOVE, input={"memberId": id_}),
    ]

    assert [errors[0]["extensions"] for errors in refused] == [{"code": "UNAUTHENTICATED"}] * 2
    assert await members(factory, tenant) == {tenant.owner.id: "OWNER"}
    assert await announced(factory) == []


@pytest.mark.parametrize("id", ["", "acme", f"user_{'0' * 32}", "member_1"])
async def test_what_is_no_member_id_is_refused(
    factory: Factory, http: httpx.AsyncClient, id: str
) -> None:
    tenant = await factory.tenant()

    answers = [
        await change_role(tenant.owner, http, id, "VIEWER"),
        await remove(tenant.owner, http, id),
    ]

    message = f"must be a member id, such as {UNKNOWN}"
    assert (
        answers
        == [
            {
                "__typename": "InvalidInput",
                "message": f"`memberId` {message}.",
                "fields": [{"path": ["memberId"], "message": message}],
            }
        ]
        * 2
    )


async def test_the_role_that_a_member_has_is_given_without_a_word(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    id_ = await factory.membership(tenant, tenant.owner)

    answer = await change_role(tenant.owner, http, id_, "OWNER")

    assert answer["member"]["role"] == "OWNER"
    assert await announced(factory) == []


# The last owner


async def test_the_last_owner_stays_one(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    admin = await factory.member(tenant, "ADMIN")
    other = await factory.tenant(owner=admin)
    id_ = await factory.membership(tenant, tenant.owner)

    answers = [
        await change_role(tenant.owner, http, id_, "ADMIN"),
        await remove(tenant.owner, http, id_),
    ]

    assert answers == [NO_OWNER_LEFT] * 2
    assert await members(factory, tenant) == {tenant.owner.id: "OWNER", admin.id: "ADMIN"}
    # Who owns another workspace is no owner here.
    assert await members(factory, other) == {admin.id: "OWNER"}
    assert await announced(factory) == []


async def at_once(settings: Settings, tenant: Tenant, *changes: Awaitable[JSON]) -> list[JSON]:
    """The answers to changes that have all begun before the first of them may go on."""
    holder = await asyncpg.connect(settings.database_url)
    async with holder.transaction():
        await holder.execute("SELECT set_config('earful.workspace_id', $1, true)", str(tenant.id))
        await holder.execute("SELECT FROM workspace WHERE id = $1 FOR UPDATE", tenant.id)
        asked = [asyncio.ensure_future(change) for change in changes]
        async with asyncio.timeout(10):
            while await holder.fetchval(_BLOCKED) < len(changes):
                await asyncio.sleep(0.01)
    await holder.close()
    return list(await asyncio.gather(*asked))


_BLOCKED = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
    " OR datname = current_database() AND wait_event_type = 'Lock' AND wait_event = 'tuple'"
)


async def test_of_the_last_two_owners_who_leave_at_once_one_stays(
    factory: Factory, http: httpx.AsyncClient, settings: Settings
) -> None:
    tenant = await factory.tenant()
    second = await factory.member(tenant, "OWNER")

    answers = await at_once(
        settings,
        tenant,
        remove(tenant.owner, http, await factory.membership(tenant, tenant.owner)),
        remove(second, http, await factory.membership(tenant, second)),
    )

    names = sorted(answer["__typename"] for answer in answers)
    assert names == ["Conflict", "RemoveMemberSuccess"]
    assert list((await members(factory, tenant)).values()) == ["OWNER"]
    assert len(await announced(factory)) == 1


async def test_of_two_owners_who_unmake_each_other_at_once_one_stays(
    factory: Factory, http: httpx.AsyncClient, settings: Settings
) -> None:
    tenant = await factory.tenant()
    second = await factory.member(tenant, "OWNER")

    answers = await at_once(
        settings,
        tenant,
        change_role(tenant.owner, http, await factory.membership(tenant, second), "ADMIN"),
        change_role(second, http, await factory.membership(tenant, tenant.owner), "ADMIN"),
    )

    names = sorted(answer["__typename"] for answer in answers)
    assert names == ["ChangeMemberRoleSuccess", "Forbidden"]
    assert sorted((await members(factory, tenant)).values()) == ["ADMIN", "OWNER"]
    assert len(await announced(factory)) == 1
