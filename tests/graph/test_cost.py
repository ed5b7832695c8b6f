"""What operations cost, and which are refused before they are executed."""

from dataclasses import replace
from typing import Any, cast

import httpx
import pytest
from graphql import GraphQLObjectType, build_schema, parse

from app.resources import Api
from app.settings import Settings
from app.stores import open_redis
from graph import shape
from graph.context import ANONYMOUS_POINTS
from graph.cost import RULE, Price, Rule
from graph.schema import schema
from persistence.database import Database
from persistence.limits import Limiter
from tests.applications import client
from tests.callers import Caller
from tests.factories import Factory

SCHEMA = schema._schema


def price(text: str, **variables: Any) -> int:
    return Price(SCHEMA, parse(text), None).of(variables)


PAGE = """
    query($first: Int) {
      workspace(slug: "a") {
        feedback(first: $first) { totalCount pageInfo { endCursor } nodes { id author { name } source { name } } }
      }
    }
"""


@pytest.mark.parametrize(
    ("text", "variables", "points"),
    [
        ("{ __typename }", {}, 1),
        ("{ viewer { user { id email name } } }", {}, 3),
        # The operation, workspace, connection, pageInfo; and 50 times feedback, author and source.
        (PAGE, {"first": 50}, 4 + 50 * 3),
        (PAGE, {"first": 1}, 4 + 3),
        (PAGE, {"first": 0}, 4),
        # More than a page can have is refused elsewhere; less than nothing too.
        (PAGE, {"first": 1_000_000}, 4 + 100 * 3),
        (PAGE, {"first": -1}, 4),
        # The default of the argument; and null, which asks for it.
        (PAGE.replace("(first: $first)", ""), {}, 4 + 20 * 3),
        (PAGE, {"first": None}, 4 + 20 * 3),
        (PAGE.replace("first: $first", "first: 7"), {}, 4 + 7 * 3),
        # Ten names of one leaf are free; each more costs in each object.
        (f"{{ viewer {{ user {{ {' '.join(f'a{i}: name' for i in range(10))} }} }} }}", {}, 3),
        (f"{{ viewer {{ user {{ {' '.join(f'a{i}: name' for i in range(12))} }} }} }}", {}, 3 + 20),
        (
            PAGE.replace("nodes { id", f"nodes {{ {' '.join(f'a{i}: body' for i in range(12))}"),
            {"first": 50},
            4 + 50 * 23,
        ),
        # A list of ids says how many there are; of the types that they may be the dearest counts.
        (
            "query($ids: [ID!]!) { nodes(ids: $ids) { id ... on Tag { name } } }",
            {"ids": ["a"] * 30},
            31,
        ),
        (
            "query($ids: [ID!]!) { nodes(ids: $ids) {... on Tag {id} ... on Feedback {source {id} author {name}}} }",
            {"ids": ["a"] * 30},
            1 + 30 * 3,
        ),
        # What is asked for twice is answered once, whichever way it is asked.
        (
            "{ viewer { user { id } user { name } } ...F } fragment F on Query { viewer { user { email } } }",
            {},
            3,
        ),
        ("{ a: viewer { user { id } } b: viewer { user { name } } }", {}, 5),
        ("{ viewer { ... on Viewer @include(if: false) { user { id } } } }", {}, 3),
        # What is changed costs more, and introspection a flat sum.
        ("mutation { logout { __typename } }", {}, 11),
        ("{ __schema { types { fields { type { name } } } } }", {}, 101),
        ('{ analyzeSentiment(texts: ["a", "b", "c"]) { label } }', {}, 1 + 3 * 5),
    ],
)
def test_the_points_of_an_operation(text: str, variables: dict[str, Any], points: int) -> None:
    assert price(text, **variables) == points


def test_equal_parts_are_priced_once() -> None:
    """A document doubles with each level; its price is that of all, its pricing takes no longer than it is long."""
    core = build_schema("type Query { q: Query! }")
    levels = 60
    fragments = [
        f"fragment F{i} on Query {{ a: q {{ ...F{i + 1} }} b: q {{ ...F{i + 1} }} }}"
        for i in range(levels)
    ]
    text = "{ ...F0 }" + "".join(fragments) + f"fragment F{levels} on Query {{ __typename }}"

    # One for each field of the response, as far as it is counted at all.
    assert Price(core, parse(text), None).of({}) == 1 + 10**12


