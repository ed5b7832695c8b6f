"""`GET /metrics`: what it tells, and to whom."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from graphql import OperationType, build_schema, parse
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from app.metrics.api import of_cache, of_graphql, of_replica
from app.metrics.registry import Collect, Metrics, of_database
from app.metrics.server import serving
from app.resources import Api, open_worker
from app.settings import Settings
from app.stores import open_redis
from domain import job
from domain.job import Kind
from graph.caching import Cache
from graph.engine import Engine
from graph.requests import MOST_NAMES, Outcome, Requests
from jobs.metrics import RelayMetrics
from persistence.answers import Answers
from persistence.database import Database
from persistence.replica import Replica
from tests.applications import client, without_postgres
from tests.callers import Caller
from tests.factories import Factory
from tests.graph.account_queries import LOGIN

SCHEMA = build_schema("type Query { a: Int }")
DOCS = Path(__file__).parents[2] / "docs" / "metrics.md"
TOKEN = "a token that only these tests use"
FAR = "203.0.113.7"

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def values(collect: Collect) -> dict[str, float]:
    """The samples without labels."""
    return {
        sample.name: sample.value
        for family in collect()
        for sample in family.samples
        if not sample.labels
    }


def samples(text: str) -> Samples:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def labelled(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return name, frozenset({"process": "api", **labels}.items())


async def scraped(http: httpx.AsyncClient, **headers: str) -> Samples:
    answer = await http.get("/metrics", headers=headers)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return samples(answer.text)


@pytest.fixture
async def fresh(
    settings: Settings, api: Api, database: Database
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application that has counted nothing yet."""
    async with client(settings, api) as http:
        yield http


async def test_the_operations_and_those_that_fell_back_are_counted() -> None:
    engine = Engine(SCHEMA)
    nullable = engine.plan(parse("query ($skip: Boolean = true) { a @skip(if: $skip) }"))

    await engine.plan(parse("{ a }")).execute({"a": 1})
    await nullable.execute({"a": 1}, None, {"skip": False})
    await nullable.execute({"a": 1}, None, {"skip": None})

    found = values(of_graphql(engine, Requests()))
    assert found["earful_graphql_operations_total"] == 3
    assert found["earful_graphql_fallbacks_total"] == 1


async def test_requests_are_counted_by_kind_and_outcome(fresh: httpx.AsyncClient) -> None:
    caller = Caller(fresh)
    nodes = "query ($id: ID!) { node(id: $id) { id } }"
    for document in ("{ __typename }", "{ jobs: deadJobs { nodes { id } } }", nodes, "{ nothing }"):
        await caller.post(document)
    await caller.post(LOGIN, input={"email": "nobody@earful.example", "password": "wrong horse"})

    found = await scraped(fresh)
    count = "earful_graphql_request_seconds_count"
    assert found[labelled(count, kind="query", outcome="ok")] == 1
    assert found[labelled(count, kind="query", outcome="errors")] == 1
    assert found[labelled(count, kind="query", outcome="refused")] == 1
    assert found[labelled(count, kind="mutation", outcome="ok")] == 1
    assert found[labelled("earful_graphql_invalid_documents_total")] == 1
    bucket = labelled(
        "earful_graphql_request_seconds_bucket", kind="query", outcome="ok", le="+Inf"
    )
    assert found[bucket] == 1


async def test_documents_are_compiled_once_and_what_they_cost_is_counted(
    fresh: httpx.AsyncClient,
) -> None:
    for _ in range(3):
        answer = await Caller(fresh).post("{ __typename }")
        assert answer.json()["extensions"]["cost"]["actual"] == 1

    found = await scraped(fresh)
    assert found[labelled("earful_graphql_documents")] == 1
    assert found[labelled("earful_graphql_documents_compiled_total")] == 1
    assert found[labelled("earful_graphql_document_hits_total")] == 2
    assert found[labelled("earful_graphql_points_total", kind="query")] == 3


def test_only_so_many_operations_are_told_apart() -> None:
    requests = Requests()
    for number in range(MOST_NAMES + 2):
        requests.note(OperationType.QUERY, Outcome.OK, 0.1, 1, f"Query{number}")
    requests.note(OperationType.QUERY, Outcome.OK, 0.1, 1)

    names = {name for name, _ in requests.operations}
    assert len(names) == MOST_NAMES + 1
    assert sum(requests.operations["other", Outcome.OK].numbers) == 2
    assert sum(requests.times[OperationType.QUERY, Outcome.OK].numbers) == MOST_NAMES + 3


async def test_deliveries_to_inbound_webhooks_are_counted_by_status(
    fresh: httpx.AsyncClient,
) -> None:
    await fresh.post("/hooks/source_nothing")
    await fresh.get("/hooks/source_nothing")
    found = await scraped(fresh)
    assert found[labelled("earful_hook_deliveries_total", status="404")] == 1
    assert found[labelled("earful_hook_deliveries_total", status="405")] == 1


