"""Status, assignee and tags of many feedback at once, over GraphQL."""

import asyncio
from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from domain.scopes import Scope
from tests.callers import JSON, Caller
from tests.factories import NOON, Factory, Person, Tenant
from tests.graph.feedback_queries import DAY, UNKNOWN, page
from tests.graph.watching import World

UPDATE = """
    mutation($input: UpdateFeedbackInput!) {
      updateFeedback(input: $input) {
        __typename
        ... on UpdateFeedbackSuccess {
          changed missingIds
          feedback { id status assignee { memberId userId name } tags { name } }
        }
        ... on Problem { message }
        ... on InvalidInput { fields { path message } }
      }
    }
"""
HISTORY = """
    query($id: ID!) {
      node(id: $id) { ... on Feedback { history { kind removed added actor { kind id name } } } }
    }
"""
EVENTS = "SELECT payload ->> 'id', payload ->> 'status' FROM outbox WHERE kind = 'feedback.updated'"


async def update(caller: Caller, ids: Sequence[str], **input: Any) -> JSON:
    return (await caller.ask(UPDATE, input={"ids": ids, **input}))["updateFeedback"]


async def history(caller: Caller, id_: str) -> list[JSON]:
    told: list[JSON] = (await caller.ask(HISTORY, id=id_))["node"]["history"]
    return told


