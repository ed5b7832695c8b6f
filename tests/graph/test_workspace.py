"""Workspaces over GraphQL: who sees them, what is in them, and making them."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.callers import JSON, Caller
from tests.factories import Factory, Person
from tests.graph.workspace_queries import (
    CREATE_SOURCE,
    CREATE_TAG,
    PROBLEM,
    create_source,
    create_tag,
    refusal,
)

UNKNOWN = "0" * 32
NO_WORKSPACE = {"__typename": "NotFound", "message": "There is no such workspace."}
CREATE_WORKSPACE = f"""
    mutation($input: CreateWorkspaceInput!) {{
      createWorkspace(input: $input) {{
        {PROBLEM}
        ... on CreateWorkspaceSuccess {{
          workspace {{
            id name slug viewerRole
            members {{ role user {{ id }} }} sources {{ name kind provider }} tags {{ name }}
          }}
        }}
      }}
    }}
"""


async def create_workspace(person: Person, http: httpx.AsyncClient, **input: Any) -> JSON:
    return (await person.on(http).ask(CREATE_WORKSPACE, input=input))["createWorkspace"]


# Seeing


@pytest.mark.parametrize("role", ["VIEWER", "ANALYST", "ADMIN", "OWNER"])
async def test_a_member_sees_the_workspace(
    factory: Factory, http: httpx.AsyncClient, role: str
) -> None:
    tenant = await factory.tenant("acme")
    member = await factory.member(tenant, role)

    answer = await member.on(http).ask(
        '{ workspace(slug: "acme") { id name slug viewerRole apiKeys { id } jobs { nodes { id } } } }'
    )

    assert answer["workspace"] == {
        "id": tenant.gid,
        "name": "Acme",
        "slug": "acme",
        "viewerRole": role,
        "apiKeys": [],
        "jobs": {"nodes": []},
    }


@pytest.mark.parametrize("slug", ["acme", "none", "ACME", "", "a b", "x" * 1_000, "\x00", "acme\n"])
async def test_a_stranger_sees_null_for_any_slug(
    factory: Factory, http: httpx.AsyncClient, slug: str
) -> None:
    await factory.tenant("acme")
    stranger = await factory.tenant()

    answer = await stranger.owner.on(http).ask(
        "query($slug: String!) { workspace(slug: $slug) { id } }", slug=slug
    )

    assert answer == {"workspace": None}


async def test_nobody_sees_no_workspace_and_no_viewer(factory: Factory, nobody: Caller) -> None:
    await factory.tenant("acme")

    (error,) = await nobody.errors('{ workspace(slug: "acme") { id } }')
    viewer = await nobody.ask("{ viewer { user { id } } }")

    assert error["extensions"] == {"code": "UNAUTHENTICATED"}
    assert viewer == {"viewer": None}


async def test_the_viewer_is_the_caller_and_their_workspaces(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    person = await factory.person("ada@example.com", "Ada")
    await factory.tenant("second")
    first = await factory.tenant("zebra", owner=person)
    last = await factory.tenant("aardvark", owner=person)

    answer = await person.on(http).ask(
        "{ viewer { user { id email name emailVerified } workspaces { id viewerRole } apiKey { id } } }"
    )

    assert answer["viewer"] == {
        "user": {
            "id": person.gid,
            "email": "ada@example.com",
            "name": "Ada",
            "emailVerified": False,
        },
        "workspaces": [
            {"id": first.gid, "viewerRole": "OWNER"},
            {"id": last.gid, "viewerRole": "OWNER"},
        ],
        "apiKey": None,
    }


async def test_members_are_listed_the_longest_standing_first(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant("acme")
    analyst = await factory.member(tenant, "ANALYST")
    viewer = await factory.member(tenant, "VIEWER")

    answer = await viewer.on(http).ask(
        '{ workspace(slug: "acme") { members { role user { id email } } } }'
    )

    assert answer["workspace"]["members"] == [
        {"role": "OWNER", "user": {"id": tenant.owner.gid, "email": tenant.owner.email}},
        {"role": "ANALYST", "user": {"id": analyst.gid, "email": analyst.email}},
        {"role": "VIEWER", "user": {"id": viewer.gid, "email": viewer.email}},
    ]


async def test_lists_of_several_workspaces_keep_apart(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    first = await factory.tenant()
    second = await factory.tenant(owner=first.owner)
    stranger = await factory.tenant()
    await factory.member(second, "VIEWER")
    await factory.tag(first, "b")
    await factory.tag(first, "a")
    await factory.tag(second, "c")
    await factory.tag(stranger, "d")

    answer = await first.owner.on(http).ask(
        "{ viewer { workspaces { tags { name } sources { name } members { role } } } }"
    )

    sources = [{"name": "API"}, {"name": "Hook"}]
    assert answer["viewer"]["workspaces"] == [
        {
            "tags": [{"name": "a"}, {"name": "b"}],
            "sources": sources,
            "members": [{"role": "OWNER"}],
        },
        {
            "tags": [{"name": "c"}],
            "sources": sources,
            "members": [{"role": "OWNER"}, {"role": "VIEWER"}],
        },
    ]


async def test_jobs_are_paged_the_newest_first(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant("acme")
    stranger = await factory.tenant()
    await factory.job(stranger)
    newest_last = [await factory.job(tenant, f"kind {number}") for number in range(3)]
    caller = tenant.owner.on(http)
    query = """
        query($after: String) { workspace(slug: "acme") { jobs(first: 2, after: $after) {
          nodes { id kind status progress attempts error startedAt finishedAt resultUrl }
          pageInfo { hasNextPage hasPreviousPage endCursor }
        } } }
    """

    first = (await caller.ask(query))["workspace"]["jobs"]
    cursor = first["pageInfo"]["endCursor"]
    second = (await caller.ask(query, after=cursor))["workspace"]["jobs"]

    assert [node["id"] for node in first["nodes"] + second["nodes"]] == newest_last[::-1]
    assert (first["pageInfo"]["hasNextPage"], second["pageInfo"]["hasNextPage"]) == (True, False)
    assert second["pageInfo"]["hasPreviousPage"] is True
    assert second["nodes"] == [
        {
            "id": newest_last[0],
            "kind": "kind 0",
            "status": "QUEUED",
            "progress": None,
            "attempts": 0,
            "error": None,
            "startedAt": None,
            "finishedAt": None,
            "resultUrl": None,
        }
    ]


async def test_a_cursor_of_feedback_is_none_of_jobs(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant("acme")
    await factory.feedback(tenant)
    caller = tenant.owner.on(http)
    answer = await caller.ask('{ workspace(slug: "acme") { feedback { pageInfo { endCursor } } } }')

    (error,) = await caller.errors(
        'query($after: String) { workspace(slug: "acme") { jobs(after: $after) { nodes { id } } } }',
        after=answer["workspace"]["feedback"]["pageInfo"]["endCursor"],
    )

    assert error["extensions"] == {"code": "INVALID_INPUT"}


async def test_a_cursor_of_jobs_fits_no_list_of_several_workspaces(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant("acme")
    await factory.tenant(owner=tenant.owner)
    await factory.job(tenant)
    caller = tenant.owner.on(http)
    answer = await caller.ask('{ workspace(slug: "acme") { jobs { pageInfo { endCursor } } } }')

    errors = await caller.errors(
        "query($after: String) { viewer { workspaces { jobs(after: $after) { nodes { id } } } } }",
        after=answer["workspace"]["jobs"]["pageInfo"]["endCursor"],
    )

    assert {error["extensions"]["code"] for error in errors} == {"INVALID_INPUT"}


# Making a workspace


async def test_who_makes_a_workspace_owns_it(factory: Factory, http: httpx.AsyncClient) -> None:
    person = await factory.person()

    answer = await create_workspace(person, http, name=" Acme & Söhne \U0001f44d", slug="acme-1")

    workspace = answer["workspace"]
    assert answer["__typename"] == "CreateWorkspaceSuccess"
    assert workspace == {
        "id": workspace["id"],
        "name": " Acme & Söhne \U0001f44d",
        "slug": "acme-1",
        "viewerRole": "OWNER",
        "members": [{"role": "OWNER", "user": {"id": person.gid}}],
        "sources": [{"name": "API", "kind": "API", "provider": "STANDARD"}],
        "tags": [],
    }


@pytest.mark.parametrize("slug", ["a", "0", "a-b", "a--b", "9lives", "x" * 63])
async def test_a_slug_may_be(factory: Factory, http: httpx.AsyncClient, slug: str) -> None:
    person = await factory.person()

    answer = await create_workspace(person, http, name="Acme", slug=slug)

    assert answer["workspace"]["slug"] == slug


@pytest.mark.parametrize(
    "slug",
    ["", "-", "-a", "a-", "A", "a_b", "a b", "a.b", "a/b", "é", "a\n", "a\x00", "x" * 64, "\uff41"],
)
async def test_a_slug_may_not_be(factory: Factory, http: httpx.AsyncClient, slug: str) -> None:
    person = await factory.person()

    answer = await create_workspace(person, http, name="Acme", slug=slug)

    assert answer == refusal(
        "slug", "must be 1 to 63 lower-case letters, digits and inner hyphens, as in a URL"
    )
    assert await factory.rows("SELECT slug FROM workspace") == []


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "must not be blank"),
        (" ", "must not be blank"),
        ("\x00", "must not contain the NUL character"),
        ("x" * 201, "must have at most 200 characters, has 201"),
    ],
)
async def test_a_workspace_name_may_not_be(
    factory: Factory, http: httpx.AsyncClient, name: str, message: str
) -> None:
    tenant = await factory.tenant("before")

    answers = [
        await create_workspace(tenant.owner, http, name=name, slug="after"),
        await create_source(tenant.owner, http, workspaceId=tenant.gid, name=name),
    ]

    assert answers == [refusal("name", message)] * 2
    assert await factory.rows("SELECT slug FROM workspace") == [("before",)]
    assert await factory.rows("SELECT count(*) FROM source") == [(2,)]


async def test_a_taken_slug_is_a_conflict_and_changes_nothing(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    await factory.tenant("acme")
    stranger = await factory.person()

    answer = await create_workspace(stranger, http, name="Mine", slug="acme")

    assert answer == {"__typename": "Conflict", "message": "This slug is taken."}
    assert await factory.rows("SELECT name FROM workspace") == [("Acme",)]
    assert await factory.rows("SELECT count(*) FROM member") == [(1,)]


async def test_of_callers_at_once_one_gets_the_slug(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    people = [await factory.person() for _ in range(4)]

    answers = await asyncio.gather(
        *(create_workspace(person, http, name="Mine", slug="acme") for person in people)
    )

    assert sorted(answer["__typename"] for answer in answers) == [
        *["Conflict"] * 3,
        "CreateWorkspaceSuccess",
    ]
    assert await factory.rows("SELECT count(*) FROM member") == [(1,)]


async def test_nobody_makes_nothing(factory: Factory, nobody: Caller) -> None:
    tenant = await factory.tenant()

    refused = [
        await nobody.errors(CREATE_WORKSPACE, input={"name": "Mine", "slug": "mine"}),
        await nobody.errors(CREATE_SOURCE, input={"workspaceId": tenant.gid, "name": "Mine"}),
        await nobody.errors(CREATE_TAG, input={"workspaceId": tenant.gid, "name": "mine"}),
    ]

    assert [errors[0]["extensions"] for errors in refused] == [{"code": "UNAUTHENTICATED"}] * 3
    assert await factory.rows("SELECT slug FROM workspace") == [(tenant.slug,)]
    assert await factory.rows("SELECT count(*) FROM source") == [(2,)]
    assert await factory.rows("SELECT count(*) FROM tag") == [(0,)]


# Making something in a workspace


async def test_a_stranger_makes_nothing_in_a_workspace(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant, stranger = await factory.tenant(), await factory.tenant()

    answers = [
        answer
        for id_ in (tenant.gid, f"workspace_{UNKNOWN}")
        for answer in (
            await create_source(stranger.owner, http, workspaceId=id_, name="Mine"),
            await create_tag(stranger.owner, http, workspaceId=id_, name="mine"),
        )
    ]

    assert answers == [NO_WORKSPACE] * 4
    assert await factory.rows("SELECT count(*) FROM source") == [(4,)]
    assert await factory.rows("SELECT count(*) FROM tag") == [(0,)]


@pytest.mark.parametrize("id", ["", "acme", f"source_{UNKNOWN}", "workspace_1"])
async def test_making_something_in_what_is_no_workspace_id_is_refused(
    factory: Factory, http: httpx.AsyncClient, id: str
) -> None:
    tenant = await factory.tenant()

    answers = [
        await create_source(tenant.owner, http, workspaceId=id, name="Mine"),
        await create_tag(tenant.owner, http, workspaceId=id, name="mine"),
    ]

    message = f"must be a workspace id, such as workspace_{UNKNOWN}"
    assert (
        answers
        == [
            {
                "__typename": "InvalidInput",
                "message": f"`workspaceId` {message}.",
                "fields": [{"path": ["workspaceId"], "message": message}],
            }
        ]
        * 2
    )
