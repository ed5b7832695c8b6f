"""Exports in the worker, on the real stores: what is in the files, and what becomes of them when something fails."""

import asyncio
import tracemalloc
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from app.settings import Settings
from app.stores import now
from domain import export, file, ids
from domain.events import INSTANCE
from domain.export import Format, Wanted
from domain.feedback import Filter
from domain.ids import Kind
from domain.viewer import Viewer
from jobs.export import PART
from persistence.database import Database
from persistence.objects import Objects, ObjectsUnavailableError
from tests.applications import reached
from tests.exporting import (
    BLOCKED,
    cancelled,
    cells,
    exported,
    kept,
    locked,
    look,
    many,
    objects,
    started,
    texts,
)
from tests.factories import NEGATIVE, NOON, POSITIVE, Factory, Tenant
from tests.uploads import get
from tests.working import Worker

MIB = 2**20


async def told(factory: Factory, tenant: Tenant) -> str:
    """A feedback with all that one can have; answers its id."""
    feedback = await factory.feedback(
        tenant,
        '=HYPERLINK("http://evil.example")\r\nGrüße, "東京" 🎉',
        score=NEGATIVE,
        external_id="+49 30 1234",
        author_name="@ada",
        author_email="ada@example.com",
        author_external_id="-1",
        rating=3,
        metadata='{"plan": "pro", "big": 12345678901234567, "nested": {"a": [1.50, null]}}',
    )
    await factory.tag(tenant, "late; again", feedback)
    await factory.tag(tenant, "=red", feedback)
    return feedback


# Contents


async def test_csv_has_a_row_for_each_feedback_and_no_formula(
    factory: Factory, http: httpx.AsyncClient, worker: Worker
) -> None:
    tenant = await factory.tenant()
    feedback = await told(factory, tenant)

    await factory.change(
        "UPDATE feedback SET status = 'CLOSED', assignee_id = member.id FROM member"
        " WHERE member.user_id = :user",
        within=tenant,
        user=tenant.owner.id,
    )
    await factory.change("UPDATE \"user\" SET name = '=Ada' WHERE id = :id", id=tenant.owner.id)

    body = await exported(worker, http, tenant)

    (row,) = cells(body)
    ((received,),) = await factory.rows("SELECT received_at FROM feedback")
    assert row == {
        "id": feedback,
        "source": "Hook",
        "sourceId": tenant.source_gid,
        "externalId": "'+49 30 1234",
        "authorName": "'@ada",
        "authorEmail": "ada@example.com",
        "authorExternalId": "'-1",
        "body": '\'=HYPERLINK("http://evil.example")\r\nGrüße, "東京" 🎉',
        "rating": "3",
        "language": "",
        "tags": "'=red;late\\; again",
        "sentimentLabel": "NEGATIVE",
        "sentimentScore": "-0.7",
        "sentimentConfidence": "0.8",
        "sentimentModel": "test-model-1",
        "metadata": '{"big": 12345678901234567, "plan": "pro", "nested": {"a": [1.50, null]}}',
        "occurredAt": "2026-06-15T12:00:00Z",
        "receivedAt": received.isoformat().replace("+00:00", "Z"),
        "status": "CLOSED",
        "assignee": "'=Ada",
    }
    assert body.startswith(b"\xef\xbb\xbfid,source,")
    assert body.endswith(b"Z,CLOSED,'=Ada\r\n")


async def test_ndjson_has_an_object_for_each_feedback(
    factory: Factory, http: httpx.AsyncClient, worker: Worker
) -> None:
    tenant = await factory.tenant()
    feedback = await told(factory, tenant)
    await factory.feedback(tenant, "Later.", occurred_at=now())

    body = await exported(worker, http, tenant, format="NDJSON")

    first, second = objects(body)
    assert first.pop("receivedAt").endswith("Z")
    assert first == {
        "id": feedback,
        "source": "Hook",
        "sourceId": tenant.source_gid,
        "externalId": "+49 30 1234",
        "authorName": "@ada",
        "authorEmail": "ada@example.com",
        "authorExternalId": "-1",
        "body": '=HYPERLINK("http://evil.example")\r\nGrüße, "東京" 🎉',
        "rating": 3,
        "language": None,
        "tags": ["=red", "late; again"],
        "sentimentLabel": "NEGATIVE",
        "sentimentScore": -0.7,
        "sentimentConfidence": 0.8,
        "sentimentModel": "test-model-1",
        "metadata": {"plan": "pro", "big": 12345678901234567, "nested": {"a": [1.5, None]}},
        "occurredAt": "2026-06-15T12:00:00Z",
        "status": "OPEN",
        "assignee": None,
    }
    assert (second["body"], second["tags"], second["metadata"]) == ("Later.", [], None)
    assert b'"a": [1.50, null]' in body


