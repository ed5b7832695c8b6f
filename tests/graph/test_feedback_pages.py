"""Feedback over GraphQL: the orders of its list, its pages and their cursors."""

from datetime import timedelta

import httpx
import pytest

from tests.callers import JSON, Caller
from tests.factories import NOON, POSITIVE, Factory, GivenScore, Tenant
from tests.graph.feedback_queries import DAY, PAGE, page

ORDERS = ["NEWEST_FIRST", "OLDEST_FIRST", "MOST_NEGATIVE", "MOST_POSITIVE"]
LEVELS = [
    GivenScore("NEGATIVE", -0.7, 0.8),
    GivenScore("NEUTRAL", 0.0, 0.5),
    GivenScore("POSITIVE", 0.1 + 0.2, 0.9),
]


@pytest.fixture
async def tied(factory: Factory) -> Tenant:
    """Feedback that ties in every sort key: three scores or none, at two moments, twice each."""
    tenant = await factory.tenant()
    for number in range(16):
        await factory.feedback(
            tenant,
            f"number {number}",
            occurred_at=NOON + (number % 2) * timedelta(microseconds=1),
            score=[*LEVELS, None][number // 2 % 4],
        )
    return tenant


async def expected_ids(factory: Factory, order: str) -> list[str]:
    rows = await factory.rows("SELECT id, occurred_at, sentiment_score FROM feedback")
    keys = {
        "NEWEST_FIRST": lambda row: (-row[1].timestamp(), -row[0].int),
        "OLDEST_FIRST": lambda row: (row[1].timestamp(), row[0].int),
        "MOST_NEGATIVE": lambda row: (row[2] is None, row[2] or 0, row[0].int),
        "MOST_POSITIVE": lambda row: (row[2] is None, -(row[2] or 0), -row[0].int),
    }
    return [f"feedback_{row[0].hex}" for row in sorted(rows, key=keys[order])]


async def walk(caller: Caller, tenant: Tenant, size: int, order: str) -> list[list[str]]:
    """The ids of every page."""
    pages = []
    after, more = None, True
    while more:
        answer = await page(caller, tenant, first=size, after=after, orderBy=order)
        pages.append([node["id"] for node in answer["nodes"]])
        after, more = answer["pageInfo"]["endCursor"], answer["pageInfo"]["hasNextPage"]
    return pages


@pytest.mark.parametrize("order", ORDERS)
async def test_an_order_sorts_with_ties_by_id_and_unscored_last(
    factory: Factory, tied: Tenant, http: httpx.AsyncClient, order: str
) -> None:
    answer = await page(tied.owner.on(http), tied, orderBy=order)

    assert [node["id"] for node in answer["nodes"]] == await expected_ids(factory, order)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(("size", "pages"), [(1, 16), (3, 6), (4, 4), (16, 1), (100, 1)])
async def test_walking_the_pages_visits_each_once_in_order(
    factory: Factory, tied: Tenant, http: httpx.AsyncClient, order: str, size: int, pages: int
) -> None:
    walked = await walk(tied.owner.on(http), tied, size, order)

    assert [id_ for ids in walked for id_ in ids] == await expected_ids(factory, order)
    assert len(walked) == pages


@pytest.mark.parametrize("order", ORDERS)
async def test_any_edge_goes_on_behind_itself(
    factory: Factory, tied: Tenant, http: httpx.AsyncClient, order: str
) -> None:
    caller = tied.owner.on(http)
    whole = await page(caller, tied, orderBy=order)
    ids = [edge["node"]["id"] for edge in whole["edges"]]

    rests = [
        await page(caller, tied, orderBy=order, after=edge["cursor"]) for edge in whole["edges"]
    ]

    assert [[node["id"] for node in rest["nodes"]] for rest in rests] == [
        ids[position:] for position in range(1, 17)
    ]


async def test_what_comes_in_between_pages_shifts_nothing(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    for number in range(4):
        await factory.feedback(tenant, f"{number}", occurred_at=NOON + number * DAY)
    caller = tenant.owner.on(http)
    first = await page(caller, tenant, first=2)
    await factory.feedback(tenant, "new", occurred_at=NOON + 9 * DAY)

    second = await page(caller, tenant, first=2, after=first["pageInfo"]["endCursor"])

    assert [node["body"] for node in first["nodes"]] == ["3", "2"]
    assert [node["body"] for node in second["nodes"]] == ["1", "0"]
    assert second["totalCount"] == 5


async def test_pages_keep_to_the_filter(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    for number in range(6):
        await factory.feedback(
            tenant, f"{number}", occurred_at=NOON + number * DAY, rating=number % 2
        )
    caller, odd = tenant.owner.on(http), {"ratingGte": 1}

    first = await page(caller, tenant, first=2, filter=odd)
    second = await page(caller, tenant, first=2, filter=odd, after=first["pageInfo"]["endCursor"])

    assert [node["body"] for node in first["nodes"] + second["nodes"]] == ["5", "3", "1"]
    assert (first["totalCount"], second["totalCount"]) == (3, 3)


async def test_page_info_tells_where_the_page_lies(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    for _ in range(3):
        await factory.feedback(tenant)
    caller = tenant.owner.on(http)

    first = await page(caller, tenant, first=2)
    last = await page(caller, tenant, first=2, after=first["pageInfo"]["endCursor"])

    assert first["pageInfo"] == {
        "hasNextPage": True,
        "hasPreviousPage": False,
        "startCursor": first["edges"][0]["cursor"],
        "endCursor": first["edges"][1]["cursor"],
    }
    assert last["pageInfo"] == {
        "hasNextPage": False,
        "hasPreviousPage": True,
        "startCursor": last["edges"][0]["cursor"],
        "endCursor": last["edges"][0]["cursor"],
    }


async def test_an_empty_workspace_has_an_empty_page(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()

    answer = await page(tenant.owner.on(http), tenant)

    assert answer == {
        "totalCount": 0,
        "nodes": [],
        "edges": [],
        "pageInfo": {
            "hasNextPage": False,
            "hasPreviousPage": False,
            "startCursor": None,
            "endCursor": None,
        },
    }


@pytest.mark.parametrize(("first", "length"), [(0, 0), (1, 1), (20, 20), (100, 21), (None, 20)])
async def test_first_is_the_longest_a_page_gets(
    factory: Factory, http: httpx.AsyncClient, first: int | None, length: int
) -> None:
    tenant = await factory.tenant()
    for _ in range(21):
        await factory.feedback(tenant)

    answer = await page(tenant.owner.on(http), tenant, first=first)

    assert len(answer["nodes"]) == length
    assert answer["pageInfo"]["hasNextPage"] is (length < 21)
    assert answer["totalCount"] == 21


@pytest.mark.parametrize("first", [-1, 101, -(2**31), 2**31 - 1])
async def test_first_out_of_range_is_refused(
    factory: Factory, http: httpx.AsyncClient, first: int
) -> None:
    tenant = await factory.tenant()

    (error,) = await tenant.owner.on(http).errors(PAGE, slug=tenant.slug, first=first)

    assert error["extensions"] == {"code": "INVALID_INPUT"}
    assert error["message"] == "`first` must be from 0 to 100."
    assert error["path"] == ["workspace", "feedback"]


async def refusal_of(caller: Caller, tenant: Tenant, after: str, order: str) -> JSON:
    (error,) = await caller.errors(PAGE, slug=tenant.slug, after=after, orderBy=order)
    return error["message"], error["extensions"]


REFUSED_CURSOR = (
    "`after` must be a cursor that this list gave, in the same order.",
    {"code": "INVALID_INPUT"},
)


@pytest.mark.parametrize(
    "cursor", ["", "nonsense", "AAAA", "AAAAAAAAAABbXQ==", "é", "====", "x" * 10_000, "\x00"]
)
@pytest.mark.parametrize("order", ["NEWEST_FIRST", "MOST_NEGATIVE"])
async def test_a_forged_cursor_is_refused(
    factory: Factory, http: httpx.AsyncClient, cursor: str, order: str
) -> None:
    tenant = await factory.tenant()

    assert await refusal_of(tenant.owner.on(http), tenant, cursor, order) == REFUSED_CURSOR


async def test_a_cursor_that_was_changed_is_refused(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    await factory.feedback(tenant)
    caller = tenant.owner.on(http)
    cursor = (await page(caller, tenant))["pageInfo"]["endCursor"]
    changed = cursor[:30] + chr(ord(cursor[30]) ^ 1) + cursor[31:]

    assert await refusal_of(caller, tenant, changed, "NEWEST_FIRST") == REFUSED_CURSOR


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("other", ORDERS)
async def test_a_cursor_fits_its_own_order_only(
    factory: Factory, http: httpx.AsyncClient, order: str, other: str
) -> None:
    tenant = await factory.tenant()
    await factory.feedback(tenant, score=POSITIVE)
    caller = tenant.owner.on(http)
    cursor = (await page(caller, tenant, orderBy=other))["pageInfo"]["endCursor"]

    body = (await caller.post(PAGE, slug=tenant.slug, after=cursor, orderBy=order)).json()

    assert ("errors" in body) is (order != other)


async def test_a_cursor_of_another_workspace_is_refused(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    here = await factory.tenant()
    there = await factory.tenant(owner=here.owner)
    await factory.feedback(there)
    caller = here.owner.on(http)
    cursor = (await page(caller, there))["pageInfo"]["endCursor"]

    assert await refusal_of(caller, here, cursor, "NEWEST_FIRST") == REFUSED_CURSOR


async def test_a_cursor_fits_no_list_of_several_workspaces(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    first = await factory.tenant()
    second = await factory.tenant(owner=first.owner)
    await factory.feedback(first)
    await factory.feedback(second)
    caller = first.owner.on(http)
    cursor = (await page(caller, first))["pageInfo"]["endCursor"]

    errors = await caller.errors(
        "query($after: String) { viewer { workspaces { feedback(after: $after) { totalCount } } } }",
        after=cursor,
    )

    assert {error["extensions"]["code"] for error in errors} == {"INVALID_INPUT"}
