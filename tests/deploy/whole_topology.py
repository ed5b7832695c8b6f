"""`make topology`: every process of compose.yaml's topology killed while it is used, and Prometheus watching it."""

import asyncio
import signal
from collections.abc import AsyncIterator

import pytest

from tests.deploy import replica
from tests.deploy.crowd import Crowd
from tests.deploy.queries import named, panels
from tests.deploy.topology import APIS, MISSING, Topology, configured, is_installed, own_directory

pytestmark = pytest.mark.skipif(not is_installed(), reason=MISSING)
WORKERS = ("worker-1", "worker-2")
_SUFFIXES = {"histogram": ("_bucket", "_count", "_sum"), "summary": ("_count", "_sum")}


@pytest.fixture(scope="module")
async def topology() -> AsyncIterator[Topology]:
    with own_directory() as directory:
        async with configured(directory, workers=WORKERS, has_replica=True) as started:
            await replica.follow(started)
            await started.start()
            await started.watch()
            yield started
            assert started.programs.died() == {}


@pytest.fixture(scope="module")
async def crowd(topology: Topology) -> Crowd:
    users = Crowd(topology, topology.trust())
    await users.settle()
    return users


async def test_files_go_through_the_gateway(topology: Topology, crowd: Crowd) -> None:
    assert await crowd.upload(b"text\nGood\n") == "READY"


async def test_every_process_of_ours_is_killed_once_and_nothing_is_lost(
    topology: Topology, crowd: Crowd
) -> None:
    async with crowd.at_work(dashboards=6):
        for name in APIS:
            assert await topology.replace(name, signal.SIGKILL) == -signal.SIGKILL
            await topology.taken_back(name)
        for name in (*WORKERS, "relay"):
            assert await topology.replace(name, signal.SIGKILL) == -signal.SIGKILL

    # The gateway asks another API: for what changes nothing, and for deliveries, which have ids. The rest is told.
    assert "GET" not in crowd.failures
    assert {each[:3] for each in crowd.failures.get("POST", [])} <= {"503"}
    assert crowd.again == []
    crowd.check_events()


async def test_the_apis_are_exchanged_under_load_and_nobody_notices(
    topology: Topology, crowd: Crowd
) -> None:
    crowd.failures.clear()
    async with crowd.at_work(dashboards=6):
        await topology.exchange_apis()
    assert crowd.failures == {}
    assert crowd.again == []
    crowd.check_events()


async def test_what_stands_around_them_is_killed_and_nothing_is_lost(
    topology: Topology, crowd: Crowd
) -> None:
    async with crowd.at_work(dashboards=6):
        for name in ("pgbouncer", "gateway"):
            assert await topology.replace(name, signal.SIGKILL) == -signal.SIGKILL
        await topology.kill_valkey()
        await topology.kill_postgres()
    crowd.check_events()


async def test_queries_are_read_from_the_replica_and_writers_find_what_they_wrote(
    topology: Topology, crowd: Crowd
) -> None:
    crowd.failures.clear()
    async with crowd.at_work(dashboards=2):
        await replica.serves_queries(topology)
        for _ in range(10):
            await crowd.submit_and_find()
        await topology.programs.end("replica", signal.SIGKILL)
        for _ in range(10):
            await crowd.submit_and_find()
        await topology.programs.start("replica")
    assert crowd.failures == {}
    crowd.check_events()


async def test_what_is_not_for_everybody_is_not_there(topology: Topology, crowd: Crowd) -> None:
    async with crowd.http(http2=True) as http:
        for path in ("/metrics", "/readyz"):
            assert (await http.get(path)).status_code == 404
        answer = await http.get("/healthz")
        assert answer.http_version == "HTTP/2"
        # The API believes the gateway that clients came over https.
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
        plain = await http.get(f"http://localhost:{topology.ports['http']}/graphql?query=x")
        assert plain.status_code == 308
        assert plain.headers["location"] == "https://localhost/graphql?query=x"


async def test_prometheus_sees_every_process(topology: Topology) -> None:
    async with asyncio.timeout(60):
        while True:
            targets = (await topology.asked("targets"))["activeTargets"]
            if {each["health"] for each in targets} == {"up"}:
                break
            await asyncio.sleep(0.5)
    assert len(targets) == len((*APIS, *WORKERS, "relay", "node", "prometheus"))


async def test_no_rule_or_panel_names_a_series_that_is_not_there(topology: Topology) -> None:
    there = set(await topology.asked("label/__name__/values"))
    # Of some nothing has happened yet; their processes tell of what kind they are.
    for name, (about, *_) in (await topology.asked("metadata")).items():
        there |= {name + suffix for suffix in _SUFFIXES.get(about["type"], ("",))}
    missing = {where: series - there - {"ALERTS"} for where, series in named().items()}
    assert {where: series for where, series in missing.items() if series} == {}


async def test_prometheus_takes_every_rule_and_every_query(topology: Topology) -> None:
    groups = (await topology.asked("rules"))["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert {rule["health"] for rule in rules} == {"ok"}
    for _, query in panels():
        assert (await topology.asked("query", query=query))["resultType"] == "vector"
    # Nothing is wrong with what runs, but what we broke.
    firing = {rule["name"] for rule in rules if rule.get("state") == "firing"}
    assert firing <= {"DiskFills", "MemoryShort"}
