"""Rules that look at single feedback: once each, and not again within the cool-down."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from domain.alert import Definition, Kind
from persistence.feedback import Filter
from tests.alerting import Alerting, read
from tests.factories import NEGATIVE, POSITIVE, Factory, Tenant

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
WORD = Definition(Kind.MATCH, Filter(search="refund"))


@pytest.fixture
async def tenant(factory: Factory) -> Tenant:
    return await factory.tenant()


async def about(factory: Factory) -> list[list[str]]:
    """The bodies of each alert's samples."""
    rows = await factory.rows(
        "SELECT array(SELECT body FROM feedback WHERE id = ANY(sample_ids) ORDER BY id)"
        " FROM alert ORDER BY fired_at, id"
    )
    return [bodies for (bodies,) in rows]


async def test_a_word_fires_and_what_follows_within_the_cool_down_does_not(
    alerting: Alerting, factory: Factory, tenant: Tenant
) -> None:
    await alerting.rule(tenant, WORD)
    bodies = ("A refund, please!", "It works.", "refunds?", "REFUND")
    ids = [await factory.feedback(tenant, body) for body in bodies]

    fired = [
        await alerting.match(tenant, NOON, ADDED=[ids[1]]),
        await alerting.match(tenant, NOON, ADDED=[ids[0], ids[1]]),
        await alerting.match(tenant, NOON + HOUR - SECOND, ADDED=[ids[2]]),
        await alerting.match(tenant, NOON + HOUR, ADDED=[ids[3]]),
    ]

    assert fired == [0, 1, 0, 1]
    assert await about(factory) == [["A refund, please!"], ["REFUND"]]
    assert [
        (each.state, each.resolved_at, each.value) for each in await alerting.raised(tenant)
    ] == [
        ("RESOLVED", NOON + HOUR, None),
        ("FIRING", None, None),
    ]


async def test_a_match_is_over_with_its_cool_down(
    alerting: Alerting, factory: Factory, tenant: Tenant
) -> None:
    await alerting.rule(tenant, WORD)
    await alerting.match(tenant, NOON, ADDED=[await factory.feedback(tenant, "refund")])

    assert await alerting.check(tenant, NOON + HOUR - SECOND) == 0
    assert await alerting.check(tenant, NOON + HOUR) == 1
    assert await alerting.states(tenant) == ["RESOLVED"]


async def test_the_same_event_twice_fires_once(
    alerting: Alerting, factory: Factory, tenant: Tenant
) -> None:
    await alerting.rule(tenant, replace(WORD, cool_down_minutes=1))
    id_ = await factory.feedback(tenant, "refund")

    at_once = await asyncio.gather(*(alerting.match(tenant, NOON, ADDED=[id_]) for _ in range(4)))
    later = await alerting.match(tenant, NOON + HOUR, ADDED=[id_])

    assert sorted(at_once) == [0, 0, 0, 1]
    assert later == 0
    assert len(await alerting.raised(tenant)) == 1


async def test_a_tag_fires_when_it_is_set(
    alerting: Alerting, factory: Factory, tenant: Tenant
) -> None:
    id_ = await factory.feedback(tenant)
    await factory.tag(tenant, "urgent")
    ((tag,),) = await factory.rows("SELECT id FROM tag")
    await alerting.rule(tenant, Definition(Kind.MATCH, Filter(tag_ids=(tag,))))

    before = await alerting.match(tenant, NOON, UPDATED=[id_])
    await factory.change(
        "INSERT INTO feedback_tag (feedback_id, tag_id, workspace_id)"
        " VALUES (:feedback, :tag, :workspace)",
        within=tenant,
        feedback=read(id_),
        tag=tag,
        workspace=tenant.id,
    )

    assert before == 0
    assert await alerting.match(tenant, NOON, UPDATED=[id_]) == 1


async def test_a_sentiment_fires_when_it_is_scored(
    alerting: Alerting, factory: Factory, tenant: Tenant
) -> None:
    await alerting.rule(tenant, Definition(Kind.MATCH, Filter(sentiments=("NEGATIVE",))))
    good = await factory.feedback(tenant, score=POSITIVE)
    bad = await factory.feedback(tenant, score=NEGATIVE)

    assert await alerting.match(tenant, NOON, ADDED=[good, bad], SCORED=[good]) == 0
    assert await alerting.match(tenant, NOON, SCORED=[good, bad]) == 1


async def test_five_of_many_are_kept(alerting: Alerting, factory: Factory, tenant: Tenant) -> None:
    await alerting.rule(tenant, WORD)
    ids = [await factory.feedback(tenant, f"refund {number}") for number in range(7)]

    await alerting.match(tenant, NOON, ADDED=ids)

    assert await about(factory) == [[f"refund {number}" for number in range(5)]]


async def test_feedback_of_another_workspace_never_matches(
    alerting: Alerting, factory: Factory, tenant: Tenant
) -> None:
    await alerting.rule(tenant, WORD)
    theirs = await factory.feedback(await factory.tenant(), "refund")

    assert await alerting.match(tenant, NOON, ADDED=[theirs]) == 0
