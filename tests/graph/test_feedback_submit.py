"""Submitting feedback over GraphQL: what is stored, and what is a duplicate."""

import asyncio
from datetime import UTC, datetime

import httpx
import pytest

from tests.callers import JSON
from tests.factories import Factory
from tests.graph.feedback_queries import page, submit


async def test_submitting_stores_the_message(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    before = datetime.now(UTC)

    answer = await submit(
        tenant.owner,
        http,
        workspaceId=tenant.gid,
        sourceId=tenant.source_gid,
        externalId="T-1",
        author={"name": "Ada", "email": "ada@example.com", "externalId": "A-1"},
        body="It works.",
        rating=10,
        occurredAt="2026-01-02T03:04:05.678901+02:00",
        metadata={"plan": "pro"},
    )

    feedback = answer.pop("feedback")
    assert answer == {"__typename": "SubmitFeedbackSuccess", "duplicate": False}
    received = datetime.fromisoformat(feedback.pop("receivedAt"))
    assert before <= received <= datetime.now(UTC)
    assert feedback == {
        "id": feedback["id"],
        "externalId": "T-1",
        "body": "It works.",
        "rating": 10,
        "language": None,
        "metadata": {"plan": "pro"},
        "occurredAt": "2026-01-02T01:04:05.678901Z",
        "author": {"name": "Ada", "email": "ada@example.com", "externalId": "A-1"},
        "sentiment": None,
        "source": {"id": tenant.source_gid, "kind": "WEBHOOK"},
        "tags": [],
    }
    assert (await page(tenant.owner.on(http), tenant))["nodes"] == [
        {"id": feedback["id"], "body": "It works."}
    ]


async def test_what_is_left_out_is_null_and_the_source_is_the_api_one(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()

    answer = await submit(tenant.owner, http, workspaceId=tenant.gid, body="It works.")

    feedback = answer["feedback"]
    assert feedback["source"]["kind"] == "API"
    assert feedback["occurredAt"] == feedback["receivedAt"]
    assert [feedback[name] for name in ("externalId", "author", "rating", "metadata")] == [None] * 4


@pytest.mark.parametrize(
    "body",
    [
        "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f44d\U0001f3fd \U0001f1e9\U0001f1ea",
        "  one\ntwo\r\nthree\ttab\u2028line  ",
        "\u202e\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627\u202c",
        "<script>alert('&amp;\"')</script>\\n %s {x} $1",
        "e\u0301 \u00e9 \ufeff\u200b\ufffd\uffff",
        "\x01\x1b[31m\x7f",
        "x" * 50_000,
        "\U0001f44d" * 50_000,
        "x",
    ],
)
async def test_a_body_is_stored_as_it_was_sent(
    factory: Factory, http: httpx.AsyncClient, body: str
) -> None:
    tenant = await factory.tenant()

    answer = await submit(tenant.owner, http, workspaceId=tenant.gid, body=body)

    assert answer["feedback"]["body"] == body
    assert await factory.rows("SELECT body FROM feedback") == [(body,)]


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"a": [1, -1, 0, 1.5, 1e-7, True, False, None, "", {"b": []}]},
        {"big": 2**64 - 1, "small": -(2**63), "exact": 0.1, "third": 1 / 3},
        {"": "empty key", "ключ": "\U0001f44d", "__proto__": 1, 'quo"te': "back\\slash\n"},
        {"a": "x" * 16_376},
    ],
)
async def test_metadata_comes_back_as_it_went_in(
    factory: Factory, http: httpx.AsyncClient, metadata: JSON
) -> None:
    tenant = await factory.tenant()

    answer = await submit(
        tenant.owner, http, workspaceId=tenant.gid, body="It works.", metadata=metadata
    )
    again = await tenant.owner.on(http).ask(
        "query($id: ID!) { node(id: $id) { ... on Feedback { metadata } } }",
        id=answer["feedback"]["id"],
    )

    assert answer["feedback"]["metadata"] == metadata
    assert again["node"]["metadata"] == metadata


async def test_metadata_may_be_written_in_the_document(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()

    answer = await tenant.owner.on(http).ask(
        """mutation($id: ID!, $plan: JSON) { submitFeedback(input: {
             workspaceId: $id, body: "It works.",
             metadata: { plan: $plan, seats: 3, tier: GOLD, list: [1.5, null, true] }
           }) { ... on SubmitFeedbackSuccess { feedback { metadata } } } }""",
        id=tenant.gid,
        plan="pro",
    )

    assert answer["submitFeedback"]["feedback"]["metadata"] == {
        "plan": "pro",
        "seats": 3,
        "tier": "GOLD",
        "list": [1.5, None, True],
    }


@pytest.mark.parametrize(
    "author",
    [
        {"name": "Ada", "email": None, "externalId": None},
        {"name": None, "email": "ada@example.com", "externalId": None},
        {"name": None, "email": None, "externalId": "A-1"},
    ],
)
async def test_an_author_is_what_the_source_told(
    factory: Factory, http: httpx.AsyncClient, author: JSON
) -> None:
    tenant = await factory.tenant()

    answer = await submit(
        tenant.owner, http, workspaceId=tenant.gid, body="It works.", author=author
    )

    assert answer["feedback"]["author"] == author


async def test_an_author_of_whom_nothing_is_told_is_none(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()

    answer = await submit(tenant.owner, http, workspaceId=tenant.gid, body="It works.", author={})

    assert answer["feedback"]["author"] is None


async def test_an_analyst_may_submit(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    analyst = await factory.member(tenant, "ANALYST")

    answer = await submit(analyst, http, workspaceId=tenant.gid, body="It works.")

    assert answer["__typename"] == "SubmitFeedbackSuccess"


async def test_the_same_external_id_is_stored_once(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    first = await submit(tenant.owner, http, workspaceId=tenant.gid, externalId="T-1", body="old")

    second = await submit(tenant.owner, http, workspaceId=tenant.gid, externalId="T-1", body="new")

    assert second == first | {"duplicate": True}
    assert await factory.rows("SELECT body FROM feedback") == [("old",)]


async def test_the_same_external_id_of_another_source_is_another_message(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant, other = await factory.tenant(), await factory.tenant()
    message = {"externalId": "T-1", "body": "It works."}

    answers = [
        await submit(tenant.owner, http, workspaceId=tenant.gid, **message),
        await submit(
            tenant.owner, http, workspaceId=tenant.gid, sourceId=tenant.source_gid, **message
        ),
        await submit(other.owner, http, workspaceId=other.gid, **message),
    ]

    assert [answer["duplicate"] for answer in answers] == [False, False, False]
    assert len({answer["feedback"]["id"] for answer in answers}) == 3


async def test_messages_without_an_external_id_are_all_stored(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()

    answers = [
        await submit(tenant.owner, http, workspaceId=tenant.gid, body="again") for _ in range(2)
    ]

    assert [answer["duplicate"] for answer in answers] == [False, False]
    assert await factory.rows("SELECT body FROM feedback") == [("again",), ("again",)]


async def test_callers_at_once_with_one_external_id_store_one_message(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    message = {"workspaceId": tenant.gid, "externalId": "T-1"}

    answers = await asyncio.gather(
        *(submit(tenant.owner, http, **message, body=f"body {n}") for n in range(8))
    )

    assert sorted(answer["duplicate"] for answer in answers) == [False] + [True] * 7
    ((id_, body),) = await factory.rows("SELECT id, body FROM feedback")
    assert {answer["feedback"]["id"] for answer in answers} == {f"feedback_{id_.hex}"}
    assert {answer["feedback"]["body"] for answer in answers} == {body}
