"""The ownership of a workspace over GraphQL: handed to another member."""

import httpx
import pytest

from app.settings import Settings
from domain.events import MemberChanged
from tests.callers import JSON, Caller
from tests.factories import PASSWORD, Factory, Tenant
from tests.graph.account_queries import change, mutation
from tests.graph.test_member import (
    NO_MEMBER,
    announced,
    at_once,
    forbidden,
    members,
    remove,
)

pytestmark = pytest.mark.usefixtures("kept_outbox")

DONE = "workspace { slug viewerRole } member { id role user { id } }"


async def transfer(caller: Caller, tenant: Tenant, member: str, password: str = PASSWORD) -> JSON:
    return await change(
        caller,
        "transferOwnership",
        DONE,
        workspaceId=tenant.gid,
        memberId=member,
        password=password,
    )


@pytest.mark.parametrize("role", ["VIEWER", "ANALYST", "ADMIN"])
async def test_ownership_is_handed_over(
    factory: Factory, http: httpx.AsyncClient, role: str
) -> None:
    tenant = await factory.tenant()
    heir = await factory.member(tenant, role)
    id_ = await factory.membership(tenant, heir)

    answer = await transfer(tenant.owner.on(http), tenant, id_)

    assert answer == {
        "__typename": "TransferOwnershipSuccess",
        "workspace": {"slug": tenant.slug, "viewerRole": "ADMIN"},
        "member": {"id": id_, "role": "OWNER", "user": {"id": heir.gid}},
    }
    assert await members(factory, tenant) == {heir.id: "OWNER", tenant.owner.id: "ADMIN"}
    assert await announced(factory) == [
        MemberChanged(tenant.id, heir.id),
        MemberChanged(tenant.id, tenant.owner.id),
    ]
    assert (
        await factory.rows("SELECT action, actor_id FROM audit_entry")
        == [("member.role_changed", tenant.owner.id)] * 2
    )


async def test_of_two_owners_one_steps_back(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    other = await factory.member(tenant, "OWNER")

    answer = await transfer(tenant.owner.on(http), tenant, await factory.membership(tenant, other))

    assert answer["member"]["role"] == "OWNER"
    assert await members(factory, tenant) == {other.id: "OWNER", tenant.owner.id: "ADMIN"}
    assert await announced(factory) == [MemberChanged(tenant.id, tenant.owner.id)]


@pytest.mark.parametrize("role", ["VIEWER", "ANALYST", "ADMIN"])
async def test_nobody_hands_over_what_they_do_not_own(
    factory: Factory, http: httpx.AsyncClient, role: str
) -> None:
    tenant = await factory.tenant()
    person, heir = await factory.member(tenant, role), await factory.member(tenant, "ADMIN")
    before = await members(factory, tenant)

    answer = await transfer(person.on(http), tenant, await factory.membership(tenant, heir))

    assert answer == forbidden("OWNER", "make or unmake owners", role)
    assert await members(factory, tenant) == before
    assert await announced(factory) == []


async def test_it_takes_the_password(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    heir = await factory.member(tenant, "ADMIN")
    before = await members(factory, tenant)

    answer = await transfer(
        tenant.owner.on(http), tenant, await factory.membership(tenant, heir), "wrong"
    )

    assert answer == {"__typename": "InvalidCredentials", "message": "The password is wrong."}
    assert await members(factory, tenant) == before


async def test_passwords_are_guessed_ten_times(strict: httpx.AsyncClient, factory: Factory) -> None:
    tenant = await factory.tenant()
    id_ = await factory.membership(tenant, await factory.member(tenant, "ADMIN"))

    answers = [await transfer(tenant.owner.on(strict), tenant, id_, "wrong") for _ in range(10)]
    late = await transfer(tenant.owner.on(strict), tenant, id_)

    assert [answer["__typename"] for answer in answers] == ["InvalidCredentials"] * 10
    assert late["__typename"] == "RateLimited"


async def test_nobody_hands_over_to_themselves(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    id_ = await factory.membership(tenant, tenant.owner)

    answer = await transfer(tenant.owner.on(http), tenant, id_)

    assert answer == {
        "__typename": "Conflict",
        "message": "You own this workspace yourself: name somebody else.",
    }
    assert await members(factory, tenant) == {tenant.owner.id: "OWNER"}


async def test_who_is_no_member_there_is_not_found(
    factory: Factory, http: httpx.AsyncClient, nobody: Caller
) -> None:
    tenant, stranger = await factory.tenant(), await factory.tenant()
    both = await factory.tenant(owner=tenant.owner)
    elsewhere = await factory.membership(both, await factory.member(both, "ADMIN"))
    here = await factory.membership(tenant, await factory.member(tenant, "ADMIN"))

    answers = [
        await transfer(caller.on(http), place, member)
        for caller, place, member in (
            (tenant.owner, tenant, elsewhere),
            (tenant.owner, tenant, f"member_{'0' * 32}"),
            (stranger.owner, tenant, here),
            (stranger.owner, stranger, here),
        )
    ]
    errors = await nobody.errors(
        mutation("transferOwnership", DONE),
        input={"workspaceId": tenant.gid, "memberId": here, "password": PASSWORD},
    )

    assert answers == [NO_MEMBER] * 4
    assert errors[0]["extensions"] == {"code": "UNAUTHENTICATED"}
    assert await announced(factory) == []


async def test_of_two_owners_who_hand_over_to_each_other_at_once_one_stays(
    factory: Factory, http: httpx.AsyncClient, settings: Settings
) -> None:
    tenant = await factory.tenant()
    second = await factory.member(tenant, "OWNER")

    answers = await at_once(
        settings,
        tenant,
        transfer(tenant.owner.on(http), tenant, await factory.membership(tenant, second)),
        transfer(second.on(http), tenant, await factory.membership(tenant, tenant.owner)),
    )

    # It goes to and fro.
    assert [answer["__typename"] for answer in answers] == ["TransferOwnershipSuccess"] * 2
    assert sorted((await members(factory, tenant)).values()) == ["ADMIN", "OWNER"]


async def test_an_heir_who_leaves_at_that_moment_leaves_an_owner_behind(
    factory: Factory, http: httpx.AsyncClient, settings: Settings
) -> None:
    tenant = await factory.tenant()
    heir = await factory.member(tenant, "ADMIN")
    id_ = await factory.membership(tenant, heir)

    answers = await at_once(
        settings, tenant, transfer(tenant.owner.on(http), tenant, id_), remove(heir, http, id_)
    )

    assert [answer["__typename"] for answer in answers] in (
        ["TransferOwnershipSuccess", "Conflict"],
        ["NotFound", "RemoveMemberSuccess"],
    )
    assert "OWNER" in (await members(factory, tenant)).values()
