"""Imports by the real tasks: each row once, and told once."""

import asyncio

import httpx
import pytest
from sqlalchemy import text

from jobs import relay
from persistence.database import Database, Statement
from persistence.outbox import OutboxRow
from tests.factories import Factory
from tests.importing import Importer, counts, importer, numbered, table
from tests.working import Worker

pytestmark = pytest.mark.usefixtures("kept_outbox")


@pytest.fixture
async def work(factory: Factory, http: httpx.AsyncClient, worker: Worker) -> Importer:
    return await importer(factory, http, worker)


async def test_the_same_file_again_adds_nothing(work: Importer) -> None:
    body = table("text,stars", "Good.,5", "Good.,5", "Bad.,1", "No.,12")

    first = await work.run(body)
    again = await work.run(body)
    longer = await work.run(body + b"Good.,5\n")

    assert [counts(job) for job in (first, again, longer)] == [
        (4, 3, 0, 1),
        (4, 0, 3, 1),
        (5, 1, 3, 1),
    ]
    assert await work.bodies() == ["Good.", "Good.", "Bad.", "Good."]


async def test_an_external_id_is_stored_once(work: Importer) -> None:
    job = await work.run(table("id,text", "a,One.", "b,Two.", "a,Three."))

    assert counts(job) == (3, 2, 1, 0)
    assert await work.bodies() == ["One.", "Two."]


async def test_two_imports_of_the_same_rows_at_once_add_them_once(work: Importer) -> None:
    body = numbered(2_000)
    files = [await work.send(body), await work.send(body)]
    asked = [await work.asked(file) for file in files]

    await work.worker.work()

    jobs = [await work.job(id_) for id_ in asked]
    assert [job["status"] for job in jobs] == ["SUCCEEDED", "SUCCEEDED"]
    assert sum(job["result"]["stored"] for job in jobs) == 2_000
    assert sum(job["result"]["duplicates"] for job in jobs) == 2_000
    assert len(await work.bodies()) == 2_000


async def test_an_import_that_waits_or_runs_is_answered_again(work: Importer) -> None:
    file = await work.send(numbered(3))

    first, *others = await asyncio.gather(*(work.asked(file) for _ in range(5)))
    await work.worker.work()
    later = await work.asked(file)

    assert {first, *others} == {first}
    assert later != first
    assert counts(await work.job(first)) == (3, 3, 0, 0)


# Events


async def test_each_row_is_announced_with_its_tags(work: Importer) -> None:
    await work.run(table("id,text,stars,tags", "a,One.,4,red", "a,Two.,4,red"))

    events = await work.factory.rows(
        "SELECT payload ->> 'rating', jsonb_array_length(payload -> 'tags'), payload ->> 'patient'"
        " FROM outbox WHERE kind = 'feedback.added'"
    )
    assert events == [("4", 1, "true")]


async def test_rows_are_not_scored_before_what_is_new(work: Importer, database: Database) -> None:
    await work.run(numbered(3))

    async with database.reader() as reader:
        events = await reader.fetch(_ADDED)
    assert len(events) == 3
    assert relay._messages(events, {}) == []


_ADDED = Statement(
    text("SELECT workspace_id, kind, payload ::text FROM outbox WHERE kind = 'feedback.added'"),
    OutboxRow,
)


async def test_progress_is_told_after_each_batch(work: Importer, database: Database) -> None:
    await work.run(numbered(1_200))

    events = await work.factory.rows("SELECT 1 FROM outbox WHERE kind = 'job.updated'")
    state = await work.factory.rows("SELECT state ::text, progress FROM job WHERE kind = 'import'")
    # Three batches, begun and ended.
    assert len(events) >= 3 + 1
    assert state == [('{"row": 1200, "refused": 0}', 1.0)]
