"""Statistics by source and by tag over GraphQL."""

from typing import Any

import httpx

from tests.callers import JSON
from tests.factories import NEGATIVE, POSITIVE, Factory, GivenScore, Tenant
from tests.graph.stats_queries import at

GROUPS = """
    query($slug: String!, $filter: FeedbackFilter) {
      workspace(slug: $slug) {
        stats(from: "2026-06-15T00:00:00Z", to: "2026-06-16T00:00:00Z", filter: $filter) {
          sources { source { name } counts { total positive averageScore } }
          tags { tag { name } counts { total negative averageRating } }
        }
      }
    }
"""
DURING, BEFORE = at("2026-06-15T12:00"), at("2026-06-14T12:00")


async def groups(tenant: Tenant, http: httpx.AsyncClient, **filter: Any) -> JSON:
    answer = await tenant.owner.on(http).ask(GROUPS, slug=tenant.slug, filter=filter)
    return answer["workspace"]["stats"]


async def test_each_source_and_each_tag_has_its_counts_the_largest_first(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant, stranger = await factory.tenant(), await factory.tenant()
    great = GivenScore("POSITIVE", 0.5, 0.9)
    both = await factory.feedback(tenant, score=great, rating=8, occurred_at=DURING)
    one = await factory.feedback(tenant, score=NEGATIVE, rating=2, occurred_at=DURING)
    early = await factory.feedback(tenant, score=POSITIVE, occurred_at=BEFORE)
    await factory.tag(tenant, "Often", both, one, early)
    await factory.tag(tenant, "Once", both)
    await factory.tag(tenant, "Earlier", early)
    await factory.tag(tenant, "Never")
    await factory.tag(stranger, "Else", await factory.feedback(stranger, occurred_at=DURING))

    answer = await groups(tenant, http)

    assert answer["tags"] == [
        {"tag": {"name": "Often"}, "counts": {"total": 2, "negative": 1, "averageRating": 5.0}},
        {"tag": {"name": "Once"}, "counts": {"total": 1, "negative": 0, "averageRating": 8.0}},
    ]
    (source,) = answer["sources"]
    assert (source["counts"]["total"], source["counts"]["positive"]) == (2, 1)


async def test_filters_apply_to_groups(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    good = await factory.feedback(tenant, "Great.", score=POSITIVE, occurred_at=DURING)
    bad = await factory.feedback(tenant, "Late.", score=NEGATIVE, occurred_at=DURING)
    often = await factory.tag(tenant, "Often", good, bad)
    await factory.tag(tenant, "Once", good)

    named = {
        name: [(each["tag"]["name"], each["counts"]["total"]) for each in answer["tags"]]
        for name, answer in {
            "sentiment": await groups(tenant, http, sentiments=["NEGATIVE"]),
            "tag": await groups(tenant, http, tagIds=[often]),
            "words": await groups(tenant, http, search="great"),
            "nothing": await groups(tenant, http, search="nowhere"),
        }.items()
    }

    assert named["sentiment"] == [("Often", 1)]
    assert named["tag"] == [("Often", 2), ("Once", 1)]
    assert set(named["words"]) == {("Often", 1), ("Once", 1)}
    assert named["nothing"] == []


async def test_a_source_that_has_nothing_left_is_not_there(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    await factory.feedback(tenant, occurred_at=DURING)
    assert len((await groups(tenant, http))["sources"]) == 1

    await factory.change(
        "DELETE FROM feedback WHERE workspace_id = :of", within=tenant, of=tenant.id
    )

    assert (await groups(tenant, http))["sources"] == []
