"""The stores, the application and its callers, for every test.

One embedded Postgres, Valkey and S3 serve the whole run, from throw-away directories. Tests commit for
real; before each one every table is emptied.
"""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import timedelta
from functools import partial
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from app.buckets import objects
from app.embedded import EmbeddedParts
from app.main import Application, create_app
from app.resources import Api, open_api
from app.settings import Settings
from app.stores import now, open_redis
from clients.mail import FileMailer
from clients.outgoing import Outgoing
from jobs import broker as brokers
from jobs.reactions import REACTIONS
from jobs.relay import Relay
from jobs.resources import WorkerResources
from jobs.tasks import TASKS
from persistence import migrate
from persistence.bus import Bus
from persistence.database import Database
from tests.alerting import Alerting
from tests.both_ways import TALLY, BothWays
from tests.callers import Caller
from tests.factories import Factory
from tests.holding import held
from tests.working import Worker

# Row-level security binds the tests' role too: each workspace is entered, and takes all of its rows with it.
_OF_NO_TENANT = (
    "active_model",
    "idempotency_key",
    "job",
    "outbox",
    "refresh_token",
    "schedule",
    "session",
    "user",
    "worker",
)
_EMPTY = f"""DO $$
DECLARE tenant uuid;
BEGIN
    FOR tenant IN SELECT id FROM workspace LOOP
        PERFORM set_config('earful.workspace_id', tenant::text, true);
        DELETE FROM workspace WHERE id = tenant;
    END LOOP;
    {"".join(f'DELETE FROM "{name}"; ' for name in _OF_NO_TENANT)}
END $$"""


@pytest.fixture(autouse=True)
def _same_answers_both_ways() -> Iterator[None]:
    """What a test executes must have one answer: both_ways.py says how that is found out."""
    yield
    assert TALLY.taken() == []


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail for what was found when the last test was over, and a run of all tests that compared too little."""
    config = session.config
    if hasattr(config, "workeroutput"):  # One of several processes, whose first counts for all.
        config.workeroutput["tally"] = (dict(TALLY.compared), TALLY.differences)
        return
    is_whole = config.args_source is config.ArgsSource.TESTPATHS and not (
        config.option.keyword or config.option.lf or config.option.maxfail
    )
    TALLY.differences += TALLY.missing() if is_whole else []
    if TALLY.differences:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what one of several processes has compared; nothing from one that crashed."""
    compared, differences = getattr(node, "workeroutput", {}).get("tally", ({}, []))
    TALLY.compared.update(compared)
    TALLY.differences += differences


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in (f"Executed both ways: {TALLY}", *TALLY.differences):
        terminalreporter.write_line(line)


@pytest.fixture(scope="session", autouse=True)
def _no_settings_from_outside() -> Iterator[None]:
    """A developer's own DATABASE_URL must not be emptied."""
    ours = {name.upper() for name in Settings.model_fields}
    kept = {name: os.environ.pop(name) for name in list(os.environ) if name in ours}
    yield
    os.environ.update(kept)


@pytest.fixture(scope="session")
def settings(_no_settings_from_outside: None) -> Iterator[Settings]:
    """The settings of the run, with the stores that it started."""
    with tempfile.TemporaryDirectory(prefix="earful-tests-") as directory:
        parts = EmbeddedParts(
            Path(directory) / "state",
            parts=frozenset({"postgres", "valkey", "s3"}),
            durable=False,
            report=lambda _: None,
        )
        endpoints = parts.start()
        try:
            yield Settings(
                **{name: getattr(endpoints, name) for name in endpoints.__slots__},
                secret_key="a secret key that only these tests use",
                data_dir=Path(directory),
                dashboard=Path(directory) / "no-dashboard",
                rate_limit_scale=1_000,
                operation_seconds=20,
                log_level="error",
            )
        finally:
            parts.stop()


@pytest.fixture(scope="session")
async def api(settings: Settings) -> AsyncIterator[Api]:
    """The API's resources on a migrated database."""
    assert settings.database_url is not None
    await asyncio.to_thread(migrate.upgrade, settings.database_url)
    async with objects(settings) as bucket:
        await bucket.create_bucket()
    async with open_api(settings) as opened:
        # A test of memory that comes first is not to count what is loaded when it is first needed.
        await opened.services.scorer.score(["ok"])
        yield opened


@pytest.fixture(scope="session")
def application(settings: Settings, api: Api) -> Application:
    """The ASGI application, without a server."""
    built = create_app(settings, BothWays)
    built.open(api)
    return built


@pytest.fixture(scope="session")
async def relay(settings: Settings, api: Api) -> AsyncIterator[Relay]:
    """A relay that leads and delivers while the tests run."""
    assert settings.database_url is not None
    assert settings.redis_url is not None
    async with open_redis(settings) as client:
        bus = Bus(client, retained=settings.live_retained_events)
        broker = brokers.connect(settings.redis_url)
        work = Relay(
            api.services.database,
            bus,
            broker,
            now,
            direct_url=settings.database_url,
            reactions=REACTIONS,
        )
        task = asyncio.ensure_future(work.run(_no_duties))
        yield work
        assert not task.done(), task
        task.cancel()
        await asyncio.wait({task})
        broker.close()


def _no_duties() -> "asyncio.Future[None]":
    return asyncio.get_running_loop().create_future()


@pytest.fixture(scope="session")
async def empty(settings: Settings, api: Api) -> AsyncIterator[Callable[[], Awaitable[object]]]:
    """Empties every table."""
    connection = await asyncpg.connect(settings.database_url)
    yield partial(connection.execute, _EMPTY)
    await connection.close()


@pytest.fixture
async def database(api: Api, empty: Callable[[], Awaitable[object]]) -> Database:
    """The database, empty."""
    await empty()
    return api.services.database


@pytest.fixture
async def kept_outbox(settings: Settings, database: Database) -> AsyncIterator[None]:
    """What the test writes into the outbox stays there: no relay takes it away."""
    async with held(settings, "LOCK TABLE outbox_claim IN SHARE MODE"):
        yield


@pytest.fixture
def factory(database: Database, api: Api) -> Factory:
    """Inserts rows; a test states only what it is about."""
    return Factory(database, api.services)


@pytest.fixture
def alerting(database: Database, factory: Factory, api: Api) -> Alerting:
    """Makes alert rules, and checks them at moments that a test says."""
    return Alerting(database, factory, api.services.seals)


@pytest.fixture
async def worker(database: Database, api: Api, tmp_path: Path) -> AsyncIterator[Worker]:
    """The worker's tasks, to be run; it may call what listens on this machine, and its mail lands in a directory."""
    mailbox = tmp_path / "mail"
    async with Outgoing((ip_network("127.0.0.0/8"),)) as outgoing:
        resources = WorkerResources(
            database,
            api.services.scorer,
            FileMailer(mailbox, "Earful <earful@earful.test>"),
            "earful.test",
            outgoing,
            base_url="http://earful.test",
            clock=now,
            job_history=timedelta(days=30),
            audit_history=timedelta(days=400),
            seals=api.services.seals,
            render=api.services.payloads.render,
            objects=api.objects,
            file_rules=api.services.file_rules,
        )
        yield Worker(resources, TASKS, mailbox)


@pytest.fixture
async def http(application: Application, database: Database) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of the application, nobody signed in."""
    transport = httpx.ASGITransport(application)
    async with httpx.AsyncClient(transport=transport, base_url="http://earful.test") as client:
        yield client


@pytest.fixture
def nobody(http: httpx.AsyncClient) -> Caller:
    """Who has not signed in."""
    return Caller(http)
