"""Imports by the real tasks: whatever dies, they go on behind the last batch."""

import asyncio
from typing import Any

import httpx
import pytest

from domain import imports
from jobs.attempt import Attempt, LostError
from persistence import job as job_store
from persistence.database import Database, new_id
from tests.factories import Factory
from tests.importing import Importer, counts, importer, numbered, refusals, table
from tests.working import Worker


@pytest.fixture
async def work(factory: Factory, http: httpx.AsyncClient, worker: Worker) -> Importer:
    return await importer(factory, http, worker)


async def half_done(work: Importer, database: Database, body: bytes, *, after: int) -> str:
    """An import whose worker has died when it had stored so many batches."""
    job = await work.asked(await work.send(body))
    worker = new_id()
    async with database.transaction() as uow:
        await job_store.enlist(uow, worker, "test")
    async with database.transaction() as uow:
        (row,) = await job_store.claim(
            uow, worker, priority="BULK", kinds=["import"], free=1, most_of_one=1
        )
    attempt = Mortal(row, worker, database, after)
    (task,) = [task for task in work.worker.tasks if task.kind is imports.IMPORT]
    with pytest.raises(LostError):
        await task.do(work.worker.resources, attempt)
    return job


class Mortal(Attempt):
    """An attempt that comes no further than so many steps."""

    def __init__(self, row: Any, worker: Any, database: Database, steps: int) -> None:
        super().__init__(row, worker, database)
        self._steps = steps

    def step(self, **given: Any) -> Any:
        self._steps -= 1
        if self._steps < 0:
            raise LostError
        return super().step(**given)


async def take_back(database: Database) -> None:
    async with database.transaction() as uow:
        await job_store.take_back(uow, silence=0)


async def test_an_import_goes_on_behind_the_last_batch(work: Importer, database: Database) -> None:
    lines = [f"{['Same.', f'Text {number}'][number % 2]},{number % 12}" for number in range(2_300)]
    body = table("text,stars", *lines)

    job = await half_done(work, database, body, after=3)
    before = len(await work.bodies())
    ((state,),) = await work.factory.rows("SELECT state ::text FROM job WHERE kind = 'import'")
    await take_back(database)
    await work.worker.work()

    ended = await work.job(job)
    refused = sum(number % 12 == 11 for number in range(2_300))
    assert state == '{"row": 1500, "refused": 125}'
    assert before == 1_375
    assert counts(ended) == (2_300, 2_300 - refused, 0, refused)
    assert len(await refusals(ended)) == refused
    assert await work.bodies() == [
        ["Same.", f"Text {number}"][number % 2] for number in range(2_300) if number % 12 != 11
    ]
    assert counts(await work.run(body)) == (2_300, 0, 2_300 - refused, refused)


async def test_an_attempt_that_was_given_up_stores_nothing_more(
    work: Importer, database: Database
) -> None:
    await half_done(work, database, numbered(1_200), after=1)
    ((before,),) = await work.factory.rows("SELECT count(*) FROM feedback")
    await take_back(database)
    await work.worker.work()

    assert before == 500
    assert len(await work.bodies()) == 1_200


async def test_a_cancelled_import_keeps_what_it_has_and_goes_on_when_asked(
    work: Importer, database: Database
) -> None:
    job = await half_done(work, database, numbered(1_200), after=1)
    await work.caller.ask(
        "mutation($id: ID!) { cancelJob(input: {jobId: $id}) { __typename } }", id=job
    )
    await take_back(database)
    cancelled = await work.job(job)
    kept = len(await work.bodies())

    await work.caller.ask(
        "mutation($id: ID!) { retryJob(input: {jobId: $id}) { __typename } }", id=job
    )
    await work.worker.work()

    assert (cancelled["status"], kept) == ("CANCELLED", 500)
    assert counts(await work.job(job)) == (1_200, 1_200, 0, 0)


async def test_an_import_is_cancelled_while_it_runs(work: Importer, database: Database) -> None:
    job = await work.asked(await work.send(numbered(60_000)))

    async with work.worker.working(), asyncio.timeout(30):
        while not await work.bodies():
            await asyncio.sleep(0.02)
        await work.caller.ask(
            "mutation($id: ID!) { cancelJob(input: {jobId: $id}) { __typename } }", id=job
        )
        while (ended := await work.job(job))["status"] == "RUNNING":
            await asyncio.sleep(0.02)

    assert ended["status"] == "CANCELLED"
    assert counts(ended)[1] == len(await work.bodies()) < 60_000