async def test_many_get_a_status_an_assignee_and_tags(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    first, second, third = [await factory.feedback(tenant) for _ in range(3)]
    red, blue = await factory.tag(tenant, "red", first), await factory.tag(tenant, "blue", second)
    owner, member = tenant.owner, await factory.membership(tenant, tenant.owner)

    answer = await update(
        owner.on(http),
        [second, first],
        status="IN_PROGRESS",
        assigneeId=member,
        addTagIds=[red],
        removeTagIds=[blue],
    )

    assignee = {"memberId": member, "userId": owner.gid, "name": "Somebody"}
    worked_on = {"status": "IN_PROGRESS", "assignee": assignee, "tags": [{"name": "red"}]}
    assert answer == {
        "__typename": "UpdateFeedbackSuccess",
        "changed": 2,
        "missingIds": [],
        "feedback": [{"id": second} | worked_on, {"id": first} | worked_on],
    }
    left = await owner.on(http).ask(
        "query($id: ID!) { node(id: $id) { ... on Feedback { status assignee { name } } } }",
        id=third,
    )
    assert left == {"node": {"status": "OPEN", "assignee": None}}


async def test_what_is_left_out_stays_and_null_takes_the_assignee_away(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    feedback = await factory.feedback(tenant)
    member = await factory.membership(tenant, tenant.owner)
    owner = tenant.owner.on(http)

    answers = [
        await update(owner, [feedback], assigneeId=member),
        await update(owner, [feedback], status="CLOSED"),
        await update(owner, [feedback], assigneeId=None),
    ]

    shown = [(each["feedback"][0]["status"], each["feedback"][0]["assignee"]) for each in answers]
    assignee = {"memberId": member, "userId": tenant.owner.gid, "name": "Somebody"}
    assert shown == [("OPEN", assignee), ("CLOSED", assignee), ("CLOSED", None)]


@pytest.mark.usefixtures("kept_outbox")
async def test_each_that_changes_is_announced_once_and_again_nothing_is(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    first, second = await factory.feedback(tenant), await factory.feedback(tenant)
    tag = await factory.tag(tenant, "red", first)
    owner = tenant.owner.on(http)
    await update(owner, [first], status="CLOSED")

    answers = [
        await update(owner, [first, second, second], status="CLOSED", addTagIds=[tag])
        for _ in range(2)
    ]

    assert [answer["changed"] for answer in answers] == [1, 0]
    told = await factory.rows(EVENTS)
    assert sorted(told) == sorted([(id_[-32:], "CLOSED") for id_ in (first, second)])


async def test_what_is_gone_is_named_and_the_others_change(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant, stranger = await factory.tenant(), await factory.tenant()
    feedback, foreign = await factory.feedback(tenant), await factory.feedback(stranger)
    gone = f"feedback_{UNKNOWN}"

    answer = await update(tenant.owner.on(http), [gone, feedback, foreign], status="CLOSED")

    assert (answer["changed"], answer["missingIds"]) == (1, [gone, foreign])
    assert sorted(await factory.rows("SELECT status FROM feedback")) == [("CLOSED",), ("OPEN",)]


async def test_what_cannot_be_changed_together_is_refused_and_nothing_changes(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    other = await factory.tenant(owner=tenant.owner)
    feedback, elsewhere = await factory.feedback(tenant), await factory.feedback(other)
    tag = await factory.tag(tenant, "red")
    owner = tenant.owner.on(http)
    many = [f"feedback_{number:032x}" for number in range(501)]

    answers = [
        await update(owner, [], status="CLOSED"),
        await update(owner, many, status="CLOSED"),
        await update(owner, [feedback, elsewhere], status="CLOSED"),
        await update(owner, [feedback], status="CLOSED", addTagIds=[tag], removeTagIds=[tag]),
    ]

    assert [answer["fields"] for answer in answers] == [
        [{"path": ["ids"], "message": "must be 1 to 500 feedback"}],
        [{"path": ["ids"], "message": "must be 1 to 500 feedback"}],
        [{"path": ["ids"], "message": "must be of one workspace"}],
        [{"path": ["removeTagIds"], "message": "must not be among addTagIds"}],
    ]
    assert await factory.rows("SELECT DISTINCT status FROM feedback") == [("OPEN",)]


async def test_a_fifty_first_tag_is_refused_and_nothing_changes(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    feedback = await factory.feedback(tenant)
    tags = [await factory.tag(tenant, f"tag {number}", feedback) for number in range(50)]
    more = await factory.tag(tenant, "more")
    owner = tenant.owner.on(http)

    refused = await update(owner, [feedback], status="CLOSED", addTagIds=[more])
    exchanged = await update(owner, [feedback], addTagIds=[more], removeTagIds=tags[:1])

    (problem,) = refused["fields"]
    assert problem["path"] == ["addTagIds"]
    assert exchanged["changed"] == 1
    assert exchanged["feedback"][0]["status"] == "OPEN"
    assert len(exchanged["feedback"][0]["tags"]) == 50


async def test_a_viewer_may_not_and_an_analyst_may(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    feedback, tag = await factory.feedback(tenant), await factory.tag(tenant, "red")
    viewer, analyst = [await factory.member(tenant, role) for role in ("VIEWER", "ANALYST")]

    answers = [
        await update(viewer.on(http), [feedback], status="CLOSED"),
        await update(viewer.on(http), [feedback], addTagIds=[tag]),
        await update(analyst.on(http), [feedback], status="CLOSED"),
    ]

    need = "You need the role ANALYST to"
    assert [answer.get("message") for answer in answers] == [
        f"{need} set the status and assignee of feedback; yours is VIEWER.",
        f"{need} tag feedback; yours is VIEWER.",
        None,
    ]
    assert await factory.rows("SELECT status FROM feedback") == [("CLOSED",)]


async def test_a_key_needs_the_scope_of_what_it_changes(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    feedback, tag = await factory.feedback(tenant), await factory.tag(tenant, "red")
    writer = await factory.api_key(tenant, Scope.FEEDBACK_WRITE, name="Writer")
    tagger = await factory.api_key(tenant, Scope.FEEDBACK_TAG)

    answers = [
        await update(key.on(http), [feedback], **change)
        for key in (writer, tagger)
        for change in ({"status": "CLOSED"}, {"addTagIds": [tag]})
    ]

    assert [answer["__typename"] for answer in answers] == [
        "UpdateFeedbackSuccess",
        "Forbidden",
        "Forbidden",
        "UpdateFeedbackSuccess",
    ]
    of_writer = (await history(tenant.owner.on(http), feedback))[-1]
    assert of_writer["actor"] == {"kind": "API_KEY", "id": writer.gid, "name": "Writer"}


async def test_only_people_of_the_workspace_are_assigned(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    other = await factory.tenant(owner=tenant.owner)
    feedback = await factory.feedback(tenant)
    elsewhere = await factory.membership(other, tenant.owner)
    key = await factory.api_key(tenant)
    ((of_key,),) = await factory.rows("SELECT id FROM member WHERE api_key_id = :id", id=key.id)
    owner = tenant.owner.on(http)

    answers = [
        await update(owner, [feedback], assigneeId=member)
        for member in (elsewhere, f"member_{of_key.hex}", f"member_{UNKNOWN}")
    ]

    refused = {"__typename": "NotFound", "message": "There is no such member in this workspace."}
    assert answers == [refused] * 3


async def test_who_leaves_is_assigned_to_nothing(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    feedback, analyst = await factory.feedback(tenant), await factory.member(tenant, "ANALYST")
    member = await factory.membership(tenant, analyst)
    owner = tenant.owner.on(http)
    await update(owner, [feedback], assigneeId=member)

    await owner.ask(
        "mutation($id: ID!) { removeMember(input: { memberId: $id }) { __typename } }", id=member
    )

    answer = await update(owner, [feedback], status="CLOSED")
    assert answer["feedback"][0]["assignee"] is None


async def test_history_tells_who_changed_what(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    feedback = await factory.feedback(tenant)
    red, blue = await factory.tag(tenant, "red", feedback), await factory.tag(tenant, "blue")
    member = await factory.membership(tenant, tenant.owner)
    owner = tenant.owner.on(http)
    await factory.change(
        "INSERT INTO feedback_revision (id, feedback_id, workspace_id, body, replaced_at)"
        " SELECT gen_random_uuid(), id, workspace_id, 'Was.', now() FROM feedback",
        within=tenant,
    )

    await update(owner, [feedback], status="CLOSED", assigneeId=member)
    await update(owner, [feedback], assigneeId=None, addTagIds=[blue])
    await owner.ask(
        "mutation($f: ID!) { setFeedbackTags(input: { feedbackId: $f, tagIds: [] }) { __typename } }",
        f=feedback,
    )

    told = await history(owner, feedback)
    somebody = {"kind": "USER", "id": tenant.owner.gid, "name": "Somebody"}
    assert red != blue
    assert [(each["kind"], each["removed"], each["added"]) for each in told] == [
        ("TAGS", ["blue", "red"], []),
        ("TAGS", [], ["blue"]),
        ("ASSIGNEE", ["Somebody"], []),
        ("ASSIGNEE", [], ["Somebody"]),
        ("STATUS", ["OPEN"], ["CLOSED"]),
        ("MESSAGE", [], []),
    ]
    assert [each["actor"] for each in told] == [somebody] * 5 + [None]


async def test_history_has_the_latest_hundred(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    feedback = await factory.feedback(tenant)
    await factory.change(
        "INSERT INTO feedback_change (id, feedback_id, workspace_id, at, kind, removed, added,"
        " actor_kind, actor_name) SELECT ('00000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid,"
        " feedback.id, workspace_id, '2026-06-15T12:00Z'::timestamptz + n * interval '1 s', 'TAGS',"
        " '{}', ARRAY[n::text], 'SYSTEM', 'Earful' FROM feedback, generate_series(1, 120) AS n",
        within=tenant,
    )

    told = await history(tenant.owner.on(http), feedback)

    assert [each["added"] for each in told] == [[str(number)] for number in range(120, 20, -1)]


# Filters


async def _four(factory: Factory, http: httpx.AsyncClient) -> tuple[Tenant, Person, list[str]]:
    """Four feedback, one a day: closed and the owner's; in progress and the analyst's; two that nobody has."""
    tenant = await factory.tenant()
    analyst = await factory.member(tenant, "ANALYST")
    ids = [
        await factory.feedback(tenant, f"{number}", occurred_at=NOON + number * DAY)
        for number in range(4)
    ]
    owner = tenant.owner.on(http)
    for id_, status, person in (
        (ids[0], "CLOSED", tenant.owner),
        (ids[1], "IN_PROGRESS", analyst),
    ):
        member = await factory.membership(tenant, person)
        await update(owner, [id_], status=status, assigneeId=member)
    await update(owner, [ids[2]], status="CLOSED")
    return tenant, analyst, ids


@pytest.mark.parametrize(
    ("statuses", "assignees", "bodies"),
    [
        (["CLOSED"], None, ["2", "0"]),
        (["OPEN"], None, ["3"]),
        (["OPEN", "IN_PROGRESS"], None, ["3", "1"]),
        ([], None, []),
        (None, ["owner"], ["0"]),
        (None, ["owner", "analyst"], ["1", "0"]),
        (None, [None], ["3", "2"]),
        (None, ["owner", None], ["3", "2", "0"]),
        (None, [], []),
        (["CLOSED"], [None], ["2"]),
        (["CLOSED"], ["analyst"], []),
    ],
)
async def test_lists_are_filtered_by_status_and_assignee(
    factory: Factory,
    http: httpx.AsyncClient,
    statuses: list[str] | None,
    assignees: list[str | None] | None,
    bodies: list[str],
) -> None:
    tenant, analyst, _ = await _four(factory, http)
    members = {
        "owner": await factory.membership(tenant, tenant.owner),
        "analyst": await factory.membership(tenant, analyst),
    }
    given = assignees and [name and members[name] for name in assignees]
    wanted = {"statuses": statuses, "assigneeIds": given}

    answer = await page(tenant.owner.on(http), tenant, filter=wanted)

    assert [node["body"] for node in answer["nodes"]] == bodies
    assert answer["totalCount"] == len(bodies)


async def test_pages_and_statistics_go_by_the_same_filter(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant, _, ids = await _four(factory, http)
    owner, wanted = tenant.owner.on(http), {"statuses": ["CLOSED", "OPEN"]}

    first = await page(owner, tenant, filter=wanted, first=2)
    rest = await page(owner, tenant, filter=wanted, first=2, after=first["pageInfo"]["endCursor"])
    counted = await owner.ask(
        """query($slug: String!, $filter: FeedbackFilter) { workspace(slug: $slug) {
            stats(from: "2026-06-15T00:00:00Z", to: "2026-07-01T00:00:00Z", filter: $filter) {
              totals { total } } } }""",
        slug=tenant.slug,
        filter=wanted,
    )

    assert [node["id"] for node in first["nodes"] + rest["nodes"]] == [ids[3], ids[2], ids[0]]
    assert first["totalCount"] == 3
    assert counted["workspace"]["stats"]["totals"] == {"total": 3}


async def test_events_are_filtered_by_status_and_assignee(
    world: World, factory: Factory, http: httpx.AsyncClient
) -> None:
    member = await factory.membership(world.tenant, world.tenant.owner)
    owner = world.tenant.owner.on(http)
    id_, other = await world.submit("Mine."), await world.submit("Nobody's.")
    await world.subscribe(filter={"assigneeIds": [member], "statuses": ["CLOSED"]})

    await update(owner, [id_, other], status="CLOSED")
    await update(owner, [id_], assigneeId=member)
    await update(owner, [id_], status="OPEN")

    assert await world.next() == ("UPDATED", "Mine.")
    assert await world.socket.silent()


async def test_events_of_what_nobody_is_assigned_to(
    world: World, factory: Factory, http: httpx.AsyncClient
) -> None:
    member = await factory.membership(world.tenant, world.tenant.owner)
    await world.subscribe(filter={"assigneeIds": [None]})

    id_ = await world.submit("New.")
    await update(world.tenant.owner.on(http), [id_], assigneeId=member)
    await update(world.tenant.owner.on(http), [id_], assigneeId=None)

    assert [await world.next() for _ in range(2)] == [("ADDED", "New."), ("UPDATED", "New.")]
    assert await world.socket.silent()


async def test_callers_at_once_end_in_one_of_their_wishes(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    ids = [await factory.feedback(tenant) for _ in range(5)]
    owner = tenant.owner.on(http)

    answers = await asyncio.gather(
        *(
            update(owner, order, status=status)
            for status, order in [("CLOSED", ids), ("IN_PROGRESS", ids[::-1])] * 4
        )
    )

    assert {answer["__typename"] for answer in answers} == {"UpdateFeedbackSuccess"}
    assert len(await factory.rows("SELECT DISTINCT status FROM feedback")) == 1
