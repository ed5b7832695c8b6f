"""Quarantine over GraphQL: looked at, tried again after the mapping was mended, previewed before."""

from datetime import UTC, datetime
from typing import Any

import httpx
import orjson
import pytest

from persistence.database import Database
from tests.app.deliveries import event, rows
from tests.factories import Factory, Person, Tenant
from tests.graph.source_queries import change, look
from tests.provider_samples import bearer
from tests.working import Worker

BEARER = {"scheme": "BEARER", "mapping": {"body": "text", "externalId": "id"}}
TOKEN = "a-token-of-the-shop"


async def shop(tenant: Tenant, http: httpx.AsyncClient) -> str:
    """A source with a mapping that does not fit what it is sent."""
    made = await change(
        tenant.owner,
        http,
        "createSource",
        workspaceId=tenant.gid,
        name="Shop",
        provider="GENERIC",
        secret=TOKEN,
        generic=BEARER,
    )
    id_: str = made["source"]["id"]
    return id_


async def send(http: httpx.AsyncClient, source: str, document: Any) -> httpx.Response:
    headers = bearer(TOKEN, b"", datetime.now(UTC))
    return await http.post(f"/hooks/{source}", content=orjson.dumps(document), headers=headers)


async def mend(tenant: Tenant, http: httpx.AsyncClient, source: str) -> None:
    mapping = {"body": "message", "externalId": "id"}
    await change(
        tenant.owner, http, "updateSource", sourceId=source, generic=BEARER | {"mapping": mapping}
    )


async def kept(person: Person, http: httpx.AsyncClient, source: str) -> Any:
    selection = (
        "quarantine { nodes { id sourceId reason raw size times problems { path message } } }"
    )
    return (await look(person, http, source, selection))["quarantine"]["nodes"]


async def test_what_a_mapping_does_not_fit_is_tried_again_once_it_does(
    factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    tenant = await factory.tenant()
    source = await shop(tenant, http)
    await send(http, source, {"message": "Fine.", "id": 1})
    await send(http, source, {"nothing": 2})
    before = await kept(tenant.owner, http, source)

    still = await change(tenant.owner, http, "replayQuarantined", sourceId=source)
    await mend(tenant, http, source)
    replayed = await change(tenant.owner, http, "replayQuarantined", sourceId=source)

    (row,) = await rows(database)
    after = await kept(tenant.owner, http, source)
    assert {(each["reason"], each["raw"]) for each in before} == {
        ("The mapping does not fit the body.", '{"message":"Fine.","id":1}'),
        ("The mapping does not fit the body.", '{"nothing":2}'),
    }
    assert before[0]["problems"] == [{"path": ["body"], "message": "`text` finds nothing"}]
    assert (still["stored"], still["failed"]) == (0, 2)
    assert (replayed["stored"], replayed["duplicates"], replayed["failed"]) == (1, 0, 1)
    assert (row["body"], row["external_id"]) == ("Fine.", "1")
    assert [each["raw"] for each in after] == ['{"nothing":2}']


async def test_what_was_stored_since_is_a_duplicate(
    factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    tenant = await factory.tenant()
    source = await shop(tenant, http)
    await send(http, source, {"message": "Fine.", "id": 1})
    await mend(tenant, http, source)
    await send(http, source, {"message": "Fine.", "id": 1})

    replayed = await change(tenant.owner, http, "replayQuarantined", sourceId=source)

    assert (replayed["stored"], replayed["duplicates"]) == (0, 1)
    assert await kept(tenant.owner, http, source) == []
    assert len(await rows(database)) == 1


async def test_one_of_them_can_be_tried_alone(
    factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    tenant = await factory.tenant()
    ids = [
        await factory.quarantined(tenant, event(body=str(n)), delivery=f"msg_{n}") for n in range(3)
    ]

    replayed = await change(
        tenant.owner, http, "replayQuarantined", sourceId=tenant.source_gid, ids=[ids[1]]
    )

    assert replayed["stored"] == 1
    assert [row["body"] for row in await rows(database)] == ["1"]
    assert await factory.rows("SELECT count(*) FROM quarantined") == [(2,)]


async def test_many_are_tried_by_a_job(
    factory: Factory, http: httpx.AsyncClient, worker: Worker, database: Database
) -> None:
    tenant = await factory.tenant()
    for number in range(205):
        body = event(body=str(number), rating=number % 12)
        await factory.quarantined(tenant, body, delivery=f"msg_{number}")

    asked = await change(tenant.owner, http, "replayQuarantined", sourceId=tenant.source_gid)
    await worker.work()

    ((status, result),) = await factory.rows("SELECT status, CAST(result AS text) FROM job")
    left = sum(number % 12 == 11 for number in range(205))
    assert asked["job"]["id"].startswith("job_")
    assert status == "SUCCEEDED"
    assert orjson.loads(result) == {"stored": 205 - left, "duplicates": 0, "failed": left}
    assert len(await rows(database)) == 205 - left
    assert await factory.rows("SELECT count(*) FROM quarantined") == [(left,)]


@pytest.mark.parametrize("role", ["VIEWER", "ANALYST"])
async def test_who_does_not_manage_sources_sees_nothing_of_it(
    role: str, factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    await factory.quarantined(tenant)

    assert await kept(await factory.member(tenant, role), http, tenant.source_gid) == []
    assert len(await kept(tenant.owner, http, tenant.source_gid)) == 1


async def test_pages_follow_each_other(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    for number in range(5):
        await factory.quarantined(tenant, str(number).encode(), delivery=str(number))
    seen: list[str] = []
    after = None

    for _ in range(3):
        argument = f'after: "{after}"' if after else "after: null"
        page = await look(
            tenant.owner,
            http,
            tenant.source_gid,
            f"quarantine(first: 2, {argument}) {{ edges {{ cursor node {{ raw }} }} pageInfo {{ hasNextPage }} }}",
        )
        edges = page["quarantine"]["edges"]
        seen += [edge["node"]["raw"] for edge in edges]
        after = edges[-1]["cursor"]

    assert seen == ["4", "3", "2", "1", "0"]
    assert page["quarantine"]["pageInfo"] == {"hasNextPage": False}


async def test_a_mapping_is_tried_before_it_is_saved(
    factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    tenant = await factory.tenant()
    mapping = {"items": "reviews", "body": "text", "rating": "stars", "deliveryId": "batch"}
    body = {"batch": 7, "reviews": [{"text": "Fine.", "stars": 5}, {"text": "Bad.", "stars": "x"}]}

    found = await change(
        tenant.owner,
        http,
        "previewSource",
        workspaceId=tenant.gid,
        body=orjson.dumps(body).decode(),
        mapping=mapping,
    )

    good, bad = found["entries"]
    assert (found["count"], found["deliveryId"], found["answer"]) == (2, "7", None)
    assert (good["feedback"]["body"], good["feedback"]["rating"]) == ("Fine.", 5)
    assert bad["feedback"] is None
    assert bad["problems"] == [{"path": ["rating"], "message": "must be a whole number, is 'x'"}]
    assert await rows(database) == []


async def test_a_wrong_expression_is_named(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()

    answer = await change(
        tenant.owner,
        http,
        "previewSource",
        workspaceId=tenant.gid,
        body="{}",
        mapping={"body": "text", "rating": "stars["},
    )

    ((path, message),) = [(field["path"], field["message"]) for field in answer["fields"]]
    assert path == ["mapping", "rating"]
    assert message.startswith("is no JMESPath: ")
