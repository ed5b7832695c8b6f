"""`/healthz`: the process lives. `/readyz`: it can serve, or which part it is waiting for."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse

from app.resources import Api
from inference.batcher import StuckError
from persistence.bus import BusUnavailableError
from persistence.database import StoreUnavailableError
from persistence.objects import ObjectsUnavailableError

_SECONDS = 3
# A load balancer asks often; the stores are asked at most so often.
_REMEMBERED_SECONDS = 1.0


async def live(_: Request) -> JSONResponse:
    """200 as long as the event loop turns."""
    return JSONResponse({"status": "ok"})


class Readiness:
    """Asks every part; remembers the answer for a second."""

    def __init__(self) -> None:
        self.api: Api | None = None
        self.draining = False
        self._checked = 0.0
        self._parts: dict[str, str] = {}

    async def ready(self, _: Request) -> JSONResponse:
        """200 when every part answers; 503 with the name of what is away."""
        if self.api is None or self.draining:
            status = "draining" if self.draining else "starting"
            return JSONResponse({"status": status, "parts": {}}, 503)
        if time.monotonic() - self._checked > _REMEMBERED_SECONDS:
            self._parts = await _ask(self.api)
            self._checked = time.monotonic()
        ready = all(state == "ok" for state in self._parts.values())
        body = {"status": "ok" if ready else "unavailable", "parts": self._parts}
        return JSONResponse(body, 200 if ready else 503)


async def _ask(api: Api) -> dict[str, str]:
    parts: dict[str, Callable[[], Awaitable[None]]] = {
        "postgres": api.services.database.ping,
        "redis": api.bus.ping,
        "s3": api.objects.ping,
        "model": api.model.ping,
    }
    states = await asyncio.gather(*(_state(ping) for ping in parts.values()))
    answers = dict(zip(parts, states, strict=True))
    answers["live"] = "ok" if api.services.hub.connected else "away: reconnecting to Redis"
    return answers


async def _state(ping: Callable[[], Awaitable[None]]) -> str:
    try:
        async with asyncio.timeout(_SECONDS):
            await ping()
    except TimeoutError:
        return f"away: no answer in {_SECONDS} s"
    except (
        StoreUnavailableError,
        BusUnavailableError,
        ObjectsUnavailableError,
        StuckError,
    ) as error:
        return f"away: {str(error)[:200]}"
    return "ok"
