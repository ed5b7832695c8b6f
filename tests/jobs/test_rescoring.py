"""Scoring again, by the real tasks and the real model: all of it once, whatever dies, and the totals stay exact."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.resources import Api
from app.settings import Settings
from domain import events, rescoring, scoring
from domain.events import FeedbackEvent
from jobs.relay import Relay
from persistence import job as job_store
from persistence.database import Database
from tests.callers import JSON
from tests.exporting import look
from tests.factories import Factory, Person, Tenant
from tests.graph.account_queries import change
from tests.persistence.recounting import differences
from tests.processes import process
from tests.working import Worker

PERIOD = '(from: "2026-01-01T00:00:00Z", to: "2027-01-01T00:00:00Z")'
MODELS = f"query($slug: String!) {{ workspace(slug: $slug) {{ stats{PERIOD} {{ models {{ model count }} }} }} }}"
_OUTDATE = (
    "UPDATE feedback SET sentiment_label = 'POSITIVE', sentiment_score = 0.5, sentiment_confidence = 1,"
    " sentiment_model = 'old', scored_at = now() WHERE workspace_id = :workspace AND scored_at IS NULL"
)
_MANY = """
    INSERT INTO feedback (id, workspace_id, source_id, body, occurred_at, received_at)
    SELECT gen_random_uuid(), :workspace, :source, 'Number ' || number || ' broke after a day.',
        '2026-06-15 12:00Z'::timestamptz + number * interval '1 second', now()
    FROM generate_series(1, :number) AS number"""
_DONE = "SELECT count(*) FROM feedback WHERE workspace_id = :workspace AND sentiment_model = :model"


async def outdated(factory: Factory, tenant: Tenant, *bodies: str) -> None:
    """Feedback that an old model has scored, all of it as POSITIVE."""
    for body in bodies:
        await factory.feedback(tenant, body)
    await factory.change(_OUTDATE, within=tenant, workspace=tenant.id)


async def ask(person: Person, http: httpx.AsyncClient, tenant: Tenant, **more: Any) -> JSON:
    return await change(
        person.on(http), "rescoreFeedback", "job { id }", workspaceId=tenant.gid, **more
    )


async def models(person: Person, http: httpx.AsyncClient, tenant: Tenant) -> dict[str, int]:
    found = (await person.on(http).ask(MODELS, slug=tenant.slug))["workspace"]["stats"]["models"]
    return {each["model"]: each["count"] for each in found}


async def test_what_another_model_has_scored_is_scored_by_the_one_of_now(
    factory: Factory, http: httpx.AsyncClient, worker: Worker, api: Api, relay: Relay
) -> None:
    tenant, model = await factory.tenant(), api.services.scorer.model_name
    await outdated(factory, tenant, "I love it!", "I hate it!", "\ue000")
    await factory.feedback(tenant, "waits")
    before = await models(tenant.owner, http, tenant)

    asked = await ask(tenant.owner, http, tenant)
    await worker.work()

    job = await look(tenant.owner.on(http), asked["job"]["id"])
    found: Any = await factory.rows(
        "SELECT body, sentiment_label, unscored_reason IS NULL FROM feedback ORDER BY id"
    )
    async with asyncio.timeout(10):
        while await factory.rows("SELECT 1 FROM outbox LIMIT 1"):
            await asyncio.sleep(0.01)
    topic = events.topic(tenant.id, events.FEEDBACK_TOPIC)
    told = [FeedbackEvent.from_json(entry.payload) for entry in await api.bus.read(topic, 0, 100)]
    assert before == {"old": 3}
    assert (job["status"], job["result"]) == (
        "SUCCEEDED",
        {"model": model, "scored": 3, "changed": 2},
    )
    assert found == [
        ("I love it!", "POSITIVE", True),
        ("I hate it!", "NEGATIVE", True),
        ("\ue000", None, False),
        ("waits", None, True),
    ]
    assert [(event.type, event.facets.label) for event in told] == [
        ("SCORED", "NEGATIVE"),
        ("SCORED", None),
    ]
    assert await models(tenant.owner, http, tenant) == {model: 2}
    assert await differences(factory) == []


async def test_only_what_passes_the_filter_is_scored_again(
    factory: Factory, http: httpx.AsyncClient, worker: Worker
) -> None:
    tenant = await factory.tenant()
    await factory.feedback(tenant, "Fine.", rating=9)
    await outdated(factory, tenant, "Other.")

    await ask(tenant.owner, http, tenant, filter={"ratingGte": 5})
    again = await ask(tenant.owner, http, tenant, filter={"ratingGte": 5})
    await worker.work()

    jobs = await factory.rows("SELECT id FROM job WHERE kind = 'rescore_feedback'")
    assert len(jobs) == 1
    assert again["__typename"] == "RescoreFeedbackSuccess"
    assert await factory.rows("SELECT body FROM feedback WHERE sentiment_model = 'old'") == [
        ("Other.",)
    ]


@pytest.mark.parametrize("role", ["VIEWER", "ANALYST"])
async def test_scoring_again_is_for_admins(
    factory: Factory, http: httpx.AsyncClient, role: str
) -> None:
    tenant = await factory.tenant()

    answer = await ask(await factory.member(tenant, role), http, tenant)

    assert answer["__typename"] == "Forbidden"
    assert await factory.rows("SELECT id FROM job") == []


async def test_a_text_that_is_changed_meanwhile_keeps_no_score_of_what_it_was(
    factory: Factory, database: Database, worker: Worker
) -> None:
    tenant, scorer = await factory.tenant(), worker.resources.scorer
    await factory.feedback(tenant, "I love it!")
    async with database.reader() as reader:
        rows = await scoring.page(reader, tenant.id, None)
    answers = await scorer.score([row.body for row in rows])
    await factory.change("UPDATE feedback SET body = 'I hate it!'", within=tenant)

    stored = await scoring.record(database, tenant.id, rows, answers)

    assert stored == 0
    assert await factory.rows("SELECT scored_at FROM feedback") == [(None,)]


async def test_a_killed_worker_leaves_nothing_twice_and_nothing_out(
    factory: Factory,
    database: Database,
    worker: Worker,
    settings: Settings,
    http: httpx.AsyncClient,
    tmp_path: Path,
) -> None:
    tenant, model = await factory.tenant(), worker.resources.scorer.model_name
    number = rescoring.PAGE + 2
    texts = {"workspace": tenant.id, "source": tenant.source_id, "number": number}
    await factory.change(_MANY, within=tenant, **texts)
    await outdated(factory, tenant)
    await factory.change(_MANY, within=tenant, **texts)
    await scoring.ask(database, tenant.id)
    asked = await ask(tenant.owner, http, tenant)

    async with process(settings, tmp_path, "worker") as killed, asyncio.timeout(60):
        while (done := await factory.rows(_DONE, workspace=tenant.id, model=model)) == [(0,)]:
            await asyncio.sleep(0.01)
        killed.kill()
        await killed.wait()
    async with database.transaction() as uow:
        await job_store.take_back(uow, silence=0)
    await worker.work()

    ((left,),) = await factory.rows(
        "SELECT count(*) FROM feedback WHERE sentiment_model <> :m", m=model
    )
    job = await look(tenant.owner.on(http), asked["job"]["id"])
    assert done[0][0] < 2 * number
    assert left == 0
    assert job["result"]["scored"] == number
    assert await models(tenant.owner, http, tenant) == {model: 2 * number}
    assert await differences(factory) == []
