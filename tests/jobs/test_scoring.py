"""Scoring what waits, by the real tasks and the real model: all of it, in turn of the tenants, before nobody else."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx

from app.resources import Api
from app.stores import now
from domain import events, ids, scoring
from domain.events import FeedbackEvent
from domain.ids import Kind
from jobs import duties
from jobs.feedback import score
from jobs.relay import Relay
from persistence.database import Database
from tests.exporting import many
from tests.factories import POSITIVE, Factory, Tenant
from tests.importing import importer, numbered
from tests.working import Worker

_JOBS = "SELECT workspace_id FROM job WHERE kind = 'score_feedback' ORDER BY workspace_id"
_LEFT = "SELECT count(*) FROM feedback WHERE scored_at IS NULL AND workspace_id = :workspace"


async def left(factory: Factory, tenant: Tenant) -> int:
    """How much of a workspace has no score."""
    ((number,),) = await factory.rows(_LEFT, workspace=tenant.id)
    return int(number)


async def ask(database: Database, *, later: timedelta) -> None:
    await duties.score_overdue(database, lambda: now() + later).do()


async def test_what_is_overdue_is_asked_for_once(factory: Factory, database: Database) -> None:
    one, other, done = [await factory.tenant() for _ in range(3)]
    await many(factory, one, 3)
    await factory.feedback(other, "waits")
    await factory.feedback(done, "scored", score=POSITIVE)

    await ask(database, later=duties.OVERDUE)
    await ask(database, later=duties.OVERDUE)

    assert await factory.rows(_JOBS) == [(one.id,), (other.id,)]


async def test_what_is_not_overdue_is_not_asked_for(factory: Factory, database: Database) -> None:
    await factory.feedback(await factory.tenant(), "new")

    await ask(database, later=duties.OVERDUE - timedelta(seconds=5))

    assert await factory.rows(_JOBS) == []


async def test_all_that_waits_is_scored_and_told_of_once(
    factory: Factory, database: Database, worker: Worker, api: Api, relay: Relay
) -> None:
    tenant = await factory.tenant()
    number = 2 * scoring.PAGE + 3
    await many(factory, tenant, number, length=10)
    await factory.feedback(tenant, "scored", score=POSITIVE)

    await scoring.ask(database, tenant.id)
    await worker.work()

    async with asyncio.timeout(10):
        while await factory.rows("SELECT 1 FROM outbox LIMIT 1"):
            await asyncio.sleep(0.01)
    topic = events.topic(tenant.id, events.FEEDBACK_TOPIC)
    told = [FeedbackEvent.from_json(entry.payload) for entry in await api.bus.read(topic, 0, 1_000)]
    of_job: Any = await factory.rows("SELECT status, result ->> 'scored' FROM job")
    assert await left(factory, tenant) == 0
    assert of_job == [("SUCCEEDED", str(number))]
    assert [event.type for event in told] == ["SCORED"] * number
    assert len({event.feedback_id for event in told}) == number


async def test_what_came_in_a_file_is_scored_without_waiting(
    factory: Factory, http: httpx.AsyncClient, worker: Worker
) -> None:
    work = await importer(factory, http, worker)

    await work.run(numbered(scoring.PAGE + 1))
    unscored = await left(factory, work.tenant)
    await worker.work()

    assert unscored == scoring.PAGE + 1
    assert await left(factory, work.tenant) == 0


async def test_a_file_that_adds_nothing_asks_for_no_scores(
    factory: Factory, http: httpx.AsyncClient, worker: Worker
) -> None:
    work = await importer(factory, http, worker)
    await work.run(numbered(3))
    await factory.change("DELETE FROM job WHERE kind = 'score_feedback'", within=work.tenant)

    await work.run(numbered(3))

    assert await factory.rows(_JOBS) == []


async def test_what_is_imported_is_scored_while_the_import_still_runs(
    factory: Factory, http: httpx.AsyncClient, worker: Worker
) -> None:
    work = await importer(factory, http, worker)
    job = await work.asked(await work.send(numbered(60_000)))

    async with asyncio.timeout(30), worker.working():
        while not await factory.rows("SELECT 1 FROM feedback WHERE scored_at IS NOT NULL LIMIT 1"):
            await asyncio.sleep(0.02)
        status = (await work.job(job))["status"]
        await work.caller.ask(
            "mutation($id: ID!) { cancelJob(input: {jobId: $id}) { __typename } }", id=job
        )
        await factory.change("DELETE FROM feedback WHERE scored_at IS NULL", within=work.tenant)

    assert status == "RUNNING"


async def test_what_is_new_does_not_wait_for_what_can_wait(
    factory: Factory, database: Database, worker: Worker
) -> None:
    patient, other = await factory.tenant(), await factory.tenant()
    await many(factory, patient, 3_000)
    await scoring.ask(database, patient.id)

    async with asyncio.timeout(30), worker.working():
        while await left(factory, patient) == 3_000:
            await asyncio.sleep(0.01)
        new = ids.read(Kind.FEEDBACK, await factory.feedback(other, "I love it!"))
        assert isinstance(new, UUID)
        scored = await score(database, worker.resources.scorer, other.id, [new])
        still = await left(factory, patient)
        await factory.change("DELETE FROM feedback WHERE scored_at IS NULL", within=patient)

    assert scored == 1
    assert still > 2_000


async def test_tenants_are_scored_in_turn(
    factory: Factory, database: Database, worker: Worker
) -> None:
    tenants = [await factory.tenant(), await factory.tenant()]
    for tenant in tenants:
        await many(factory, tenant, 2 * scoring.PAGE, length=10)
        await scoring.ask(database, tenant.id)

    await worker.work()

    spans = await factory.rows(
        "SELECT min(scored_at), max(scored_at) FROM feedback GROUP BY workspace_id"
    )
    (first_begins, first_ends), (second_begins, second_ends) = spans
    assert max(first_begins, second_begins) < min(first_ends, second_ends)
