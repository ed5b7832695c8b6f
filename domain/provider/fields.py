"""Looking into a provider's JSON, where nothing is sure to be there or of its kind."""

from collections.abc import Mapping
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

_BLOCKS = frozenset({"br", "p", "div", "li", "tr", "h1", "h2", "h3", "blockquote"})
_LATEST = 253_402_300_800  # the end of the year 9999


def at(document: Any, *path: str) -> Any:
    """The value at the end of a way through objects; None where the way ends before."""
    for name in path:
        document = document.get(name) if isinstance(document, Mapping) else None
    return document


def text(document: Any, *path: str) -> str | None:
    """A text that is not blank."""
    value = at(document, *path)
    return value if isinstance(value, str) and value.strip() else None


def name(document: Any, *path: str) -> str | None:
    """A text or a number, as a text: ids come as either."""
    value = at(document, *path)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) and value.strip() else None


def number(document: Any, *path: str) -> int | None:
    """A whole number."""
    value = at(document, *path)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def items(document: Any, *path: str) -> list[Any]:
    """A list."""
    value = at(document, *path)
    return value if isinstance(value, list) else []


def moment(document: Any, *path: str) -> datetime | None:
    """A time: ISO 8601 with a zone, or seconds since 1970, as a number or in a text."""
    value = at(document, *path)
    if isinstance(value, str):
        try:
            read = datetime.fromisoformat(value)
        except ValueError:
            return _seconds(value)
        return read if read.tzinfo is not None else None
    return _seconds(value)


def _seconds(value: Any) -> datetime | None:
    if isinstance(value, bool):
        return None
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        return None
    return datetime.fromtimestamp(seconds, UTC) if 0 <= seconds < _LATEST else None


def kept(**values: Any) -> dict[str, Any] | None:
    """Those of the values that are there, as metadata."""
    found = {key: value for key, value in values.items() if value not in (None, "", [], {})}
    return found or None


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:  # noqa: ARG002
        if tag in _BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        self.parts.append(data)


def plain(html: str | None) -> str | None:
    """The text of a piece of HTML, a line for each block."""
    if html is None:
        return None
    parser = _Text()
    parser.feed(html)
    parser.close()
    lines = (line.strip() for line in "".join(parser.parts).splitlines())
    return "\n".join(line for line in lines if line) or None
