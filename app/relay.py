"""The relay process: delivers the outbox and, as leader, keeps the schedules."""

import asyncio
import signal

from app.settings import Settings
from app.stores import direct_url, now, open_database, open_redis, required
from jobs import broker as brokers
from jobs import schedule
from jobs.relay import Relay
from persistence.bus import Bus


def relay(settings: Settings) -> None:
    """Deliver until SIGINT or SIGTERM. What was being delivered is delivered again by the next leader."""
    asyncio.run(_relay(settings))


async def _relay(settings: Settings) -> None:
    loop = asyncio.get_running_loop()
    broker = brokers.connect(required(settings.redis_url, "REDIS_URL"))
    async with open_database(settings, "earful relay") as database, open_redis(settings) as client:
        bus = Bus(client, retained=settings.live_retained_events)
        duties = [
            schedule.score_overdue(database, broker, now),
            schedule.forget_the_past(database, now),
        ]
        work = Relay(bus, broker, direct_url=direct_url(settings))
        task = asyncio.ensure_future(
            work.run(lambda: asyncio.ensure_future(schedule.perform(duties)))
        )
        for signum in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(signum, task.cancel)
        await asyncio.wait({task})
        if not task.cancelled():
            task.result()
