"""What each process has open: the stores, the model, what it calls, and the tasks that keep it current."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import structlog

from app.buckets import objects
from app.scoring import load_scorer
from app.settings import Settings
from app.stores import now, open_database, open_redis, seals
from clients import mail
from clients.outgoing import Outgoing
from domain import account
from domain.account import SessionPolicy
from domain.tokens import AccessTokens
from graph.context import Services
from graph.live.hub import Hub
from graph.memberships import Memberships
from graph.sessions import Sessions
from graph.subscribing import described
from jobs.resources import WorkerResources
from persistence.bus import Bus, BusUnavailableError
from persistence.limits import Limiter
from persistence.objects import Objects

log = structlog.get_logger(__name__)


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
        if not await store.is_bound_by_row_security():
            log.warning(
                "row-level security is off for this database role",
                cure="connect as a role that is neither superuser nor BYPASSRLS",
            )
        client = await stack.enter_async_context(open_redis(settings))
        sealing = seals(settings)
        lifetime = timedelta(seconds=settings.access_token_seconds)
        keys = await account.load_signing_keys(store, sealing)
        scorer = await asyncio.to_thread(load_scorer, settings)
        stack.push_async_callback(scorer.close)
        live_bus = Bus(client, retained=settings.live_retained_events)
        hub = Hub(live_bus, unavailable=BusUnavailableError, describe=described)
        memberships = Memberships(store)
        sessions = Sessions(store, now, token_lifetime=lifetime)
        # Ended in the opposite order, each before what it uses is closed.
        stack.push_async_callback(_end, asyncio.ensure_future(hub.run()))
        stack.push_async_callback(_end, asyncio.ensure_future(sessions.run(hub, memberships)))
        services = Services(
            database=store,
            hub=hub,
            limiter=Limiter(client, scale=settings.rate_limit_scale),
            scorer=scorer,
            seals=sealing,
            sessions=sessions,
            memberships=memberships,
            policy=SessionPolicy(
                AccessTokens(keys, issuer=settings.base_url, lifetime=lifetime),
                timedelta(days=settings.refresh_token_days),
            ),
            clock=now,
            base_url=settings.base_url,
            secure_cookies=settings.environment == "production",
            operation_seconds=settings.operation_seconds,
            operators=settings.operators,
        )
        yield Api(services, live_bus, objects(settings))


@asynccontextmanager
async def open_worker(settings: Settings) -> AsyncIterator[WorkerResources]:
    """The worker's resources."""
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_database(settings, "earful worker"))
        scorer = await asyncio.to_thread(load_scorer, settings)
        stack.push_async_callback(scorer.close)
        outgoing = await stack.enter_async_context(
            Outgoing(
                settings.outgoing_allowed_networks,
                http_allowed=settings.environment == "development",
            )
        )
        yield WorkerResources(
            store,
            scorer,
            mail.mailer(settings.smtp_url, settings.mail_from, settings.data_dir / "mail"),
            mail.parse_address(settings.mail_from).domain,
            outgoing,
            base_url=settings.base_url,
            clock=now,
            job_history=timedelta(days=settings.job_history_days),
        )


async def _end(task: "asyncio.Future[None]") -> None:
    task.cancel()
    await asyncio.wait({task})
