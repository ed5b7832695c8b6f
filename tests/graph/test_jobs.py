"""Jobs over GraphQL: looked at, cancelled, done again, by those who may."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from app.main import Application
from app.resources import Api
from app.settings import Settings
from domain import ids
from domain.ids import Kind
from persistence import job as store
from persistence.database import Database
from tests.applications import client
from tests.callers import Caller
from tests.factories import NOON, Factory, Person, Tenant
from tests.graph.watching import JOB, connected

OPERATOR = "operator@earful.example"
MANAGERS = ["ADMIN", "OWNER"]
OTHERS = ["VIEWER", "ANALYST"]
PROBLEM = "... on Problem { message }"
CANCEL = f"""mutation($id: ID!) {{ result: cancelJob(input: {{jobId: $id}}) {{
    __typename ... on CancelJobSuccess {{ job {{ id status finishedAt }} }} {PROBLEM} }} }}"""
RETRY = f"""mutation($id: ID!) {{ result: retryJob(input: {{jobId: $id}}) {{
    __typename ... on RetryJobSuccess {{ job {{ id status failures error quarantined }} }} {PROBLEM} }} }}"""
REQUEUE = f"""mutation($ids: [ID!]!) {{ result: requeueJobs(input: {{jobIds: $ids}}) {{
    __typename ... on RequeueJobsSuccess {{ jobs {{ id status }} }} {PROBLEM} }} }}"""
DEAD = """query($workspace: ID, $kind: String, $first: Int, $after: String) {
    deadJobs(workspaceId: $workspace, kind: $kind, first: $first, after: $after) {
      nodes { id } pageInfo { hasNextPage endCursor } } }"""
ONE = """query($id: ID!) { job(id: $id) {
    id kind status priority progress attempts failures error result createdById
    nextAttemptAt finishedAt quarantined } }"""
SCHEDULES = "{ schedules { id name kind everySeconds cron timeZone missed lastJob { id } } }"
NO_SUCH = {"__typename": "NotFound", "message": "There is no such job."}
ENDED = {"__typename": "Conflict", "message": "This job has already ended."}


@pytest.fixture
async def operated(
    settings: Settings, api: Api, database: Database
) -> AsyncIterator[httpx.AsyncClient]:
    """A server with an operator."""
    services = replace(api.services, operators=frozenset({OPERATOR}))
    async with client(settings, replace(api, services=services)) as http:
        yield http


async def operator(factory: Factory, *, verified: bool = True) -> Person:
    person = await factory.person(OPERATOR)
    await factory.change(
        'UPDATE "user" SET email_verified_at = :moment ::timestamptz WHERE id = :id',
        id=person.id,
        moment={True: NOON, False: None}[verified],
    )
    return person


async def dead(factory: Factory, tenant: Tenant, kind: str = "score", **columns: Any) -> str:
    """A job that has failed for good."""
    job = await factory.job(tenant, kind)
    settings = {"error": "no luck", "failures": 3} | columns
    await factory.job_changed(tenant, job, "FAILED", **settings, told=False)
    await factory.change(
        "UPDATE job SET finished_at = clock_timestamp() WHERE id = :id",
        within=tenant,
        id=ids.read(Kind.JOB, job),
    )
    return job


async def everything(factory: Factory) -> list[tuple[Any, ...]]:
    """Every job and every event."""
    return [
        *await factory.rows("SELECT t::text FROM job t ORDER BY 1"),
        *await factory.rows("SELECT kind, payload::text FROM outbox ORDER BY id"),
    ]


async def instance_job(database: Database, *, open: bool = False, status: str = "QUEUED") -> str:
    """A job of no workspace."""
    async with database.transaction() as uow:
        row = await store.add(uow, workspace=None, kind="score", arguments="{}", open=open)
        return ids.write(Kind.JOB, row.id)


def nodes(answer: Any) -> list[str]:
    return [node["id"] for node in answer["deadJobs"]["nodes"]]


# Looked at


async def test_a_member_sees_all_of_a_job(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    viewer = await factory.member(tenant, "VIEWER")
    job = await factory.job(tenant)
    await factory.job_changed(
        tenant,
        job,
        "FAILED",
        deaths=3,
        failures=1,
        attempts=5,
        progress=0.5,
        error="no luck",
        told=False,
    )
    await factory.change(
        """UPDATE job SET result = '{"rows": 3}', created_by = :user""",
        within=tenant,
        user=tenant.owner.id,
    )

    answer = await viewer.on(http).ask(ONE, id=job)

    assert answer["job"] == {
        "id": job,
        "kind": "score",
        "status": "FAILED",
        "priority": "NORMAL",
        "progress": 0.5,
        "attempts": 5,
        "failures": 1,
        "error": "no luck",
        "result": {"rows": 3},
        "createdById": tenant.owner.gid,
        "nextAttemptAt": None,
        "finishedAt": None,
        "quarantined": True,
    }


async def test_a_queued_job_says_when_it_is_begun(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    job = await factory.job(tenant)
    await factory.change("UPDATE job SET run_at = '2030-01-01T00:00:00Z'", within=tenant)

    answer = await tenant.owner.on(http).ask(
        "query($id: ID!) { job(id: $id) { nextAttemptAt } }", id=job
    )

    assert answer["job"]["nextAttemptAt"] == "2030-01-01T00:00:00Z"


async def test_an_open_job_is_whoevers_who_knows_its_id(database: Database, nobody: Caller) -> None:
    ours, closed = await instance_job(database, open=True), await instance_job(database)

    assert (await nobody.ask(ONE, id=ours))["job"]["status"] == "QUEUED"
    assert (await nobody.ask(ONE, id=closed))["job"] is None


async def test_nobody_follows_an_open_job_and_no_other(
    factory: Factory, database: Database, application: Application
) -> None:
    ours = await instance_job(database, open=True)
    other = await factory.job(await factory.tenant())

    async with connected(application, None) as socket:
        await socket.subscribe(JOB, job=ours)
        first = await socket.data()
        await socket.subscribe(JOB, job=other)

        assert first["status"] == "QUEUED"
        assert await socket.error() == ("NOT_FOUND", "There is no such job.")


# Cancelled


@pytest.mark.parametrize("role", MANAGERS)
async def test_a_queued_job_is_cancelled(
    factory: Factory, http: httpx.AsyncClient, role: str
) -> None:
    tenant = await factory.tenant()
    job = await factory.job(tenant)
    caller = (await factory.member(tenant, role)).on(http)

    answer = (await caller.ask(CANCEL, id=job))["result"]

    ((status, finished),) = await factory.rows("SELECT status, finished_at FROM job")
    assert (answer["job"]["id"], answer["job"]["status"], status) == (job, "CANCELLED", "CANCELLED")
    assert finished is not None
    assert (await caller.ask(CANCEL, id=job))["result"] == ENDED


async def test_a_running_job_is_asked_to_end(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    job = await factory.job(tenant)
    await factory.job_changed(tenant, job, "RUNNING", told=False)

    answer = (await tenant.owner.on(http).ask(CANCEL, id=job))["result"]

    ((status, asked),) = await factory.rows("SELECT status, cancel_requested_at FROM job")
    assert (answer["job"]["status"], answer["job"]["finishedAt"], status) == (
        "RUNNING",
        None,
        "RUNNING",
    )
    assert asked is not None


# Done again


@pytest.mark.parametrize("status", ["FAILED", "CANCELLED"])
@pytest.mark.parametrize("role", MANAGERS)
async def test_what_has_ended_badly_is_done_again(
    factory: Factory, http: httpx.AsyncClient, role: str, status: str
) -> None:
    tenant = await factory.tenant()
    job = await factory.job(tenant)
    await factory.job_changed(
        tenant, job, status, failures=3, deaths=3, error="no luck", told=False
    )
    caller = (await factory.member(tenant, role)).on(http)

    answer = (await caller.ask(RETRY, id=job))["result"]

    assert answer["job"] == {
        "id": job,
        "status": "QUEUED",
        "failures": 0,
        "error": "no luck",
        "quarantined": False,
    }
    assert await factory.rows("SELECT status, failures, deaths FROM job") == [("QUEUED", 0, 0)]


@pytest.mark.parametrize("status", ["QUEUED", "RUNNING", "SUCCEEDED"])
async def test_nothing_else_is_done_again(
    factory: Factory, http: httpx.AsyncClient, status: str
) -> None:
    tenant = await factory.tenant()
    job = await factory.job(tenant)
    await factory.job_changed(tenant, job, status, told=False)
    before = await everything(factory)

    answer = (await tenant.owner.on(http).ask(RETRY, id=job))["result"]

    assert answer["__typename"] == "Conflict"
    assert await everything(factory) == before


async def test_what_waits_once_already_is_not_done_again(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    failed = await dead(factory, tenant)
    await factory.job(tenant)
    await factory.change("UPDATE job SET key = 'a'", within=tenant)
    before = await everything(factory)
    caller = tenant.owner.on(http)

    retried = (await caller.ask(RETRY, id=failed))["result"]
    requeued = (await caller.ask(REQUEUE, ids=[failed]))["result"]

    assert retried["__typename"] == "Conflict"
    assert requeued == {"__typename": "RequeueJobsSuccess", "jobs": []}
    assert await everything(factory) == before


async def test_many_dead_jobs_are_done_again_and_others_left_alone(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant, other = await factory.tenant(), await factory.tenant()
    ours = [await dead(factory, tenant) for _ in range(3)]
    waiting, theirs = await factory.job(tenant), await dead(factory, other)

    answer = await tenant.owner.on(http).ask(REQUEUE, ids=[*ours, waiting, theirs])

    assert sorted(job["id"] for job in answer["result"]["jobs"]) == sorted(ours)
    assert await factory.rows(
        "SELECT status, count(*) FROM job GROUP BY status ORDER BY status"
    ) == [("FAILED", 1), ("QUEUED", 4)]


async def test_so_many_at_once_are_refused(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    jobs = [f"job_{number:032x}" for number in range(1_001)]

    answer = await tenant.owner.on(http).ask(REQUEUE, ids=jobs)

    assert answer["result"] == {
        "__typename": "InvalidInput",
        "message": "At most 1,000 jobs at once; there are 1,001.",
    }


# Who may


@pytest.mark.parametrize("query", [CANCEL, RETRY])
@pytest.mark.parametrize("role", OTHERS)
async def test_others_may_not(
    factory: Factory, http: httpx.AsyncClient, role: str, query: str
) -> None:
    tenant = await factory.tenant()
    job = await dead(factory, tenant)
    caller = (await factory.member(tenant, role)).on(http)
    before = await everything(factory)

    answer = (await caller.ask(query, id=job))["result"]

    assert answer["__typename"] == "Forbidden"
    assert await everything(factory) == before


@pytest.mark.parametrize("query", [CANCEL, RETRY])
async def test_a_stranger_and_who_asks_for_nothing_hear_the_same(
    factory: Factory, http: httpx.AsyncClient, query: str
) -> None:
    job = await dead(factory, await factory.tenant())
    stranger = (await factory.tenant()).owner.on(http)
    before = await everything(factory)

    assert (await stranger.ask(query, id=job))["result"] == NO_SUCH
    assert (await stranger.ask(query, id=f"job_{'0' * 32}"))["result"] == NO_SUCH
    assert await everything(factory) == before


@pytest.mark.parametrize(("query", "variables"), [(CANCEL, "id"), (RETRY, "id"), (REQUEUE, "ids")])
async def test_nobody_is_told_to_sign_in(
    factory: Factory, nobody: Caller, query: str, variables: str
) -> None:
    job = await dead(factory, await factory.tenant())
    before = await everything(factory)

    (error,) = await nobody.errors(query, **{variables: {"id": job, "ids": [job]}[variables]})

    assert error["extensions"]["code"] == "UNAUTHENTICATED"
    assert await everything(factory) == before


async def test_nobody_lists_nothing(nobody: Caller) -> None:
    codes = [
        [error["extensions"]["code"] for error in await nobody.errors(query)]
        for query in (DEAD, SCHEDULES)
    ]

    assert codes == [["UNAUTHENTICATED"], ["UNAUTHENTICATED"]]


# Dead letters


@pytest.mark.parametrize(
    ("role", "seen"), [(role, 2) for role in MANAGERS] + [(role, 0) for role in OTHERS]
)
async def test_dead_jobs_are_listed_for_those_who_manage_them(
    factory: Factory, http: httpx.AsyncClient, role: str, seen: int
) -> None:
    tenant, other = await factory.tenant(), await factory.tenant()
    ours = [await dead(factory, tenant) for _ in range(2)]
    await factory.job(tenant)
    await dead(factory, other)
    caller = (await factory.member(tenant, role)).on(http)

    assert nodes(await caller.ask(DEAD)) == ours[::-1][:seen]
    assert nodes(await caller.ask(DEAD, workspace=tenant.gid)) == ours[::-1][:seen]
    assert nodes(await caller.ask(DEAD, workspace=other.gid)) == []


async def test_dead_jobs_are_found_by_kind_and_paged(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    jobs = [await dead(factory, tenant, kind) for kind in ("a", "b", "a", "a")]
    caller = tenant.owner.on(http)

    first = await caller.ask(DEAD, kind="a", first=2)
    second = await caller.ask(
        DEAD, kind="a", first=2, after=first["deadJobs"]["pageInfo"]["endCursor"]
    )

    assert nodes(first) == [jobs[3], jobs[2]]
    assert first["deadJobs"]["pageInfo"]["hasNextPage"]
    assert nodes(second) == [jobs[0]]
    assert not second["deadJobs"]["pageInfo"]["hasNextPage"]


async def test_an_operator_sees_the_dead_jobs_of_all_and_does_them_again(
    factory: Factory, database: Database, operated: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    of_tenant = await dead(factory, tenant)
    of_instance = await instance_job(database)
    await factory.change(
        "UPDATE job SET status = 'FAILED', finished_at = now() WHERE workspace_id IS NULL"
    )
    caller = (await operator(factory)).on(operated)

    listed = nodes(await caller.ask(DEAD))
    of_one = nodes(await caller.ask(DEAD, workspace=tenant.gid))
    answer = await caller.ask(REQUEUE, ids=[of_tenant, of_instance])

    assert listed == [of_instance, of_tenant]
    assert of_one == [of_tenant]
    assert sorted(job["id"] for job in answer["result"]["jobs"]) == sorted([of_tenant, of_instance])
    assert await factory.rows("SELECT DISTINCT status FROM job") == [("QUEUED",)]


async def test_an_operator_whose_address_is_not_proven_is_none(
    factory: Factory, operated: httpx.AsyncClient
) -> None:
    job = await dead(factory, await factory.tenant())
    caller = (await operator(factory, verified=False)).on(operated)
    before = await everything(factory)

    assert nodes(await caller.ask(DEAD)) == []
    assert (await caller.ask(REQUEUE, ids=[job]))["result"]["jobs"] == []
    assert (await caller.ask(SCHEDULES))["schedules"] == []
    assert await everything(factory) == before


async def test_an_operator_of_no_workspace_cancels_nothing_of_it(
    factory: Factory, operated: httpx.AsyncClient
) -> None:
    job = await factory.job(await factory.tenant())
    before = await everything(factory)

    answer = await (await operator(factory)).on(operated).ask(CANCEL, id=job)

    assert answer["result"] == NO_SUCH
    assert await everything(factory) == before


# Schedules


@pytest.mark.parametrize(
    ("role", "seen"), [(role, 1) for role in MANAGERS] + [(role, 0) for role in OTHERS]
)
async def test_schedules_are_listed_for_those_who_manage_jobs(
    factory: Factory, http: httpx.AsyncClient, role: str, seen: int
) -> None:
    tenant = await factory.tenant()
    id_ = await factory.schedule(tenant)
    job = await factory.job(tenant)
    await factory.change(
        "UPDATE schedule SET last_job_id = :job", within=tenant, job=ids.read(Kind.JOB, job)
    )
    await factory.schedule(await factory.tenant())
    caller = (await factory.member(tenant, role)).on(http)

    answer = await caller.ask(SCHEDULES)

    expected = {
        "id": id_,
        "name": "hourly",
        "kind": "score",
        "everySeconds": 3600,
        "cron": None,
        "timeZone": "UTC",
        "missed": "ONCE",
        "lastJob": {"id": job},
    }
    node = await caller.ask("query($id: ID!) { node(id: $id) { id } }", id=id_)
    assert answer["schedules"] == [expected][:seen]
    assert node["node"] == [{"id": id_}, None][1 - seen]


async def test_an_operator_sees_all_schedules_the_servers_own_first(
    factory: Factory, operated: httpx.AsyncClient
) -> None:
    names = [f"of {tenant}" for tenant in range(2)]
    for name in names:
        await factory.schedule(await factory.tenant(), name)
    await factory.change(
        "INSERT INTO schedule (id, name, kind, arguments, every_seconds, time_zone, missed, created_at,"
        " next_run_at) VALUES (gen_random_uuid(), 'own', 'k', '{}', 60, 'UTC', 'SKIP', now(), now())"
    )

    answer = await (await operator(factory)).on(operated).ask(SCHEDULES)

    assert [row["name"] for row in answer["schedules"]] == ["own", *names]
