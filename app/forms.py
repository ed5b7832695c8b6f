"""Public forms: `GET /forms/<key>.js`, a script that makes one, and `POST /forms/<key>`, to which it sends."""

from pathlib import Path
from typing import Any

import orjson

from app.answers import Answer, body_of, refusal, send_answer
from clients.address import customer_of
from domain import form, intake, source
from domain.errors import InvalidInputError
from domain.masker import Masker
from domain.source_settings import ANY_ORIGIN, Form
from graph.authentication import Headers, client_of, headers_of
from graph.context import Services
from graph.http import Receive, Scope, Send
from persistence.database import StoreUnavailableError
from persistence.limits import Limit

SCRIPT = (Path(__file__).parents[1] / "web" / "form" / "form.js").read_text()
LARGEST_SCRIPT = 3_072
_LOOKED_UP = Limit("form-key", points=600, seconds=60)
_OF_FORM = Limit("form", points=6_000, seconds=60)
_PATH = "/forms/"
_LARGEST = 262_144


class Forms:
    """The endpoint. Anybody may call it, so it tells nobody more than whether the message was taken."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = headers_of(scope)  # type: ignore[arg-type]  # a scope is a dict
        shared: dict[str, str] = {}
        try:
            row = await self._form(scope, headers)
            rules = Form.from_json(row.settings)
            if scope["path"].endswith(".js"):
                if scope["method"] != "GET":
                    raise refusal(405, "Use GET.", allow="GET")
                await _send_script(send, self._script(row, rules))
                return
            shared = _sharing(rules, headers)
            raise await self._take(row, rules, scope, headers, receive)
        except StoreUnavailableError:
            away = refusal(503, "The store is away for the moment.", retry_after="1")
            await send_answer(send, away, shared)
        except Answer as answer:
            await send_answer(send, answer, shared)

    async def _form(self, scope: Scope, headers: Headers) -> source.Source:
        caller = _customer(scope, headers)
        if wait := await self._services.limiter.wait(_LOOKED_UP, caller):
            raise _too_many(wait)
        key = scope["path"].removeprefix(_PATH).removesuffix(".js")
        async with self._services.database.reader() as reader:
            row = await source.form(reader, key) if source.is_key(key) else None
        if row is None:
            raise refusal(404, "There is no such form.")
        return row

    def _script(self, row: source.Source, rules: Form) -> bytes:
        given = {
            "stamp": form.stamp(self._services.seals, row.id, self._services.clock()),
            "least": rules.least_seconds,
        }
        return SCRIPT.replace("__GIVEN__", orjson.dumps(given).decode()).encode()

    async def _take(
        self, row: source.Source, rules: Form, scope: Scope, headers: Headers, receive: Receive
    ) -> Answer:
        origin = headers.get(b"origin")
        if not rules.allows(None if origin is None else origin.decode("latin-1")):
            raise refusal(403, "This form is for other pages.")
        if scope["method"] == "OPTIONS":
            return Answer(200, {})
        if scope["method"] != "POST":
            raise refusal(405, "Use POST.", allow="POST")
        body = await body_of(headers, receive, _LARGEST)
        try:
            written = form.read(_document(body))
            if written.is_bait:
                return Answer(202, {"stored": True})  # who fills in everything learns nothing
            now = self._services.clock()
            opened = form.opened_at(self._services.seals, row.id, written.stamp)
            form.check_time(opened, now, least_seconds=rules.least_seconds)
            message = form.incoming(written, now, Masker.of(row, self._services.seals))
        except InvalidInputError as error:
            fields = [{"path": list(e.path), "message": e.message} for e in error.fields]
            raise refusal(400, str(error), fields) from None
        await self._spend(row, rules, _customer(scope, headers))
        async with self._services.database.transaction() as uow:
            await intake.receive_one(uow, row.id, message)
        return Answer(202, {"stored": True})

    async def _spend(self, row: source.Source, rules: Form, address: str) -> None:
        of_address = Limit("form-address", points=rules.per_address_per_hour, seconds=3600)
        for limit, caller in (
            (of_address, f"{row.id.hex} {address}"),
            (_limit_of(row), row.id.hex),
        ):
            if wait := await self._services.limiter.wait(limit, caller):
                raise _too_many(wait)


def _customer(scope: Scope, headers: Headers) -> str:
    """Whose address it comes from: of IPv6 everybody has more than can be counted."""
    return customer_of(client_of(scope, headers).ip)  # type: ignore[arg-type]  # a scope is a dict


def _limit_of(row: source.Source) -> Limit:
    points = row.deliveries_per_minute
    return _OF_FORM if points is None else Limit("source", points=points, seconds=60)


def _sharing(rules: Form, headers: Headers) -> dict[str, str]:
    """What lets the browser show the answer to the page, if that is one of those that may send."""
    origin = headers.get(b"origin", b"").decode("latin-1")
    if not origin or not rules.allows(origin):
        return {"vary": "origin"}
    return {
        "access-control-allow-origin": ANY_ORIGIN if ANY_ORIGIN in rules.origins else origin,
        "access-control-allow-methods": "POST",
        "access-control-allow-headers": "content-type",
        "access-control-expose-headers": "retry-after",
        "access-control-max-age": "600",
        "vary": "origin",
    }


def _document(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        raise refusal(400, "The body is no JSON.") from None


def _too_many(wait: float) -> Answer:
    return refusal(429, "Too many messages. Try again later.", retry_after=str(int(wait) + 1))


async def _send_script(send: Send, script: bytes) -> None:
    """Not to be kept: it says when the form was opened."""
    headers = {
        "content-type": "text/javascript; charset=utf-8",
        "content-length": str(len(script)),
        "cache-control": "no-store",
        "cross-origin-resource-policy": "cross-origin",
        "x-content-type-options": "nosniff",
    }
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": 200, "headers": pairs})
    await send({"type": "http.response.body", "body": script})
