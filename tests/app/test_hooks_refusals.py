"""Inbound webhooks that are refused: each answer is precise, and nothing is left behind."""

import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import httpx
import pytest

from app.resources import Api
from app.settings import Settings
from app.stores import open_redis
from persistence.database import Database
from persistence.limits import Limiter
from tests.app.deliveries import UNTOUCHED, deliver, envelope, event, post, rows, sign, traces
from tests.applications import client
from tests.factories import Factory


def sign_bytes(secret: str, body: bytes) -> dict[str, str]:
    """The sender's headers for what is no text, which its library does not sign."""
    stamp = str(int(datetime.now(UTC).timestamp()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"msg_1.{stamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": stamp,
        "webhook-signature": "v1," + base64.b64encode(digest).decode(),
    }


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (b"", []),
        (b"{", []),
        (b"feedback", []),
        (b"\xef\xbb\xbf{}", []),
        (b"null", []),
        (b"[]", []),
        (b"[" * 100_000, []),
        (b'{"type":"feedback.created","data":{"body":"\\ud800"}}', []),
        (b'{"data":{"body":"x"}}', ["type"]),
        (b'{"type":"feedback.created"}', ["data"]),
        (b'{"type":"feedback.deleted","data":{"body":"x"}}', ["type"]),
        (b'{"type":"Feedback.Created","data":{"body":"x"}}', ["type"]),
        (envelope({"body": "x"}, timestamp="2026-06-15T12:00:00"), ["timestamp"]),
        (envelope({"body": "x"}, timestamp="yesterday"), ["timestamp"]),
        (envelope(None), ["data"]),
        (envelope([]), ["data"]),
        (envelope({}), ["data", "body"]),
        (event(body=None), ["data", "body"]),
        (event(body=5), ["data", "body"]),
        (event(body=["x"]), ["data", "body"]),
        (event(body=""), ["data", "body"]),
        (event(body=" \n\u2003\t"), ["data", "body"]),
        (event(body="NUL \x00 inside"), ["data", "body"]),
        (event(body="x" * 50_001), ["data", "body"]),
        (event(stars=5), ["data", "stars"]),
        (event(externalId="t-1"), ["data", "externalId"]),
        (event(external_id=17), ["data", "external_id"]),
        (event(external_id=" "), ["data", "external_id"]),
        (event(external_id="t\x00"), ["data", "external_id"]),
        (event(external_id="t" * 501), ["data", "external_id"]),
        (event(rating=2.5), ["data", "rating"]),
        (event(rating=5.0), ["data", "rating"]),
        (event(rating="5"), ["data", "rating"]),
        (event(rating=True), ["data", "rating"]),
        (event(rating=-1), ["data", "rating"]),
        (event(rating=11), ["data", "rating"]),
        (event(rating=10**30), ["data", "rating"]),
        (event(rating=float("nan")), ["data", "rating"]),
        (event(author="Ada"), ["data", "author"]),
        (event(author={"phone": "1"}), ["data", "author", "phone"]),
        (event(author={"name": "A\x00"}), ["data", "author", "name"]),
        (event(author={"name": "a" * 201}), ["data", "author", "name"]),
        (event(author={"email": "ada"}), ["data", "author", "email"]),
        (event(author={"external_id": "\x00"}), ["data", "author", "external_id"]),
        (event(occurred_at="2026-06-15T12:00:00"), ["data", "occurred_at"]),
        (event(occurred_at="2026-06-15"), ["data", "occurred_at"]),
        (event(occurred_at="2026-02-30T12:00:00Z"), ["data", "occurred_at"]),
        (event(occurred_at="1969-12-31T23:59:59Z"), ["data", "occurred_at"]),
        (event(occurred_at="9999-12-31T23:59:59Z"), ["data", "occurred_at"]),
        (event(occurred_at=True), ["data", "occurred_at"]),
        (event(metadata="x"), ["data", "metadata"]),
        (event(metadata=[1]), ["data", "metadata"]),
        (event(metadata={"a": float("nan")}), ["data", "metadata"]),
        (event(metadata={"a": float("-inf")}), ["data", "metadata"]),
        (event(metadata={"a": "\x00"}), ["data", "metadata"]),
        (event(metadata={"\x00": 1}), ["data", "metadata"]),
        (event(metadata={"a": 10**30}), ["data", "metadata"]),
        (event(metadata={"a": "x" * 16_384}), ["data", "metadata"]),
    ],
    ids=lambda given: given[:60].decode("latin-1") if isinstance(given, bytes) else "",
)
async def test_a_body_that_is_no_feedback_is_refused(
    factory: Factory, http: httpx.AsyncClient, database: Database, body: bytes, path: list[str]
) -> None:
    tenant = await factory.tenant()

    response = await deliver(http, tenant, body)

    assert response.status_code == 400
    assert [field["path"] for field in response.json()["error"]["fields"]] == [path]
    assert await traces(database) == UNTOUCHED


