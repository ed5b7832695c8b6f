"""The tags of a workspace over GraphQL: making them."""

import asyncio

import httpx
import pytest

from tests.factories import Factory
from tests.graph.workspace_queries import create_tag, refusal


@pytest.mark.parametrize("role", ["ANALYST", "ADMIN", "OWNER"])
async def test_a_tag_is_made(factory: Factory, http: httpx.AsyncClient, role: str) -> None:
    tenant = await factory.tenant()
    member = await factory.member(tenant, role)

    answer = await create_tag(
        member, http, workspaceId=tenant.gid, name="Größe \U0001f44d", color="#Ff00aA"
    )

    assert answer["tag"] == {
        "id": answer["tag"]["id"],
        "name": "Größe \U0001f44d",
        "color": "#Ff00aA",
    }


async def test_a_tag_without_a_colour_is_grey(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()

    answers = [
        await create_tag(tenant.owner, http, workspaceId=tenant.gid, name="one"),
        await create_tag(tenant.owner, http, workspaceId=tenant.gid, name="two", color=None),
    ]

    assert [answer["tag"]["color"] for answer in answers] == ["#6b7280"] * 2


@pytest.mark.parametrize("name", ["bug", "BUG", "Bug"])
async def test_a_taken_tag_name_is_a_conflict_in_any_case(
    factory: Factory, http: httpx.AsyncClient, name: str
) -> None:
    tenant = await factory.tenant()
    await factory.tag(tenant, "Bug")

    answer = await create_tag(tenant.owner, http, workspaceId=tenant.gid, name=name)

    assert answer == {
        "__typename": "Conflict",
        "message": "This workspace has a tag of this name already.",
    }
    assert await factory.rows("SELECT name FROM tag") == [("Bug",)]


async def test_a_tag_name_of_another_workspace_is_free(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant, other = await factory.tenant(), await factory.tenant()
    await factory.tag(other, "bug")

    answer = await create_tag(tenant.owner, http, workspaceId=tenant.gid, name="bug")

    assert answer["__typename"] == "CreateTagSuccess"


async def test_of_callers_at_once_one_makes_the_tag(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()

    answers = await asyncio.gather(
        *(
            create_tag(tenant.owner, http, workspaceId=tenant.gid, name=name)
            for name in ("bug", "Bug", "BUG")
        )
    )

    assert sorted(answer["__typename"] for answer in answers) == [
        "Conflict",
        "Conflict",
        "CreateTagSuccess",
    ]
    assert await factory.rows("SELECT count(*) FROM tag") == [(1,)]


@pytest.mark.parametrize(
    "color", ["", "red", "#fff", "#12345", "#1234567", "112233", "#11223g", "#112233\n", "\x00"]
)
async def test_what_is_no_colour_is_refused(
    factory: Factory, http: httpx.AsyncClient, color: str
) -> None:
    tenant = await factory.tenant()

    answer = await create_tag(tenant.owner, http, workspaceId=tenant.gid, name="bug", color=color)

    assert answer == refusal("color", "must be a colour like #1a2b3c")
    assert await factory.rows("SELECT count(*) FROM tag") == [(0,)]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "must not be blank"),
        ("\n", "must not be blank"),
        ("\x00", "must not contain the NUL character"),
        ("x" * 61, "must have at most 60 characters, has 61"),
    ],
)
async def test_a_tag_name_may_not_be(
    factory: Factory, http: httpx.AsyncClient, name: str, message: str
) -> None:
    tenant = await factory.tenant()

    answer = await create_tag(tenant.owner, http, workspaceId=tenant.gid, name=name)

    assert answer == refusal("name", message)
    assert await factory.rows("SELECT count(*) FROM tag") == [(0,)]


async def test_a_viewer_makes_no_tag(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    viewer = await factory.member(tenant, "VIEWER")

    answer = await create_tag(viewer, http, workspaceId=tenant.gid, name="bug")

    assert answer == {
        "__typename": "Forbidden",
        "message": "You need the role ANALYST to tag feedback; yours is VIEWER.",
    }
    assert await factory.rows("SELECT count(*) FROM tag") == [(0,)]
