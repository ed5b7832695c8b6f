"""Invitations over GraphQL: accepted, by who has an account and by who has none."""

import asyncio

import httpx
import pytest

from app.resources import Api
from app.settings import Settings
from domain import invitation
from domain.events import MemberChanged
from persistence.database import Database
from tests.callers import JSON, Caller
from tests.factories import PASSWORD as OTHERS
from tests.factories import Factory, Tenant
from tests.graph.account_queries import change, login, who
from tests.graph.invitations import (
    GONE,
    INVITED,
    NAME,
    PASSWORD,
    accept,
    invite,
    inviter,
    token_for,
)
from tests.graph.test_invitation import locked
from tests.graph.test_member import announced, change_role, members, remove
from tests.holding import held
from tests.working import Worker

pytestmark = pytest.mark.usefixtures("kept_outbox")

GUEST = "guest@example.com"


@pytest.fixture
async def invited(factory: Factory, http: httpx.AsyncClient, worker: Worker) -> tuple[Tenant, str]:
    """A workspace, and the token of its guest's invitation as an ANALYST."""
    tenant, admin = await inviter(factory)
    await invite(admin.on(http), tenant, GUEST, "ANALYST")
    return tenant, await token_for(worker)


async def test_who_has_no_account_gets_one_and_is_signed_in(
    invited: tuple[Tenant, str], factory: Factory, nobody: Caller
) -> None:
    tenant, token = invited

    answer = await accept(nobody, token, name=NAME, password=PASSWORD)

    user = answer["user"]
    assert answer["workspace"] == {"slug": tenant.slug, "viewerRole": "ANALYST"}
    assert (user["email"], user["emailVerified"]) == (GUEST, True)
    assert await who(nobody.signed_in(answer["tokens"]["accessToken"])) == user["id"]
    assert (await login(nobody, GUEST, PASSWORD))["user"]["id"] == user["id"]
    ((id_,),) = await factory.rows('SELECT id FROM "user" WHERE email = :email', email=GUEST)
    assert (await members(factory, tenant))[id_] == "ANALYST"
    assert await announced(factory) == [MemberChanged(tenant.id, id_)]
    assert await factory.rows("SELECT id FROM invitation") == []
    assert await factory.rows(
        "SELECT action, actor_id, session_id IN (SELECT id FROM session WHERE user_id = :user)"
        " FROM audit_entry WHERE action = 'member.joined'",
        user=id_,
    ) == [("member.joined", id_, True)]


async def test_who_asks_for_cookies_gets_them(
    invited: tuple[Tenant, str], http: httpx.AsyncClient, nobody: Caller
) -> None:
    await accept(nobody, invited[1], name=NAME, password=PASSWORD, cookies=True)

    assert {"earful_access", "earful_refresh"} <= set(http.cookies)


@pytest.mark.parametrize("is_verified", [True, False])
async def test_who_is_signed_in_with_the_address_joins_and_has_proven_it(
    invited: tuple[Tenant, str],
    factory: Factory,
    http: httpx.AsyncClient,
    is_verified: bool,
) -> None:
    tenant, token = invited
    guest = await factory.person("Guest@Example.com")
    await factory.change(
        'UPDATE "user" SET email_verified_at = CASE WHEN :verified THEN now() END WHERE id = :id',
        id=guest.id,
        verified=is_verified,
    )

    answer = await accept(guest.on(http), token)

    assert answer == {
        "__typename": "AcceptInvitationSuccess",
        "workspace": {"slug": tenant.slug, "viewerRole": "ANALYST"},
        "user": {"id": guest.gid, "email": "Guest@Example.com", "emailVerified": True},
        "tokens": None,
    }
    assert await announced(factory) == [MemberChanged(tenant.id, guest.id)]


async def test_an_invitation_is_of_no_use_to_another_account(
    invited: tuple[Tenant, str], factory: Factory, http: httpx.AsyncClient, nobody: Caller
) -> None:
    tenant, token = invited
    other = await factory.person("other@example.com")
    before = await members(factory, tenant)

    answer = await accept(other.on(http), token)
    after = await members(factory, tenant)
    rightful = await accept(nobody, token, name=NAME, password=PASSWORD)

    assert answer == {
        "__typename": "Forbidden",
        "message": "This invitation was sent to another address than that of your account: sign in with that one.",
    }
    assert after == before
    assert rightful["__typename"] == "AcceptInvitationSuccess"


