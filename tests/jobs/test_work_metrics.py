"""What workers and relays count."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from app.metrics.registry import Collect
from app.resources import Api
from app.settings import Settings
from app.stores import now
from domain import mail
from domain.events import FeedbackEvent
from domain.job import Kind
from jobs.attempt import Attempt, FailedError, HopelessError, PostponedError
from jobs.metrics import RelayMetrics
from jobs.relay import Reaction, Relay
from jobs.runner import Task
from persistence import job as store
from persistence.database import Database, new_id
from persistence.outbox import OutboxRow
from tests.factories import Factory
from tests.jobs.couriers import SECONDS, answer, courier, receiver
from tests.jobs.relays import Stores
from tests.jobs.runners import Desk, Do, Notes, note, until
from tests.working import Worker

LATER = timedelta(hours=1)
KIND = Kind("dig", first_pause=LATER)


def counted(collect: Collect, name: str) -> dict[tuple[str, ...], float]:
    """The samples of this name, by their labels."""
    return {
        tuple(sample.labels.values()): sample.value
        for family in collect()
        for sample in family.samples
        if sample.name == name
    }


async def retried(notes: Notes, attempt: Attempt) -> None:
    raise FailedError("not yet")


async def hopeless(notes: Notes, attempt: Attempt) -> None:
    raise HopelessError("no luck")


async def postponed(notes: Notes, attempt: Attempt) -> None:
    raise PostponedError(LATER)


async def in_one(notes: Notes, attempt: Attempt) -> None:
    async with attempt.completing():
        pass


@pytest.mark.parametrize(
    ("do", "outcome"),
    [
        (note, "succeeded"),
        (in_one, "succeeded"),
        (retried, "retried"),
        (hopeless, "failed"),
        (postponed, "postponed"),
    ],
)
async def test_attempts_are_counted_by_kind_and_by_how_they_ended(
    desk: Desk, do: Do, outcome: str
) -> None:
    async with desk.working(Task(KIND, do)) as runner:
        collect = runner._metrics.collect
        await desk.ask(KIND)
        runner.look(KIND.priority)
        await until(lambda: counted(collect, "earful_job_attempt_seconds_count") != {})
        found = counted(collect, "earful_job_attempt_seconds_count")
        await until(lambda: counted(collect, "earful_job_attempts_running") == {(): 0})
    assert found == {("dig", outcome): 1}


async def test_mails_are_counted_by_what_became_of_them(worker: Worker) -> None:
    database = worker.resources.database
    async with database.transaction() as uow:
        await mail.send(uow, mail.Message("ann@earful.example", "Hello", "It works."))
    await worker.work()
    found = counted(worker.resources.metrics.collect, "earful_mails_total")
    assert found == {("accepted",): 1}


async def test_posts_to_webhooks_are_counted_by_what_became_of_them(
    settings: Settings, api: Api, factory: Factory, tmp_path: Path
) -> None:
    tenant = await factory.tenant()
    async with courier(settings, api, factory, tmp_path / "mail") as worker:
        async with receiver(answer(500), answer(204)) as shop:
            await factory.deliveries(tenant, await factory.webhook(tenant, shop.url), 1)
            await worker.work()
            await worker.next()
            away = shop.url
        await factory.deliveries(tenant, await factory.webhook(tenant, away), 1)
        await worker.work()
        found = counted(worker.runner._resources.metrics.collect, "earful_webhook_attempts_total")
    assert found == {("refused",): 1, ("accepted",): 1, ("unreachable",): 1}


async def test_jobs_taken_back_are_counted_by_what_became_of_them(desk: Desk) -> None:
    await desk.ask(KIND)
    poison = await desk.ask(Kind("poison"))
    await desk.factory.change(
        "UPDATE job SET status = 'RUNNING', worker_id = :worker, deaths = CASE WHEN id = :id THEN 2"
        " ELSE 0 END",
        id=poison,
        worker=new_id(),
    )
    metrics = RelayMetrics()
    async with desk.database.transaction() as uow:
        for row in await store.take_back(uow, silence=10):
            metrics.took_back(row.kind, row.status)

    found = counted(metrics.collect, "earful_jobs_taken_back_total")
    assert found == {("dig", "queued"): 1, ("poison", "quarantined"): 1}


async def delivered(stores: Stores, *reactions: Reaction, count: int) -> RelayMetrics:
    """What a relay with these reactions has counted when it has delivered so many events."""
    metrics = RelayMetrics()
    relay = Relay(
        stores.database,
        stores.bus,
        stores.broker,
        now,
        direct_url=stores.direct_url,
        reactions=reactions,
        metrics=metrics,
    )
    running = asyncio.ensure_future(relay.run(lambda: asyncio.get_running_loop().create_future()))
    async with asyncio.timeout(SECONDS):
        while counted(metrics.collect, "earful_relay_events_total") != {(): count}:
            await asyncio.sleep(0.01)
    assert counted(metrics.collect, "earful_relay_leading") == {(): 1}
    running.cancel()
    await asyncio.wait({running})
    return metrics


async def test_a_relay_says_whether_it_leads_and_what_it_has_delivered(stores: Stores) -> None:
    await stores.emit(new_id(), *(new_id() for _ in range(3)))
    metrics = await delivered(stores, count=3)
    assert counted(metrics.collect, "earful_relay_leading") == {(): 0}
    assert counted(metrics.collect, "earful_relay_passed_over_total") == {(): 0}
    assert counted(metrics.collect, "earful_relay_event_seconds_count") == {(): 3}


async def test_an_event_that_a_reaction_cannot_bear_holds_up_no_other_and_is_counted(
    stores: Stores,
) -> None:
    workspace, ids = new_id(), [new_id() for _ in range(3)]
    await stores.emit(workspace, *ids)
    seen: list[UUID] = []

    async def react(_: Database, rows: Sequence[OutboxRow]) -> None:
        found = [FeedbackEvent.from_json(row.payload).feedback_id for row in rows]
        assert ids[1] not in found, "cannot bear this one"
        seen.extend(found)

    metrics = await delivered(stores, react, count=3)

    assert seen == [ids[0], ids[2]]
    assert counted(metrics.collect, "earful_relay_passed_over_total") == {(): 1}
