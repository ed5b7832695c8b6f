"""Invitations over GraphQL: sent, renewed, taken back, and listed."""

import asyncio
from typing import Any

import httpx
import pytest

from app.settings import Settings
from tests.callers import JSON, Caller
from tests.factories import Factory, Person, Tenant
from tests.graph.account_queries import change, verified
from tests.graph.invitations import (
    INVITED,
    LETTER,
    fresh,
    invitations,
    invite,
    inviter,
    letters,
    token_for,
)
from tests.graph.test_member import forbidden, remove
from tests.holding import held
from tests.working import Worker

UNKNOWN = f"invitation_{'0' * 32}"
NO_INVITATION = {"__typename": "NotFound", "message": "There is no such invitation."}
NO_WORKSPACE = {"__typename": "NotFound", "message": "There is no such workspace."}
LISTED = """
    query($slug: String!) { workspace(slug: $slug) { invitations { email role invitedBy { id } } } }
"""


async def listed(caller: Caller, slug: str) -> JSON:
    return (await caller.ask(LISTED, slug=slug))["workspace"]["invitations"]


async def test_an_invitation_is_mailed_and_listed(
    factory: Factory, http: httpx.AsyncClient, worker: Worker
) -> None:
    tenant, admin = await inviter(factory, "ADMIN")

    answer = await invite(admin.on(http), tenant, " New.Person@example.com ", "ANALYST")

    assert answer["invitation"] == {
        "id": answer["invitation"]["id"],
        "email": "New.Person@example.com",
        "role": "ANALYST",
        "invitedBy": {"id": admin.gid},
    }
    assert await listed(tenant.owner.on(http), tenant.slug) == [
        {"email": "New.Person@example.com", "role": "ANALYST", "invitedBy": {"id": admin.gid}}
    ]
    await worker.work()
    (mail,) = worker.mail()
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert (mail["to"], mail["subject"]) == ("New.Person@example.com", LETTER)
    said = f"{admin.email} invites you to the workspace “{tenant.slug.title()}”"
    assert said in plain.get_content()
    assert said in html.get_content()
    link = "http://earful.test/account/accept-invitation?token=earful_mt_"
    assert link in plain.get_content()
    assert link in html.get_content()


async def test_what_is_mailed_is_stored_as_a_hash(
    factory: Factory, http: httpx.AsyncClient, worker: Worker
) -> None:
    tenant, admin = await inviter(factory)
    await invite(admin.on(http), tenant)

    token = await token_for(worker)

    ((hash_, lasts),) = await factory.rows(
        "SELECT hash, expires_at - i.created_at = interval '7 days'"
        " FROM invitation i JOIN invitation_token t ON invitation_id = id"
    )
    stored = await factory.rows("SELECT i::text, t::text FROM invitation i, invitation_token t")
    jobs = await factory.rows("SELECT j::text FROM job j")
    assert (len(hash_), lasts) == (32, True)
    assert token not in str(stored) + str(jobs)


async def test_whether_an_address_has_an_account_shows_nowhere(
    factory: Factory, http: httpx.AsyncClient, worker: Worker
) -> None:
    tenant, admin = await inviter(factory)
    known, unknown = await factory.person("known@example.com"), "nobody@example.com"

    answers = [await invite(admin.on(http), tenant, email) for email in (known.email, unknown)]
    await worker.work()

    told = [
        str(answer).replace(answer["invitation"]["id"], "").replace(email, "")
        for answer, email in zip(answers, (known.email, unknown), strict=True)
    ]
    assert told[0] == told[1]
    texts = [
        plain.get_content().partition("token=")[0]
        for mail in worker.mail()
        if (plain := mail.get_body(("plain",)))
    ]
    assert len(texts) == 2
    assert texts[0] == texts[1]


@pytest.mark.parametrize(
    ("actor", "role", "refused"),
    [
        (actor, "VIEWER", forbidden("ADMIN", "manage members who are not owners", actor))
        for actor in ("VIEWER", "ANALYST")
    ]
    + [("ADMIN", "OWNER", forbidden("OWNER", "make or unmake owners", "ADMIN"))],
)
async def test_nobody_invites_who_may_not(
    factory: Factory, http: httpx.AsyncClient, actor: str, role: str, refused: JSON
) -> None:
    tenant, person = await inviter(factory, actor)

    answer = await invite(person.on(http), tenant, role=role)

    assert answer == refused
    assert await invitations(factory) == []
    assert await factory.rows("SELECT id FROM job") == []


