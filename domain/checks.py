"""Rules for input: every broken one is collected, so that a client learns all of them at once."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from domain.errors import FieldError, InvalidInputError

EMAIL = re.compile(r"[^\s@\"(),:;<>\[\]\\]{1,64}@[^\s@\"(),:;<>\[\]\\]{1,190}\.[^\s@.]{2,63}")
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_AHEAD = timedelta(days=1)
_DEEPEST = 32


class Checks:
    """Collects what is wrong; `done()` raises InvalidInputError when anything is."""

    def __init__(self) -> None:
        self._errors: list[FieldError] = []

    def refuse(self, path: Sequence[str], message: str) -> None:
        self._errors.append(FieldError(tuple(path), message))

    def text(self, value: str | None, *path: str, longest: int, required: bool = False) -> None:
        """At most `longest` characters, storable, and not blank where required."""
        if value is None:
            if required:
                self.refuse(path, "is required")
            return
        if "\x00" in value:
            self.refuse(path, "must not contain the NUL character")
        elif not (value.isascii() or _is_utf8(value)):
            self.refuse(path, "must be valid Unicode text")
        elif len(value) > longest:
            self.refuse(path, f"must have at most {longest:,} characters, has {len(value):,}")
        elif required and not value.strip():
            self.refuse(path, "must not be blank")

    def line(self, value: str | None, *path: str, longest: int, required: bool = False) -> None:
        """Text without line breaks and other control characters: what may stand in the header of a mail."""
        self.text(value, *path, longest=longest, required=required)
        if value and not value.isprintable() and not self._errors_at(path):
            self.refuse(path, "must be one line of printable characters")

    def email(self, value: str | None, *path: str, required: bool = False) -> None:
        """An address as people have them: one @, a dot in the domain, at most 254 characters."""
        self.text(value, *path, longest=254, required=required)
        if value and EMAIL.fullmatch(value) is None and not self._errors_at(path):
            self.refuse(path, "must be an e-mail address")

    def number(self, value: int | None, *path: str, least: int, most: int) -> None:
        if value is not None and not least <= value <= most:
            self.refuse(path, f"must be from {least} to {most}")

    def moment(self, value: datetime | None, *path: str, now: datetime) -> None:
        """A time since 1970 and at most a day ahead of our clock."""
        if value is not None and not _EARLIEST <= value <= now + _AHEAD:
            self.refuse(path, "must be from 1970 to at most one day from now")

    def json(self, value: Any, *path: str, largest: int) -> str | None:
        """The JSON text of an object, or None; at most `largest` bytes, no NUL, no number beyond 64 bits."""
        if value is None:
            return None
        if not isinstance(value, Mapping):
            self.refuse(path, "must be a JSON object")
            return None
        if (problem := _unfit(value, _DEEPEST)) is not None:
            self.refuse(path, problem)
            return None
        try:
            text = orjson.dumps(value)
        except (TypeError, ValueError):
            self.refuse(path, "must be JSON with numbers of at most 64 bits")
            return None
        if len(text) > largest:
            self.refuse(path, f"must be at most {largest:,} bytes of JSON, is {len(text):,}")
            return None
        return text.decode()

    def done(self, message: str = "Some fields are not valid.") -> None:
        """Raise what was collected."""
        if self._errors:
            raise InvalidInputError(message, self._errors)

    def _errors_at(self, path: Sequence[str]) -> bool:
        return any(error.path == tuple(path) for error in self._errors)


def _is_utf8(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _unfit(value: Any, depth: int) -> str | None:
    """Why Postgres could not keep this as jsonb and give it back unchanged."""
    if isinstance(value, str):
        return "must not contain the NUL character" if "\x00" in value else None
    if isinstance(value, float):
        return None if value - value == 0 else "must not contain NaN or Infinity"
    if not isinstance(value, Mapping | list | tuple):
        return None
    if depth == 0:
        return f"must not be nested deeper than {_DEEPEST} levels"
    children = [*value.keys(), *value.values()] if isinstance(value, Mapping) else value
    return next((p for child in children if (p := _unfit(child, depth - 1)) is not None), None)
