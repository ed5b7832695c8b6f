"""Live totals and jobs, and who may follow what."""

import asyncio
from uuid import UUID

import httpx
import pytest

from app.main import Application
from domain import ids
from domain.ids import Kind
from tests.factories import POSITIVE, Factory
from tests.graph.watching import (
    EVENTS,
    FROM,
    JOB,
    NOWHERE,
    STATS,
    SUBMIT,
    World,
    connected,
)


@pytest.mark.parametrize(("query", "variables"), [(EVENTS, {}), (STATS, {"from": FROM})])
async def test_a_stranger_finds_no_workspace(
    world: World,
    factory: Factory,
    application: Application,
    query: str,
    variables: dict[str, str],
) -> None:
    stranger = await factory.person()

    async with connected(application, stranger) as socket:
        await socket.subscribe(query, workspace=world.tenant.gid, **variables)
        refused = await socket.error()
        await socket.subscribe(query, workspace=NOWHERE, **variables)

        assert await socket.error() == refused == ("NOT_FOUND", "There is no such workspace.")


@pytest.mark.parametrize(("query", "variables"), [(EVENTS, {}), (STATS, {"from": FROM})])
async def test_nobody_is_told_to_sign_in(
    world: World, application: Application, query: str, variables: dict[str, str]
) -> None:
    given = {"workspace": world.tenant.gid} | variables

    async with connected(application, None) as socket:
        await socket.subscribe(query, **given)

        assert await socket.error() == ("UNAUTHENTICATED", "Sign in first.")


async def test_a_viewer_may_follow(
    world: World, factory: Factory, application: Application
) -> None:
    viewer = await factory.member(world.tenant, "VIEWER")

    async with connected(application, viewer) as socket:
        await socket.subscribe(EVENTS, workspace=world.tenant.gid, after=world.start)
        await world.submit("seen")

        assert (await socket.data())["feedback"]["body"] == "seen"


async def test_events_of_another_workspace_do_not_come(
    world: World, factory: Factory, http: httpx.AsyncClient
) -> None:
    other = await factory.tenant()
    await world.subscribe()

    await other.owner.on(http).ask(SUBMIT, input={"workspaceId": other.gid, "body": "theirs"})
    await world.submit("ours")

    assert await world.next() == ("ADDED", "ours")
    assert await world.socket.silent()


async def test_stats_come_at_once_and_when_they_change(world: World) -> None:
    await world.socket.subscribe(STATS, workspace=world.tenant.gid, **{"from": FROM})
    empty = await world.socket.data()

    id_ = await world.submit("good", rating=8)
    added = await world.socket.data()
    await world.score(id_, POSITIVE)
    scored = await world.socket.data()

    assert empty == {
        "total": 0,
        "negative": 0,
        "neutral": 0,
        "positive": 0,
        "unscored": 0,
        "averageScore": None,
        "averageRating": None,
    }
    assert added == empty | {"total": 1, "unscored": 1, "averageRating": 8.0}
    assert scored == added | {"unscored": 0, "positive": 1, "averageScore": 0.8}
    assert await world.socket.silent()


async def test_stats_that_change_fast_come_together(world: World) -> None:
    await world.socket.subscribe(STATS, workspace=world.tenant.gid, **{"from": FROM})
    await world.socket.data()

    await asyncio.gather(*(world.submit(str(number)) for number in range(30)))
    totals = [0]
    while totals[-1] < 30:
        totals.append((await world.socket.data())["total"])

    assert totals == sorted(set(totals))
    assert len(totals) < 15


async def test_stats_of_a_filter_change_with_it_alone(world: World) -> None:
    await world.socket.subscribe(
        STATS, workspace=world.tenant.gid, filter={"ratingGte": 5}, **{"from": FROM}
    )
    assert (await world.socket.data())["total"] == 0

    await world.submit("bad", rating=1)
    await world.submit("good", rating=9)

    assert (await world.socket.data())["total"] == 1
    assert await world.socket.silent()


async def test_a_job_is_followed_to_its_end(world: World, factory: Factory) -> None:
    other, job = await factory.job(world.tenant), await factory.job(world.tenant)
    await world.socket.subscribe(JOB, job=job)
    queued = await world.socket.data()

    await factory.job_changed(world.tenant, other, "RUNNING", attempts=1)
    await factory.job_changed(world.tenant, job, "RUNNING", attempts=1)
    running = await world.socket.data()
    await factory.job_changed(world.tenant, job, "SUCCEEDED", progress=1.0)
    succeeded = await world.socket.data()

    assert queued == {"id": job, "status": "QUEUED", "progress": None, "attempts": 0}
    assert running == queued | {"status": "RUNNING", "attempts": 1}
    assert succeeded == running | {"status": "SUCCEEDED", "progress": 1.0}
    assert await world.socket.hear() == {"id": "0", "type": "complete"}


async def test_a_job_that_has_ended_comes_once(world: World, factory: Factory) -> None:
    job = await factory.job(world.tenant)
    await factory.job_changed(world.tenant, job, "FAILED", error="No.")

    await world.socket.subscribe(JOB, job=job)

    assert (await world.socket.data())["status"] == "FAILED"
    assert await world.socket.hear() == {"id": "0", "type": "complete"}


async def test_an_unknown_job_is_not_found(
    world: World, factory: Factory, application: Application
) -> None:
    theirs = await factory.job(world.tenant)
    stranger = await factory.person()

    async with connected(application, stranger) as socket:
        await socket.subscribe(JOB, job=theirs)
        refused = await socket.error()
        await socket.subscribe(JOB, job=ids.write(Kind.JOB, UUID(int=7)))

        assert await socket.error() == refused == ("NOT_FOUND", "There is no such job.")