def test_the_operation_that_is_named_is_priced() -> None:
    text = "query A { viewer { user { id } } } query B { __typename }"

    assert [Price(SCHEMA, parse(text), name).of({}) for name in ("A", "B")] == [3, 1]


def test_connections_go_by_their_pages_and_lists_by_what_they_say() -> None:
    fields = cast("GraphQLObjectType", SCHEMA.type_map["Workspace"]).fields

    assert fields["feedback"].extensions[RULE] == Rule(
        1, False, ("first",), 20, frozenset({"edges", "nodes"})
    )
    assert fields["sources"].extensions[RULE] == Rule(1, True)
    assert (
        "feedback(first: Int = 20, after: String, filter: FeedbackFilter, orderBy: FeedbackOrder! = NEWEST_FIRST):"
        ' FeedbackConnection! @listSize(assumedSize: 20, slicingArguments: ["first"], sizedFields: ["edges", "nodes"])'
        in schema.as_str()
    )


async def test_an_answer_tells_what_was_asked_for_and_what_it_was(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant("acme")
    for _ in range(3):
        await factory.feedback(tenant)
    query = '{ workspace(slug: "acme") { feedback { nodes { id source { id } } } } }'

    answer = (await tenant.owner.on(http).post(query)).json()

    assert len(answer["data"]["workspace"]["feedback"]["nodes"]) == 3
    assert answer["extensions"] == {
        "cost": {"requested": 3 + 20 * 2, "actual": 3 + 3 * 2, "limit": 25_000}
    }


async def test_what_may_cost_too_much_is_refused_before_it_is_executed(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant("acme")
    query = """
        query($ids: [ID!]!) {
          nodes(ids: $ids) {
            ... on Workspace { feedback(first: 100) { nodes { source { id } tags { id } } } }
          }
        }
    """

    response = await tenant.owner.on(http).post(query, ids=[tenant.gid] * 100)

    points = price(query, ids=[tenant.gid] * 100)
    assert response.json() == {
        "errors": [
            {
                "message": f"The operation may cost {points:,} points; 25,000 are the most. Ask for less.",
                "extensions": {
                    "code": "BAD_REQUEST",
                    "cost": {"requested": points, "limit": 25_000},
                },
            }
        ]
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "{" + " ".join(f"a{i}: __typename" for i in range(201)) + "}",
            "The document has 201 aliases; 200 are the most.",
        ),
        (
            "{ __typename " + "@include(if: true) " * 201 + "}",
            "The document has 201 directives; 200 are the most.",
        ),
        (
            "{" + " ".join(f"a{i}: __typename" for i in range(51)) + "}",
            "An operation has 51 root fields; 50 are the most.",
        ),
        (
            "{"
            + " ".join(f"...F{i}" for i in range(6))
            + "}"
            + "".join(
                f"fragment F{i} on Query {{"
                + " ".join(f"a{i}{j}: __typename" for j in range(9))
                + "}"
                for i in range(6)
            ),
            "An operation has 54 root fields; 50 are the most.",
        ),
        ("{ a" * 21 + " }" * 21, "An operation is 21 levels deep; 20 are the most."),
        (
            "#" + "x" * 50_000 + "\n{ __typename }",
            "The document has 50,016 characters; 50,000 are the most.",
        ),
        (
            "{ a: __schema { ...F } b: __schema { ...F } } fragment F on __Schema { c: types { name } }",
            "A document that asks for the schema has 3 aliases; 2 are the most.",
        ),
        (
            '{ __type(name: "User") { a: fields { name } b: fields { name } c: fields { name } } }',
            "A document that asks for the schema has 3 aliases; 2 are the most.",
        ),
        (
            "{ ...F0 }"
            + "".join(f"fragment F{i} on Query {{ a {{ ...F{i + 1} }} }}" for i in range(21))
            + "fragment F21 on Query { b }",
            "An operation is 22 levels deep; 20 are the most.",
        ),
    ],
    ids=[
        "aliases",
        "directives",
        "roots",
        "roots in fragments",
        "depth",
        "characters",
        "schemas",
        "types",
        "depth in fragments",
    ],
)
async def test_a_document_has_its_limits(nobody: Caller, text: str, message: str) -> None:
    (error,) = await nobody.errors(text)

    assert error == {"message": message, "extensions": {"code": "BAD_REQUEST"}}


