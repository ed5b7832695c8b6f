"""What tests of exports share: asking for one, having it made, and fetching what was made."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import httpx
import orjson

from app.settings import Settings
from domain.cells import restored
from tests.callers import JSON, Caller
from tests.factories import Factory, Tenant
from tests.uploads import get
from tests.working import Worker

_START = """mutation($input: StartExportInput!) { result: startExport(input: $input) {
    __typename ... on Problem { message } ... on InvalidInput { fields { path message } }
    ... on StartExportSuccess { job { id kind status } }
} }"""
_JOB = "query($id: ID!) { job(id: $id) { status progress error result resultUrl } }"
_CANCEL = "mutation($input: CancelJobInput!) { cancelJob(input: $input) { ... on CancelJobSuccess { job { id } } } }"
BLOCKED = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = $1::text::regclass"
_MANY = """
    INSERT INTO feedback (id, workspace_id, source_id, body, occurred_at, received_at)
    SELECT gen_random_uuid(), :workspace, :source, rpad(i || ' ', :length, 'x'),
        timestamptz '2026-06-15 12:00Z' + i * interval '1 second', now()
    FROM generate_series(1, :number) AS i
"""


async def start(caller: Caller, tenant: Tenant, **given: Any) -> JSON:
    """The answer of startExport, of CSV unless something else is given."""
    asked = {"workspaceId": tenant.gid, "format": "CSV"} | given
    return (await caller.ask(_START, input=asked))["result"]


async def started(caller: Caller, tenant: Tenant, **given: Any) -> str:
    """The id of the job."""
    answer = await start(caller, tenant, **given)
    assert answer["__typename"] == "StartExportSuccess", answer
    return str(answer["job"]["id"])


async def look(caller: Caller, job: str) -> JSON:
    """The job as it is now."""
    return (await caller.ask(_JOB, id=job))["job"]


async def exported(worker: Worker, http: httpx.AsyncClient, tenant: Tenant, **given: Any) -> bytes:
    """What is behind the link of an export that the owner has asked for."""
    caller = tenant.owner.on(http)
    job = await started(caller, tenant, **given)
    await worker.work()
    found = await look(caller, job)
    assert found["status"] == "SUCCEEDED", found
    answer = await get(found["resultUrl"])
    assert answer.status_code == 200
    return answer.content


def cells(body: bytes) -> Iterator[dict[str, str]]:
    """The rows of a CSV file, by the names of its columns, as they stand there."""
    return csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline=""))


def texts(body: bytes, name: str) -> list[str]:
    """A column's texts, as they were before they were made harmless."""
    return [restored(row[name]) for row in cells(body)]


def objects(body: bytes) -> list[JSON]:
    """What stands in the lines of an NDJSON file."""
    return [orjson.loads(line) for line in body.splitlines()]


async def many(factory: Factory, tenant: Tenant, number: int, *, length: int = 100) -> None:
    """So much feedback, a second apart, of so many characters each; one long word is soon indexed."""
    await factory.change(
        _MANY,
        within=tenant,
        workspace=tenant.id,
        source=tenant.source_id,
        number=number,
        length=length,
    )


async def kept(worker: Worker, tenant: Tenant) -> tuple[int, int]:
    """How many objects and unfinished uploads the bucket has of the workspace."""
    prefix = f"files/{tenant.id.hex}/"
    listed = await worker.resources.objects.listed(prefix, after="")
    begun = await worker.resources.objects.begun(prefix)
    return len(listed), len(begun)


@asynccontextmanager
async def locked(settings: Settings, table: str) -> AsyncIterator[Any]:
    """A table that nobody can read meanwhile."""
    connection = await asyncpg.connect(settings.database_url)
    try:
        async with connection.transaction():
            await connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            yield connection
    finally:
        await connection.close()


async def cancelled(caller: Caller, job: str) -> None:
    await caller.ask(_CANCEL, input={"jobId": job})
    async with asyncio.timeout(10):
        while (await look(caller, job))["status"] != "CANCELLED":
            await asyncio.sleep(0.02)
