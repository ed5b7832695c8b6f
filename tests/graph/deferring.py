"""Answers in parts: how clients ask for them, read them and put them together."""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import httpx
import orjson

from tests.graph.posting import RESPONSE_JSON, post

MULTIPART = "multipart/mixed"
ACCEPT = f"{MULTIPART};incrementalSpec=v0.2, {RESPONSE_JSON};q=0.9"
UNACCEPTED = (
    "An answer with @defer comes in parts, over HTTP only: send `Accept: multipart/mixed;"
    "incrementalSpec=v0.2, application/graphql-response+json`, or leave @defer out."
)
_HEAD = b"\r\nContent-Type: application/json; charset=utf-8\r\n\r\n"


async def deferred(
    http: httpx.AsyncClient, query: str, token: str | None = None, **variables: Any
) -> list[Any]:
    """The payloads of an answer in parts."""
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    body = {"query": query, "variables": variables}
    response = await post(http, body, accept=ACCEPT, **headers)
    assert response.status_code == 200
    assert response.headers["content-type"] == f'{MULTIPART}; boundary="-"'
    return payloads(response.content)


def payloads(content: bytes) -> list[Any]:
    """What the parts of a whole answer hold."""
    before, *parts, after = content.split(b"\r\n---")
    assert (before, after) == (b"", b"--\r\n")
    assert all(part.startswith(_HEAD) for part in parts)
    return [orjson.loads(part.removeprefix(_HEAD)) for part in parts]


def merged(answer: Sequence[Any]) -> tuple[Any, list[Any]]:
    """The data and the errors that a client has in the end."""
    answer = deepcopy(answer)
    data, errors = answer[0]["data"], list(answer[0].get("errors", ()))
    places: dict[str, Any] = {}
    for payload in answer:
        places |= {pending["id"]: pending["path"] for pending in payload.get("pending", ())}
        for part in payload.get("incremental", ()):
            place = data
            for key in (*places[part["id"]], *part.get("subPath", ())):
                place = place[key]
            _merge(place, part["data"])
            errors += part.get("errors", ())
        for completed in payload.get("completed", ()):
            errors += completed.get("errors", ())
            del places[completed["id"]]
    assert places == {}
    return data, errors


def _merge(into: dict[str, Any], data: dict[str, Any]) -> None:
    for key, value in data.items():
        if key in into:
            _merge(into[key], value)
        else:
            into[key] = value
