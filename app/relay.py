"""The relay process: delivers the outbox and, as leader, keeps the schedules."""

import asyncio
import signal
from collections.abc import Sequence

from app.metrics.registry import Metrics, of_database
from app.metrics.server import serving
from app.settings import Settings
from app.stores import direct_url, now, open_database, open_redis, required
from jobs import broker as brokers
from jobs import duties
from jobs.metrics import RelayMetrics
from jobs.reactions import REACTIONS
from jobs.relay import Relay
from jobs.resources import WorkerResources
from jobs.runner import Task
from jobs.tasks import TASKS
from persistence.bus import Bus


def relay(settings: Settings, tasks: Sequence[Task[WorkerResources]] = TASKS) -> None:
    """Deliver until SIGINT or SIGTERM. What was being delivered is delivered again by the next leader."""
    asyncio.run(_relay(settings, tasks))


async def _relay(settings: Settings, tasks: Sequence[Task[WorkerResources]]) -> None:
    loop = asyncio.get_running_loop()
    broker = brokers.connect(required(settings.redis_url, "REDIS_URL"))
    metrics, counted = Metrics("relay"), RelayMetrics()
    async with open_database(settings, "earful relay") as database, open_redis(settings) as client:
        metrics.watch(of_database(database), counted.collect)
        bus = Bus(client, retained=settings.live_retained_events)

        def when_leading() -> "asyncio.Future[None]":
            todo = [
                duties.score_overdue(database, now),
                duties.take_back_jobs(database, counted),
                duties.compact_stats(database),
                duties.run_schedules(database, {task.kind.name: task.kind for task in tasks}, now),
            ]
            return asyncio.ensure_future(duties.perform(todo))

        work = Relay(
            database,
            bus,
            broker,
            now,
            direct_url=direct_url(settings),
            reactions=REACTIONS,
            metrics=counted,
        )
        task = asyncio.ensure_future(work.run(when_leading))
        for signum in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(signum, task.cancel)
        with serving(metrics, settings):
            await asyncio.wait({task})
        if not task.cancelled():
            task.result()
