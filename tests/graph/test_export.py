"""Asking for exports, and the links to what was made."""

import httpx
import pytest

from domain import ids
from domain.ids import Kind
from tests.callers import Caller
from tests.exporting import look, start, started
from tests.factories import Factory
from tests.uploads import get
from tests.working import Worker


async def test_an_export_is_a_job_that_waits(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    analyst = await factory.member(tenant, "ANALYST")

    answer = await start(analyst.on(http), tenant, format="PDF", filter={"sentiments": []})

    job = answer["job"]
    assert job == {"id": job["id"], "kind": "export", "status": "QUEUED"}
    assert await factory.rows("SELECT id, priority, created_by, arguments::text FROM job") == [
        (
            ids.read(Kind.JOB, job["id"]),
            "BULK",
            analyst.id,
            f'{{"filter": {{"sentiments": []}}, "format": "PDF", "viewer": "{analyst.id.hex}"}}',
        )
    ]


async def test_a_viewer_may_not_export(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    viewer = await factory.member(tenant, "VIEWER")

    answer = await start(viewer.on(http), tenant)

    assert answer == {
        "__typename": "Forbidden",
        "message": "You need the role ANALYST to export feedback; yours is VIEWER.",
    }
    assert await factory.rows("SELECT id FROM job") == []


@pytest.mark.parametrize(("name", "kind"), [("sourceIds", Kind.SOURCE), ("tagIds", Kind.TAG)])
async def test_a_filter_names_a_hundred_at_most(
    factory: Factory, http: httpx.AsyncClient, name: str, kind: Kind
) -> None:
    tenant = await factory.tenant()
    named = [ids.write(kind, tenant.id)] * 101

    answer = await start(tenant.owner.on(http), tenant, filter={name: named})

    assert answer == {
        "__typename": "InvalidInput",
        "message": "Some fields are not valid.",
        "fields": [{"path": ["filter", name], "message": "must name at most 100"}],
    }


async def test_the_link_is_for_those_who_belong_to_the_workspace(
    factory: Factory, http: httpx.AsyncClient, worker: Worker
) -> None:
    tenant, other = await factory.tenant("acme"), await factory.tenant()
    await factory.feedback(tenant)
    viewer = await factory.member(tenant, "VIEWER")
    job = await started(tenant.owner.on(http), tenant)
    waiting = await look(tenant.owner.on(http), job)
    await worker.work()

    seen = await look(viewer.on(http), job)

    assert waiting["resultUrl"] is None
    answer = await get(seen["resultUrl"])
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv"
    assert answer.headers["content-disposition"].startswith(
        'attachment; filename="acme-feedback-20'
    )
    assert await look(other.owner.on(http), job) is None
    assert await look(Caller(http), job) is None


async def test_who_leaves_gets_no_new_link(
    factory: Factory, http: httpx.AsyncClient, worker: Worker
) -> None:
    tenant = await factory.tenant()
    analyst = await factory.member(tenant, "ANALYST")
    job = await started(analyst.on(http), tenant)
    await worker.work()
    await factory.change("DELETE FROM member WHERE user_id = :user", within=tenant, user=analyst.id)

    assert await look(analyst.on(http), job) is None


async def test_an_open_jobs_file_is_nobodys(
    factory: Factory, http: httpx.AsyncClient, worker: Worker
) -> None:
    tenant = await factory.tenant()
    job = await started(tenant.owner.on(http), tenant)
    await worker.work()
    await factory.change("UPDATE job SET open = true", within=tenant)

    seen = [await look(caller, job) for caller in (Caller(http), tenant.owner.on(http))]

    assert [each["resultUrl"] for each in seen] == [None, None]


async def test_a_file_of_another_workspace_is_no_result(
    factory: Factory, http: httpx.AsyncClient, worker: Worker
) -> None:
    tenant = await factory.tenant()
    other = await factory.tenant(owner=tenant.owner)
    caller = tenant.owner.on(http)
    job, foreign = await started(caller, tenant), await started(caller, other)
    await worker.work()
    result = (await factory.rows("SELECT result::text FROM job ORDER BY id"))[1][0]
    await factory.change(
        "UPDATE job SET result = CAST(:result ::text AS jsonb)", within=tenant, result=result
    )

    assert (await look(caller, job))["resultUrl"] is None
    assert (await look(caller, foreign))["resultUrl"] is not None


@pytest.mark.parametrize(
    ("scopes", "has_link"),
    [
        (["exports:create"], True),
        (["jobs:read", "imports:create", "feedback:read"], False),
    ],
)
async def test_a_key_needs_the_scope_for_the_link(
    factory: Factory, http: httpx.AsyncClient, worker: Worker, scopes: list[str], has_link: bool
) -> None:
    tenant = await factory.tenant()
    key = await factory.api_key(tenant, *scopes)
    job = await started(tenant.owner.on(http), tenant)
    await worker.work()

    seen = await look(key.on(http), job)

    assert seen["status"] == "SUCCEEDED"
    assert (seen["resultUrl"] is not None) == has_link


async def test_a_key_with_the_scope_exports(
    factory: Factory, http: httpx.AsyncClient, worker: Worker
) -> None:
    tenant, other = await factory.tenant(), await factory.tenant()
    await factory.feedback(tenant, "Kept.")
    key = await factory.api_key(tenant, "exports:create")

    job = await started(key.on(http), tenant, format="NDJSON")
    elsewhere = await start(key.on(http), other)
    await worker.work()

    url = (await look(key.on(http), job))["resultUrl"]
    assert b'"body":"Kept."' in (await get(url)).content
    assert elsewhere == {"__typename": "NotFound", "message": "There is no such workspace."}
    assert await factory.rows("SELECT created_by FROM job") == [(None,)]
