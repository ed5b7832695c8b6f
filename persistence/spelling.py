"""Rows written as JSON by Postgres: for what only passes through on its way to a response.

Postgres writes each row as one text. Decoding its columns, building an object and encoding that again take Python five
times as long as taking the text. What is not of the row itself is left out of it, at a `Mark`, and filled in here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

from sqlalchemy import Integer, Select, Text, case, func, literal_column, or_
from sqlalchemy import cast as sql_cast
from sqlalchemy.sql.base import ColumnCollection
from sqlalchemy.sql.elements import ColumnElement

from persistence.statement import array_of


class Said(NamedTuple):
    """A text."""

    column: str


class Number(NamedTuple):
    """A whole number, or true or false."""

    column: str


class Decimal(NamedTuple):
    """A number that is written with a point: `1.0`; very small ones with an exponent: `3e-05`."""

    column: str


class Moment(NamedTuple):
    """A time: `2026-11-22T18:30:00.123456Z`, without the fraction where that is zero."""

    column: str


class Identifier(NamedTuple):
    """A UUID behind a prefix: `feedback_019d...`."""

    column: str
    prefix: str


class Embedded(NamedTuple):
    """JSON that is stored as such."""

    column: str


class Part(NamedTuple):
    """An object of columns of the same row whose names begin with `prefix`; null where all that `tell` are null."""

    prefix: str = ""
    tell: tuple[str, ...] = ()


class Mark(NamedTuple):
    """What is filled in later: MARK stands for it."""

    name: str


SOURCE, ASSIGNEE, TAGS, CURSOR = Mark("source"), Mark("assignee"), Mark("tags"), Mark("cursor")
MARK = "\x01"
"""A control character, which JSON text never has."""
ID_BYTES = 16
MOST_ENTRIES = 64
"""Fields of an outline, those within it included: more would take long to compile, and nobody needs them."""


class Entry(Protocol):
    """A field of an object: its key, how it is spelled (None: the name of the type), and what is in it."""

    @property
    def key(self) -> str: ...
    @property
    def spelling(self) -> Any: ...
    @property
    def below(self) -> "Outline | None": ...


class Outline(Protocol):
    """What is to be written of objects of one type; equal ones are the same."""

    @property
    def type_name(self) -> str: ...
    @property
    def weight(self) -> int: ...
    @property
    def entries(self) -> tuple[Any, ...]: ...
    def __hash__(self) -> int: ...


_Columns = Mapping[str, ColumnElement[Any]] | ColumnCollection[str, Any]
_NULL = "null"
_MOMENT = r'\"YYYY-MM-DD"T"HH24:MI:SS.US"Z"\"'


@dataclass(frozen=True, slots=True, eq=False)
class Written:
    """How the objects of an outline are written: what of, and what is filled in later, in the order of the text."""

    outline: Outline
    columns: frozenset[str]
    marks: Mapping[Mark, Outline | None]

    def text(self, columns: _Columns) -> ColumnElement[str]:
        """The object of a row, as JSON."""
        return _joined(_object(self.outline, columns, ""))

    def weight(self, columns: _Columns) -> ColumnElement[int]:
        """What an object weighs in the result with all in it, but for what is filled in."""
        total: ColumnElement[int] = literal_column(str(_weight(self.outline)), Integer)
        for part in _parts(self.outline):
            assert part.below is not None  # noqa: S101 - it was looked at
            there = sql_cast(_is_there(part.spelling.tell, columns), Integer)
            total += there * literal_column(str(_weight(part.below)), Integer)
        return total

    def weight_of(self, mark: Mark) -> int:
        """What each object weighs that is filled in there; nothing where it is not."""
        below = self.marks.get(mark)
        return 0 if below is None else _weight(below)


@lru_cache(maxsize=1024)
def written(outline: Outline, known: frozenset[str]) -> Written | None:
    """How to write it from rows with these columns; None where it cannot be."""
    columns: set[str] = set()
    marks: dict[Mark, Outline | None] = {}
    if _entries(outline) > MOST_ENTRIES or not _look(outline, "", columns, marks):
        return None
    if not columns <= known:
        return None
    return Written(outline, frozenset(columns), marks)


def _entries(outline: Outline) -> int:
    inner = (_entries(entry.below) for entry in outline.entries if entry.below is not None)
    return len(outline.entries) + sum(inner)


def _look(
    outline: Outline, prefix: str, columns: set[str], marks: dict[Mark, Outline | None]
) -> bool:
    """Find the columns and marks; False where something is not known here, or there twice."""
    for entry in outline.entries:
        match entry.spelling:
            case None:
                pass
            case Mark():
                if entry.spelling in marks:
                    return False
                marks[entry.spelling] = entry.below
            case Part(inner, tell):
                before = len(marks)
                columns.update(tell)
                if entry.below is None or not _look(entry.below, prefix + inner, columns, marks):
                    return False
                if tell and len(marks) > before:
                    return False
            case (
                Said(name)
                | Number(name)
                | Decimal(name)
                | Moment(name)
                | Identifier(name)
                | Embedded(name)
            ):
                columns.add(prefix + name)
            case _:
                return False
    return True


def nested(of: Select[Any], outline: Outline, key: ColumnElement[Any]) -> ColumnElement[Any]:
    """The rows of a SELECT as a value of another: an array of pairs, a key and the row as JSON."""
    how = written(outline, frozenset(of.selected_columns.keys()))
    assert how is not None  # noqa: S101 - who asks has found out that they can be written
    pair = func.row(key, how.text(of.selected_columns))
    return array_of(of.with_only_columns(pair, maintain_column_froms=True))


def cut(together: bytes, size: int) -> list[bytes]:
    """What was put one behind the other, each of so many bytes."""
    return [together[start : start + size] for start in range(0, len(together), size)]


_Pieces = list["str | ColumnElement[Any]"]


def _object(outline: Outline, columns: _Columns, prefix: str) -> _Pieces:
    pieces: _Pieces = ["{"]
    for number, entry in enumerate(outline.entries):
        pieces.append(f'{"," if number else ""}"{entry.key}":')
        pieces += _value(entry, outline, columns, prefix)
    return [*pieces, "}"]


def _value(entry: Entry, outline: Outline, columns: _Columns, prefix: str) -> _Pieces:
    match entry.spelling:
        case None:
            return [f'"{outline.type_name}"']
        case Mark():
            return [MARK]
        case Part(inner, tell):
            assert entry.below is not None  # noqa: S101 - it was looked at
            pieces = _object(entry.below, columns, prefix + inner)
            if not tell:
                return pieces
            return [case((_is_there(tell, columns), _joined(pieces)), else_=_literal(_NULL))]
        case spelling:
            text = _scalar(spelling, columns[prefix + spelling.column])
            return [func.coalesce(text, _literal(_NULL))]


def _scalar(spelling: Any, value: ColumnElement[Any]) -> ColumnElement[Any]:
    """A value as JSON; NULL where it is that."""
    match spelling:
        case Identifier(_, before):
            hexadecimal = func.encode(func.uuid_send(value), _literal("hex"))
            return _joined([f'"{before}', hexadecimal, '"'])
        case Said():
            return sql_cast(func.to_json(value), Text)
        case Moment():
            told = func.to_char(func.timezone(_literal("UTC"), value), _literal(_MOMENT))
            return func.replace(told, _literal(".000000Z"), _literal("Z"))
        case Decimal():
            digits = sql_cast(value, Text)
            whole = digits.op("||", return_type=Text())(_literal(".0"))
            return case((value == func.trunc(value), whole), else_=digits)
        case _:
            return sql_cast(value, Text)


def _is_there(tell: tuple[str, ...], columns: _Columns) -> ColumnElement[bool]:
    return or_(*(columns[name].is_not(None) for name in tell))


def _literal(text: str) -> ColumnElement[str]:
    quoted = text.replace("'", "''")
    return literal_column(f"'{quoted}'", Text)


def _joined(pieces: _Pieces) -> ColumnElement[str]:
    """The pieces one behind the other; none of them is null."""
    found: list[ColumnElement[Any]] = []
    literal = ""
    for piece in [*pieces, None]:
        if isinstance(piece, str):
            literal += piece
            continue
        if literal:
            found.append(_literal(literal))
            literal = ""
        if piece is not None:
            found.append(piece)
    while len(found) > 1:
        # By pairs: the expression is less deep, and less is copied.
        pairs = zip(found[::2], found[1::2], strict=False)
        rest = found[-1:] if len(found) % 2 else []
        found = [left.op("||", return_type=Text())(right) for left, right in pairs] + rest
    return found[0]


def _weight(outline: Outline) -> int:
    """Of an object and those in it that are always there."""
    inner = (
        _weight(entry.below)
        for entry in outline.entries
        if isinstance(entry.spelling, Part) and not entry.spelling.tell
    )
    return outline.weight + sum(inner)


def _parts(outline: Outline) -> Iterator[Any]:
    """The entries whose objects may be null."""
    for entry in outline.entries:
        if isinstance(entry.spelling, Part):
            if entry.spelling.tell:
                yield entry
            yield from _parts(entry.below)