async def test_who_has_an_account_is_told_to_sign_in(
    invited: tuple[Tenant, str], factory: Factory, http: httpx.AsyncClient, nobody: Caller
) -> None:
    _, token = invited
    guest = await factory.person(GUEST)

    refused = await accept(nobody, token, name=NAME, password=PASSWORD)
    taken = await accept(guest.on(http), token)

    assert refused == {
        "__typename": "Conflict",
        "message": "There is an account with this address: sign in first, then accept.",
    }
    assert taken["__typename"] == "AcceptInvitationSuccess"
    assert [
        (await login(nobody, GUEST, password))["__typename"] for password in (OTHERS, PASSWORD)
    ] == ["LoginSuccess", "InvalidCredentials"]


async def test_who_belongs_to_the_workspace_joins_no_second_time(
    invited: tuple[Tenant, str], factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant, token = invited
    member = await factory.member(tenant, "VIEWER")
    await factory.change(
        'UPDATE "user" SET email = :email WHERE id = :id', email=GUEST, id=member.id
    )

    answer = await accept(member.on(http), token)

    assert answer == {
        "__typename": "Conflict",
        "message": "You belong to this workspace already.",
    }
    assert (await members(factory, tenant))[member.id] == "VIEWER"


@pytest.mark.parametrize(
    ("input", "fields"),
    [
        ({}, ["name", "password", "password"]),
        ({"name": NAME, "password": "short"}, ["password"]),
        ({"name": NAME, "password": GUEST}, ["password"]),
        ({"name": "", "password": PASSWORD}, ["name"]),
        ({"name": "a\nb", "password": PASSWORD}, ["name"]),
    ],
)
async def test_what_an_account_takes_is_asked_for_and_uses_nothing_up(
    invited: tuple[Tenant, str],
    factory: Factory,
    nobody: Caller,
    input: JSON,
    fields: list[str],
) -> None:
    _, token = invited

    refused = await accept(nobody, token, **input)
    taken = await accept(nobody, token, name=NAME, password=PASSWORD)

    assert [field["path"] for field in refused["fields"]] == [[field] for field in fields]
    assert taken["__typename"] == "AcceptInvitationSuccess"


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE invitation SET expires_at = now()",
        "UPDATE invitation SET invited_by = NULL",
        "DELETE FROM invitation",
        "DELETE FROM member WHERE user_id = (SELECT invited_by FROM invitation)",
        "UPDATE member SET role = 'ANALYST' WHERE user_id = (SELECT invited_by FROM invitation)",
    ],
)
async def test_a_link_that_is_over_is_of_no_use(
    invited: tuple[Tenant, str],
    factory: Factory,
    http: httpx.AsyncClient,
    nobody: Caller,
    sql: str,
) -> None:
    tenant, token = invited
    guest = await factory.person(GUEST)
    await factory.change(sql, within=tenant)
    before = await members(factory, tenant)

    answers = [
        await accept(nobody, token, name=NAME, password=PASSWORD),
        await accept(guest.on(http), token),
    ]

    assert answers == [GONE] * 2
    assert await members(factory, tenant) == before
    assert await announced(factory) == []


@pytest.mark.parametrize("token", ["", "x", f"earful_mt_{'A' * 43}"])
async def test_what_is_no_token_is_of_no_use(nobody: Caller, token: str) -> None:
    assert await accept(nobody, token, name=NAME, password=PASSWORD) == GONE


