"""Answers in parts: multipart/mixed as the incremental delivery RFC of GraphQL over HTTP has it.

A part is told to be whole by the boundary after it, which is sent with it and not with the next one.
"""

MEDIA = b'multipart/mixed; boundary="-"'
NAME = b"multipart/mixed"
BEGIN = b"\r\n---"
END = b"--\r\n"

_SPECIFICATIONS = (b"incrementalspec=", b"deferspec=", b"subscriptionspec=")
_SPOKEN = b"incrementalspec=v0.2"


def part(payload: bytes) -> bytes:
    """A payload after a boundary, with the next boundary."""
    return b"\r\nContent-Type: application/json; charset=utf-8\r\n\r\n" + payload + BEGIN


def is_spoken(options: list[bytes]) -> bool:
    """Whether the parameters of a media range, in lower case, name our format or none in particular."""
    named = [option.replace(b'"', b"").replace(b" ", b"") for option in options]
    return all(name == _SPOKEN for name in named if name.startswith(_SPECIFICATIONS))
