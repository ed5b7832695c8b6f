"""What was never completed, rejected or not used is taken away, and so is what is nobody's; the rest stays."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from app.resources import Api
from app.stores import now
from domain import file, job
from domain.file import SWEEP_BUCKET, SWEEP_FILES
from domain.job import Kind
from persistence.database import Database
from persistence.objects import Objects
from tests.callers import JSON, Caller
from tests.factories import Factory, Tenant
from tests.uploads import BODY, complete, headers, put, row, target, uploaded
from tests.working import Worker

LATER = now() + timedelta(days=2)
PREFIX = "files/"


async def expire(factory: Factory, tenant: Tenant, ready: JSON) -> None:
    await factory.change(
        "UPDATE file SET expires_at = now() - interval '1 second' WHERE key LIKE :key",
        within=tenant,
        key=f"%{ready['id'].partition('_')[2]}%",
    )


async def attachment(caller: Caller, tenant: Tenant) -> JSON:
    given: dict[str, Any] = {"purpose": "ATTACHMENT", "contentType": "text/plain"}
    return await uploaded(caller, tenant, **given)


async def attach(caller: Caller, feedback: str, ready: JSON) -> None:
    query = "mutation($input: AttachFilesInput!) { attachFiles(input: $input) { __typename } }"
    await caller.ask(query, input={"feedbackId": feedback, "fileIds": [ready["id"]]})


async def ask(database: Database, kind: Kind) -> None:
    async with database.transaction() as uow:
        await job.enqueue(uow, kind, workspace=None)


async def sweep_pages(database: Database, objects: Objects, prefix: str) -> None:
    """All of the bucket, as in two days."""
    after: str | None = ""
    while after is not None:
        after = await file.sweep_page(database, objects, prefix, after=after, now=LATER)


async def test_what_has_expired_is_taken_away_with_its_object_and_its_room(
    factory: Factory, http: httpx.AsyncClient, database: Database, api: Api, worker: Worker
) -> None:
    tenant, other = await factory.tenant(), await factory.tenant()
    caller = tenant.owner.on(http)
    sent = await target(caller, tenant)
    await put(sent["url"], BODY, headers(sent))
    unsent = await target(caller, tenant)
    unused = await uploaded(other.owner.on(http), other)
    kept = await uploaded(caller, tenant)
    keys = [
        (await row(database, of, each)).key
        for of, each in [
            (tenant, sent["file"]),
            (other, unused),
            (tenant, kept),
        ]
    ]
    for of, each in [(tenant, sent["file"]), (tenant, unsent["file"]), (other, unused)]:
        await expire(factory, of, each)

    await ask(database, SWEEP_FILES)
    await worker.work()

    assert await factory.rows("SELECT key FROM file") == [(keys[2],)]
    assert [await api.objects.find(key) is None for key in keys] == [True, True, False]
    room = dict(await factory.rows("SELECT id, file_bytes FROM workspace"))
    assert room == {tenant.id: len(BODY), other.id: 0}
    assert await factory.rows("SELECT status, result::text FROM job") == [
        ("SUCCEEDED", '{"swept": 3}')
    ]


async def test_what_is_rejected_gives_its_room_back_once(
    factory: Factory, http: httpx.AsyncClient, database: Database, api: Api
) -> None:
    tenant = await factory.tenant()
    caller = tenant.owner.on(http)
    await uploaded(caller, tenant)
    to = await target(caller, tenant)
    await api.objects.put((await row(database, tenant, to["file"])).key, b"other", "text/csv")
    rejected = (await complete(caller, to))["file"]
    await expire(factory, tenant, rejected)

    swept = await file.sweep(database, api.objects, now())

    assert (rejected["status"], swept) == ("REJECTED", 1)
    assert await factory.rows("SELECT file_bytes FROM workspace") == [(len(BODY),)]


async def test_a_large_upload_that_nobody_completes_is_given_up(
    factory: Factory, http: httpx.AsyncClient, database: Database, api: Api
) -> None:
    tenant = await factory.tenant()
    to = await target(tenant.owner.on(http), tenant, size=2**27)
    key = (await row(database, tenant, to["file"])).key
    begun = [each.key for each in await api.objects.begun(key)]
    await expire(factory, tenant, to["file"])

    await file.sweep(database, api.objects, now())

    assert begun == [key]
    assert await api.objects.begun(key) == []


async def test_attached_files_stay_and_go_with_their_feedback(
    factory: Factory, http: httpx.AsyncClient, database: Database, api: Api
) -> None:
    tenant = await factory.tenant()
    caller = tenant.owner.on(http)
    feedback = await factory.feedback(tenant)
    ready = await attachment(caller, tenant)
    await attach(caller, feedback, ready)
    await expire(factory, tenant, ready)

    swept = await file.sweep(database, api.objects, now())
    await factory.change("DELETE FROM feedback", within=tenant)
    later = await file.sweep(database, api.objects, now())

    assert (swept, later) == (0, 1)
    assert await factory.rows("SELECT file_bytes FROM workspace") == [(0,)]


async def test_sweeping_again_does_nothing(
    factory: Factory, http: httpx.AsyncClient, database: Database, api: Api
) -> None:
    tenant = await factory.tenant()
    await expire(factory, tenant, await uploaded(tenant.owner.on(http), tenant))

    assert await file.sweep(database, api.objects, now()) == 1
    assert await file.sweep(database, api.objects, now()) == 0


async def test_objects_that_are_nobodys_are_deleted_once_they_are_a_day_old(
    factory: Factory, http: httpx.AsyncClient, database: Database, api: Api
) -> None:
    tenant, gone = await factory.tenant(), await factory.tenant()
    kept = await uploaded(tenant.owner.on(http), tenant)
    lost = await uploaded(gone.owner.on(http), gone)
    keys = [
        (await row(database, tenant, kept)).key,
        (await row(database, gone, lost)).key,
    ]
    await factory.change("DELETE FROM workspace WHERE id = :id", within=gone, id=gone.id)

    await file.sweep_page(database, api.objects, PREFIX, after="", now=now())
    young = [await api.objects.find(key) is not None for key in keys]
    await sweep_pages(database, api.objects, PREFIX)
    old = [await api.objects.find(key) is not None for key in keys]

    assert young == [True, True]
    assert old == [True, False]


async def test_pictures_of_people_stay(factory: Factory, database: Database, api: Api) -> None:
    person = await factory.person()
    kept, lost = file.avatar_key(person.id), file.avatar_key(person.id)
    for key in (kept, lost):
        await api.objects.put(key, b"picture", "image/webp")
    await factory.change('UPDATE "user" SET avatar_key = :key', key=kept)

    await sweep_pages(database, api.objects, "avatars/")

    assert await api.objects.find(kept) is not None
    assert await api.objects.find(lost) is None


async def test_what_others_keep_in_the_bucket_stays(database: Database, api: Api) -> None:
    await api.objects.put("backups/monday", b"x", "text/plain")

    for prefix in file.PREFIXES:
        await sweep_pages(database, api.objects, prefix)

    assert await api.objects.find("backups/monday") is not None


async def test_uploads_in_parts_that_nobody_knows_are_given_up_after_a_day(api: Api) -> None:
    key = "files/nobody/1-2"
    await api.objects.begin_parts(key, "text/csv")

    await file.sweep_parts(api.objects, now())
    young = await api.objects.begun(key)
    await file.sweep_parts(api.objects, LATER)

    assert [each.key for each in young] == [key]
    assert await api.objects.begun(key) == []


@pytest.mark.parametrize("prefix", file.PREFIXES)
async def test_the_bucket_is_swept_page_by_page(
    factory: Factory, database: Database, api: Api, worker: Worker, prefix: str
) -> None:
    await api.objects.put(f"{prefix}young", b"x", "text/plain")

    await ask(database, SWEEP_BUCKET)
    await worker.work()

    ((status, progress),) = await factory.rows("SELECT status, progress FROM job")
    assert status == "SUCCEEDED"
    assert await api.objects.find(f"{prefix}young") is not None
    assert progress is not None