async def test_nothing_to_export_makes_an_empty_table(
    factory: Factory, http: httpx.AsyncClient, worker: Worker
) -> None:
    tenant = await factory.tenant()

    assert list(cells(await exported(worker, http, tenant))) == []
    assert await exported(worker, http, tenant, format="NDJSON") == b""


@pytest.mark.parametrize(
    ("filter", "bodies"),
    [
        ({"search": "battery"}, ["Battery died."]),
        ({"sentiments": ["POSITIVE"]}, ["Love it."]),
        ({"ratingGte": 4, "ratingLte": 8}, ["Middling."]),
        ({"occurredAfter": "2026-06-15T12:30:00Z"}, ["Love it."]),
        ({"occurredBefore": "2026-06-15T12:30:00Z"}, ["Battery died.", "Middling."]),
    ],
)
async def test_only_what_passes_the_filter_is_exported(
    factory: Factory,
    http: httpx.AsyncClient,
    worker: Worker,
    filter: dict[str, Any],
    bodies: list[str],
) -> None:
    tenant = await factory.tenant()
    await factory.feedback(tenant, "Battery died.", rating=1, score=NEGATIVE, occurred_at=NOON)
    await factory.feedback(tenant, "Middling.", rating=5, occurred_at=NOON + timedelta(minutes=1))
    await factory.feedback(
        tenant, "Love it.", rating=9, score=POSITIVE, occurred_at=NOON + timedelta(hours=1)
    )

    body = await exported(worker, http, tenant, filter=filter)

    assert texts(body, "body") == bodies


async def test_sources_and_tags_are_filtered_and_others_tenants_left_out(
    factory: Factory, http: httpx.AsyncClient, worker: Worker
) -> None:
    tenant, other = await factory.tenant(), await factory.tenant()
    wanted = await factory.feedback(tenant, "Wanted.")
    await factory.feedback(tenant, "Without the tag.")
    await factory.feedback(other, "Theirs.")
    tag = await factory.tag(tenant, "red", wanted)

    by_tag = await exported(worker, http, tenant, filter={"tagIds": [tag]})
    by_source = await exported(worker, http, tenant, filter={"sourceIds": [tenant.source_gid]})

    assert texts(by_tag, "body") == ["Wanted."]
    assert sorted(texts(by_source, "body")) == ["Wanted.", "Without the tag."]


# Large ones


async def test_a_large_export_takes_little_memory(
    factory: Factory, http: httpx.AsyncClient, worker: Worker
) -> None:
    tenant = await factory.tenant()
    await many(factory, tenant, 6_000, length=6_000)
    caller = tenant.owner.on(http)
    job = await started(caller, tenant)

    tracemalloc.start()
    try:
        await worker.work()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    found = await look(caller, job)
    assert (found["status"], found["progress"], found["result"]["rows"]) == ("SUCCEEDED", 1, 6_000)
    assert found["result"]["size"] > 4 * PART
    assert peak < 3 * PART
    body = (await get(found["resultUrl"])).content
    assert len(body) == found["result"]["size"]
    assert [text.partition(" ")[0] for text in texts(body, "body")] == [
        str(i) for i in range(1, 6_001)
    ]


async def test_what_happens_meanwhile_is_not_in_the_export(
    factory: Factory, database: Database
) -> None:
    tenant = await factory.tenant()
    await many(factory, tenant, export.BATCH + 10)
    viewer = Viewer(tenant.owner.id, INSTANCE, now())
    wanted = Wanted(tenant.id, Format.CSV, Filter(), viewer)

    async with database.snapshot() as reader:
        total = await export.total(reader, wanted)
        reading = export.batches(reader, wanted)
        first = await anext(reading)
        await factory.feedback(tenant, "Too late.", occurred_at=now())
        await factory.change("UPDATE feedback SET body = 'changed'", within=tenant)
        rest = [row async for batch in reading for row in batch]

    assert (total, len(first), len(rest)) == (export.BATCH + 10, export.BATCH, 10)
    assert {row.body for row in rest}.isdisjoint({"changed", "Too late."})


# What goes wrong


class Weak:
    """A bucket that does something wrong once: what is called instead of the method of this name."""

    def __init__(self, objects: Objects, method: str, instead: Any) -> None:
        self._objects = objects
        self._method = method
        self._instead = instead

    def __getattr__(self, name: str) -> Any:
        if name == self._method:
            self._method = ""
            return self._instead
        return getattr(self._objects, name)


def weak(worker: Worker, method: str, instead: Any) -> Worker:
    bucket: Any = Weak(worker.resources.objects, method, instead)
    return replace(worker, resources=replace(worker.resources, objects=bucket))


async def away(*_: Any, **__: Any) -> None:
    raise ObjectsUnavailableError("S3 cannot be used: it is away")


