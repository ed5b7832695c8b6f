"""Scoring in the worker, with the real model and real stores."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from app.resources import Api
from domain import events, ids
from domain.events import FeedbackEvent
from domain.ids import Kind
from domain.sentiment import Scorer
from jobs.feedback import score
from jobs.relay import Relay
from persistence.bus import Bus
from persistence.database import Database, Record, Statement
from tests.factories import POSITIVE, Factory, Tenant

_ROWS = Statement(text("SELECT * FROM feedback ORDER BY id"), Record)
_WAITING = Statement(text("SELECT id FROM outbox"), Record)


@pytest.fixture
def scorer(api: Api) -> Scorer:
    """The model that the run has loaded."""
    return api.services.scorer


async def rows(database: Database) -> list[Record]:
    async with database.reader() as reader:
        return await reader.fetch(_ROWS)


async def scored(database: Database, bus: Bus, tenant: Tenant) -> list[tuple[UUID, str | None]]:
    """Feedback and label of the SCORED events, once the relay has delivered everything."""
    async with asyncio.timeout(10), database.reader() as reader:
        while await reader.fetch(_WAITING):
            await asyncio.sleep(0.01)
    entries = await bus.read(events.topic(tenant.id, events.FEEDBACK_TOPIC), 0, 1_000)
    found = [FeedbackEvent.from_json(entry.payload) for entry in entries]
    return [(event.feedback_id, event.facets.label) for event in found if event.type == "SCORED"]


async def stored(factory: Factory, tenant: Tenant, *bodies: str, **columns: Any) -> list[UUID]:
    """The ids of new feedback."""
    found = [
        ids.read(Kind.FEEDBACK, await factory.feedback(tenant, body, **columns)) for body in bodies
    ]
    return [id_ for id_ in found if id_ is not None]


async def test_new_feedback_gets_its_score(
    factory: Factory, database: Database, scorer: Scorer
) -> None:
    tenant = await factory.tenant()
    given = await stored(
        factory,
        tenant,
        "I love it, best purchase of the year!",
        "It stopped working after two days. Waste of money.",
        "The delivery came on Tuesday.",
    )

    done = await score(database, scorer, tenant.id, given)

    found = await rows(database)
    assert done == 3
    assert [row["sentiment_label"] for row in found] == ["POSITIVE", "NEGATIVE", "NEUTRAL"]
    assert found[0]["sentiment_score"] == pytest.approx(1, abs=0.3)
    assert found[1]["sentiment_score"] == pytest.approx(-1, abs=0.3)
    assert {row["sentiment_model"] for row in found} == {scorer.model_name}
    assert [row["scored_at"] is None for row in found] == [False] * 3


async def test_scored_is_announced_in_the_order_of_arrival(
    factory: Factory, database: Database, scorer: Scorer, api: Api, relay: Relay
) -> None:
    tenant = await factory.tenant()
    given = await stored(factory, tenant, "I love it!", "I hate it!", "I love it!")
    asked = [given[2], given[0], given[1]]

    await score(database, scorer, tenant.id, asked)

    assert await scored(database, api.bus, tenant) == [
        (given[2], "POSITIVE"),
        (given[0], "POSITIVE"),
        (given[1], "NEGATIVE"),
    ]


async def test_scoring_again_does_nothing(
    factory: Factory, database: Database, scorer: Scorer
) -> None:
    tenant = await factory.tenant()
    given = await stored(factory, tenant, "I love it!", "I hate it!")
    await score(database, scorer, tenant.id, given)
    before = [tuple(row.values()) for row in await rows(database)]

    again = await score(database, scorer, tenant.id, given)

    assert again == 0
    assert [tuple(row.values()) for row in await rows(database)] == before


async def test_two_workers_at_once_score_once(
    factory: Factory, database: Database, scorer: Scorer, api: Api, relay: Relay
) -> None:
    tenant = await factory.tenant()
    given = await stored(factory, tenant, *["I love it!"] * 5)

    done = await asyncio.gather(*(score(database, scorer, tenant.id, given) for _ in range(4)))

    assert sum(done) == 5
    assert sorted(id_ for id_, _ in await scored(database, api.bus, tenant)) == sorted(given)


async def test_a_score_that_is_there_stays(
    factory: Factory, database: Database, scorer: Scorer
) -> None:
    tenant = await factory.tenant()
    given = await stored(factory, tenant, "I hate it!", score=POSITIVE)

    assert await score(database, scorer, tenant.id, given) == 0
    assert [row["sentiment_label"] for row in await rows(database)] == ["POSITIVE"]


async def test_a_text_that_the_model_does_not_know_is_looked_at_and_keeps_no_sentiment(
    factory: Factory, database: Database, scorer: Scorer, api: Api, relay: Relay
) -> None:
    tenant = await factory.tenant()
    given = await stored(factory, tenant, "これは最高です。とても気に入りました。")

    done = await score(database, scorer, tenant.id, given)

    (row,) = await rows(database)
    assert done == 1
    assert (row["sentiment_label"], row["sentiment_score"]) == (None, None)
    assert row["scored_at"] is not None
    assert await scored(database, api.bus, tenant) == [(given[0], None)]
    assert await score(database, scorer, tenant.id, given) == 0


async def test_feedback_of_another_workspace_is_left_alone(
    factory: Factory, database: Database, scorer: Scorer
) -> None:
    ours, theirs = await factory.tenant(), await factory.tenant()
    given = await stored(factory, theirs, "I love it!")

    assert await score(database, scorer, ours.id, given) == 0
    assert [row["scored_at"] for row in await rows(database)] == [None]


async def test_nothing_to_score_is_nothing_to_do(
    factory: Factory, database: Database, scorer: Scorer
) -> None:
    tenant = await factory.tenant()

    assert await score(database, scorer, tenant.id, []) == 0
    assert await score(database, scorer, tenant.id, [UUID(int=1)]) == 0
