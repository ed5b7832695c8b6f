"""Parquet exports by the real worker, read back by DuckDB, which has a reader of its own."""

import asyncio
import tracemalloc
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import httpx

from app.settings import Settings
from domain import export
from tests.applications import reached
from tests.exporting import (
    BLOCKED,
    cancelled,
    exported,
    kept,
    locked,
    look,
    many,
    started,
)
from tests.factories import NEGATIVE, NOON, Factory
from tests.working import Worker

_TYPES = {
    "id": "VARCHAR",
    "source": "VARCHAR",
    "sourceId": "VARCHAR",
    "externalId": "VARCHAR",
    "authorName": "VARCHAR",
    "authorEmail": "VARCHAR",
    "authorExternalId": "VARCHAR",
    "body": "VARCHAR",
    "rating": "SMALLINT",
    "language": "VARCHAR",
    "tags": "VARCHAR[]",
    "sentimentLabel": "VARCHAR",
    "sentimentScore": "DOUBLE",
    "sentimentConfidence": "DOUBLE",
    "sentimentModel": "VARCHAR",
    "metadata": "VARCHAR",
    "occurredAt": "TIMESTAMP WITH TIME ZONE",
    "receivedAt": "TIMESTAMP WITH TIME ZONE",
    "status": "VARCHAR",
    "assignee": "VARCHAR",
}


_END = """SELECT pg_terminate_backend(pid) FROM pg_locks
    WHERE NOT granted AND relation = $1::text::regclass"""


def rows(directory: Path, body: bytes, sql: str) -> list[tuple[Any, ...]]:
    """What DuckDB finds in a file."""
    path = directory / "file.parquet"
    path.write_bytes(body)
    with duckdb.connect() as connection:
        return connection.execute(sql.replace("FILE", f"'{path}'")).fetchall()


async def test_every_column_has_its_type_and_value(
    factory: Factory, http: httpx.AsyncClient, worker: Worker, tmp_path: Path
) -> None:
    tenant = await factory.tenant()
    first = await factory.feedback(
        tenant,
        '=1 "Grüße", 東京 🎉\r\n',
        score=NEGATIVE,
        external_id="+49",
        author_name="@ada",
        author_email="ada@example.com",
        author_external_id="-1",
        rating=3,
        metadata='{"a": [1.5, null]}',
        occurred_at=NOON + timedelta(microseconds=1),
    )
    await factory.tag(tenant, "late; again", first)
    await factory.tag(tenant, "=red", first)
    await factory.feedback(tenant, "Later.", occurred_at=NOON + timedelta(days=1))

    body = await exported(worker, http, tenant, format="PARQUET")

    types = rows(
        tmp_path, body, "SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM FILE)"
    )
    found = rows(
        tmp_path,
        body,
        "SELECT * EXCLUDE (receivedAt) REPLACE (epoch_us(occurredAt) AS occurredAt) FROM FILE",
    )
    assert dict(types) == _TYPES
    assert [name for name, _ in types] == list(export.NAMES)
    assert found[0] == (
        *(first, "Hook", tenant.source_gid, "+49", "@ada", "ada@example.com", "-1"),
        *('=1 "Grüße", 東京 🎉\r\n', 3, None, ["=red", "late; again"]),
        *("NEGATIVE", -0.7, 0.8, "test-model-1", '{"a": [1.5, null]}'),
        *(int(NOON.timestamp()) * 1_000_000 + 1, "OPEN", None),
    )
    assert found[1][7:12] == ("Later.", None, None, [], None)
    assert found[1][15] is None


async def test_nothing_to_export_makes_a_table_without_rows(
    factory: Factory, http: httpx.AsyncClient, worker: Worker, tmp_path: Path
) -> None:
    body = await exported(worker, http, await factory.tenant(), format="PARQUET")

    assert rows(tmp_path, body, "SELECT count(*), count(DISTINCT id) FROM FILE") == [(0, 0)]


async def test_many_rows_take_little_memory_and_several_groups(
    factory: Factory, http: httpx.AsyncClient, worker: Worker, tmp_path: Path
) -> None:
    tenant = await factory.tenant()
    number = 2 * export.GROUP + 3
    await many(factory, tenant, number, length=500)

    tracemalloc.start()
    try:
        body = await exported(worker, http, tenant, format="PARQUET")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    groups = rows(
        tmp_path,
        body,
        "SELECT DISTINCT row_group_id, row_group_num_rows FROM parquet_metadata(FILE) ORDER BY 1",
    )
    assert groups == [(0, export.GROUP), (1, export.GROUP), (2, 3)]
    assert rows(tmp_path, body, "SELECT count(DISTINCT body), sum(length(body)) FROM FILE") == [
        (number, number * 500)
    ]
    assert peak < 20 * 2**20


async def test_it_is_cancelled_while_it_reads(
    factory: Factory, http: httpx.AsyncClient, worker: Worker, settings: Settings
) -> None:
    tenant = await factory.tenant()
    await factory.feedback(tenant)
    caller = tenant.owner.on(http)
    job = await started(caller, tenant, format="PARQUET")

    async with locked(settings, "feedback_tag") as connection, worker.working():
        await reached(connection, BLOCKED, "feedback_tag", 1)
        await cancelled(caller, job)

    assert (await look(caller, job))["resultUrl"] is None
    assert await kept(worker, tenant) == (0, 0)


async def test_a_store_that_goes_away_has_it_done_again(
    factory: Factory, http: httpx.AsyncClient, worker: Worker, settings: Settings
) -> None:
    tenant = await factory.tenant()
    await factory.feedback(tenant)
    caller = tenant.owner.on(http)
    job = await started(caller, tenant, format="PARQUET")

    async with AsyncExitStack() as stack:
        connection = await stack.enter_async_context(locked(settings, "feedback_tag"))
        async with worker.working(), asyncio.timeout(20):
            await reached(connection, BLOCKED, "feedback_tag", 1)
            await connection.execute(_END, "feedback_tag")
            await stack.aclose()
            while (await look(caller, job))["status"] != "SUCCEEDED":
                await asyncio.sleep(0.02)

    ((failures,),) = await factory.rows("SELECT failures FROM job WHERE kind = 'export'")
    assert failures == 0
