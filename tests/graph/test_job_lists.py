"""A workspace's jobs: all, or those of a kind or a status, page by page."""

import httpx
import pytest

from tests.factories import NOON, Factory, Tenant

JOBS = """query($id: ID!, $first: Int, $after: String, $kind: String, $status: JobStatus) {
    node(id: $id) { ... on Workspace {
      jobs(first: $first, after: $after, kind: $kind, status: $status) {
        nodes { id } pageInfo { hasNextPage endCursor } } } } }"""


async def jobs(factory: Factory, tenant: Tenant) -> dict[str, list[str]]:
    """Three of each of two kinds by turns, of which the second of each has failed; the newest first."""
    made: dict[str, list[str]] = {"export": [], "score": []}
    for _ in range(3):
        for kind, of_kind in made.items():
            of_kind.insert(0, await factory.job(tenant, kind))
    for of_kind in made.values():
        await factory.job_changed(tenant, of_kind[1], "FAILED", told=False, finished_at=NOON)
    return made


async def listed(
    http: httpx.AsyncClient, tenant: Tenant, pages: int, **variables: object
) -> list[str]:
    """So many pages of two, which are all."""
    caller, found, info = tenant.owner.on(http), list[str](), {"endCursor": None}
    for _ in range(pages):
        after = info["endCursor"]
        answer = await caller.ask(JOBS, id=tenant.gid, first=2, after=after, **variables)
        found += [node["id"] for node in answer["node"]["jobs"]["nodes"]]
        info = answer["node"]["jobs"]["pageInfo"]
    assert not info["hasNextPage"]
    return found


async def test_the_jobs_of_a_kind_are_listed_page_by_page(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant, other = await factory.tenant(), await factory.tenant()
    made = await jobs(factory, tenant)
    await jobs(factory, other)
    assert await listed(http, tenant, 2, kind="export") == made["export"]
    assert await listed(http, tenant, 2, kind="score") == made["score"]
    assert await listed(http, tenant, 1, kind="unheard of") == []


async def test_the_jobs_of_a_status_are_listed_page_by_page(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    made = await jobs(factory, tenant)
    failed = [made["score"][1], made["export"][1]]
    assert await listed(http, tenant, 1, status="FAILED") == failed
    everything = await listed(http, tenant, 3)
    assert len(everything) == 6
    queued = [job for job in everything if job not in failed]
    assert await listed(http, tenant, 2, status="QUEUED") == queued


async def test_both_filters_hold_at_once(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    made = await jobs(factory, tenant)
    assert await listed(http, tenant, 1, kind="export", status="FAILED") == [made["export"][1]]
    assert await listed(http, tenant, 1, kind="export", status="SUCCEEDED") == []


@pytest.mark.parametrize("other", [{}, {"kind": "score"}, {"kind": "export", "status": "QUEUED"}])
async def test_a_cursor_is_of_the_list_that_gave_it(
    factory: Factory, http: httpx.AsyncClient, other: dict[str, str]
) -> None:
    tenant = await factory.tenant()
    await jobs(factory, tenant)
    caller = tenant.owner.on(http)
    page = await caller.ask(JOBS, id=tenant.gid, first=1, kind="export")
    after = page["node"]["jobs"]["pageInfo"]["endCursor"]

    (error,) = await caller.errors(JOBS, id=tenant.gid, first=1, after=after, **other)

    assert error["extensions"]["code"] == "INVALID_INPUT"
