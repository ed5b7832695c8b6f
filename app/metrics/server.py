"""A small server of its own for `/metrics`, for processes that serve nothing else."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route

from app.metrics.endpoint import MetricsEndpoint
from app.metrics.registry import Metrics
from app.settings import Settings

log = structlog.get_logger(__name__)

_ENDING_SECONDS = 2.0


@contextmanager
def serving(metrics: Metrics, settings: Settings) -> Iterator[None]:
    """Answer on METRICS_PORT, where that is set, on a thread of its own, for the length of the block.

    The work goes on without where the port cannot be had.
    """
    if settings.metrics_port is None:
        yield
        return
    try:
        listener = socket.create_server((settings.metrics_host, settings.metrics_port))
    except OSError as error:
        log.error("metrics are not served", port=settings.metrics_port, error=str(error))  # noqa: TRY400 - no bug
        yield
        return

    async def read() -> bytes:
        return metrics.text()

    app = Starlette(
        routes=[Route("/metrics", MetricsEndpoint(settings, read).answer, methods=["GET"])]
    )
    config = uvicorn.Config(
        app, lifespan="off", access_log=False, log_level="warning", server_header=False
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), name="metrics", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(_ENDING_SECONDS)
        listener.close()
