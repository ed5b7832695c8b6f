"""Answers in JSON to requests that are not GraphQL's, and the bodies of such requests."""

import asyncio
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from graph.authentication import Headers
from graph.http import Receive, Send, read_body

_BODY_SECONDS = 30
_GZIP = 16 + zlib.MAX_WBITS


class Answer(Exception):  # noqa: N818 - an answer, raised where it is known
    """A status, a JSON body and headers."""

    def __init__(
        self, status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status)
        self.status = status
        self.body = body
        self.headers = headers or {}


def refusal(
    status: int, message: str, problems: Sequence[dict[str, Any]] = (), **headers: str
) -> Answer:
    """What is wrong, and where; headers are written with underscores."""
    return Answer(
        status,
        {"error": error(message, problems)},
        {name.replace("_", "-"): value for name, value in headers.items()},
    )


def error(message: str, problems: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    """What is wrong, and where."""
    return {"message": message} | ({"fields": list(problems)} if problems else {})


async def body_of(headers: Headers, receive: Receive, largest: int) -> bytes:
    """A request's body, unpacked; neither packed nor unpacked larger than that."""
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            body = await read_body(headers, receive, largest)
    except TimeoutError:
        raise refusal(408, "The body took too long.") from None
    if body is None:
        raise _too_large(largest)
    encoding = headers.get(b"content-encoding", b"identity").strip().lower()
    if encoding == b"identity":
        return body
    if encoding not in {b"gzip", b"x-gzip"}:
        raise refusal(415, "The body may be packed by gzip only.", accept_encoding="gzip")
    return _unpacked(body, largest)


def _unpacked(body: bytes, largest: int) -> bytes:
    """No more is unpacked than may be there."""
    unpacking = zlib.decompressobj(_GZIP)
    try:
        unpacked = unpacking.decompress(body, largest + 1)
    except zlib.error:
        raise refusal(400, "The body is no gzip.") from None
    if len(unpacked) > largest:
        raise _too_large(largest)
    if not unpacking.eof or unpacking.unused_data:
        raise refusal(400, "The body is no gzip.")
    return unpacked


def _too_large(largest: int) -> Answer:
    return refusal(413, f"The body may have at most {largest:,} bytes.")


async def send_answer(send: Send, answer: Answer, more: Mapping[str, str] | None = None) -> None:
    """Send it, perhaps with more headers."""
    body = orjson.dumps(answer.body)
    headers = {"content-type": "application/json", "content-length": str(len(body))}
    named = {**headers, **answer.headers, **(more or {})}
    await send(
        {
            "type": "http.response.start",
            "status": answer.status,
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in named.items()],
        }
    )
    await send({"type": "http.response.body", "body": body})