async def test_a_key_accepts_nothing(
    invited: tuple[Tenant, str], factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant, token = invited
    key = await factory.api_key(tenant, "feedback:read")

    answer = await accept(key.on(http), token)

    assert answer == {"__typename": "Forbidden", "message": "API keys may not do this."}
    assert len(await factory.rows("SELECT id FROM invitation")) == 1


async def test_a_link_works_once(
    invited: tuple[Tenant, str], factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant, token = invited
    guest = await factory.person(GUEST)

    first, again = [await accept(guest.on(http), token) for _ in range(2)]
    await remove(guest, http, await factory.membership(tenant, guest))
    late = await accept(guest.on(http), token)

    assert first["__typename"] == "AcceptInvitationSuccess"
    assert [again, late] == [GONE] * 2


async def test_a_link_that_was_sent_before_the_last_is_void(
    invited: tuple[Tenant, str],
    factory: Factory,
    http: httpx.AsyncClient,
    nobody: Caller,
    worker: Worker,
) -> None:
    tenant, token = invited
    ((id_,),) = await factory.rows("SELECT id FROM invitation")
    await factory.change('UPDATE "user" SET email_verified_at = now()')
    owner = tenant.owner.on(http)

    sent = await change(owner, "resendInvitation", INVITED, invitationId=f"invitation_{id_.hex}")
    old = await accept(nobody, token, name=NAME, password=PASSWORD)
    new = await accept(nobody, await token_for(worker), name=NAME, password=PASSWORD)

    assert sent["__typename"] == "ResendInvitationSuccess"
    assert old == GONE
    assert new["__typename"] == "AcceptInvitationSuccess"


async def test_who_is_gone_leaves_no_invitation_that_works(
    factory: Factory, http: httpx.AsyncClient, nobody: Caller, worker: Worker
) -> None:
    tenant, former = await inviter(factory)
    await invite(former.on(http), tenant, GUEST)
    token = await token_for(worker)

    await change(former.on(http), "deleteAccount", password=OTHERS)

    assert await accept(nobody, token, name=NAME, password=PASSWORD) == GONE
    assert await factory.rows("SELECT email, invited_by FROM invitation") == [(GUEST, None)]


async def test_an_owner_who_was_unmade_has_made_nobody_an_owner(
    factory: Factory, http: httpx.AsyncClient, nobody: Caller, worker: Worker
) -> None:
    tenant, former = await inviter(factory, "OWNER")
    await invite(former.on(http), tenant, GUEST, "OWNER")
    token = await token_for(worker)
    await change_role(tenant.owner, http, await factory.membership(tenant, former), "ADMIN")

    assert await accept(nobody, token, name=NAME, password=PASSWORD) == GONE


async def test_of_two_who_accept_at_once_one_joins(
    invited: tuple[Tenant, str],
    factory: Factory,
    nobody: Caller,
    settings: Settings,
) -> None:
    tenant, token = invited

    async with held(settings, *locked(tenant)) as waited_for:
        asked = [
            asyncio.ensure_future(accept(nobody, token, name=NAME, password=PASSWORD))
            for _ in range(2)
        ]
        await waited_for(2)
    answers = await asyncio.gather(*asked)

    assert sorted(answer["__typename"] for answer in answers) == [
        "AcceptInvitationSuccess",
        "InvalidCredentials",
    ]
    assert len(await announced(factory)) == 1


async def test_who_accepts_what_is_being_revoked_joins_or_does_not(
    invited: tuple[Tenant, str],
    factory: Factory,
    nobody: Caller,
    http: httpx.AsyncClient,
    settings: Settings,
) -> None:
    tenant, token = invited
    ((id_,),) = await factory.rows("SELECT id FROM invitation")

    async with held(settings, *locked(tenant)) as waited_for:
        revoking = asyncio.ensure_future(
            change(
                tenant.owner.on(http),
                "revokeInvitation",
                "invitationId",
                invitationId=f"invitation_{id_.hex}",
            )
        )
        await waited_for(1)
        accepting = asyncio.ensure_future(accept(nobody, token, name=NAME, password=PASSWORD))
        await waited_for(2)
    answers = await asyncio.gather(revoking, accepting)

    assert sorted(answer["__typename"] for answer in answers) in (
        ["InvalidCredentials", "RevokeInvitationSuccess"],
        ["AcceptInvitationSuccess", "NotFound"],
    )
    assert len(await announced(factory)) == [a["__typename"] for a in answers].count(
        "AcceptInvitationSuccess"
    )


async def test_what_expired_long_ago_is_forgotten(
    invited: tuple[Tenant, str], factory: Factory, api: Api, database: Database
) -> None:
    tenant, _ = invited
    now = api.services.clock()
    for days, count in ((29, 1), (31, 0)):
        await factory.change(
            "UPDATE invitation SET expires_at = now() - make_interval(days => :days)",
            within=tenant,
            days=days,
        )
        await invitation.forget(database, now)
        assert len(await factory.rows("SELECT id FROM invitation")) == count
    assert await factory.rows("SELECT hash FROM invitation_token") == []
