"""Slack: https://docs.slack.dev/authentication/verifying-requests-from-slack, and the Events API."""

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
    require_recent,
)
from domain.provider.fields import at, kept, moment, name, text

_SIGNATURE = "x-slack-signature"
_TIME = "x-slack-request-timestamp"
_VERSION = "v0="
_PLAIN = {None, "file_share", "thread_broadcast"}


def verify(request: Request, secrets: Sequence[str], _: Mapping[str, Any]) -> str:
    header, stamp = request.required(_SIGNATURE, _TIME)
    sent = from_hex(header.removeprefix(_VERSION)) if header.startswith(_VERSION) else b""
    signed = b"v0:" + stamp.encode() + b":"
    require_match([sent], [digest(each, signed, request.body) for each in secrets], _SIGNATURE)
    require_recent(stamp, request.now, _TIME)
    return fingerprint(signed, request.body)


def read(document: Any, _: Mapping[str, Any]) -> Reading:
    if at(document, "type") == "url_verification":
        return Reading(answer={"challenge": name(document, "challenge") or ""})
    return Reading((_entry(document),), name(document, "event_id"))


def _entry(document: Any) -> Entry:
    event = at(document, "event")
    kind, subtype = at(event, "type"), at(event, "subtype")
    edits = subtype == "message_changed"
    written = at(event, "message") if edits else event
    if kind not in {"message", "app_mention"} or not (edits or subtype in _PLAIN):
        return Unheard(f"The event {kind} {subtype or ''}".rstrip() + " holds no new words.")
    if at(written, "bot_id") is not None:
        return Unheard("It was written by a bot.")
    body, user = text(written, "text"), name(written, "user")
    if body is None:
        return Unheard("The message has no text.")
    channel, sent = name(event, "channel"), name(written, "ts")
    message = Message(
        body=body.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"),
        external_id=f"{channel}:{sent}",
        author=None if user is None else Author(external_id=user),
        occurred_at=moment(written, "ts"),
        metadata=kept(
            team=at(document, "team_id"), channel=channel, thread=at(written, "thread_ts")
        ),
    )
    return Heard(message, edits=edits)


SLACK = Provider(verify, of_json(read), keeps_secret=True)
