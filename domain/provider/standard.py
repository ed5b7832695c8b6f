"""Standard Webhooks: https://www.standardwebhooks.com, with bodies of our own."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import orjson
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from domain import signatures
from domain.feedback import Author, Message
from domain.provider.delivery import Entry, Heard, Problem, Provider, Reading, Request, Unheard

_NO_FEEDBACK = "The body is no feedback."
_MOST_PROBLEMS = 50
MOST_EVENTS = 500

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

    type: Literal["feedback.created", "feedback.updated"]
    timestamp: AwareDatetime | None = None
    data: _Data


def verify(request: Request, secrets: Sequence[str], _: Mapping[str, Any]) -> str:
    return signatures.verify(
        secrets,
        webhook_id=request.headers.get("webhook-id"),
        timestamp=request.headers.get("webhook-timestamp"),
        signature=request.headers.get("webhook-signature"),
        body=request.body,
        now=request.now,
    )


def _entry(text: bytes, part: bytes | None = None) -> Entry:
    """One event, from its JSON text."""
    try:
        event = _Event.model_validate_json(text)
    except ValidationError as error:
        return Unheard(_NO_FEEDBACK, _problems(error), part)
    return Heard(_message(event.data), event.type == "feedback.updated", part)


def of_data(document: Any) -> Entry:
    """What stands in `data`, without the envelope."""
    try:
        return Heard(_message(_Data.model_validate_json(orjson.dumps(document))))
    except ValidationError as error:
        return Unheard(_NO_FEEDBACK, _problems(error))


def read(body: bytes, _: Mapping[str, Any]) -> Reading:
    """One event, or an array of them."""
    events = _events(body)
    if not events:
        return Reading((_entry(body),))
    if len(events) > MOST_EVENTS:
        reason = f"A batch may have at most {MOST_EVENTS} events, has {len(events):,}."
        return Reading((Unheard(reason),))
    parts = map(orjson.dumps, events)
    return Reading([_entry(part, part) for part in parts])


def _events(body: bytes) -> list[Any]:
    if not body.lstrip(b" \t\r\n").startswith(b"["):
        return []
    try:
        events: list[Any] = orjson.loads(body)
    except orjson.JSONDecodeError:
        return []
    return events


def _message(data: _Data) -> Message:
    author = data.author
    return Message(
        body=data.body,
        external_id=data.external_id,
        author=None if author is None else Author(author.name, author.email, author.external_id),
        rating=data.rating,
        occurred_at=data.occurred_at,
        metadata=data.metadata,
    )


def _problems(error: ValidationError) -> tuple[Problem, ...]:
    found = error.errors(include_url=False, include_context=False)[:_MOST_PROBLEMS]
    return tuple(Problem(tuple(map(str, each["loc"])), each["msg"]) for each in found)


STANDARD = Provider(verify, read)
