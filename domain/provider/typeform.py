"""Typeform: https://www.typeform.com/developers/webhooks/secure-your-webhooks/."""

from collections.abc import Mapping, Sequence
from typing import Any

from domain.feedback import Author, Message
from domain.provider.delivery import (
    Entry,
    Heard,
    Provider,
    Reading,
    Request,
    Unheard,
    digest,
    fingerprint,
    from_base64,
    of_json,
    require_match,
)
from domain.provider.fields import at, items, kept, moment, name, number, text

_HEADER = "typeform-signature"
_PREFIX = "sha256="
_RATINGS = {"rating", "opinion_scale", "nps"}


def verify(request: Request, secrets: Sequence[str], _: Mapping[str, Any]) -> str:
    (header,) = request.required(_HEADER)
    sent = from_base64(header.removeprefix(_PREFIX)) if header.startswith(_PREFIX) else b""
    require_match([sent], [digest(secret, request.body) for secret in secrets], _HEADER)
    return fingerprint(request.body)


def read(document: Any, _: Mapping[str, Any]) -> Reading:
    return Reading((_entry(document),), name(document, "event_id"))


def _entry(document: Any) -> Entry:
    response = at(document, "form_response")
    if at(document, "event_type") != "form_response" or response is None:
        return Unheard("The event is no complete response to a form.")
    answers = items(response, "answers")
    written = [each for each in answers if text(each, "text") is not None]
    if not written:
        return Unheard("No question was answered with a text.")
    titles = {
        name(each, "id"): text(each, "title") for each in items(response, "definition", "fields")
    }
    email = next((found for each in answers if (found := text(each, "email"))), None)
    message = Message(
        body=_body(written, titles),
        external_id=name(response, "token"),
        author=None if email is None else Author(email=email),
        rating=next(
            (
                number(each, "number")
                for each in answers
                if at(each, "field", "type") in _RATINGS and number(each, "number") is not None
            ),
            None,
        ),
        occurred_at=moment(response, "submitted_at"),
        metadata=kept(
            form=at(response, "form_id"),
            title=at(response, "definition", "title"),
            hidden=at(response, "hidden"),
            choices=[label for each in answers if (label := text(each, "choice", "label"))],
        ),
    )
    return Heard(message)


def _body(written: Sequence[Any], titles: Mapping[str | None, str | None]) -> str:
    """One answer by itself, several each under its question."""
    if len(written) == 1:
        return str(written[0]["text"])
    return "\n\n".join(
        "\n".join(filter(None, (titles.get(name(each, "field", "id")), each["text"])))
        for each in written
    )


TYPEFORM = Provider(verify, of_json(read))
