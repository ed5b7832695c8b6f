"""Feedback over GraphQL: who sees it, what it shows, and the filters of its list."""

from typing import Any

import httpx
import pytest

from tests.callers import Caller
from tests.factories import NEGATIVE, NEUTRAL, NOON, POSITIVE, Factory, Tenant
from tests.graph.feedback_queries import DAY, PAGE, UNKNOWN, page

# Who may look


async def test_a_stranger_sees_no_workspace(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant("acme")
    stranger = (await factory.person()).on(http)

    answer = await stranger.ask(PAGE, slug=tenant.slug)

    assert answer == {"workspace": None}


async def test_nobody_is_told_to_sign_in(nobody: Caller) -> None:
    (error,) = await nobody.errors(PAGE, slug="acme")

    assert error["extensions"]["code"] == "UNAUTHENTICATED"


async def test_every_role_reads(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    feedback = await factory.feedback(tenant, "It works.")
    viewer = await factory.member(tenant, "VIEWER")

    answer = await page(viewer.on(http), tenant)

    assert answer["nodes"] == [{"id": feedback, "body": "It works."}]


# What is shown


async def test_several_workspaces_each_answer_with_their_own(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    first = await factory.tenant("first")
    second = await factory.tenant("second", owner=first.owner)
    await factory.tenant("third", owner=first.owner)
    stranger = await factory.tenant("stranger")
    for number in range(3):
        await factory.feedback(first, f"first {number}", occurred_at=NOON + number * DAY)
    await factory.feedback(second, "second", score=NEGATIVE)
    await factory.feedback(stranger, "strange")

    answer = await first.owner.on(http).ask("""
        { viewer { workspaces {
            slug
            feedback(first: 2) { totalCount nodes { body source { name } } pageInfo { hasNextPage } }
            bad: feedback(filter: { sentiments: [NEGATIVE] }) { totalCount nodes { body } }
        } } }
    """)

    hook = {"name": "Hook"}
    assert answer["viewer"]["workspaces"] == [
        {
            "slug": "first",
            "feedback": {
                "totalCount": 3,
                "nodes": [
                    {"body": "first 2", "source": hook},
                    {"body": "first 1", "source": hook},
                ],
                "pageInfo": {"hasNextPage": True},
            },
            "bad": {"totalCount": 0, "nodes": []},
        },
        {
            "slug": "second",
            "feedback": {
                "totalCount": 1,
                "nodes": [{"body": "second", "source": hook}],
                "pageInfo": {"hasNextPage": False},
            },
            "bad": {"totalCount": 1, "nodes": [{"body": "second"}]},
        },
        {
            "slug": "third",
            "feedback": {"totalCount": 0, "nodes": [], "pageInfo": {"hasNextPage": False}},
            "bad": {"totalCount": 0, "nodes": []},
        },
    ]


async def test_a_feedback_shows_all_that_is_stored(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    feedback = await factory.feedback(
        tenant,
        "Good.",
        external_id="T-1",
        author_name="Ada",
        author_email="ada@example.com",
        author_external_id="A-1",
        rating=10,
        metadata='{"plan": "pro"}',
        score=POSITIVE,
    )
    await factory.tag(tenant, "b", feedback)
    await factory.tag(tenant, "a", feedback)
    query = """
        query($id: ID!) { node(id: $id) { ... on Feedback {
            id externalId body rating language metadata occurredAt
            author { name email externalId } sentiment { label score confidence model }
            source { id } tags { name }
        } } }
    """

    answer = await tenant.owner.on(http).ask(query, id=feedback)

    assert answer["node"] == {
        "id": feedback,
        "externalId": "T-1",
        "body": "Good.",
        "rating": 10,
        "language": None,
        "metadata": {"plan": "pro"},
        "occurredAt": "2026-06-15T12:00:00Z",
        "author": {"name": "Ada", "email": "ada@example.com", "externalId": "A-1"},
        "sentiment": {
            "label": "POSITIVE",
            "score": 0.8,
            "confidence": 0.9,
            "model": "test-model-1",
        },
        "source": {"id": tenant.source_gid},
        "tags": [{"name": "a"}, {"name": "b"}],
    }


# Filters

DIED = "The batteries died on arrival."
GREAT = "Battery life is great, no refund needed."
WAITS = "My order is on hold."
HOLDS = "Please hold the line: naïve Ærø."
EVERYTHING = {DIED, GREAT, WAITS, HOLDS}


async def found(http: httpx.AsyncClient, tenant: Tenant, **filter: Any) -> set[str]:
    """The bodies that pass the filter; the count must agree with them."""
    answer = await page(tenant.owner.on(http), tenant, filter=filter)
    assert answer["totalCount"] == len(answer["nodes"])
    return {node["body"] for node in answer["nodes"]}


@pytest.fixture
async def filled(factory: Factory) -> Tenant:
    """Four messages, a day apart: one is not scored and has no rating."""
    tenant = await factory.tenant()
    await factory.feedback(tenant, DIED, rating=1, score=NEGATIVE, occurred_at=NOON - DAY)
    await factory.feedback(tenant, GREAT, rating=9, score=POSITIVE, occurred_at=NOON)
    await factory.feedback(tenant, WAITS, occurred_at=NOON + DAY)
    await factory.feedback(tenant, HOLDS, rating=5, score=NEUTRAL, occurred_at=NOON + 2 * DAY)
    return tenant


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ("battery", {DIED, GREAT}),
        ("batteries", {DIED, GREAT}),
        ("BATTERY", {DIED, GREAT}),
        ("battery died", {DIED}),
        ("battery -refund", {DIED}),
        ("-battery", {WAITS, HOLDS}),
        ("-batteries", {WAITS, HOLDS}),
        ("died OR line", {DIED, HOLDS}),
        ("hold", {WAITS, HOLDS}),
        ('"hold the line"', {HOLDS}),
        ('"line hold"', set()),
        ('"on hold"', {WAITS}),
        ("the", {DIED, HOLDS}),
        ("naïve ærø", {HOLDS}),
        ("nothing-of-the-kind", set()),
        ("%", set()),
        ("'; DROP TABLE feedback; --", set()),
        ("   ", EVERYTHING),
    ],
)
async def test_search_finds_words(
    filled: Tenant, http: httpx.AsyncClient, search: str, expected: set[str]
) -> None:
    assert await found(http, filled, search=search) == expected


@pytest.mark.parametrize("search", ["nul\x00", "x" * 1_001])
async def test_a_search_that_cannot_be_is_refused(
    filled: Tenant, http: httpx.AsyncClient, search: str
) -> None:
    caller = filled.owner.on(http)

    (error,) = await caller.errors(PAGE, slug=filled.slug, filter={"search": search})

    assert error["extensions"] == {"code": "INVALID_INPUT"}
    assert error["message"] == "`filter.search` must have at most 1,000 characters and no NUL."


@pytest.mark.parametrize(
    ("filter", "expected"),
    [
        ({}, EVERYTHING),
        ({"search": None, "ratingGte": None, "sentiments": None}, EVERYTHING),
        ({"sentiments": ["NEGATIVE"]}, {DIED}),
        ({"sentiments": ["NEGATIVE", "POSITIVE"]}, {DIED, GREAT}),
        ({"sentiments": []}, set()),
        ({"ratingGte": 5}, {GREAT, HOLDS}),
        ({"ratingLte": 5}, {DIED, HOLDS}),
        ({"ratingGte": 5, "ratingLte": 5}, {HOLDS}),
        ({"ratingGte": 6, "ratingLte": 5}, set()),
        ({"ratingGte": -(2**31)}, {DIED, GREAT, HOLDS}),
        ({"ratingLte": 2**31 - 1}, {DIED, GREAT, HOLDS}),
        ({"ratingGte": 11}, set()),
        ({"occurredAfter": "2026-06-15T12:00:00Z"}, {GREAT, WAITS, HOLDS}),
        ({"occurredAfter": "2026-06-15T14:00:00.000001+02:00"}, {WAITS, HOLDS}),
        ({"occurredBefore": "2026-06-15T12:00:00Z"}, {DIED}),
        ({"occurredBefore": "2026-06-15T12:00:00.000001Z"}, {DIED, GREAT}),
        (
            {"occurredAfter": "2026-06-15T12:00:00Z", "occurredBefore": "2026-06-16T12:00:00Z"},
            {GREAT},
        ),
        ({"sentiments": ["NEGATIVE", "NEUTRAL"], "ratingGte": 2, "search": "hold"}, {HOLDS}),
    ],
)
async def test_filters_take_what_fits(
    filled: Tenant, http: httpx.AsyncClient, filter: dict[str, Any], expected: set[str]
) -> None:
    assert await found(http, filled, **filter) == expected


async def test_a_filter_takes_the_feedback_of_any_of_the_sources(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    ((api,),) = await factory.rows("SELECT id FROM source WHERE kind = 'API'")
    api_gid = f"source_{api.hex}"
    await factory.feedback(tenant, "hooked")
    await factory.feedback(tenant, "called", source_id=api)

    assert await found(http, tenant, sourceIds=[api_gid]) == {"called"}
    assert await found(http, tenant, sourceIds=[tenant.source_gid]) == {"hooked"}
    assert await found(http, tenant, sourceIds=[api_gid, tenant.source_gid]) == {"hooked", "called"}
    assert await found(http, tenant, sourceIds=[f"source_{UNKNOWN}"]) == set()
    assert await found(http, tenant, sourceIds=[]) == set()


async def test_a_filter_takes_the_feedback_with_any_of_the_tags_once(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    one, two, _bare = [await factory.feedback(tenant, body) for body in ("one", "two", "bare")]
    red = await factory.tag(tenant, "red", one, two)
    blue = await factory.tag(tenant, "blue", one)

    assert await found(http, tenant, tagIds=[red]) == {"one", "two"}
    assert await found(http, tenant, tagIds=[blue]) == {"one"}
    assert await found(http, tenant, tagIds=[red, blue]) == {"one", "two"}
    assert await found(http, tenant, tagIds=[f"tag_{UNKNOWN}"]) == set()
    assert await found(http, tenant, tagIds=[]) == set()


@pytest.mark.parametrize("field", ["sourceIds", "tagIds"])
@pytest.mark.parametrize("id", ["", "nonsense", f"feedback_{UNKNOWN}", f"Source_{UNKNOWN}"])
async def test_a_filter_by_what_is_no_id_is_refused(
    factory: Factory, http: httpx.AsyncClient, field: str, id: str
) -> None:
    tenant = await factory.tenant()

    (error,) = await tenant.owner.on(http).errors(PAGE, slug=tenant.slug, filter={field: [id]})

    assert error["extensions"] == {"code": "INVALID_INPUT"}
    assert error["message"].startswith(f"`filter.{field}.0` must be a ")


@pytest.mark.parametrize(
    "time",
    ["2026-06-15T12:00:00", "2026-06-15", "yesterday", "0001-01-01T00:00:00+01:00", 0, "9" * 99],
)
async def test_a_filter_by_what_is_no_moment_is_refused(
    factory: Factory, http: httpx.AsyncClient, time: Any
) -> None:
    tenant = await factory.tenant()

    (error,) = await tenant.owner.on(http).errors(
        PAGE, slug=tenant.slug, filter={"occurredAfter": time}
    )

    assert error["extensions"] == {"code": "BAD_REQUEST"}
