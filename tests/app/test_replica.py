"""Queries are read from a standby that has what their caller must see, and from the primary otherwise."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx
import pytest

from app.main import create_app
from app.resources import Api, open_api
from app.settings import Settings
from app.stores import now, open_redis
from persistence import database as databases
from persistence import migrate
from persistence.database import Database, StoreUnavailableError
from persistence.metering import Meters
from persistence.replica import Replica
from tests.callers import Caller
from tests.factories import Factory, Tenant
from tests.standby import Pair, pair

SECONDS = 20
BODIES = "{ workspace(slug: %r) { feedback { nodes { body } } } }"
WITH_CURSOR = "{ workspace(slug: %r) { feedbackCursor feedback { nodes { body } } } }"
SUBMIT = """mutation($input: SubmitFeedbackInput!) {
  submitFeedback(input: $input) { ... on SubmitFeedbackSuccess { feedback { body } } } }"""


@dataclass
class Replicated:
    """An API with a replica, which holds what it replays as long as it is told to."""

    api: Api
    http: httpx.AsyncClient
    factory: Factory
    standby: "asyncpg.Connection[asyncpg.Record]"

    @property
    def replica(self) -> Replica:
        assert self.api.services.replica is not None
        return self.api.services.replica

    async def caught_up(self) -> None:
        """The replica has all that there is now."""
        await self.replica.mark("the test")
        async with asyncio.timeout(SECONDS):
            while not await self.replica.is_new_enough(["the test"]):
                await asyncio.sleep(0.02)

    @asynccontextmanager
    async def behind(self) -> AsyncIterator[None]:
        """What is written within the block the replica does not get to know before its end."""
        await self.caught_up()
        await self.standby.execute("SELECT pg_wal_replay_pause()")
        try:
            async with asyncio.timeout(SECONDS):
                while (
                    await self.standby.fetchval("SELECT pg_get_wal_replay_pause_state()")
                    != "paused"
                ):
                    await asyncio.sleep(0.02)
            yield
        finally:
            await self.standby.execute("SELECT pg_wal_replay_resume()")

    async def metrics(self) -> dict[str, float]:
        answer = await self.http.get("/metrics")
        lines = [line for line in answer.text.splitlines() if not line.startswith("#")]
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}

    async def bodies(self, caller: Caller, tenant: Tenant, query: str = BODIES) -> list[str]:
        answer = await caller.ask((query % tenant.slug).replace("'", '"'))
        return [node["body"] for node in answer["workspace"]["feedback"]["nodes"]]


@pytest.fixture(scope="module")
def servers() -> Iterator[Pair]:
    with (
        tempfile.TemporaryDirectory(prefix="earful-tests-") as directory,
        pair(Path(directory) / "state") as started,
    ):
        yield started


@pytest.fixture(scope="module")
async def replicated(settings: Settings, servers: Pair) -> AsyncIterator[Replicated]:
    ours = settings.model_copy(
        update={
            "database_url": servers.primary,
            "database_replica_url": servers.standby,
            "database_replica_seconds": 3_600.0,
        }
    )
    await asyncio.to_thread(migrate.upgrade, servers.primary)
    async with AsyncExitStack() as stack:
        api = await stack.enter_async_context(open_api(ours))
        application = create_app(ours)
        application.open(api)
        transport = httpx.ASGITransport(application)
        client = httpx.AsyncClient(transport=transport, base_url="http://earful.test")
        http = await stack.enter_async_context(client)
        standby = await asyncpg.connect(servers.superuser)
        stack.push_async_callback(standby.close)
        yield Replicated(api, http, Factory(api.services.database, api.services), standby)


async def _signed_in(replicated: Replicated, slug: str) -> tuple[Caller, Tenant]:
    tenant = await replicated.factory.tenant(slug)
    return Caller(replicated.http, tenant.owner.token), tenant


async def test_queries_are_read_from_the_replica(replicated: Replicated) -> None:
    caller, tenant = await _signed_in(replicated, "read")
    async with replicated.behind():
        await replicated.factory.feedback(tenant, "By somebody else.")

        seen = await replicated.bodies(caller, tenant)
    await replicated.caught_up()
    later = await replicated.bodies(caller, tenant)

    assert (seen, later) == ([], ["By somebody else."])


async def test_who_has_written_reads_what_was_written(replicated: Replicated) -> None:
    caller, tenant = await _signed_in(replicated, "own")
    async with replicated.behind():
        given = {"workspaceId": tenant.gid, "body": "My own."}
        await caller.ask(SUBMIT, input=given)

        seen = await replicated.bodies(caller, tenant)

    assert seen == ["My own."]


async def test_another_process_knows_who_has_written(
    replicated: Replicated, servers: Pair, settings: Settings
) -> None:
    async with _replica(servers, settings, most_seconds=3_600) as other, replicated.behind():
        await other.look()
        await replicated.factory.tenant("other")
        await replicated.replica.mark("ada")

        seen = [await other.is_new_enough([name]) for name in ("ada", "bob")]

    assert seen == [False, True]


async def test_what_a_stream_is_followed_from_is_not_older_than_its_cursor(
    replicated: Replicated,
) -> None:
    caller, tenant = await _signed_in(replicated, "cursor")
    async with replicated.behind():
        await replicated.factory.feedback(tenant, "Before the cursor.")

        at_once = await replicated.bodies(caller, tenant, WITH_CURSOR)
        afterwards = await replicated.bodies(caller, tenant)

    assert (at_once, afterwards) == (["Before the cursor."], ["Before the cursor."])


async def test_a_replica_that_lags_is_left_alone(
    replicated: Replicated, servers: Pair, settings: Settings
) -> None:
    async with _replica(servers, settings, most_seconds=0.05) as replica:
        async with replicated.behind():
            await replica.look()
            await replicated.factory.tenant("lagging")
            await _until(replica, lambda: _is_behind(replica))
            while_behind = await replica.is_new_enough(["ada"])
        await _until(replica, lambda: replica.is_new_enough(["ada"]))

    assert not while_behind


async def test_a_replica_that_is_away_is_left_alone(
    replicated: Replicated, settings: Settings, servers: Pair
) -> None:
    nowhere = Pair(servers.primary, "postgresql://earful@127.0.0.1:1/earful", "")
    async with _replica(nowhere, settings, most_seconds=3_600) as replica:
        await replica.look()

        assert not await replica.is_new_enough(["ada"])


async def test_what_a_replica_that_goes_away_does_not_answer_the_primary_does(
    replicated: Replicated, settings: Settings, servers: Pair
) -> None:
    primary = replicated.api.services.database
    async with open_redis(settings) as client:
        standby = await databases.connect(servers.standby, clock=now)
        replica = Replica(primary, standby, client, most_seconds=3_600)
        await _until(replica, lambda: replica.is_new_enough(["ada"]))
        await standby.close()

        async with replica.joint_reader(Meters().meter()) as reader:
            rows = await reader.fetch(databases._PING)

        assert [row["answer"] for row in rows] == [1]
        assert replica.lag is None
        with pytest.raises(StoreUnavailableError):
            await standby.ping()


async def test_its_metrics_say_where_queries_were_read(replicated: Replicated) -> None:
    caller, tenant = await _signed_in(replicated, "metrics")
    await replicated.caught_up()
    before = await replicated.metrics()
    await replicated.bodies(caller, tenant)
    async with replicated.behind():
        await caller.ask(SUBMIT, input={"workspaceId": tenant.gid, "body": "My own."})
        await replicated.bodies(caller, tenant)

    after = await replicated.metrics()

    reads = 'earful_replica_queries_total{process="api",source="%s"}'
    assert after['earful_replica_up{process="api"}'] == 1
    assert after[reads % "replica"] - before[reads % "replica"] >= 1
    assert after[reads % "primary"] - before[reads % "primary"] >= 1


async def test_a_primary_is_no_replica(settings: Settings, servers: Pair) -> None:
    both = Pair(servers.primary, servers.primary, "")
    async with _replica(both, settings, most_seconds=3_600) as replica:
        await replica.look()

        assert not await replica.is_new_enough(["ada"])


@asynccontextmanager
async def _replica(
    servers: Pair, settings: Settings, *, most_seconds: float
) -> AsyncIterator[Replica]:
    """Of another process, which looks when it is told to."""
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(open_redis(settings))
        primary = await _connected(stack, servers.primary)
        standby = await _connected(stack, servers.standby)
        yield Replica(primary, standby, client, most_seconds=most_seconds)


async def _connected(stack: AsyncExitStack, url: str) -> Database:
    database = await databases.connect(url, clock=now, eager=False)
    stack.push_async_callback(database.close)
    return database


async def _is_behind(replica: Replica) -> bool:
    return replica.lag is not None and replica.lag > 0.05


async def _until(replica: Replica, holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(SECONDS):
        await replica.look()
        while not await holds():
            await asyncio.sleep(0.02)
            await replica.look()