async def test_an_owner_invites_an_owner(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant, owner = await inviter(factory, "OWNER")

    answer = await invite(owner.on(http), tenant, role="OWNER")

    assert answer["invitation"]["role"] == "OWNER"


async def test_an_admin_touches_no_invitation_of_an_owner(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant, owner = await inviter(factory, "OWNER")
    admin = await fresh(factory, tenant, "ADMIN")
    id_ = (await invite(owner.on(http), tenant, role="OWNER"))["invitation"]["id"]
    before = await invitations(factory)

    answers = [
        await invite(admin.on(http), tenant, role="VIEWER"),
        await change(admin.on(http), "resendInvitation", INVITED, invitationId=id_),
        await change(admin.on(http), "revokeInvitation", "invitationId", invitationId=id_),
    ]

    assert answers == [forbidden("OWNER", "make or unmake owners", "ADMIN")] * 3
    assert await invitations(factory) == before


async def test_who_has_not_proven_their_address_invites_nobody(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()

    answer = await invite(tenant.owner.on(http), tenant)

    assert answer == {"__typename": "Conflict", "message": "Verify your e-mail address first."}
    assert await invitations(factory) == []


async def test_a_member_is_not_invited(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant, admin = await inviter(factory)
    member = await factory.member(tenant, "VIEWER")

    answer = await invite(admin.on(http), tenant, member.email.upper(), "ADMIN")

    assert answer == {
        "__typename": "Conflict",
        "message": "Whoever has this address belongs to the workspace already.",
    }
    assert await invitations(factory) == []


@pytest.mark.parametrize("email", ["", "ada", "a@b.example\nbcc: c@d.example", "a\x00@b.example"])
async def test_what_is_no_address_is_not_invited(
    factory: Factory, http: httpx.AsyncClient, email: str
) -> None:
    tenant, admin = await inviter(factory)

    answer = await invite(admin.on(http), tenant, email)

    assert [field["path"] for field in answer["fields"]] == [["email"]]
    assert await invitations(factory) == []


async def test_strangers_and_keys_invite_nobody(
    factory: Factory, http: httpx.AsyncClient, nobody: Caller
) -> None:
    tenant, admin = await inviter(factory)
    id_ = (await invite(admin.on(http), tenant))["invitation"]["id"]
    other, stranger = await inviter(factory, "OWNER")
    before = await invitations(factory)

    answers = [
        await invite(stranger.on(http), tenant),
        *[
            await change(stranger.on(http), name, "__typename", invitationId=each)
            for name in ("resendInvitation", "revokeInvitation")
            for each in (id_, UNKNOWN)
        ],
    ]
    seen = await stranger.on(http).ask("query($id: ID!) { node(id: $id) { id } }", id=id_)
    key = await factory.api_key(tenant, "feedback:read")
    refused = [
        (await caller.errors(LISTED_BY_ID, id=tenant.gid))[0]["extensions"]["code"]
        for caller in (nobody, key.on(http))
    ]

    assert answers == [NO_WORKSPACE] + [NO_INVITATION] * 4
    assert seen == {"node": None}
    assert refused == ["UNAUTHENTICATED", "FORBIDDEN"]
    assert await invitations(factory) == before
    assert other.id != tenant.id


LISTED_BY_ID = "query($id: ID!) { node(id: $id) { ... on Workspace { invitations { email } } } }"


@pytest.mark.parametrize(("role", "count"), [("VIEWER", 0), ("ANALYST", 0), ("ADMIN", 1)])
async def test_invitations_are_seen_by_who_manages_members(
    factory: Factory, http: httpx.AsyncClient, role: str, count: int
) -> None:
    tenant, owner = await inviter(factory, "OWNER")
    id_ = (await invite(owner.on(http), tenant))["invitation"]["id"]
    member = await factory.member(tenant, role)

    seen = await listed(member.on(http), tenant.slug)
    found = await member.on(http).ask("query($id: ID!) { node(id: $id) { id } }", id=id_)

    assert len(seen) == count
    assert found == {"node": {"id": id_} if count else None}


async def test_an_address_has_one_invitation_which_is_renewed(
    factory: Factory, http: httpx.AsyncClient, worker: Worker
) -> None:
    tenant, admin = await inviter(factory)
    first = await invite(admin.on(http), tenant, "ada@example.com", "VIEWER")
    before = await token_for(worker)
    await factory.change(
        "UPDATE invitation SET created_at = now() - interval '9 days', expires_at = now()",
        within=tenant,
    )

    again = await invite(tenant.owner.on(http), tenant, "Ada@example.com", "ADMIN")
    await factory.change('UPDATE "user" SET email_verified_at = now()')
    renewed = await invite(tenant.owner.on(http), tenant, "Ada@example.com", "ADMIN")

    assert again["__typename"] == "Conflict"
    assert renewed["invitation"]["id"] == first["invitation"]["id"]
    assert await factory.rows(
        "SELECT email, role, invited_by, expires_at > now() + interval '6 days' FROM invitation"
    ) == [("ada@example.com", "ADMIN", tenant.owner.id, True)]
    assert await token_for(worker) != before
    assert len(await factory.rows("SELECT hash FROM invitation_token")) == 1


async def test_one_address_invited_by_two_at_once_has_one_invitation(
    factory: Factory, http: httpx.AsyncClient, settings: Settings, worker: Worker
) -> None:
    tenant, admin = await inviter(factory)
    other = await fresh(factory, tenant, "ADMIN")

    async with held(settings, *locked(tenant)) as waited_for:
        asked = [
            asyncio.ensure_future(invite(person.on(http), tenant)) for person in (admin, other)
        ]
        await waited_for(2)
    answers = await asyncio.gather(*asked)

    assert [answer["__typename"] for answer in answers] == ["InviteMemberSuccess"] * 2
    assert len(await invitations(factory)) == 1
    assert len(await letters(worker)) == 1


def locked(tenant: Tenant) -> tuple[str, str]:
    """What keeps everybody from changing the workspace's members."""
    return (
        f"SELECT set_config('earful.workspace_id', '{tenant.id}', true)",
        f"SELECT 1 FROM workspace WHERE id = '{tenant.id}' FOR UPDATE",
    )


async def test_an_invitation_is_sent_again_with_another_link(
    factory: Factory, http: httpx.AsyncClient, worker: Worker
) -> None:
    tenant, admin = await inviter(factory)
    id_ = (await invite(admin.on(http), tenant))["invitation"]["id"]
    first = await token_for(worker)
    other = await fresh(factory, tenant, "ADMIN")

    answer = await change(other.on(http), "resendInvitation", INVITED, invitationId=id_)

    assert answer["invitation"]["invitedBy"] == {"id": other.gid}
    assert await token_for(worker) != first
    assert len(await letters(worker)) == 2


async def test_a_revoked_invitation_is_mailed_no_more(
    factory: Factory, http: httpx.AsyncClient, worker: Worker
) -> None:
    tenant, admin = await inviter(factory)
    id_ = (await invite(admin.on(http), tenant))["invitation"]["id"]

    answer = await change(admin.on(http), "revokeInvitation", "invitationId", invitationId=id_)
    again = await change(admin.on(http), "revokeInvitation", "invitationId", invitationId=id_)

    assert answer == {"__typename": "RevokeInvitationSuccess", "invitationId": id_}
    assert again == NO_INVITATION
    assert await letters(worker) == []


async def test_nothing_is_mailed_in_the_name_of_who_has_left(
    factory: Factory, http: httpx.AsyncClient, worker: Worker
) -> None:
    tenant, admin = await inviter(factory)
    await invite(admin.on(http), tenant)
    await remove(admin, http, await factory.membership(tenant, admin))

    assert await letters(worker) == []
    assert [row["invitedBy"] for row in await listed(tenant.owner.on(http), tenant.slug)] == [None]


async def test_a_workspace_has_so_many_invitations_and_no_more(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant, admin = await inviter(factory)
    await factory.change(_MANY, within=tenant, workspace=tenant.id, size=499)

    answers = [
        await invite(admin.on(http), tenant, email)
        for email in ("a@example.com", "b@example.com", "A@example.com")
    ]

    assert [answer["__typename"] for answer in answers] == [
        "InviteMemberSuccess",
        "InvalidInput",
        "InviteMemberSuccess",
    ]
    assert [field["path"] for field in answers[1]["fields"]] == [["workspaceId"]]


_MANY = """
    INSERT INTO invitation (id, workspace_id, email, role, created_at, expires_at)
    SELECT gen_random_uuid(), :workspace, number || '@example.org', 'VIEWER', now(), now()
    FROM generate_series(1, :size) AS number
"""


@pytest.mark.parametrize(
    ("emails", "tenants", "inviters"),
    [
        (["ada@example.com"] * 11, 1, 1),
        ([f"{number}@example.com" for number in range(101)], 1, 2),
        ([f"{number}@example.org" for number in range(101)], 2, 1),
    ],
)
async def test_letters_are_counted_by_address_by_workspace_and_by_inviter(
    strict: httpx.AsyncClient,
    factory: Factory,
    emails: list[str],
    tenants: int,
    inviters: int,
) -> None:
    people = [await verified(factory) for _ in range(inviters)]
    places = [await factory.tenant(owner=people[0]) for _ in range(tenants)]
    await _join(factory, places, people[1:])
    emails = [email.replace("@", f".{places[0].id.hex}@") for email in emails]

    answers: list[Any] = [
        await invite(people[i % inviters].on(strict), places[i % tenants], email)
        for i, email in enumerate(emails)
    ]

    names = [answer["__typename"] for answer in answers]
    assert names == ["InviteMemberSuccess"] * (len(emails) - 1) + ["RateLimited"]
    assert len(await factory.rows("SELECT id FROM invitation")) == len(set(emails[:-1]))


async def _join(factory: Factory, places: list[Tenant], people: list[Person]) -> None:
    for tenant in places:
        for person in people:
            await factory.change(
                "INSERT INTO member (id, workspace_id, user_id, role, joined_at)"
                " VALUES (gen_random_uuid(), :workspace, :user, 'ADMIN', now())",
                within=tenant,
                workspace=tenant.id,
                user=person.id,
            )


async def test_a_stranger_uses_up_nobodys_letters(
    strict: httpx.AsyncClient, factory: Factory
) -> None:
    tenant, admin = await inviter(factory)
    _, stranger = await inviter(factory, "OWNER")

    for _ in range(11):
        assert await invite(stranger.on(strict), tenant, "eve@example.com") == NO_WORKSPACE
    answer = await invite(admin.on(strict), tenant, "eve@example.com")

    assert answer["__typename"] == "InviteMemberSuccess"
