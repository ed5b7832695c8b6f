"""Saved views over GraphQL."""

from typing import Any

import httpx
import pytest

from tests.callers import JSON, Caller
from tests.factories import Factory, Tenant
from tests.graph.feedback_queries import UNKNOWN, page
from tests.graph.test_notes import change

SHOWN = "savedView { id name filter orderBy isShared createdById }"
VIEWS = """
    query($slug: String!) { workspace(slug: $slug) { savedViews { name isShared } } }
"""


async def create(caller: Caller, tenant: Tenant, name: str = "Mine", **input: Any) -> JSON:
    return await change(
        caller, "createSavedView", SHOWN, workspaceId=tenant.gid, name=name, **input
    )


async def update(caller: Caller, view: str, **input: Any) -> JSON:
    return await change(caller, "updateSavedView", SHOWN, savedViewId=view, **input)


async def delete(caller: Caller, view: str) -> JSON:
    return await change(caller, "deleteSavedView", "savedViewId", savedViewId=view)


async def names(caller: Caller, tenant: Tenant) -> list[str]:
    views = (await caller.ask(VIEWS, slug=tenant.slug))["workspace"]["savedViews"]
    return [view["name"] for view in views]


async def test_a_view_is_saved_changed_and_taken_away(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    member = await factory.membership(tenant, tenant.owner)
    owner = tenant.owner.on(http)

    created = (await create(owner, tenant, filter={"search": "late"}, isShared=True))["savedView"]
    changed = (await update(owner, created["id"], orderBy="OLDEST_FIRST"))["savedView"]
    renamed = (await update(owner, created["id"], name="Ours", filter={}))["savedView"]
    deleted = await delete(owner, created["id"])

    first = {
        "id": created["id"],
        "name": "Mine",
        "filter": {"search": "late"},
        "orderBy": "NEWEST_FIRST",
        "isShared": True,
        "createdById": member,
    }
    assert created == first
    assert changed == first | {"orderBy": "OLDEST_FIRST"}
    assert renamed == first | {"orderBy": "OLDEST_FIRST", "name": "Ours", "filter": {}}
    assert deleted == {"__typename": "DeleteSavedViewSuccess", "savedViewId": created["id"]}
    assert await names(owner, tenant) == []
    told = await factory.rows("SELECT action FROM audit_entry ORDER BY at, id")
    assert [action for (action,) in told] == [
        "saved_view.created",
        *["saved_view.updated"] * 2,
        "saved_view.deleted",
    ]


async def test_a_filter_comes_back_as_it_was_given(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    feedback = await factory.feedback(tenant, "Late.", rating=2)
    tag = await factory.tag(tenant, "red", feedback)
    member = await factory.membership(tenant, tenant.owner)
    owner = tenant.owner.on(http)
    given = {
        "search": "late",
        "sourceIds": [tenant.source_gid],
        "tagIds": [tag],
        "sentiments": ["NEGATIVE"],
        "ratingGte": 1,
        "ratingLte": 3,
        "occurredAfter": "2026-06-15T12:00:00Z",
        "occurredBefore": "2026-06-16T12:00:00.500000Z",
        "statuses": ["OPEN", "IN_PROGRESS"],
        "assigneeIds": [member, None],
    }

    kept = (await create(owner, tenant, filter=given))["savedView"]["filter"]
    nobodys = (await create(owner, tenant, filter={"assigneeIds": [None]}))["savedView"]["filter"]
    without = {name: value for name, value in kept.items() if name != "sentiments"}
    found = await page(owner, tenant, filter=without)

    assert kept == given
    assert nobodys == {"assigneeIds": [None]}
    assert [node["id"] for node in found["nodes"]] == [feedback]


async def test_private_views_are_for_their_owner_alone(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    viewer = (await factory.member(tenant, "VIEWER")).on(http)
    owner = tenant.owner.on(http)
    await create(owner, tenant, "shared", isShared=True)
    private = (await create(owner, tenant, "Owner's"))["savedView"]["id"]
    await create(viewer, tenant, "A viewer's")

    lists = [await names(caller, tenant) for caller in (owner, viewer)]
    found = await viewer.ask("query($id: ID!) { node(id: $id) { id } }", id=private)
    refused = [await update(viewer, private, name="Mine"), await delete(viewer, private)]

    assert lists == [["Owner's", "shared"], ["A viewer's", "shared"]]
    assert found == {"node": None}
    assert [each["message"] for each in refused] == ["There is no such saved view."] * 2
    assert await factory.rows("SELECT action FROM audit_entry WHERE action LIKE 'saved%'") == [
        ("saved_view.created",)
    ]


async def test_sharing_needs_the_role_analyst_and_others_views_the_role_admin(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    view = await factory.saved_view(tenant)
    viewer, analyst, admin = [
        (await factory.member(tenant, role)).on(http) for role in ("VIEWER", "ANALYST", "ADMIN")
    ]
    own = (await create(viewer, tenant))["savedView"]["id"]

    answers = [
        await create(viewer, tenant, isShared=True),
        await update(viewer, own, isShared=True),
        await update(analyst, view, name="Mine"),
        await delete(analyst, view),
        await update(admin, view, isShared=False),
        await update(admin, view, name="Ours"),
    ]

    assert [answer.get("message") for answer in answers] == [
        "You need the role ANALYST to share saved views; yours is VIEWER.",
        "You need the role ANALYST to share saved views; yours is VIEWER.",
        "You need the role ADMIN to change the shared views of others; yours is ANALYST.",
        "You need the role ADMIN to change the shared views of others; yours is ANALYST.",
        "Only whoever has saved a view can make it private.",
        None,
    ]
    assert sorted(await factory.rows("SELECT name FROM saved_view")) == [("Mine",), ("Ours",)]


async def test_whoever_saved_it_shares_it_and_takes_it_back(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    analyst, other = await factory.member(tenant, "ANALYST"), tenant.owner.on(http)
    view = (await create(analyst.on(http), tenant))["savedView"]["id"]

    seen = []
    for is_shared in (True, False):
        await update(analyst.on(http), view, isShared=is_shared)
        seen.append(await names(other, tenant))

    assert seen == [["Mine"], []]


async def test_who_leaves_takes_private_views_along(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    analyst, owner = await factory.member(tenant, "ANALYST"), tenant.owner.on(http)
    await create(analyst.on(http), tenant, "private")
    await create(analyst.on(http), tenant, "shared", isShared=True)
    member = await factory.membership(tenant, analyst)

    await change(owner, "removeMember", "memberId", memberId=member)

    assert await names(owner, tenant) == ["shared"]
    rows = await factory.rows("SELECT name, created_by FROM saved_view")
    assert rows == [("shared", None)]


@pytest.mark.parametrize(
    ("is_shared", "message"),
    [
        (True, "A workspace has at most 100 shared views."),
        (False, "You have at most 100 private views."),
    ],
)
async def test_a_hundred_of_a_sort_are_the_most(
    factory: Factory, http: httpx.AsyncClient, is_shared: bool, message: str
) -> None:
    tenant = await factory.tenant()
    owner = tenant.owner.on(http)
    await create(owner, tenant, isShared=is_shared)
    await factory.change(
        "INSERT INTO saved_view SELECT gen_random_uuid(), workspace_id, name, filter, order_by,"
        " private_to, created_by, created_at, updated_at FROM saved_view, generate_series(1, 99)",
        within=tenant,
    )

    more = await create(owner, tenant, isShared=is_shared)
    of_other_sort = await create(owner, tenant, isShared=not is_shared)

    assert more == {"__typename": "Conflict", "message": message}
    assert of_other_sort["__typename"] == "CreateSavedViewSuccess"


async def test_what_is_no_view_is_refused(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    owner = tenant.owner.on(http)

    answers = [
        await create(owner, tenant, " "),
        await create(owner, tenant, "a\nb"),
        await create(owner, tenant, "x" * 101),
        await create(owner, tenant, filter={"tagIds": [f"tag_{UNKNOWN}"]}),
        await create(owner, tenant, filter={"assigneeIds": [f"member_{UNKNOWN}"]}),
        await update(owner, f"saved_view_{UNKNOWN}", name="Mine"),
    ]

    assert [answer["__typename"] for answer in answers] == ["InvalidInput"] * 3 + ["NotFound"] * 3
    assert await factory.rows("SELECT id FROM saved_view") == []
