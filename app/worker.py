"""The worker process: Dramatiq's threads around one event loop with the jobs, the model and the stores."""

import asyncio
import signal
import threading
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any

import dramatiq
import structlog
from dramatiq.asyncio import EventLoopThread, get_event_loop_thread
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import Middleware

from app.metrics.registry import Metrics
from app.metrics.server import serving
from app.resources import open_worker
from app.settings import Settings
from app.stores import now, required
from domain.job import Priority
from jobs import broker as brokers
from jobs import feedback
from jobs.broker import JOBS, LOOK_FOR_JOBS
from jobs.resources import WorkerResources
from jobs.runner import Runner, Task
from jobs.tasks import TASKS

log = structlog.get_logger(__name__)

THREADS = 8
# Of the time to end: the rest is for handing back what did not.
_DRAINING = 0.7


class _Lifetime(Middleware):
    """What the worker has open, on the actors' event loop, from before the first message until after the last."""

    def __init__(
        self, settings: Settings, tasks: Sequence[Task[WorkerResources]], metrics: Metrics
    ) -> None:
        self._settings = settings
        self._metrics = metrics
        self._tasks = tasks
        self._stack = AsyncExitStack()
        self._resources: WorkerResources | None = None
        self._runner: Runner[WorkerResources] | None = None
        self.failure: Exception | None = None

    @property
    def resources(self) -> WorkerResources:
        assert self._resources is not None  # noqa: S101 - no actor runs before the worker has booted
        return self._resources

    @property
    def runner(self) -> Runner[WorkerResources]:
        assert self._runner is not None  # noqa: S101 - no actor runs before the worker has booted
        return self._runner

    def before_worker_boot(self, broker: Any, worker: Any) -> None:  # noqa: ARG002
        # Dramatiq would log what goes wrong here, and then work without.
        try:
            _loop().run_coroutine(self._open())
        except Exception as error:  # noqa: BLE001 - work() raises it
            self.failure = error

    def before_worker_shutdown(self, broker: Any, worker: Any) -> None:  # noqa: ARG002
        if self._runner is not None:
            _loop().run_coroutine(self._runner.drain(self._settings.shutdown_seconds * _DRAINING))

    def after_worker_shutdown(self, broker: Any, worker: Any) -> None:  # noqa: ARG002
        _loop().run_coroutine(self._stack.aclose())

    async def _open(self) -> None:
        self._resources = await self._stack.enter_async_context(
            open_worker(self._settings, self._metrics)
        )
        resources = self._resources
        self._runner = Runner(
            resources.database, resources, self._tasks, clock=now, metrics=resources.metrics
        )
        running = asyncio.ensure_future(self._runner.run())
        running.add_done_callback(_end_if_failed)
        self._stack.push_async_callback(_stop, running)


def _end_if_failed(running: "asyncio.Future[None]") -> None:
    """A worker whose runner has failed does no jobs: somebody is to start it anew."""
    if not running.cancelled() and (error := running.exception()) is not None:
        log.critical("the jobs' runner failed", exc_info=error)
        signal.raise_signal(signal.SIGTERM)


async def _stop(running: "asyncio.Future[None]") -> None:
    running.cancel()
    await asyncio.wait({running})


def _loop() -> EventLoopThread:
    loop = get_event_loop_thread()
    assert loop is not None  # noqa: S101 - the AsyncIO middleware comes first
    return loop


def _register_look(broker: RedisBroker, lifetime: _Lifetime) -> None:
    @dramatiq.actor(broker=broker, actor_name=LOOK_FOR_JOBS, queue_name=JOBS, max_retries=0)
    async def look_for_jobs(priority: str) -> None:
        lifetime.runner.look(Priority(priority))


def work(settings: Settings, tasks: Sequence[Task[WorkerResources]] = TASKS) -> None:
    """Take messages until SIGINT or SIGTERM, then finish what was begun, or hand it back."""
    stop = threading.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, lambda *_: stop.set())
    broker = brokers.connect(required(settings.redis_url, "REDIS_URL"))
    metrics = Metrics("worker")
    lifetime = _Lifetime(settings, tasks, metrics)
    broker.add_middleware(lifetime)
    feedback.register(broker, lambda: lifetime.resources)
    _register_look(broker, lifetime)
    worker = dramatiq.Worker(broker, worker_threads=THREADS, worker_timeout=1_000)
    worker.start()
    if lifetime.failure is None:
        log.info("worker works", threads=THREADS)
        with serving(metrics, settings):
            stop.wait()
    worker.stop(timeout=int(settings.shutdown_seconds * 1_000))
    broker.close()
    if lifetime.failure is not None:
        raise lifetime.failure