@pytest.mark.parametrize(
    "text",
    [
        "{ ...Nowhere }",
        "fragment F on Query { __typename }",
    ],
    ids=["an unknown fragment", "no operation"],
)
def test_a_document_that_is_not_valid_is_left_to_validation(text: str) -> None:
    assert shape.excess(parse(text)) is None


async def test_nesting_beyond_measure_is_refused(nobody: Caller) -> None:
    (error,) = await nobody.errors("{ a" * 3_000 + " }" * 3_000)

    assert error["extensions"] == {"code": "BAD_REQUEST"}


async def test_who_has_spent_all_points_is_told_when_to_come_again(
    settings: Settings, api: Api, database: Database
) -> None:
    scale = 200 / ANONYMOUS_POINTS.points  # two hundred a minute for an address
    query = {"query": "{ __schema { queryType { name } } }"}  # 101 points
    async with open_redis(settings) as redis:
        limiter = Limiter(redis, scale=scale)
        services = replace(api.services, limiter=limiter)
        there = replace(api, services=services)
        # An address of its own, for what it has spent is spent for other tests too.
        async with client(settings, there, address="203.0.113.7") as http:
            answers = [await http.post("/graphql", json=query) for _ in range(3)]
        await limiter.close()

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    refused = answers[2]
    (error,) = refused.json()["errors"]
    assert error["extensions"]["code"] == "RATE_LIMITED"
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.headers["ratelimit-policy"] == '"points";q=200;qu="points";w=60'
    assert refused.headers["ratelimit"].startswith('"points";r=0;t=')


async def test_to_be_refused_costs_points_too(
    settings: Settings, api: Api, database: Database
) -> None:
    scale = 200 / ANONYMOUS_POINTS.points
    known, long = {"query": "{ __typename }"}, {"query": "{" + "a " * 250}  # 51 points
    async with open_redis(settings) as redis:
        limiter = Limiter(redis, scale=scale)
        there = replace(api, services=replace(api.services, limiter=limiter))
        async with client(settings, there, address="203.0.113.8") as http:
            refused = [await http.post("/graphql", json=long) for _ in range(4)]
            unread = await http.post("/graphql", json={"query": "{ viewer { user { id } } }"})
            spent = await http.post("/graphql", json=known)
        await limiter.close()

    assert [answer.status_code for answer in refused] == [200] * 4
    assert [answer.json()["errors"][0]["extensions"]["code"] for answer in refused] == [
        "BAD_REQUEST"
    ] * 4
    for answer in (unread, spent):
        assert answer.status_code == 429
        assert answer.json()["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
        assert int(answer.headers["retry-after"]) >= 1


async def test_who_has_a_network_has_its_points_once(
    settings: Settings, api: Api, database: Database
) -> None:
    scale = 100 / ANONYMOUS_POINTS.points
    query = {"query": "{ __schema { queryType { name } } }"}  # 101 points
    async with open_redis(settings) as redis:
        limiter = Limiter(redis, scale=scale)
        there = replace(api, services=replace(api.services, limiter=limiter))
        statuses = []
        for address in ("2001:db8:a:1::1", "2001:db8:a:1:ffff::2", "2001:db8:a:2::1"):
            async with client(settings, there, address=address) as http:
                statuses.append((await http.post("/graphql", json=query)).status_code)
        await limiter.close()

    assert statuses == [200, 429, 200]


async def test_callers_see_what_they_have_left(
    settings: Settings, api: Api, factory: Factory
) -> None:
    person = await factory.person()
    query = "{ viewer { user { id } } rateLimit { limit remaining resetAt } }"  # four points, and 6 to be read
    async with open_redis(settings) as redis:
        limiter = Limiter(redis, scale=1 / 10_000)
        services = replace(api.services, limiter=limiter)
        async with client(settings, replace(api, services=services)) as http:
            first, second = [(await person.on(http).ask(query))["rateLimit"] for _ in range(2)]
        await limiter.close()

    assert (first["limit"], first["remaining"]) == (100, 90)
    # Some may have come back meanwhile.
    assert 86 <= second["remaining"] < 90
