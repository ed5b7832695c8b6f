"""API keys over GraphQL: made, changed, rotated, revoked and listed by those who manage them."""

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from domain.scopes import Scope
from tests.callers import JSON, Caller
from tests.factories import Factory, Tenant
from tests.graph.partner_queries import CREATE, KEY, REVOKE, ROTATE, UPDATE, WHO, change

UNKNOWN = f"api_key_{'0' * 32}"
LIST = f"query($slug: String!) {{ workspace(slug: $slug) {{ apiKeys {{ {KEY} }} }} }}"
NO_KEY = {"__typename": "NotFound", "message": "There is no such API key."}
LATER = "2099-01-01T00:00:00Z"


async def listed(caller: Caller, tenant: Tenant) -> list[JSON]:
    return (await caller.ask(LIST, slug=tenant.slug))["workspace"]["apiKeys"]  # type: ignore[no-any-return]


async def is_good(http: httpx.AsyncClient, secret: str) -> bool:
    """Whether the secret lets anybody in."""
    answer = await Caller(http, secret).ask(WHO)
    return answer["viewer"] is not None


# Made


async def test_a_key_is_made_with_a_secret_that_is_shown_this_once(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()

    made = await change(
        tenant.owner,
        http,
        CREATE,
        workspaceId=tenant.gid,
        name="Shop",
        scopes=["stats:read", "feedback:read", "stats:read"],
        expiresAt=LATER,
        allowedIps=["203.0.113.0/24", "2001:db8::1"],
    )

    key, secret = made["apiKey"], made["secret"]
    created_at = datetime.fromisoformat(key.pop("createdAt"))
    assert datetime.now(UTC) - created_at < timedelta(minutes=1)
    assert key == {
        "id": key["id"],
        "name": "Shop",
        "prefix": secret[:15],
        "scopes": ["feedback:read", "stats:read"],
        "lastUsedAt": None,
        "expiresAt": LATER,
        "allowedIps": ["203.0.113.0/24", "2001:db8::1/128"],
        "overlapEndsAt": None,
        "revokedAt": None,
        "createdById": tenant.owner.gid,
    }
    (only,) = await listed(tenant.owner.on(http), tenant)
    assert only["id"] == key["id"]
    assert secret not in str(only)


async def test_who_holds_the_secret_is_the_key(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    await factory.tenant(owner=tenant.owner)
    partner = await factory.api_key(tenant, "feedback:write", name="Shop")

    answer = await partner.on(http).ask(WHO)

    assert answer["viewer"] == {
        "user": None,
        "apiKey": {"id": partner.gid, "name": "Shop"},
        "workspaces": [{"id": tenant.gid, "viewerRole": "ANALYST"}],
        "sessions": [],
    }


async def test_a_person_is_no_key(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    await factory.api_key(tenant, *Scope)

    answer = await tenant.owner.on(http).ask(WHO)

    assert answer["viewer"]["apiKey"] is None


@pytest.mark.parametrize(
    ("field", "value", "path", "message"),
    [
        ("name", "", ["name"], "must not be blank"),
        ("name", "two\nlines", ["name"], "must be one line of printable characters"),
        ("name", "x" * 201, ["name"], "must have at most 200 characters, has 201"),
        (
            "scopes",
            ["stats:read", "everything"],
            ["scopes", "1"],
            f"must be one of {', '.join(Scope)}",
        ),
        ("expiresAt", "2026-01-01T00:00:00Z", ["expiresAt"], "must be in the future"),
        (
            "allowedIps",
            ["192.0.2.1", "192.0.2.1/24"],
            ["allowedIps", "1"],
            "must be an IP address or a network such as 203.0.113.0/24",
        ),
        (
            "allowedIps",
            ["localhost"],
            ["allowedIps", "0"],
            "must be an IP address or a network such as 203.0.113.0/24",
        ),
        ("allowedIps", ["192.0.2.1"] * 101, ["allowedIps"], "must be at most 100"),
    ],
)
@pytest.mark.parametrize("mutation", [CREATE, UPDATE])
async def test_what_is_not_right_is_refused(
    factory: Factory,
    http: httpx.AsyncClient,
    mutation: str,
    field: str,
    value: Any,
    path: list[str],
    message: str,
) -> None:
    tenant = await factory.tenant()
    partner = await factory.api_key(tenant, "stats:read")
    made: JSON = {"workspaceId": tenant.gid, "name": "Key", "scopes": []}
    of = {CREATE: made, UPDATE: {"apiKeyId": partner.gid}}[mutation]
    before = await listed(tenant.owner.on(http), tenant)

    answer = await change(tenant.owner, http, mutation, **(of | {field: value}))

    assert answer["fields"] == [{"path": path, "message": message}]
    assert await listed(tenant.owner.on(http), tenant) == before


async def test_a_workspace_has_100_keys_at_most(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    partner = await factory.api_key(tenant)
    await factory.change(
        "INSERT INTO api_key (id, workspace_id, name, prefix, scopes, allowed_ips, created_at)"
        " SELECT gen_random_uuid(), :workspace, 'n', 'p', '{}', '{}', now()"
        " FROM generate_series(1, 98)",
        within=tenant,
        workspace=tenant.id,
    )
    given = {"workspaceId": tenant.gid, "name": "More", "scopes": []}

    made = await asyncio.gather(*(change(tenant.owner, http, CREATE, **given) for _ in range(3)))
    await change(tenant.owner, http, REVOKE, apiKeyId=partner.gid)
    after = await change(tenant.owner, http, CREATE, **given)

    kinds = sorted(answer["__typename"] for answer in made)
    assert kinds == ["CreateApiKeySuccess", "InvalidInput", "InvalidInput"]
    assert after["__typename"] == "CreateApiKeySuccess"


async def test_what_was_revoked_long_ago_is_forgotten_when_another_is_made(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    old, recent = await factory.api_key(tenant), await factory.api_key(tenant)
    for partner, days in ((old, 91), (recent, 89)):
        await change(tenant.owner, http, REVOKE, apiKeyId=partner.gid)
        await factory.change(
            "UPDATE api_key SET revoked_at = now() - make_interval(days => :days) WHERE id = :id",
            within=tenant,
            id=partner.id,
            days=days,
        )

    new = await factory.api_key(tenant)

    keys = await listed(tenant.owner.on(http), tenant)
    assert [key["id"] for key in keys] == [recent.gid, new.gid]


# Who may


@pytest.mark.parametrize("mutation", [UPDATE, ROTATE, REVOKE])
async def test_a_stranger_finds_no_key(
    factory: Factory, http: httpx.AsyncClient, mutation: str
) -> None:
    tenant, stranger = await factory.tenant(), await factory.tenant()
    partner = await factory.api_key(tenant)

    answers = [
        await change(stranger.owner, http, mutation, apiKeyId=id_) for id_ in (partner.gid, UNKNOWN)
    ]

    assert answers == [NO_KEY, NO_KEY]
    assert await is_good(http, partner.token)


@pytest.mark.parametrize("role", ["VIEWER", "ANALYST"])
async def test_who_is_no_admin_may_not_and_sees_none(
    factory: Factory, http: httpx.AsyncClient, role: str
) -> None:
    tenant = await factory.tenant()
    member, partner = await factory.member(tenant, role), await factory.api_key(tenant)

    told = [
        await change(member, http, CREATE, workspaceId=tenant.gid, name="n", scopes=[]),
        *[await change(member, http, m, apiKeyId=partner.gid) for m in (UPDATE, ROTATE, REVOKE)],
    ]

    message = f"You need the role ADMIN to manage API keys; yours is {role}."
    assert told == [{"__typename": "Forbidden", "message": message}] * 4
    assert await listed(member.on(http), tenant) == []
    assert await is_good(http, partner.token)


async def test_an_admin_may(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    admin = await factory.member(tenant, "ADMIN")

    made = await change(admin, http, CREATE, workspaceId=tenant.gid, name="n", scopes=[])

    assert [key["id"] for key in await listed(admin.on(http), tenant)] == [made["apiKey"]["id"]]


async def test_a_key_outlives_whoever_made_it(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    partner = await factory.api_key(tenant, "stats:read")
    await factory.member(tenant, "OWNER")
    await factory.change('DELETE FROM "user" WHERE id = :id', within=tenant, id=tenant.owner.id)

    answer = await partner.on(http).ask("{ viewer { apiKey { createdById } } }")

    assert answer == {"viewer": {"apiKey": {"createdById": None}}}


# Changed


async def test_a_key_is_changed_where_something_is_said(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    partner = await factory.api_key(tenant, "stats:read", allowed_ips=["127.0.0.1"])
    (before,) = await listed(tenant.owner.on(http), tenant)

    changes: list[dict[str, Any]] = [
        {"name": "Other"},
        {"scopes": ["feedback:read"]},
        {"expiresAt": LATER},
        {"expiresAt": None},
        {"allowedIps": []},
    ]
    for given in changes:
        answer = await change(tenant.owner, http, UPDATE, apiKeyId=partner.gid, **given)
        before |= given
        assert answer["apiKey"] == before


async def test_other_scopes_hold_at_once(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    partner = await factory.api_key(tenant, "feedback:read")
    query = (
        "query($slug: String!) { workspace(slug: $slug) { viewerRole feedback { totalCount } } }"
    )
    first = await partner.on(http).ask(query, slug=tenant.slug)

    await change(tenant.owner, http, UPDATE, apiKeyId=partner.gid, scopes=["feedback:write"])
    refused = await partner.on(http).errors(query, slug=tenant.slug)
    await change(tenant.owner, http, UPDATE, apiKeyId=partner.gid, scopes=list(Scope))
    last = await partner.on(http).ask(query, slug=tenant.slug)

    assert first == {"workspace": {"viewerRole": "VIEWER", "feedback": {"totalCount": 0}}}
    assert [error["extensions"]["code"] for error in refused] == ["FORBIDDEN"]
    assert last["workspace"]["viewerRole"] == "ADMIN"


# Rotated


async def test_a_rotated_key_has_two_secrets_for_a_while(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    partner = await factory.api_key(tenant)

    rotated = await change(tenant.owner, http, ROTATE, apiKeyId=partner.gid)

    key = rotated["apiKey"]
    left = datetime.fromisoformat(key["overlapEndsAt"]) - datetime.now(UTC)
    assert timedelta(hours=23, minutes=59) < left <= timedelta(hours=24)
    assert (key["id"], key["prefix"]) == (partner.gid, rotated["secret"][:15])
    assert [await is_good(http, secret) for secret in (partner.token, rotated["secret"])] == [
        True,
        True,
    ]


async def test_without_overlap_all_earlier_secrets_end(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    partner = await factory.api_key(tenant)
    assert await is_good(http, partner.token)
    second = await change(tenant.owner, http, ROTATE, apiKeyId=partner.gid, overlapHours=168)
    assert await is_good(http, partner.token)

    third = await change(tenant.owner, http, ROTATE, apiKeyId=partner.gid, overlapHours=0)

    secrets = [partner.token, second["secret"], third["secret"]]
    assert [await is_good(http, secret) for secret in secrets] == [False, False, True]


@pytest.mark.parametrize("hours", [-1, 169])
async def test_an_overlap_has_bounds(factory: Factory, http: httpx.AsyncClient, hours: int) -> None:
    tenant = await factory.tenant()
    partner = await factory.api_key(tenant)

    answer = await change(tenant.owner, http, ROTATE, apiKeyId=partner.gid, overlapHours=hours)

    assert answer["fields"] == [{"path": ["overlapHours"], "message": "must be from 0 to 168"}]


# Revoked


async def test_a_revoked_key_is_good_for_nothing_and_stays_listed(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    partner = await factory.api_key(tenant, *Scope)
    rotated = await change(tenant.owner, http, ROTATE, apiKeyId=partner.gid)
    assert await is_good(http, partner.token)

    revoked = await change(tenant.owner, http, REVOKE, apiKeyId=partner.gid)
    again = await change(tenant.owner, http, REVOKE, apiKeyId=partner.gid)

    assert [await is_good(http, secret) for secret in (partner.token, rotated["secret"])] == [
        False,
        False,
    ]
    assert revoked["apiKey"]["revokedAt"] is not None
    assert again == revoked
    assert await listed(tenant.owner.on(http), tenant) == [revoked["apiKey"]]


@pytest.mark.parametrize("mutation", [UPDATE, ROTATE])
async def test_a_revoked_key_cannot_be_changed(
    factory: Factory, http: httpx.AsyncClient, mutation: str
) -> None:
    tenant = await factory.tenant()
    partner = await factory.api_key(tenant)
    await change(tenant.owner, http, REVOKE, apiKeyId=partner.gid)

    answer = await change(tenant.owner, http, mutation, apiKeyId=partner.gid)

    assert answer == {
        "__typename": "Conflict",
        "message": "This API key is revoked; make another one.",
    }


# What is kept


async def test_no_row_has_a_secret(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    partner = await factory.api_key(tenant, "stats:read")
    rotated = await change(tenant.owner, http, ROTATE, apiKeyId=partner.gid)
    await is_good(http, partner.token)

    rows = [
        str(row)
        for table in ("api_key", "api_key_secret", "member", "outbox")
        for row in await factory.rows(f"SELECT t::text FROM {table} t")
    ]

    secrets = [partner.token, rotated["secret"]]
    hashes = await factory.rows("SELECT hash FROM api_key_secret")
    assert {hash_ for (hash_,) in hashes} == {
        hashlib.sha256(secret.encode()).digest() for secret in secrets
    }
    assert [row for row in rows for secret in secrets if secret[16:] in row] == []


# Members


async def test_a_key_is_no_member_that_people_see(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    partner = await factory.api_key(tenant, *Scope)
    ((place,),) = await factory.rows(
        "SELECT id FROM member WHERE api_key_id = :key", key=partner.id
    )
    member = f"member_{place.hex}"
    caller = tenant.owner.on(http)

    seen = await caller.ask(
        "query($slug: String!, $id: ID!) { workspace(slug: $slug) { members { user { id } } } node(id: $id) { id } }",
        slug=tenant.slug,
        id=member,
    )
    removed = await caller.ask(
        "mutation($id: ID!) { removeMember(input: {memberId: $id}) { __typename } }", id=member
    )
    promoted = await caller.ask(
        "mutation($id: ID!) { changeMemberRole(input: {memberId: $id, role: OWNER}) { __typename } }",
        id=member,
    )

    assert seen == {"workspace": {"members": [{"user": {"id": tenant.owner.gid}}]}, "node": None}
    assert removed == {"removeMember": {"__typename": "NotFound"}}
    assert promoted == {"changeMemberRole": {"__typename": "NotFound"}}


async def test_a_workspace_with_keys_needs_an_owner_still(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    await factory.api_key(tenant, *Scope)
    member = await factory.membership(tenant, tenant.owner)

    answer = await tenant.owner.on(http).ask(
        "mutation($id: ID!) { removeMember(input: {memberId: $id}) { __typename } }", id=member
    )

    assert answer == {"removeMember": {"__typename": "Conflict"}}
