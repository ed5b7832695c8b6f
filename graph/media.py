"""Which media types a client accepts an answer in."""

from functools import lru_cache
from typing import NamedTuple

from graph import multipart

RESPONSE_JSON = b"application/graphql-response+json"
JSON = b"application/json"
EVENT_STREAM = b"text/event-stream"
_SINGLE = {RESPONSE_JSON: RESPONSE_JSON, JSON: JSON, b"application/*": JSON, b"*/*": JSON}
_LONGEST_REMEMBERED = 1_000


class Accepted(NamedTuple):
    """`single`: the type of an answer in one piece, None where only parts are taken.

    `parts`: whether an answer may come in parts. `events`: whether it may be an event stream. `page`: whether a
    page for people ranks before data.
    """

    single: bytes | None
    parts: bool
    events: bool
    page: bool


def accepted(accept: bytes) -> Accepted | None:
    """What an Accept header says; None where it takes nothing that we have."""
    # Clients send the same few ever again; a long one is nobody's.
    return (_accepted if len(accept) <= _LONGEST_REMEMBERED else _accepted.__wrapped__)(accept)


@lru_cache(maxsize=256)
def _accepted(accept: bytes) -> Accepted | None:
    ranges = _ranges(accept)
    if not ranges and not accept.strip():
        return Accepted(JSON, parts=False, events=False, page=False)
    single = next((_SINGLE[media] for _, media, _ in ranges if media in _SINGLE), None)
    parts = any(
        media == multipart.NAME and multipart.is_spoken(options) for _, media, options in ranges
    )
    events = any(media == EVENT_STREAM for _, media, _ in ranges)
    qualities = {media: quality for quality, media, _ in ranges}
    machine = max(qualities.get(JSON, 0), qualities.get(RESPONSE_JSON, 0))
    page = qualities.get(b"text/html", 0) > machine
    if single is None and not parts and not events and not page:
        return None
    return Accepted(single, parts, events, page)


def _ranges(accept: bytes) -> list[tuple[float, bytes, list[bytes]]]:
    """The media ranges with their q and their other parameters, the most wanted first."""
    ranges = []
    for part in accept.split(b","):
        media, *options = (piece.strip() for piece in part.lower().split(b";"))
        quality = 1.0
        for option in options:
            if option.startswith(b"q="):
                try:
                    quality = float(option[2:])
                except ValueError:
                    quality = 0.0
        if media and quality > 0:
            ranges.append((quality, media, options))
    return sorted(ranges, key=lambda ranked: -ranked[0])


def is_json(content_type: bytes) -> bool:
    """Whether a Content-Type is JSON in UTF-8."""
    return len(content_type) <= _LONGEST_REMEMBERED and _is_json(content_type)


@lru_cache(maxsize=64)
def _is_json(content_type: bytes) -> bool:
    kind, _, options = content_type.partition(b";")
    charset = options.strip().lower().replace(b'"', b"")
    return kind.strip().lower() == JSON and charset in {b"", b"charset=utf-8"}
