"""Inbound webhooks: `POST /hooks/<sourceId>`, signed as Standard Webhooks. A 2xx means committed."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import orjson
import structlog
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from domain import feedback, ids, signatures, source
from domain.errors import InvalidInputError, NotFoundError
from domain.ids import Kind
from domain.seals import SealBrokenError
from graph.authentication import Headers, headers_of
from graph.context import Services
from graph.http import Receive, Scope, Send, read_body
from persistence.database import StoreUnavailableError
from persistence.limits import Limit

log = structlog.get_logger(__name__)

DELIVERIES = Limit("hook", points=60_000, seconds=60)
_BODY_SECONDS = 30
_PATH = "/hooks/"

Int = Annotated[int, Field(ge=-(2**31), lt=2**31)]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class _Author(_Strict):
    name: str | None = None
    email: str | None = None
    external_id: str | None = None


class _Data(_Strict):
    body: str
    external_id: str | None = None
    rating: Int | None = None
    author: _Author | None = None
    occurred_at: AwareDatetime | None = None
    metadata: dict[str, Any] | None = None


class _Event(BaseModel):
    """The envelope of Standard Webhooks; what else a sender puts beside `data` is left alone."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    type: Literal["feedback.created"]
    timestamp: AwareDatetime | None = None
    data: _Data


class _Answer(Exception):  # noqa: N818 - an answer, raised where it is known
    def __init__(
        self, status: int, body: dict[str, Any], headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status)
        self.status = status
        self.body = body
        self.headers = headers or {}


class Hooks:
    """The endpoint. Inside the request there is the signature check and one transaction, no more."""

    def __init__(self, services: Services, *, largest: int) -> None:
        self._services = services
        self._largest = largest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            raise await self._receive(scope, receive)
        except _Answer as answer:
            await _send(send, answer)

    async def _receive(self, scope: Scope, receive: Receive) -> _Answer:
        if scope["method"] != "POST":
            raise _error(405, "Use POST.", allow="POST")
        source_id = ids.read(Kind.SOURCE, scope["path"].removeprefix(_PATH))
        if source_id is None:
            raise _error(404, "There is no such source.")
        if wait := await self._services.limiter.wait(DELIVERIES, source_id.hex):
            raise _error(429, "Too many deliveries.", retry_after=str(int(wait) + 1))
        headers = headers_of(scope)  # type: ignore[arg-type]  # a scope is a dict
        body = await self._body(headers, receive)
        try:
            async with self._services.database.reader() as reader:
                known = await source.signing_secret(reader, source_id, self._services.seals)
            if known is None:
                raise _error(404, "There is no such source.")
            delivery = self._verify(known[1], headers, body)
            message = _message(body)
            async with self._services.database.transaction() as uow:
                stored = await feedback.receive(uow, source_id, delivery, message)
        except InvalidInputError as error:
            problems = [
                {"path": ["data", *(_snake(part) for part in e.path)], "message": e.message}
                for e in error.fields
            ]
            raise _error(400, str(error), problems) from None
        except NotFoundError as error:
            raise _error(404, str(error)) from None
        except SealBrokenError:
            log.exception("source secret cannot be opened", source=source_id.hex)
            raise _error(503, "The source cannot be used for now.", retry_after="1") from None
        except StoreUnavailableError:
            raise _error(503, "The store is away for the moment.", retry_after="1") from None
        if stored is None:
            return _Answer(200, {"duplicate": True})
        id_ = ids.write(Kind.FEEDBACK, stored.feedback.id)
        return _Answer(200 if stored.duplicate else 202, {"id": id_, "duplicate": stored.duplicate})

    async def _body(self, headers: Headers, receive: Receive) -> bytes:
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                body = await read_body(headers, receive, self._largest)
        except TimeoutError:
            raise _error(408, "The body took too long.") from None
        if body is None:
            raise _error(413, f"The body may have at most {self._largest:,} bytes.")
        return body

    def _verify(self, secret: str, headers: Headers, body: bytes) -> str:
        def header(name: bytes) -> str | None:
            value = headers.get(name)
            return None if value is None else value.decode("latin-1")

        try:
            return signatures.verify(
                secret,
                webhook_id=header(b"webhook-id"),
                timestamp=header(b"webhook-timestamp"),
                signature=header(b"webhook-signature"),
                body=body,
                now=self._services.clock(),
            )
        except signatures.BadSignatureError as error:
            raise _error(401, f"{str(error)[0].upper()}{str(error)[1:]}.") from None


def _message(body: bytes) -> feedback.Message:
    try:
        event = _Event.model_validate_json(body)
    except ValidationError as error:
        problems = [
            {"path": [str(part) for part in problem["loc"]], "message": problem["msg"]}
            for problem in error.errors(include_url=False, include_context=False)
        ]
        raise _error(400, "The body is no feedback.", problems[:50]) from None
    data, author = event.data, event.data.author
    return feedback.Message(
        body=data.body,
        external_id=data.external_id,
        author=None
        if author is None
        else feedback.Author(author.name, author.email, author.external_id),
        rating=data.rating,
        occurred_at=data.occurred_at,
        metadata=data.metadata,
    )


def _snake(name: str) -> str:
    """A field's name as webhooks write it."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def _error(
    status: int, message: str, problems: Sequence[dict[str, Any]] = (), **headers: str
) -> _Answer:
    body: dict[str, Any] = {"error": {"message": message}}
    if problems:
        body["error"]["fields"] = problems
    return _Answer(status, body, headers)


async def _send(send: Send, answer: _Answer) -> None:
    body = orjson.dumps(answer.body)
    await send(
        {
            "type": "http.response.start",
            "status": answer.status,
            "headers": [
                (b"content-type", b"application/json"),
                (b"content-length", str(len(body)).encode()),
                *(
                    (name.replace("_", "-").encode(), value.encode())
                    for name, value in answer.headers.items()
                ),
            ],
        }
    )
    await send({"type": "http.response.body", "body": body})
