"""GitHub: https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries.

Its headers tell the event and the delivery's id, but only the body is signed: so only the body is believed.
"""

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
    from_hex,
    of_json,
    require_match,
)
from domain.provider.fields import at, kept, moment, name, text

_HEADER = "x-hub-signature-256"
_PREFIX = "sha256="
# The innermost first: a comment's event has the issue too.
_WRITTEN = ("comment", "issue", "discussion")


def verify(request: Request, secrets: Sequence[str], _: Mapping[str, Any]) -> str:
    (header,) = request.required(_HEADER)
    sent = from_hex(header.removeprefix(_PREFIX)) if header.startswith(_PREFIX) else b""
    require_match([sent], [digest(secret, request.body) for secret in secrets], _HEADER)
    return fingerprint(request.body)


def read(document: Any, _: Mapping[str, Any]) -> Reading:
    if text(document, "zen") is not None and at(document, "hook") is not None:
        return Reading(answer={"pong": True})
    return Reading((_entry(document),))


def _entry(document: Any) -> Entry:
    action = text(document, "action")
    written = next((each for each in _WRITTEN if isinstance(at(document, each), dict)), None)
    if written is None or action not in {"opened", "created", "edited"}:
        return Unheard(
            f"The action {action} of a {written or 'thing of another kind'} tells nothing new."
        )
    subject, sender = at(document, written), at(document, written, "user")
    if at(sender, "type") == "Bot":
        return Unheard("It was written by a bot.")
    body, title = text(subject, "body"), text(subject, "title")
    if body is None and title is None:
        return Unheard("It has no text.")
    login = name(sender, "login")
    around = "issue" if at(document, "issue") is not None else "discussion"
    kind = written if written != "comment" else f"{around}_comment"
    message = Message(
        body="\n\n".join(filter(None, (title, body))),
        external_id=f"{kind}:{name(subject, 'id')}",
        author=None if login is None else Author(login, external_id=name(sender, "id")),
        occurred_at=moment(subject, "created_at"),
        metadata=kept(
            url=at(subject, "html_url"),
            repository=at(document, "repository", "full_name"),
            number=at(document, around, "number"),
        ),
    )
    return Heard(message, edits=action == "edited")


GITHUB = Provider(verify, of_json(read))
