"""The rows of a file as they are written, one after the other: a broken one never takes its neighbours with it."""

import csv
import io
import json
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, TextIO

from domain.imports.columns import is_ours

LONGEST = 393_216
"""So many characters a row may have."""
_MOST_LINES = 1_000
# What we have written may have as many lines as characters; but who looks so far for each of many quotes never ends.
_MOST_LINES_OF_OURS = 50_000
_MOST_UNCLOSED = 20
_ENDS = ("\n", "\r")
_NESTED = (dict, list)
_UNCLOSED = "a quote is not closed, or stands within a field without being doubled"


@dataclass(frozen=True, slots=True)
class Raw:
    """A row: its number, the first below the header being 1, and either its cells or what is wrong with it.

    `values` are those of a JSON object that are no text: its objects and lists.
    """

    number: int
    cells: Mapping[str, str]
    original: str
    problem: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)


class Number(str):
    """A number of JSON, as it is written."""

    __slots__ = ()


class _State(Enum):
    WHOLE = auto()
    OPEN = auto()
    BAD = auto()


Line = tuple[str, bool]


def lines(file: TextIO) -> Iterator[Line]:
    """Each line, and whether that is all of it: what is too long is cut."""
    while line := file.readline(LONGEST):
        is_whole = _ends(line)
        if not is_whole:
            while (rest := file.readline(LONGEST)) and not _ends(rest):
                pass
        yield line, is_whole


def is_blank(line: str) -> bool:
    return not line.strip("\r\n")


def _ends(line: str) -> bool:
    return len(line) < LONGEST or line.endswith(_ENDS)


def split(
    file: TextIO, delimiter: str, *, is_cut: bool = False, is_ours: bool = False
) -> Iterator[tuple[str, str | None]]:
    """Each record of a CSV file, and what is wrong with it.

    A quote that is opened and not closed properly refuses its own line alone: the next line begins another record.
    Blank lines between records are none. Where the file `is_cut`, what is open at its end is left out.
    """
    ahead = lines(file)
    waiting: deque[Line] = deque()
    most_lines, unclosed = _MOST_LINES_OF_OURS if is_ours else _MOST_LINES, 0
    while (first := waiting.popleft() if waiting else next(ahead, None)) is not None:
        line, is_whole = first
        if is_blank(line):
            continue
        if is_cut and not line.endswith(_ENDS):
            return
        if not is_whole:
            yield line, f"is longer than {LONGEST:,} characters"
            continue
        state = _State.WHOLE if '"' not in line else _scan(line, delimiter, is_inside=False)
        taken: list[Line] = []
        size = len(line)
        while state is _State.OPEN and size <= LONGEST and len(taken) < most_lines:
            more = waiting.popleft() if waiting else next(ahead, None)
            if more is None:
                if is_cut:
                    return
                break
            taken.append(more)
            size += len(more[0])
            state = _scan(more[0], delimiter, is_inside=True) if more[1] else _State.BAD
        if state is _State.WHOLE:
            yield line + "".join(text for text, _ in taken), None
        else:
            waiting.extendleft(reversed(taken))
            unclosed += 1
            if unclosed == _MOST_UNCLOSED:
                most_lines = _MOST_LINES
            yield line, _UNCLOSED


def _scan(line: str, delimiter: str, *, is_inside: bool) -> _State:
    """What a line does with its quotes, the first of its fields having been opened before if it `is_inside`."""
    end, at = len(line.rstrip("\r\n")), 0
    while True:
        if is_inside:
            at = line.find('"', at)
            if at < 0:
                return _State.OPEN
            if line.startswith('"', at + 1):
                at += 2
                continue
            is_inside = False
            at += 1
            if at < end and line[at] != delimiter:
                return _State.BAD
            at += 1
        if at >= end:
            return _State.WHOLE
        if line[at] == '"':
            is_inside = True
        elif (at := line.find(delimiter, at)) < 0:
            return _State.WHOLE
        at += 1


def of_csv(
    file: TextIO, columns: Sequence[str], delimiter: str, *, is_cut: bool = False
) -> Iterator[Raw]:
    """The rows below the header."""
    records = split(file, delimiter, is_cut=is_cut, is_ours=is_ours(columns))
    next(records, None)
    for number, (record, found) in enumerate(records, start=1):
        cells, problem = list[str](), found
        if problem is None:
            try:
                cells = next(csv.reader([record], delimiter=delimiter, strict=True))
            except csv.Error:
                problem = f"has a field of more than {csv.field_size_limit():,} characters"
        original = record.rstrip("\r\n")
        yield (
            named(number, columns, cells, original)
            if problem is None
            else Raw(number, {}, original, problem)
        )


def of_ndjson(file: TextIO, *, is_cut: bool = False) -> Iterator[Raw]:
    """One object per line; numbers stay as they are written."""
    written = ((line, is_whole) for line, is_whole in lines(file) if not is_blank(line))
    for number, (line, is_whole) in enumerate(written, start=1):
        if is_cut and not line.endswith(_ENDS):
            return
        original, found, problem = line.rstrip("\r\n"), None, None
        try:
            found = json.loads(line, parse_float=Number, parse_int=Number, parse_constant=str)
        except (ValueError, RecursionError):
            problem = "is not JSON" if is_whole else f"is longer than {LONGEST:,} characters"
        if problem is None and not isinstance(found, dict):
            problem = "is not a JSON object"
        if problem is None and isinstance(found, dict):
            values = {name: value for name, value in found.items() if isinstance(value, _NESTED)}
            yield Raw(number, flat(found), original, values=values)
        else:
            yield Raw(number, {}, original, problem)


def of_cells(rows: Iterator[list[str]], columns: Sequence[str]) -> Iterator[Raw]:
    """The rows of a sheet; those without anything in them are none."""
    for number, cells in enumerate(filter(any, rows), start=1):
        yield named(number, columns, cells, _written(cells))


def named(number: int, columns: Sequence[str], cells: list[str], original: str) -> Raw:
    """A row by the names of its columns; fields that are too many may only be empty."""
    while len(cells) > len(columns) and not cells[-1]:
        cells.pop()
    if len(cells) == len(columns):
        return Raw(number, dict(zip(columns, cells, strict=True)), original)
    return Raw(number, {}, original, f"has {len(cells)} fields where the header has {len(columns)}")


def flat(found: Any) -> dict[str, str]:
    """An object's values as text; those of an object within it have names with a dot."""
    if not isinstance(found, dict):
        return {}
    cells: dict[str, str] = {}
    for name, value in found.items():
        if isinstance(value, dict):
            cells |= {f"{name}.{inner}": _text(of) for inner, of in value.items()}
        else:
            cells[name] = _text(value)
    return cells


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return str(value).lower()
        case list():
            return "|".join(_text(each) for each in value)
        case _:
            return json.dumps(value, ensure_ascii=False)


def _written(cells: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(cells)
    return text.getvalue()
