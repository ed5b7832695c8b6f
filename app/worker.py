"""The worker process: Dramatiq's threads around one event loop with the model and the stores."""

import signal
import threading
from contextlib import AsyncExitStack
from typing import Any

import dramatiq
import structlog
from dramatiq.asyncio import EventLoopThread, get_event_loop_thread
from dramatiq.middleware import Middleware

from app.scoring import load_scorer
from app.settings import Settings
from app.stores import open_database, required
from jobs import broker as brokers
from jobs import feedback
from jobs.feedback import WorkerResources

log = structlog.get_logger(__name__)

THREADS = 8


class _Lifetime(Middleware):
    """Opens the resources on the actors' event loop before the first message, closes them after the last."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stack = AsyncExitStack()
        self._opened: WorkerResources | None = None

    def resources(self) -> WorkerResources:
        assert self._opened is not None  # noqa: S101 - no actor runs before the worker has booted
        return self._opened

    def before_worker_boot(self, broker: Any, worker: Any) -> None:  # noqa: ARG002
        _loop().run_coroutine(self._open())

    def after_worker_shutdown(self, broker: Any, worker: Any) -> None:  # noqa: ARG002
        _loop().run_coroutine(self._stack.aclose())

    async def _open(self) -> None:
        database = await self._stack.enter_async_context(
            open_database(self._settings, "earful worker")
        )
        scorer = load_scorer(self._settings)
        self._stack.push_async_callback(scorer.close)
        self._opened = WorkerResources(database, scorer)


def _loop() -> EventLoopThread:
    loop = get_event_loop_thread()
    assert loop is not None  # noqa: S101 - the AsyncIO middleware comes first
    return loop


def work(settings: Settings) -> None:
    """Take messages until SIGINT or SIGTERM, then finish those that were begun."""
    stop = threading.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, lambda *_: stop.set())
    broker = brokers.connect(required(settings.redis_url, "REDIS_URL"))
    lifetime = _Lifetime(settings)
    broker.add_middleware(lifetime)
    feedback.register(broker, lifetime.resources)
    worker = dramatiq.Worker(broker, worker_threads=THREADS, worker_timeout=1_000)
    worker.start()
    log.info("worker works", threads=THREADS)
    stop.wait()
    worker.stop(timeout=int(settings.shutdown_seconds * 1_000))
    broker.close()
