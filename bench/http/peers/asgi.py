"""A bare ASGI application: one hand-written statement a request, whose only value is the finished JSON.

It knows the documents by heart instead of GraphQL: what Python cannot be much cheaper than.
"""

import os
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import uuid_utils.compat

Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]

_SQL = {
    name: text.strip()
    for name, _, text in (
        part.partition("\n")
        for part in (Path(__file__).parent / "asgi.sql")
        .read_text(encoding="utf-8")
        .split("-- name: ")
    )
}
_VIEWER = UUID(hex=os.environ["VIEWER"])


def _uuid(text: str) -> UUID:
    return UUID(hex=text.rpartition("_")[2])


def _by_id(variables: dict[str, Any]) -> list[Any]:
    return [_uuid(variables["id"])]


def _page(variables: dict[str, Any]) -> list[Any]:
    after = variables.get("after")
    if after is None:
        return [variables["slug"], None, None]
    moment, _, feedback = after.partition("|")
    return [variables["slug"], datetime.fromisoformat(moment), UUID(hex=feedback)]


def _window(variables: dict[str, Any]) -> list[Any]:
    start, end = (datetime.fromisoformat(variables[name]) for name in ("from", "to"))
    return [variables["slug"], start, end]


def _submission(variables: dict[str, Any]) -> list[Any]:
    given = variables["input"]
    return [
        uuid_utils.compat.uuid7(),
        _uuid(given["workspaceId"]),
        _uuid(given["sourceId"]),
        given.get("externalId"),
        given["body"],
        given.get("rating"),
        datetime.fromisoformat(given["occurredAt"]),
    ]


def _dashboard(variables: dict[str, Any]) -> list[Any]:
    return [*_window(variables), _VIEWER]


_OPERATIONS: dict[str, tuple[str, Callable[[dict[str, Any]], list[Any]]]] = {
    "query W1": ("W1", _by_id),
    "query W2": ("W2", _page),
    "query W3": ("W3", _window),
    "mutation": ("W4", _submission),
    "query W5": ("W5", _dashboard),
}
_pool: "asyncpg.Pool[asyncpg.Record] | None" = None


async def _leave_as_it_is(_: Any) -> None:
    """No reset on release."""


async def app(scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
    """Serve /graphql."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
        return
    content = b""
    more = True
    while more:
        message = await receive()
        content += message.get("body", b"")
        more = message.get("more_body", False)
    asked = orjson.loads(content)
    name, arguments = _OPERATIONS[asked["query"][:8]]
    assert _pool is not None
    async with _pool.acquire() as connection:
        text = await connection.fetchval(_SQL[name], *arguments(asked.get("variables") or {}))
    body = text.encode()
    await send(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [
                (b"content-type", b"application/json"),
                (b"content-length", b"%d" % len(body)),
            ],
        }
    )
    await send({"type": "http.response.body", "body": body})


async def _lifespan(receive: Receive, send: Send) -> None:
    global _pool  # noqa: PLW0603 - one application a process
    await receive()
    _pool = await asyncpg.create_pool(
        os.environ["DATABASE_URL"],
        min_size=10,
        max_size=10,
        reset=_leave_as_it_is,
        server_settings={"timezone": "UTC"},
    )
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await _pool.close()
    await send({"type": "lifespan.shutdown.complete"})
