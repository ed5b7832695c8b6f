"""Pages of feedback that Postgres writes as JSON: the same as what is written from rows, whatever is in them.

Each query here is executed by graphql-core, too, which reads rows (tests/both_ways.py).
"""

import random
from datetime import timedelta
from typing import Any

import httpx
import pytest

from domain import ids
from domain.ids import Kind
from graph import feedback_page
from tests.both_ways import TALLY
from tests.callers import Caller
from tests.factories import NOON, Factory, GivenScore, Tenant

BODIES = [
    "It works.",
    'He said "no", and \\ again.',
    "Two\r\nlines\tand \b\f\x01\x02\x03\x1f\x7f signs",
    "Grüße, 日本語, 🎉 and \u2028\u2029",
    "{} $1 %s :name '' ||",
    '{"cursor":null}',
]
SCORES = [
    None,
    GivenScore("NEGATIVE", -1.0, 1.0),
    GivenScore("NEUTRAL", 0.0, 0.5),
    GivenScore("NEUTRAL", -0.0625, 0.25),
    GivenScore("POSITIVE", 0.1 + 0.2, 0.9),
]
AUTHORS = [
    {},
    {"author_name": 'Ann "A" O\'Hara'},
    {"author_email": "ann@example.com"},
    {"author_name": "Ann", "author_email": "ann@example.com", "author_external_id": "7"},
]
METADATA = [None, "{}", '{"plan": "pro", "seats": [1, 2.5, null], "note": "a\\nb"}']
SCALARS = [
    "id",
    "externalId",
    "body",
    "rating",
    "language",
    "unscoredReason",
    "metadata",
    "occurredAt",
    "receivedAt",
    "status",
    "__typename",
]
OBJECTS = {
    "author": ["name", "email", "externalId", "__typename"],
    "sentiment": ["label", "score", "confidence", "model", "__typename"],
    "assignee": ["memberId", "userId", "name", "__typename"],
    "source": ["id", "name", "kind", "provider", "createdAt", "__typename"],
    "tags": ["id", "name", "color", "__typename"],
}
WRITABLE = [name for name in SCALARS if name != "unscoredReason"]


@pytest.fixture
async def varied(factory: Factory) -> Tenant:
    """A workspace whose feedback has everything there may be in a row."""
    tenant = await factory.tenant()
    spare = await factory.spare_source(tenant)
    kept = [
        await factory.feedback(
            tenant,
            BODIES[number % len(BODIES)],
            source_id=None if number % 3 else ids.read(Kind.SOURCE, spare),
            score=SCORES[number % len(SCORES)],
            external_id=None if number % 2 else f"{number}'\"\\",
            rating=None if number % 4 == 0 else number % 11,
            metadata=METADATA[number % len(METADATA)],
            occurred_at=NOON + number % 5 * timedelta(microseconds=number % 2, hours=1),
            **AUTHORS[number % len(AUTHORS)],
        )
        for number in range(24)
    ]
    await factory.change(
        "UPDATE feedback SET assignee_id = (SELECT id FROM member WHERE workspace_id = :of)"
        " WHERE workspace_id = :of AND rating > 4",
        within=tenant,
        of=tenant.id,
    )
    await factory.tag(tenant, 'A "tag"', *kept[::2])
    await factory.tag(tenant, "b", *kept[::5])
    await factory.tag(tenant, "nobody's")
    return tenant


def selection(dice: random.Random) -> str:
    """Some fields of a feedback, with aliases, in any order."""
    parts = dice.sample(WRITABLE, dice.randint(0, len(WRITABLE)))
    for name, fields in OBJECTS.items():
        if dice.random() < 0.6:
            chosen = dice.sample(fields, dice.randint(1, len(fields)))
            parts.append(f"{name} {{ {' '.join(chosen)} }}")
    parts = [f"a{i}: {part}" if dice.random() < 0.2 else part for i, part in enumerate(parts)]
    dice.shuffle(parts)
    return " ".join(parts) or "__typename"


def written() -> int:
    return TALLY.compared["written query"]


async def ask(caller: Caller, tenant: Tenant, inner: str, arguments: str = "first: 7") -> Any:
    query = f"query($slug: String!) {{ workspace(slug: $slug) {{ feedback({arguments}) {{ {inner} }} }} }}"
    return (await caller.ask(query, slug=tenant.slug))["workspace"]["feedback"]


@pytest.mark.parametrize("seed", range(30))
async def test_any_selection_is_written_as_rows_would_be(
    varied: Tenant, http: httpx.AsyncClient, seed: int
) -> None:
    dice, caller, before = random.Random(seed), varied.owner.on(http), written()  # noqa: S311
    node = selection(dice)
    inner = dice.choice(
        [
            f"nodes {{ {node} }}",
            f"edges {{ node {{ {node} }} }}",
            f"edges {{ cursor node {{ {node} }} }} totalCount",
            f"pageInfo {{ hasNextPage startCursor endCursor }} edges {{ node {{ {node} }} cursor here: __typename }}",
        ]
    )
    arguments = dice.choice(
        [
            "first: 7",
            "first: 100, orderBy: OLDEST_FIRST",
            "first: 24, filter: { ratingGte: 3 }",
            'first: 5, filter: { search: "works" }',
            "first: 1, orderBy: NEWEST_FIRST",
        ]
    )

    await ask(caller, varied, inner, arguments)

    assert written() == before + 1, inner


