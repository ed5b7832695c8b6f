"""What each process has open: the stores, the model, what it calls, and the tasks that keep it current."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import redis.asyncio
import structlog

from app import VERSION
from app.buckets import objects
from app.metrics.registry import Metrics, of_database, of_model
from app.models import Models
from app.scoring import load_scorer
from app.settings import Settings
from app.signing import keep_current
from app.stores import now, open_database, open_redis, open_standby, seals
from clients import mail
from clients.oidc import Providers, Registration
from clients.outgoing import BadUrlError, Outgoing, check_url
from domain import account, file, webhook
from domain.account import SessionPolicy
from domain.tokens import AccessTokens
from graph.caching import Cache
from graph.context import Services
from graph.keys import Keys
from graph.live.hub import Hub
from graph.memberships import Memberships
from graph.schema import schema
from graph.sessions import Sessions
from graph.subscribing import described
from graph.webhook_payload import Payloads
from inference.batcher import Scorer
from jobs.metrics import WorkMetrics
from jobs.resources import WorkerResources
from persistence.answers import Answers
from persistence.bus import Bus, BusUnavailableError
from persistence.database import Database
from persistence.limits import Limiter
from persistence.objects import Objects
from persistence.persisted import PersistedQueries
from persistence.replica import Replica

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Api:
    """What the API process has open."""

    services: Services
    bus: Bus
    objects: Objects
    model: Scorer
    providers: Providers
    persisted: PersistedQueries


@asynccontextmanager
async def open_api(settings: Settings) -> AsyncIterator[Api]:
    """The API's resources, and the tasks that keep them current."""
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_database(settings, "earful api"))
        if not await store.is_bound_by_row_security():
            log.warning(
                "row-level security is off for this database role",
                cure="connect as a role that is neither superuser nor BYPASSRLS",
            )
        client = await stack.enter_async_context(open_redis(settings))
        sealing = seals(settings)
        lifetime = timedelta(seconds=settings.access_token_seconds)
        signing_keys = await account.signing_keys(store, sealing, now(), lifetime=lifetime)
        access = AccessTokens(signing_keys, issuer=settings.base_url, lifetime=lifetime)
        scorer = await asyncio.to_thread(load_scorer, settings)
        stack.push_async_callback(scorer.close)
        models = Models(settings, scorer)
        await models.keep_up(store)
        stack.push_async_callback(_end, asyncio.ensure_future(models.run(store)))
        live_bus = Bus(client, retained=settings.live_retained_events)
        hub = Hub(live_bus, unavailable=BusUnavailableError, describe=described)
        memberships = Memberships(store)
        sessions = Sessions(store, now, token_lifetime=lifetime)
        limiter = Limiter(client, scale=settings.rate_limit_scale)
        stack.push_async_callback(limiter.close)
        keys = Keys(store, limiter, now)
        bucket = await stack.enter_async_context(objects(settings))
        payloads = _payloads(settings, store, bucket)
        replica = await _replica(settings, store, client, stack)
        providers = await stack.enter_async_context(_providers(settings))
        # Ended in the opposite order, each before what it uses is closed.
        stack.push_async_callback(_end, asyncio.ensure_future(hub.run()))
        stack.push_async_callback(_end, asyncio.ensure_future(keys.run()))
        following = keep_current(access, store, sealing, lifetime)
        stack.push_async_callback(_end, asyncio.ensure_future(following))
        stack.push_async_callback(_end, asyncio.ensure_future(sessions.run(hub, memberships, keys)))
        services = Services(
            database=store,
            hub=hub,
            limiter=limiter,
            scorer=scorer,
            models=models,
            seals=sealing,
            sessions=sessions,
            keys=keys,
            memberships=memberships,
            policy=SessionPolicy(access, timedelta(days=settings.refresh_token_days)),
            clock=now,
            base_url=settings.base_url,
            secure_cookies=settings.environment == "production",
            operation_seconds=settings.operation_seconds,
            operators=settings.operators,
            payloads=payloads,
            webhook_rules=webhook.Rules(_url_rule(settings), payloads.problem),
            objects=bucket,
            file_rules=_file_rules(settings),
            identity_providers=[
                account.IdentityProvider(each.id, each.name, each.issuer)
                for each in settings.identity_providers
            ],
            replica=replica,
            cache=Cache(Answers(client), live_bus, memberships)
            if settings.response_cache
            else None,
        )
        persisted = PersistedQueries(client, most=settings.persisted_queries)
        yield Api(services, live_bus, bucket, scorer, providers, persisted)


