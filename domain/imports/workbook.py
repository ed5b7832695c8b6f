"""Sheets of XLSX files: the first one of a workbook, row by row, never unpacked as a whole."""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from itertools import islice
from pathlib import Path
from typing import Any

import openpyxl

from domain.errors import InvalidInputError

LARGEST = 64 * 2**20
"""Of a file that may be opened, in bytes."""
_LARGEST_UNPACKED = 2**30
# All texts of a workbook are in one list, which is held in memory.
_LARGEST_TEXTS = 64 * 2**20
_TEXTS = "xl/sharedStrings.xml"
_MOST_ROWS = 1_048_576
_NOT_READABLE = "The file is no XLSX file that can be read."


def header(path: Path) -> tuple[str, ...]:
    """The names of the columns: what stands in the first row that is not empty."""
    with _rows(path) as (rows, _):
        found = next(filter(any, rows), None)
    if found is None:
        raise InvalidInputError("The file is empty.")
    while not found[-1]:
        found.pop()
    return tuple(name.strip() for name in found)


@contextmanager
def below_header(path: Path, width: int) -> Iterator[tuple[Iterator[list[str]], int]]:
    """The rows below the header, each at least so wide, and about how many there are."""
    with _rows(path) as (rows, count):
        next(filter(any, rows), None)
        yield (cells + [""] * (width - len(cells)) if any(cells) else [] for cells in rows), count


@contextmanager
def _rows(path: Path) -> Iterator[tuple[Iterator[list[str]], int]]:
    _check(path)
    with path.open("rb") as file:
        with _in_our_words():
            book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
        if not book.worksheets:
            raise InvalidInputError(_NOT_READABLE)
        sheet: Any = book.worksheets[0]
        count = sheet.max_row or _MOST_ROWS
        # Else each row would be as wide as the file says that the sheet is.
        sheet.reset_dimensions()
        yield _texts(sheet), min(count, _MOST_ROWS)


def _texts(sheet: Any) -> Iterator[list[str]]:
    with _in_our_words():
        for values in islice(sheet.iter_rows(values_only=True), _MOST_ROWS):
            yield [_text(value) for value in values]


def _check(path: Path) -> None:
    """What unpacks to more than was to be expected is refused before it is unpacked."""
    if path.stat().st_size > LARGEST:
        raise InvalidInputError("An XLSX file may have 64 MiB at most; save larger ones as CSV.")
    with _in_our_words(), zipfile.ZipFile(path) as archive:
        sizes = {entry.filename: entry.file_size for entry in archive.infolist()}
    if sum(sizes.values()) > _LARGEST_UNPACKED or sizes.get(_TEXTS, 0) > _LARGEST_TEXTS:
        raise InvalidInputError("The XLSX file is too large when unpacked; save it as CSV.")


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case float() if value.is_integer():
            return str(int(value))
        case datetime() | date() | time():
            return value.isoformat()
        case _:
            return str(value)


@contextmanager
def _in_our_words() -> Iterator[None]:
    """Whatever openpyxl raises, with what its parsers and its own assumptions do, is about the file."""
    try:
        yield
    except (GeneratorExit, InvalidInputError):
        raise
    except Exception as error:
        raise InvalidInputError(_NOT_READABLE) from error