async def test_as_many_fields_as_may_be_are_written(
    varied: Tenant, http: httpx.AsyncClient
) -> None:
    before = written()

    await ask(
        varied.owner.on(http), varied, f"nodes {{ {' '.join(f'a{i}: id' for i in range(64))} }}"
    )

    assert written() == before + 1


async def test_a_text_by_two_names_is_not_written_by_postgres(
    varied: Tenant, http: httpx.AsyncClient
) -> None:
    before = written()

    await ask(varied.owner.on(http), varied, "nodes { body again: body }")

    assert written() == before


@pytest.mark.parametrize("order", ["NEWEST_FIRST", "OLDEST_FIRST"])
async def test_cursors_of_written_pages_are_those_of_rows(
    varied: Tenant, http: httpx.AsyncClient, order: str
) -> None:
    caller, before = varied.owner.on(http), written()
    arguments = f"first: 100, orderBy: {order}"
    rows = await ask(caller, varied, "edges { cursor node { id } } nodes { id }", arguments)
    assert written() == before

    found, after, more = [], None, True
    while more:
        place = "" if after is None else f', after: "{after}"'
        page = await ask(
            caller,
            varied,
            "edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage endCursor }",
            f"first: 5, orderBy: {order}{place}",
        )
        found += page["edges"]
        assert page["pageInfo"]["hasPreviousPage"] is (after is not None)
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]

    assert found == rows["edges"]
    assert after == rows["edges"][-1]["cursor"]
    assert written() > before + 4


@pytest.mark.parametrize(
    ("inner", "arguments"),
    [
        ("nodes { id unscoredReason }", "first: 7"),
        ("nodes { id history { at } }", "first: 7"),
        ("nodes { id source { lastReceivedAt } }", "first: 7"),
        ("nodes { first: tags { name } second: tags { id } }", "first: 7"),
        ("nodes { sentiment { label spans { start } } }", "first: 7"),
        ("nodes { id } edges { cursor }", "first: 7"),
        ("first: nodes { id } second: nodes { body }", "first: 7"),
        ("nodes { id }", "first: 7, orderBy: MOST_NEGATIVE"),
        ("nodes { id }", "first: 0"),
        (f"nodes {{ {' '.join(f'a{i}: body' for i in range(65))} }}", "first: 7"),
        ("totalCount pageInfo { endCursor }", "first: 7"),
    ],
)
async def test_what_cannot_be_written_is_read_as_rows(
    varied: Tenant, http: httpx.AsyncClient, inner: str, arguments: str
) -> None:
    before = written()

    await ask(varied.owner.on(http), varied, inner, arguments)

    assert written() == before


async def test_several_workspaces_have_their_own_written_pages(
    factory: Factory, varied: Tenant, http: httpx.AsyncClient
) -> None:
    empty = await factory.tenant(owner=varied.owner)
    other = await factory.tenant(owner=varied.owner)
    await factory.feedback(other, "of another")
    before = written()

    answer = await varied.owner.on(http).ask(
        "{ viewer { workspaces { slug feedback(first: 30) { nodes { body tags { name } } pageInfo { endCursor } } } } }"
    )

    pages = {each["slug"]: each["feedback"] for each in answer["viewer"]["workspaces"]}
    assert len(pages[varied.slug]["nodes"]) == 24
    assert pages[other.slug]["nodes"] == [{"body": "of another", "tags": []}]
    assert pages[empty.slug] == {"nodes": [], "pageInfo": {"endCursor": None}}
    assert written() == before + 1


async def test_what_is_written_costs_what_rows_cost(
    varied: Tenant, http: httpx.AsyncClient
) -> None:
    async def cost(inner: str) -> int:
        query = f'{{ workspace(slug: "{varied.slug}") {{ feedback(first: 24) {{ {inner} }} }} }}'
        answer = await varied.owner.on(http).post(query)
        return int(answer.json()["extensions"]["cost"]["actual"])

    inner = "author { name } sentiment { label } source { id } assignee { name } tags { name }"
    before = written()
    whole = await cost(f"edges {{ node {{ {inner} }} }}")
    assert written() == before + 1

    assert whole == await cost(f"edges {{ node {{ {inner} unscoredReason }} }}")
    assert written() == before + 1


async def test_what_is_seldom_asked_for_or_short_is_read_as_rows(
    varied: Tenant, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feedback_page, "SELDOM", 2)
    monkeypatch.setattr(feedback_page, "FEWEST_WRITTEN", 7)
    caller, before = varied.owner.on(http), written()
    counts = []

    for arguments in ["first: 7"] * 4 + ["first: 6"] * 4:
        await ask(caller, varied, "nodes { seldom: id }", arguments)
        counts.append(written() - before)

    assert counts[0] == counts[1] == 0
    assert counts[3] > counts[2]
    assert len(set(counts[3:])) == 1
