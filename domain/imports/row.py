"""From a row of a file to a message: every rule that a single row must keep."""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from domain import cells as cell
from domain import feedback, tag
from domain.errors import InvalidInputError
from domain.feedback import Author, Message
from domain.imports import columns, moment
from domain.imports.columns import FIELDS
from domain.imports.layout import Format, Layout
from domain.imports.records import Number, Raw

MOST_TAGS = 20
MOST_TAG_NAMES = 200
LONGEST_TAG = 60
# Of what we have written ourselves, so that all of it comes back.
_MOST_TAG_NAMES_OF_OURS = 10_000
MOST_SOURCES = 100
LONGEST_SOURCE = 200
_LONGEST_ORIGINAL = 1_000
_RATING = re.compile(r"[+-]?\d{1,6}(?:[.,]0+)?")
_SEPARATORS = re.compile(r"[,;|]")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,7}")
# What a row without an id gets one from.
_TELLING = FIELDS[:7]
_CHECKED: Mapping[tuple[str, ...], str] = {
    ("author", "name"): "authorName",
    ("author", "email"): "authorEmail",
    ("author", "externalId"): "authorExternalId",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A row that may be stored; `metadata` is the message's as JSON text, `source` the name of the source it is of."""

    number: int
    message: Message
    tags: tuple[str, ...]
    metadata: str | None = None
    language: str | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that may not, in which columns that shows, and why."""

    number: int
    columns: str
    reason: str
    original: str


class Reading:
    """The rows of one file in their order; it counts what they have in common.

    `occurrence` answers how often it was asked about the same digest before. A row without an id of its own gets one
    that is made of what it says and of how many rows above it say the same: the file again, or a longer one, brings
    the same ids. Of our own exports every text is read as it was before it was written.
    """

    def __init__(
        self,
        layout: Layout,
        mapping: Mapping[str, str],
        occurrence: Callable[[bytes], int],
        now: datetime,
    ) -> None:
        self._is_ours = columns.is_ours(layout.columns)
        self._is_harmless = self._is_ours and layout.format is not Format.NDJSON
        self._mapping = mapping
        self._occurrence = occurrence
        self._now = now
        self._tag_names: set[str] = set()
        self._sources: set[str] = set()

    def of(self, rows: Iterator[Raw]) -> Iterator[Row | Refusal]:
        return map(self.read, rows)

    def read(self, raw: Raw) -> Row | Refusal:
        """The message of the row after those that were read before."""
        if raw.problem is not None:
            return Refusal(raw.number, "", raw.problem, _shown(raw.original))
        cells = {field: raw.cells.get(column, "") for field, column in self._mapping.items()}
        if self._is_harmless:
            cells = {field: cell.restored(text) for field, text in cells.items()}
        values = {field: self._value(cells.get(field, "")) for field in FIELDS}
        problems: list[tuple[str, str]] = []
        tags = self._tags(raw, values["tags"], problems)
        message = Message(
            body=cells["body"],
            external_id=values["externalId"] or self._made_id(values),
            author=_author(values["authorName"], values["authorEmail"], values["authorExternalId"]),
            rating=_rating(values["rating"], problems),
            occurred_at=_moment(values["occurredAt"], problems),
            metadata=self._metadata(raw, values["metadata"], problems),
        )
        language = _language(values["language"], problems)
        source = self._source(values["source"], problems)
        metadata = None
        try:
            metadata = feedback.check(message, self._now)
        except InvalidInputError as error:
            problems += [
                (_CHECKED.get(each.path, each.path[0]), each.message) for each in error.fields
            ]
        if not problems:
            return Row(raw.number, message, tags, metadata, language, source)
        concerned = dict.fromkeys(self._mapping.get(field, field) for field, _ in problems)
        return Refusal(
            raw.number,
            ", ".join(map(_shown, concerned)),
            "; ".join(reason for _, reason in problems),
            _shown(raw.original),
        )

    def _made_id(self, values: Mapping[str, str | None]) -> str:
        said = orjson.dumps([_storable(values[field] or "") for field in _TELLING])
        digest = hashlib.blake2b(said, digest_size=16).digest()
        return f"row-{digest.hex()}-{self._occurrence(digest)}"

    def _value(self, text: str) -> str | None:
        return (text if self._is_ours else text.strip()) or None

    def _metadata(self, raw: Raw, text: str | None, problems: list[tuple[str, str]]) -> Any:
        found = raw.values.get(self._mapping.get("metadata", ""))
        try:
            if found is not None:
                return orjson.loads(
                    orjson.dumps(found, _as_written, orjson.OPT_PASSTHROUGH_SUBCLASS)
                )
            return None if text is None else orjson.loads(text)
        except (TypeError, ValueError):
            problems.append(("metadata", "must be a JSON object"))
            return None

    def _source(self, name: str | None, problems: list[tuple[str, str]]) -> str | None:
        if name is None:
            return None
        if len(name) > LONGEST_SOURCE or "\x00" in name or not _is_storable(name):
            problems.append(("source", f"must be a name of at most {LONGEST_SOURCE} characters"))
        elif len(self._sources | {name}) > MOST_SOURCES:
            reason = f"must be among the first {MOST_SOURCES} different sources of the file"
            problems.append(("source", reason))
        else:
            self._sources.add(name)
        return name

    def _tags(self, raw: Raw, text: str | None, problems: list[tuple[str, str]]) -> tuple[str, ...]:
        names = self._tag_list(raw, text or "")
        most, most_names = (
            (tag.MOST_TAGS, _MOST_TAG_NAMES_OF_OURS)
            if self._is_ours
            else (MOST_TAGS, MOST_TAG_NAMES)
        )
        if len(names) > most:
            problems.append(("tags", f"must be at most {most}, are {len(names)}"))
        elif any(len(name) > LONGEST_TAG for name in names.values()):
            problems.append(("tags", f"must have at most {LONGEST_TAG} characters each"))
        elif any("\x00" in name or not _is_storable(name) for name in names.values()):
            problems.append(("tags", "must be valid Unicode text"))
        elif len(self._tag_names.union(names)) > most_names:
            reason = f"must be among the first {most_names} different tags of the file"
            problems.append(("tags", reason))
        else:
            self._tag_names.update(names)
        return tuple(names.values())

    def _tag_list(self, raw: Raw, text: str) -> dict[str, str]:
        """The names of a row's tags by what makes them one."""
        found = raw.values.get(self._mapping.get("tags", ""))
        listed = found if isinstance(found, list) else None
        if self._is_ours:
            words = cell.split(text) if listed is None else map(str, listed)
            return {name: name for name in words if name}
        words = _SEPARATORS.split(text) if listed is None else map(str, listed)
        return {name.strip().casefold(): name.strip() for name in words if name.strip()}


def _as_written(value: Any) -> Any:
    """What orjson leaves to us: numbers."""
    if isinstance(value, Number):
        return orjson.Fragment(value.encode())
    raise TypeError


def _language(text: str | None, problems: list[tuple[str, str]]) -> str | None:
    if text is not None and _LANGUAGE.fullmatch(text) is None:
        problems.append(("language", "must be a language tag, such as en or pt-BR"))
    return text


def _author(name: str | None, email: str | None, external_id: str | None) -> Author | None:
    if name is email is external_id is None:
        return None
    return Author(name=name, email=email, external_id=external_id)


def _rating(text: str | None, problems: list[tuple[str, str]]) -> int | None:
    if text is None:
        return None
    if _RATING.fullmatch(text) is None or not text.isascii():
        problems.append(("rating", "must be a whole number from 0 to 10"))
        return None
    return int(re.split("[.,]", text)[0])


def _moment(text: str | None, problems: list[tuple[str, str]]) -> datetime | None:
    if text is None:
        return None
    try:
        return moment.read(text)
    except ValueError as error:
        problems.append(("occurredAt", str(error)))
        return None


def _is_storable(text: str) -> bool:
    return _storable(text) == text


def _storable(text: str) -> str:
    return text if text.isascii() else text.encode(errors="replace").decode()


def _shown(text: str) -> str:
    """What was written, as far as it may be stored and is of use."""
    return _storable(text[:_LONGEST_ORIGINAL]).replace("\x00", "\N{REPLACEMENT CHARACTER}")