async def test_jobs_that_wait_are_counted_by_kind_and_by_what_they_wait_for(
    fresh: httpx.AsyncClient, database: Database, factory: Factory
) -> None:
    tenant = await factory.tenant()
    async with database.transaction() as uow:
        await uow.enter(tenant.id)
        for minutes in (-10, -5, 60):
            at = uow.now + timedelta(minutes=minutes)
            await job.enqueue(uow, Kind("dig"), workspace=tenant.id, at=at)

    found = await scraped(fresh)

    assert found[labelled("earful_jobs", kind="dig", state="waiting")] == 2
    assert found[labelled("earful_jobs", kind="dig", state="delayed")] == 1
    oldest = found[labelled("earful_jobs_oldest_waiting_seconds", kind="dig")]
    assert oldest == pytest.approx(600, abs=60)
    assert found[labelled("earful_database_up")] == 1


async def test_without_postgres_it_tells_what_it_knows(settings: Settings, api: Api) -> None:
    async with without_postgres(settings, api) as http:
        found = await scraped(http)
    assert found[labelled("earful_database_up")] == 0
    assert labelled("earful_live_connections") in found
    assert not {name for name, _ in found} & {"earful_jobs", "earful_outbox_events"}


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.1.2.3", "192.168.0.9", "::1", "::ffff:10.0.0.1"]
)
async def test_who_is_near_may_read_them(settings: Settings, api: Api, address: str) -> None:
    async with client(settings, api, address=address) as http:
        assert (await http.get("/metrics")).status_code == 200


async def test_strangers_may_not_read_them(settings: Settings, api: Api) -> None:
    async with client(settings, api, address=FAR) as http:
        answer = await http.get("/metrics")
    assert answer.status_code == 403
    assert "earful_" not in answer.text


@pytest.mark.parametrize("header", ["x-forwarded-for", "forwarded", "via", "x-real-ip"])
async def test_whoever_comes_through_a_proxy_is_a_stranger(
    fresh: httpx.AsyncClient, header: str
) -> None:
    answer = await fresh.get("/metrics", headers={header: "127.0.0.1"})
    assert answer.status_code == 403


async def test_with_a_token_it_counts_and_nothing_else_does(settings: Settings, api: Api) -> None:
    guarded = settings.model_copy(update={"metrics_token": SecretStr(TOKEN)})
    async with client(guarded, api, address=FAR) as http:
        assert await scraped(http, authorization=f"Bearer {TOKEN}")
    async with client(guarded, api) as http:
        without = await http.get("/metrics")
        wrong = await http.get("/metrics", headers={"authorization": "Bearer something else"})
    assert (without.status_code, wrong.status_code) == (401, 401)
    assert without.headers["www-authenticate"] == "Bearer"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


@asynccontextmanager
async def relay_beside(settings: Settings, api: Api) -> AsyncIterator[Settings]:
    """A relay's metrics on a port; the settings of an API that is to tell them, and of a process that is away."""
    port = free_port()
    metrics = Metrics("relay")
    metrics.watch(RelayMetrics().collect, of_database(api.services.database))
    with serving(metrics, settings.model_copy(update={"metrics_port": port})):
        siblings = (f"127.0.0.1:{port}", f"127.0.0.1:{free_port()}")
        yield settings.model_copy(update={"metrics_siblings": siblings})


async def test_the_api_tells_its_siblings_metrics_beside_its_own(
    settings: Settings, api: Api
) -> None:
    async with relay_beside(settings, api) as beside, client(beside, api) as http:
        answer = await http.get("/metrics")
    found = samples(answer.text)
    assert found["earful_relay_leading", frozenset({("process", "relay")})] == 0
    busy = {key for key in found if key[0] == "earful_database_connections_busy"}
    assert busy == {
        ("earful_database_connections_busy", frozenset({("process", name)}))
        for name in ("api", "relay")
    }
    assert answer.text.count("# TYPE earful_database_connections_busy ") == 1


async def test_siblings_are_asked_with_the_token(settings: Settings, api: Api) -> None:
    guarded = settings.model_copy(update={"metrics_token": SecretStr(TOKEN)})
    async with relay_beside(guarded, api) as beside, client(beside, api) as http:
        found = await scraped(http, authorization=f"Bearer {TOKEN}")
    assert ("earful_relay_leading", frozenset({("process", "relay")})) in found


def test_a_port_that_is_taken_stops_no_work(settings: Settings) -> None:
    works = False
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with serving(Metrics("worker"), settings.model_copy(update={"metrics_port": port})):
            works = True
    assert works


def names(families: Iterable[Metric]) -> set[str]:
    return {
        family.name + ("_total" if family.type == "counter" else "")
        for family in families
        if family.name.startswith("earful_")
    }


async def test_the_documentation_lists_exactly_what_processes_tell(
    settings: Settings, api: Api, fresh: httpx.AsyncClient, database: Database
) -> None:
    worker, relay = Metrics("worker"), RelayMetrics()
    async with open_worker(settings, worker):
        told = names(worker.collect()) | names(relay.collect())
    told |= names(text_string_to_metric_families((await fresh.get("/metrics")).text))
    async with open_redis(settings) as client:
        replica = Replica(database, database, client, most_seconds=1)
        replica._fresh_at = asyncio.get_running_loop().time()  # as if it were a standby
        told |= names(of_replica(replica)())
        told |= names(of_cache(Cache(Answers(client), api.bus, api.services.memberships))())

    assert set(re.findall(r"^\| `(earful_\w+)", DOCS.read_text(), re.MULTILINE)) == told