@pytest.mark.parametrize("broken", [b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xc0\xaf"])
async def test_broken_utf_8_is_refused(
    factory: Factory, http: httpx.AsyncClient, database: Database, broken: bytes
) -> None:
    tenant = await factory.tenant()
    body = event(body="here: ?").replace(b"?", broken)

    response = await post(http, tenant.source_gid, body, sign_bytes(tenant.secret, body))

    assert response.status_code == 400
    assert response.json()["error"]["message"] == "The body is no feedback."
    assert await traces(database) == UNTOUCHED


async def test_every_wrong_field_is_named_at_once(
    factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    tenant = await factory.tenant()

    response = await deliver(http, tenant, event(body=" ", rating=11, author={"email": "ada"}))

    assert response.json() == {
        "error": {
            "message": "Some fields are not valid.",
            "fields": [
                {"path": ["data", "body"], "message": "must not be blank"},
                {"path": ["data", "rating"], "message": "must be from 0 to 10"},
                {"path": ["data", "author", "email"], "message": "must be an e-mail address"},
            ],
        }
    }
    assert await traces(database) == UNTOUCHED


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_another_method_is_refused(
    factory: Factory, http: httpx.AsyncClient, database: Database, method: str
) -> None:
    tenant = await factory.tenant()

    response = await http.request(method, f"/hooks/{tenant.source_gid}")

    assert response.status_code == 405
    assert response.headers["allow"] == "POST"
    assert await traces(database) == UNTOUCHED


async def test_too_large_a_body_is_refused(
    factory: Factory, http: httpx.AsyncClient, database: Database, settings: Settings
) -> None:
    tenant = await factory.tenant()
    body = event(body="x" * settings.max_request_bytes)

    response = await deliver(http, tenant, body)

    assert response.status_code == 413
    assert response.json() == {"error": {"message": "The body may have at most 1,048,576 bytes."}}
    assert await traces(database) == UNTOUCHED


async def test_too_large_a_body_without_a_length_is_refused_before_its_end(
    factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    tenant = await factory.tenant()
    sent: list[None] = []

    async def endless() -> AsyncIterator[bytes]:
        while True:
            sent.append(None)
            yield b"x" * 65_536

    response = await http.post(
        f"/hooks/{tenant.source_gid}", content=endless(), headers=sign(tenant.secret, b"x")
    )

    assert response.status_code == 413
    assert "content-length" not in response.request.headers
    assert len(sent) == 17
    assert await traces(database) == UNTOUCHED


async def test_too_many_deliveries_are_told_to_wait(
    factory: Factory, api: Api, settings: Settings, database: Database
) -> None:
    tenant = await factory.tenant()
    async with open_redis(settings) as redis:
        # One delivery a minute.
        services = replace(api.services, limiter=Limiter(redis, scale=1 / 60_000))
        async with client(settings, replace(api, services=services)) as http:
            taken = await deliver(http, tenant, event(), webhook_id="msg_1")
            refused = await deliver(http, tenant, event(), webhook_id="msg_2")

    assert (taken.status_code, refused.status_code) == (202, 429)
    assert refused.headers["retry-after"] == "60"
    assert len(await rows(database)) == 1