@asynccontextmanager
async def open_worker(settings: Settings, metrics: Metrics) -> AsyncIterator[WorkerResources]:
    """The worker's resources; `metrics` tell of them."""
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_database(settings, "earful worker"))
        scorer = await asyncio.to_thread(load_scorer, settings)
        stack.push_async_callback(scorer.close)
        models = Models(settings, scorer)
        await models.keep_up(store)
        stack.push_async_callback(_end, asyncio.ensure_future(models.run(store)))
        outgoing = await stack.enter_async_context(
            Outgoing(
                settings.outgoing_allowed_networks,
                http_allowed=settings.environment == "development",
                user_agent=f"Earful/{VERSION}",
            )
        )
        bucket = await stack.enter_async_context(objects(settings))
        work = WorkMetrics()
        metrics.watch(of_database(store), of_model(scorer), work.collect)
        yield WorkerResources(
            store,
            scorer,
            mail.mailer(settings.smtp_url, settings.mail_from, settings.data_dir / "mail"),
            mail.parse_address(settings.mail_from).domain,
            outgoing,
            base_url=settings.base_url,
            clock=now,
            job_history=timedelta(days=settings.job_history_days),
            audit_history=timedelta(days=settings.audit_days),
            seals=seals(settings),
            render=_payloads(settings, store, bucket).render,
            objects=bucket,
            file_rules=_file_rules(settings),
            metrics=work,
        )


async def _replica(
    settings: Settings,
    primary: Database,
    client: "redis.asyncio.Redis",
    stack: AsyncExitStack,
) -> Replica | None:
    """The replica, watched, if there is one."""
    if settings.database_replica_url is None:
        return None
    opened = open_standby(settings, settings.database_replica_url, "earful api")
    standby = await stack.enter_async_context(opened)
    replica = Replica(primary, standby, client, most_seconds=settings.database_replica_seconds)
    stack.push_async_callback(_end, asyncio.ensure_future(replica.run()))
    return replica


def _providers(settings: Settings) -> Providers:
    return Providers(
        [
            Registration(
                each.id,
                each.name,
                each.issuer,
                each.client_id,
                None if each.client_secret is None else each.client_secret.get_secret_value(),
                each.scopes,
            )
            for each in settings.identity_providers
        ],
        clock=now,
        user_agent=f"Earful/{VERSION}",
    )


def _file_rules(settings: Settings) -> file.Rules:
    return file.Rules(settings.largest_import_bytes, settings.workspace_file_bytes)


def _payloads(settings: Settings, database: Database, bucket: Objects) -> Payloads:
    return Payloads(
        schema._schema,  # noqa: SLF001 - Strawberry keeps graphql-core's schema there
        database,
        bucket,
        base_url=settings.base_url,
        seals=seals(settings),
        clock=now,
        seconds=settings.operation_seconds,
    )


def _url_rule(settings: Settings) -> Callable[[str], str | None]:
    """What is wrong with an URL that the worker is to post to."""

    def problem(url: str) -> str | None:
        try:
            check_url(
                url,
                allowed_networks=settings.outgoing_allowed_networks,
                http_allowed=settings.environment == "development",
            )
        except BadUrlError as error:
            return str(error)
        return None

    return problem


async def _end(task: "asyncio.Future[None]") -> None:
    task.cancel()
    await asyncio.wait({task})
