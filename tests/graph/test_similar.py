"""Feedback that is like another, over GraphQL."""

import httpx

from tests.callers import Caller
from tests.factories import NOON, Factory
from tests.graph.feedback_queries import DAY

SIMILAR = """
    query($ids: [ID!]!, $first: Int! = 5) {
      nodes(ids: $ids) { ... on Feedback { similar(first: $first) { body source { kind } } } }
    }
"""


async def similar(caller: Caller, *ids: str, first: int = 5) -> list[list[str]]:
    answer = await caller.ask(SIMILAR, ids=ids, first=first)
    return [[other["body"] for other in node["similar"]] for node in answer["nodes"]]


async def test_what_shares_rare_words_is_similar(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    # A word that more than a tenth of the newest 200 have says nothing.
    for number in range(25):
        await factory.feedback(tenant, f"The delivery of parcel{number}.", occurred_at=NOON + DAY)
    asked = await factory.feedback(tenant, "The zipper's battery was late: delivery by drone?")
    for body in (
        "Batteries and zippers, by drones.",
        "A zipper.",
        "Delivery.",
        "Nothing of that sort.",
    ):
        await factory.feedback(tenant, body)

    ((*found,),) = await similar(tenant.owner.on(http), asked)

    assert found == ["Batteries and zippers, by drones.", "A zipper."]


async def test_what_bears_the_same_tags_is_similar(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    asked = await factory.feedback(tenant, "One.")
    twice = await factory.feedback(tenant, "Two tags.")
    once = await factory.feedback(tenant, "Another tag.")
    other = await factory.feedback(tenant, "Different.")
    await factory.tag(tenant, "red", asked, twice, once)
    await factory.tag(tenant, "blue", asked, twice)
    await factory.tag(tenant, "green", other)

    found = await similar(tenant.owner.on(http), asked)

    assert found == [["Two tags.", "Another tag."]]


async def test_the_same_source_decides_between_two_that_are_as_similar(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    ((api,),) = await factory.rows(
        "SELECT id FROM source WHERE workspace_id = :id AND name = 'API'", id=tenant.id
    )
    asked = await factory.feedback(tenant, "Zipper.")
    await factory.feedback(tenant, "Zipper here.")
    await factory.feedback(tenant, "Zipper there.", source_id=api, occurred_at=NOON + DAY)

    found = await similar(tenant.owner.on(http), asked)

    assert found == [["Zipper here.", "Zipper there."]]


async def test_each_has_its_own_and_none_of_another_workspace(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    other = await factory.tenant(owner=tenant.owner)
    asked = [
        await factory.feedback(tenant, "Zipper one."),
        await factory.feedback(other, "Zipper two."),
        await factory.feedback(tenant, r"Don't \o/ a'b\c drone."),
    ]
    await factory.feedback(tenant, "Zipper three.")
    await factory.feedback(tenant, "My drone.")

    found = await similar(tenant.owner.on(http), *asked)

    assert found == [["Zipper three."], [], ["My drone."]]


async def test_so_many_are_answered_as_asked_for(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    asked = await factory.feedback(tenant, "Zipper.")
    for number in range(3):
        await factory.feedback(tenant, f"Zipper {number}.", occurred_at=NOON + number * DAY)
    owner = tenant.owner.on(http)

    two, none = await similar(owner, asked, first=2), await similar(owner, asked, first=0)
    (error,) = await owner.errors(SIMILAR, ids=[asked], first=21)

    assert (two, none) == ([["Zipper 2.", "Zipper 1."]], [[]])
    assert error["extensions"]["code"] == "INVALID_INPUT"
