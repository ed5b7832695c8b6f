"""`GET /metrics`: to whom it is answered, and what the API adds to its own figures."""

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import ip_address, ip_network
from itertools import chain

import aiohttp
import structlog
from prometheus_client import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from app.metrics.backlog import Backlog
from app.metrics.registry import Metrics
from app.settings import Settings

log = structlog.get_logger(__name__)

_SIBLING_SECONDS = 1.0
_NEAR = tuple(
    map(
        ip_network,
        (
            "127.0.0.0/8",
            "10.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "169.254.0.0/16",
            "::1/128",
            "fc00::/7",
            "fe80::/10",
        ),
    )
)
# Who is reached through a proxy has the proxy's address.
_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")


class MetricsEndpoint:
    """Answers `GET /metrics` with the text that `read` makes, to those who may know it."""

    def __init__(self, settings: Settings, read: Callable[[], Awaitable[bytes]]) -> None:
        token = settings.metrics_token
        self._token = None if token is None else token.get_secret_value()
        self._read = read

    async def answer(self, request: Request) -> Response:
        if self._token is not None:
            given = request.headers.get("authorization", "")
            if not hmac.compare_digest(given.encode(), f"Bearer {self._token}".encode()):
                return PlainTextResponse(
                    "Send METRICS_TOKEN as a bearer token.\n",
                    401,
                    headers={"www-authenticate": "Bearer"},
                )
        elif not _is_near(request):
            return PlainTextResponse(
                "Metrics are for this machine and its private networks; set METRICS_TOKEN for others.\n",
                403,
            )
        return Response(await self._read(), media_type=CONTENT_TYPE_LATEST)


def _is_near(request: Request) -> bool:
    """Whether it comes from this machine or a private network, and straight from there."""
    if request.client is None or any(name in request.headers for name in _FORWARDED):
        return False
    try:
        address = ip_address(request.client.host.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return any((mapped or address) in network for network in _NEAR)


async def joined(metrics: Metrics, backlog: Backlog, settings: Settings) -> bytes:
    """This process' metrics, what there is to do, and the metrics of the processes beside it."""
    asking = (_ask(address, settings) for address in settings.metrics_siblings)
    others, _ = await asyncio.gather(asyncio.gather(*asking), backlog.refresh())
    return metrics.text(chain.from_iterable(others))


async def _ask(address: str, settings: Settings) -> Sequence[Metric]:
    """The metrics of another process of ours; none while it is away."""
    token = settings.metrics_token
    headers = {} if token is None else {"authorization": f"Bearer {token.get_secret_value()}"}
    timeout = aiohttp.ClientTimeout(total=_SIBLING_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, raise_for_status=True) as session,
            session.get(f"http://{address}/metrics", headers=headers) as answer,
        ):
            return list(text_string_to_metric_families(await answer.text()))
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        log.debug("a process tells no metrics", address=address, error=str(error))
        return ()
