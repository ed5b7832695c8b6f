"""Exports whose worker dies: another one begins anew, and nothing is there twice."""

from datetime import timedelta
from typing import NoReturn

import httpx
import pytest

from app.stores import now
from domain import file
from domain.export import EXPORT
from jobs.attempt import Attempt
from persistence import job as job_store
from persistence.database import Database, new_id
from tests.exporting import kept, look, many, started, texts
from tests.factories import Factory, Tenant
from tests.uploads import get
from tests.working import Worker


class DiedError(BaseException):
    """What no code of ours gets to see."""


class LastBreath(Attempt):
    """An attempt whose worker dies when its file is in the bucket, and before anybody knows of it."""

    def completing(self) -> NoReturn:
        raise DiedError


async def die(worker: Worker, database: Database) -> None:
    """Do the export that waits, up to there."""
    dead = new_id()
    async with database.transaction() as uow:
        await job_store.enlist(uow, dead, "test")
    async with database.transaction() as uow:
        (row,) = await job_store.claim(
            uow, dead, priority=EXPORT.priority, kinds=[EXPORT.name], free=1, most_of_one=1
        )
    (task,) = [task for task in worker.tasks if task.kind is EXPORT]
    with pytest.raises(DiedError):
        await task.do(worker.resources, LastBreath(row, dead, database))
    async with database.transaction() as uow:
        await job_store.take_back(uow, silence=0)


async def sweep(database: Database, worker: Worker, tenant: Tenant) -> None:
    objects, later = worker.resources.objects, now() + timedelta(days=2)
    await file.sweep_page(database, objects, f"files/{tenant.id.hex}/", after="", now=later)


@pytest.mark.parametrize("format", ["CSV", "PARQUET"])
async def test_another_worker_begins_anew(
    factory: Factory, http: httpx.AsyncClient, worker: Worker, database: Database, format: str
) -> None:
    tenant = await factory.tenant()
    await many(factory, tenant, 20)
    caller = tenant.owner.on(http)
    job = await started(caller, tenant, format=format)

    await die(worker, database)
    await factory.feedback(tenant, "Said meanwhile.")
    left, files = await kept(worker, tenant), await factory.rows("SELECT 1 FROM file")
    waiting = await look(caller, job)
    await worker.work()

    done = await look(caller, job)
    assert (left, files) == ((1, 0), [])
    assert (waiting["status"], waiting["resultUrl"]) == ("QUEUED", None)
    assert (done["status"], done["result"]["rows"]) == ("SUCCEEDED", 21)
    assert len(await factory.rows("SELECT 1 FROM file")) == 1
    assert await factory.rows("SELECT file_bytes FROM workspace") == [(done["result"]["size"],)]


async def test_what_the_dead_one_had_sent_is_swept(
    factory: Factory, http: httpx.AsyncClient, worker: Worker, database: Database
) -> None:
    tenant = await factory.tenant()
    await many(factory, tenant, 20)
    job = await started(tenant.owner.on(http), tenant)
    await die(worker, database)
    await worker.work()
    before = await kept(worker, tenant)

    await sweep(database, worker, tenant)

    url = (await look(tenant.owner.on(http), job))["resultUrl"]
    assert (before, await kept(worker, tenant)) == ((2, 0), (1, 0))
    assert len(texts((await get(url)).content, "body")) == 20
