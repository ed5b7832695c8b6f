"""From a row of a file to a message: every rule that a single row must keep."""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import orjson

from domain import feedback
from domain.errors import InvalidInputError
from domain.feedback import Author, Message
from domain.imports import moment
from domain.imports.columns import FIELDS
from domain.imports.records import Raw

MOST_TAGS = 20
MOST_TAG_NAMES = 200
LONGEST_TAG = 60
_LONGEST_ORIGINAL = 1_000
_RATING = re.compile(r"[+-]?\d{1,6}(?:[.,]0+)?")
_SEPARATORS = re.compile(r"[,;|]")
_CHECKED: Mapping[tuple[str, ...], str] = {
    ("author", "name"): "authorName",
    ("author", "email"): "authorEmail",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A row that may be stored."""

    number: int
    message: Message
    tags: tuple[str, ...]


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
    the same ids.
    """

    def __init__(
        self, mapping: Mapping[str, str], occurrence: Callable[[bytes], int], now: datetime
    ) -> None:
        self._mapping = mapping
        self._occurrence = occurrence
        self._now = now
        self._tag_names: set[str] = set()

    def of(self, rows: Iterator[Raw]) -> Iterator[Row | Refusal]:
        return map(self.read, rows)

    def read(self, raw: Raw) -> Row | Refusal:
        """The message of the row after those that were read before."""
        if raw.problem is not None:
            return Refusal(raw.number, "", raw.problem, _shown(raw.original))
        cells = {field: raw.cells.get(column, "") for field, column in self._mapping.items()}
        values = {field: cells.get(field, "").strip() or None for field in FIELDS}
        problems: list[tuple[str, str]] = []
        tags = self._tags(values["tags"], problems)
        message = Message(
            body=cells["body"],
            external_id=values["externalId"] or self._made_id(values),
            author=_author(values["authorName"], values["authorEmail"]),
            rating=_rating(values["rating"], problems),
            occurred_at=_moment(values["occurredAt"], problems),
        )
        try:
            feedback.check(message, self._now)
        except InvalidInputError as error:
            problems += [
                (_CHECKED.get(each.path, each.path[0]), each.message) for each in error.fields
            ]
        if not problems:
            return Row(raw.number, message, tags)
        columns = dict.fromkeys(self._mapping.get(field, field) for field, _ in problems)
        return Refusal(
            raw.number,
            ", ".join(map(_shown, columns)),
            "; ".join(reason for _, reason in problems),
            _shown(raw.original),
        )

    def _made_id(self, values: Mapping[str, str | None]) -> str:
        said = orjson.dumps([_storable(values[field] or "") for field in FIELDS])
        digest = hashlib.blake2b(said, digest_size=16).digest()
        return f"row-{digest.hex()}-{self._occurrence(digest)}"

    def _tags(self, text: str | None, problems: list[tuple[str, str]]) -> tuple[str, ...]:
        names = {name.strip().casefold(): name.strip() for name in _SEPARATORS.split(text or "")}
        names.pop("", None)
        if len(names) > MOST_TAGS:
            problems.append(("tags", f"must be at most {MOST_TAGS}, are {len(names)}"))
        elif any(len(name) > LONGEST_TAG for name in names.values()):
            problems.append(("tags", f"must have at most {LONGEST_TAG} characters each"))
        elif any("\x00" in name or not _is_storable(name) for name in names.values()):
            problems.append(("tags", "must be valid Unicode text"))
        elif len(self._tag_names.union(names)) > MOST_TAG_NAMES:
            reason = f"must be among the first {MOST_TAG_NAMES} different tags of the file"
            problems.append(("tags", reason))
        else:
            self._tag_names.update(names)
        return tuple(names.values())


def _author(name: str | None, email: str | None) -> Author | None:
    return None if name is email is None else Author(name=name, email=email)


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
