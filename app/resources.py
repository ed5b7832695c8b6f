"""Everything with a lifetime, opened and closed in one place."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import redis.asyncio

from app.settings import Settings, SettingsError
from domain import account
from domain.account import SessionPolicy
from domain.seals import Seals
from domain.tokens import AccessTokens
from graph.context import Services
from graph.live.hub import Hub
from graph.sessions import Sessions
from inference.batcher import Scorer
from inference.sentiment import DEFAULT_DIRECTORY, SentimentModel
from persistence import bus, database
from persistence.bus import Bus
from persistence.database import Database
from persistence.limits import Limiter
from persistence.objects import Objects


def now() -> datetime:
    """The one clock."""
    return datetime.now(UTC)


def required(value: str | None, variable: str) -> str:
    """A setting that this process cannot do without."""
    if value is None:
        raise SettingsError(
            f"{variable}: is required here; `make run` sets it for the parts it starts itself"
        )
    return value


def direct_url(settings: Settings) -> str:
    """Where LISTEN and session locks work: past a transaction-mode proxy."""
    return settings.database_direct_url or required(settings.database_url, "DATABASE_URL")


def objects(settings: Settings) -> Objects:
    secret = settings.s3_secret_access_key
    return Objects(
        endpoint_url=required(settings.s3_endpoint_url, "S3_ENDPOINT_URL"),
        access_key_id=settings.s3_access_key_id,
        secret_access_key=None if secret is None else secret.get_secret_value(),
        region=settings.s3_region,
        bucket=settings.s3_bucket,
    )


def seals(settings: Settings) -> Seals:
    secret = settings.secret_key
    return Seals(required(secret.get_secret_value() if secret else None, "SECRET_KEY"))


def load_scorer(settings: Settings, *, threads: int | None = None) -> Scorer:
    """The model, loaded, behind its micro-batcher; on as many threads as the settings say, or these."""
    model = SentimentModel.load(
        settings.sentiment_model or DEFAULT_DIRECTORY,
        threads=threads or settings.inference_threads,
    )
    return Scorer(model)


@asynccontextmanager
async def open_database(settings: Settings, application: str) -> AsyncIterator[Database]:
    store = await database.connect(
        required(settings.database_url, "DATABASE_URL"),
        clock=now,
        pool_size=settings.database_pool_size,
        prepared_statements=settings.database_prepared_statements,
        application=application,
    )
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def open_redis(settings: Settings) -> AsyncIterator["redis.asyncio.Redis"]:
    client = bus.connect(required(settings.redis_url, "REDIS_URL"))
    try:
        yield client
    finally:
        await client.aclose()


@dataclass(frozen=True, slots=True)
class Api:
    """What the API process has open."""

    services: Services
    bus: Bus
    objects: Objects


@asynccontextmanager
async def open_api(settings: Settings) -> AsyncIterator[Api]:
    """The API's resources, and the tasks that keep them current."""
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_database(settings, "earful api"))
        client = await stack.enter_async_context(open_redis(settings))
        sealing = seals(settings)
        lifetime = timedelta(seconds=settings.access_token_seconds)
        keys = await account.load_signing_keys(store, sealing)
        scorer = await asyncio.to_thread(load_scorer, settings)
        stack.push_async_callback(scorer.close)
        live_bus = Bus(client, retained=settings.live_retained_events)
        hub = Hub(live_bus)
        sessions = Sessions(store, now, token_lifetime=lifetime)
        # Ended in the opposite order, each before what it uses is closed.
        stack.push_async_callback(_end, asyncio.ensure_future(hub.run()))
        stack.push_async_callback(_end, asyncio.ensure_future(sessions.run(hub)))
        services = Services(
            database=store,
            hub=hub,
            limiter=Limiter(client, scale=settings.rate_limit_scale),
            scorer=scorer,
            seals=sealing,
            sessions=sessions,
            policy=SessionPolicy(
                AccessTokens(keys, issuer=settings.base_url, lifetime=lifetime),
                timedelta(days=settings.refresh_token_days),
            ),
            clock=now,
            base_url=settings.base_url,
            secure_cookies=settings.environment == "production",
            operation_seconds=settings.operation_seconds,
        )
        yield Api(services, live_bus, objects(settings))


async def _end(task: "asyncio.Future[None]") -> None:
    task.cancel()
    await asyncio.wait({task})
