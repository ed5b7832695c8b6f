"""Tagging feedback over GraphQL."""

import asyncio
from collections.abc import Sequence

import httpx

from tests.callers import JSON, Caller
from tests.factories import Factory, Person
from tests.graph.feedback_queries import UNKNOWN

SET_TAGS = """
    mutation($feedback: ID!, $tags: [ID!]!) {
      setFeedbackTags(input: { feedbackId: $feedback, tagIds: $tags }) {
        __typename
        ... on SetFeedbackTagsSuccess { feedback { id tags { id name color } } }
        ... on Problem { message }
        ... on InvalidInput { fields { path message } }
      }
    }
"""


async def set_tags(
    person: Person, http: httpx.AsyncClient, feedback: str, tags: Sequence[str]
) -> JSON:
    answer = await person.on(http).ask(SET_TAGS, feedback=feedback, tags=tags)
    return answer["setFeedbackTags"]


async def links(factory: Factory) -> set[tuple[str, str]]:
    rows = await factory.rows("SELECT feedback_id, tag_id FROM feedback_tag")
    return {(f"feedback_{feedback.hex}", f"tag_{tag.hex}") for feedback, tag in rows}


async def test_tags_are_set_replaced_and_cleared(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    feedback, other = await factory.feedback(tenant), await factory.feedback(tenant)
    red, blue = await factory.tag(tenant, "red", other), await factory.tag(tenant, "blue")
    shown = {
        id_: {"id": id_, "name": name, "color": "#112233"}
        for id_, name in ((red, "red"), (blue, "blue"))
    }

    answers = [
        await set_tags(tenant.owner, http, feedback, tags)
        for tags in ([red, blue], [blue, blue], [blue], [red], [])
    ]

    assert [answer["feedback"]["tags"] for answer in answers] == [
        [shown[blue], shown[red]],
        [shown[blue]],
        [shown[blue]],
        [shown[red]],
        [],
    ]
    assert await links(factory) == {(other, red)}


async def test_an_analyst_may_tag(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    feedback, red = await factory.feedback(tenant), await factory.tag(tenant, "red")
    analyst = await factory.member(tenant, "ANALYST")

    answer = await set_tags(analyst, http, feedback, [red])

    assert answer["__typename"] == "SetFeedbackTagsSuccess"
    assert await links(factory) == {(feedback, red)}


async def test_a_tag_of_another_workspace_is_not_found_and_nothing_changes(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    other = await factory.tenant(owner=tenant.owner)
    feedback = await factory.feedback(tenant)
    red, blue = await factory.tag(tenant, "red", feedback), await factory.tag(tenant, "blue")
    foreign = await factory.tag(other, "foreign")

    answers = [
        await set_tags(tenant.owner, http, feedback, [blue, foreign]),
        await set_tags(tenant.owner, http, feedback, [blue, f"tag_{UNKNOWN}"]),
    ]

    refused = {"__typename": "NotFound", "message": "There is no such tag in this workspace."}
    assert answers == [refused] * 2
    assert await links(factory) == {(feedback, red)}


async def test_a_feedback_of_another_workspace_is_not_found_and_nothing_changes(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant, stranger = await factory.tenant(), await factory.tenant()
    feedback = await factory.feedback(tenant)
    red = await factory.tag(tenant, "red", feedback)
    own = await factory.tag(stranger, "own")

    answers = [
        await set_tags(stranger.owner, http, feedback, tags) for tags in ([], [own], [red])
    ] + [await set_tags(stranger.owner, http, f"feedback_{UNKNOWN}", [])]

    assert answers == [{"__typename": "NotFound", "message": "There is no such feedback."}] * 4
    assert await links(factory) == {(feedback, red)}


async def test_a_viewer_may_not_tag(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    feedback = await factory.feedback(tenant)
    red = await factory.tag(tenant, "red", feedback)
    viewer = await factory.member(tenant, "VIEWER")

    answer = await set_tags(viewer, http, feedback, [])

    assert answer == {
        "__typename": "Forbidden",
        "message": "You need the role ANALYST to tag feedback; yours is VIEWER.",
    }
    assert await links(factory) == {(feedback, red)}


async def test_nobody_may_tag(factory: Factory, nobody: Caller) -> None:
    tenant = await factory.tenant()
    feedback = await factory.feedback(tenant)
    red = await factory.tag(tenant, "red", feedback)

    (error,) = await nobody.errors(SET_TAGS, feedback=feedback, tags=[])

    assert error["extensions"] == {"code": "UNAUTHENTICATED"}
    assert await links(factory) == {(feedback, red)}


async def test_tagging_with_what_is_no_id_is_refused(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    feedback, red = await factory.feedback(tenant), await factory.tag(tenant, "red")

    of_tag = await set_tags(tenant.owner, http, feedback, [red, feedback])
    of_feedback = await set_tags(tenant.owner, http, red, [red])

    assert [field["path"] for field in of_tag["fields"]] == [["tagIds", "1"]]
    assert [field["path"] for field in of_feedback["fields"]] == [["feedbackId"]]
    assert await links(factory) == set()


async def test_fifty_tags_are_the_most(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    feedback = await factory.feedback(tenant)
    tags = [await factory.tag(tenant, f"tag {number}") for number in range(51)]

    most = await set_tags(tenant.owner, http, feedback, tags[:50])
    more = await set_tags(tenant.owner, http, feedback, tags)

    assert len(most["feedback"]["tags"]) == 50
    assert more["fields"] == [{"path": ["tagIds"], "message": "must be at most 50 tags"}]
    assert await links(factory) == {(feedback, tag) for tag in tags[:50]}


async def test_callers_at_once_end_in_one_of_their_sets(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    feedback = await factory.feedback(tenant)
    names = ("a", "b", "c", "d")
    a, b, c, d = [await factory.tag(tenant, name) for name in names]

    answers = await asyncio.gather(
        *(set_tags(tenant.owner, http, feedback, tags) for tags in [[a, b], [c, d]] * 4)
    )

    assert {answer["__typename"] for answer in answers} == {"SetFeedbackTagsSuccess"}
    assert await links(factory) in (
        {(feedback, a), (feedback, b)},
        {(feedback, c), (feedback, d)},
    )