@pytest.mark.parametrize(("method", "length"), [("put", 100), ("send_part", 50_000)])
async def test_an_upload_that_fails_is_begun_anew(
    factory: Factory, http: httpx.AsyncClient, worker: Worker, method: str, length: int
) -> None:
    tenant = await factory.tenant()
    await many(factory, tenant, 200, length=length)
    caller = tenant.owner.on(http)
    job = await started(caller, tenant)

    await weak(worker, method, away).work()
    failed, left = await look(caller, job), await kept(worker, tenant)
    await factory.change("UPDATE job SET run_at = now()", within=tenant)
    await worker.work()
    done = await look(caller, job)

    assert (failed["status"], failed["error"]) == ("QUEUED", "S3 cannot be used: it is away")
    assert (failed["resultUrl"], left) == (None, (0, 0))
    assert (done["status"], done["result"]["rows"]) == ("SUCCEEDED", 200)
    assert len(texts((await get(done["resultUrl"])).content, "body")) == 200
    assert await kept(worker, tenant) == (1, 0)


async def test_an_export_is_cancelled_while_it_reads(
    factory: Factory, http: httpx.AsyncClient, worker: Worker, settings: Settings
) -> None:
    tenant = await factory.tenant()
    await factory.feedback(tenant)
    caller = tenant.owner.on(http)
    job = await started(caller, tenant)

    async with locked(settings, "feedback_tag") as connection, worker.working():
        await reached(connection, BLOCKED, "feedback_tag", 1)
        await cancelled(caller, job)

    assert (await look(caller, job))["resultUrl"] is None
    assert await kept(worker, tenant) == (0, 0)


async def test_an_export_is_cancelled_while_it_is_sent(
    factory: Factory, http: httpx.AsyncClient, worker: Worker
) -> None:
    tenant = await factory.tenant()
    await many(factory, tenant, 200, length=50_000)
    caller = tenant.owner.on(http)
    job = await started(caller, tenant)
    sending = asyncio.Event()

    async def stall(*_: Any, **__: Any) -> None:
        sending.set()
        await asyncio.Event().wait()

    async with weak(worker, "send_part", stall).working(), asyncio.timeout(20):
        await sending.wait()
        begun = await kept(worker, tenant)
        await cancelled(caller, job)

    assert begun == (0, 1)
    assert await kept(worker, tenant) == (0, 0)
    assert await factory.rows("SELECT id FROM file") == []


async def test_an_export_for_which_there_is_no_room_fails_and_leaves_nothing(
    factory: Factory, http: httpx.AsyncClient, worker: Worker
) -> None:
    tenant = await factory.tenant()
    await factory.feedback(tenant)
    caller = tenant.owner.on(http)
    job = await started(caller, tenant)
    rules = file.Rules(largest_import=100, quota=100)

    await replace(worker, resources=replace(worker.resources, file_rules=rules)).work()

    found = await look(caller, job)
    assert found["status"] == "FAILED"
    assert found["error"].startswith("The workspace's files leave no room for ")
    assert await kept(worker, tenant) == (0, 0)
    assert await factory.rows("SELECT file_bytes FROM workspace") == [(0,)]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (
            "DELETE FROM member WHERE user_id = :user",
            "Who asked for this does not belong to the workspace any more.",
        ),
        (
            "UPDATE member SET role = 'VIEWER' WHERE user_id = :user",
            "You need the role ANALYST to export feedback; yours is VIEWER.",
        ),
    ],
)
async def test_whoever_may_not_export_any_more_gets_nothing(
    factory: Factory, http: httpx.AsyncClient, worker: Worker, change: str, error: str
) -> None:
    tenant = await factory.tenant()
    await factory.feedback(tenant)
    analyst = await factory.member(tenant, "ANALYST")
    job = await started(analyst.on(http), tenant)
    await factory.change(change, within=tenant, user=analyst.id)

    await worker.work()

    found = await look(tenant.owner.on(http), job)
    assert (found["status"], found["error"]) == ("FAILED", error)
    assert await kept(worker, tenant) == (0, 0)


# Afterwards


async def test_what_has_expired_is_swept(
    factory: Factory, http: httpx.AsyncClient, worker: Worker, database: Database
) -> None:
    tenant = await factory.tenant()
    await factory.feedback(tenant)
    caller = tenant.owner.on(http)
    job = await started(caller, tenant)
    await worker.work()
    url = (await look(caller, job))["resultUrl"]
    before = await get(url)
    ((expires, size),) = await factory.rows(
        "SELECT expires_at - completed_at, size FROM file WHERE purpose = 'EXPORT'"
    )
    taken = await factory.rows("SELECT file_bytes FROM workspace")

    at = now() + timedelta(days=7, minutes=1)
    swept = await file.sweep(database, worker.resources.objects, at)

    assert (before.status_code, expires, swept) == (200, timedelta(days=7), 1)
    assert taken == [(size,)]
    assert await factory.rows("SELECT file_bytes FROM workspace") == [(0,)]
    assert (await get(url)).status_code == 404
    found = await look(caller, job)
    assert (found["status"], found["resultUrl"]) == ("SUCCEEDED", None)
    assert ids.read(Kind.FILE, found["result"]["file_id"]) is not None
