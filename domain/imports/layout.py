"""How a file is written: its format, encoding, delimiter and columns, found out from its bytes alone."""

import codecs
import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from pathlib import Path

from domain.errors import InvalidInputError
from domain.imports import workbook
from domain.imports.records import flat, is_blank, lines, split

SAMPLE = 512 * 1024
"""So many bytes tell how a file is written, and are what a preview reads."""
MOST_COLUMNS = 500
_BLOCK = 1 << 20
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DELIMITERS = (",", ";", "\t", "|")
_COMPARED = 100
_BROKEN = re.compile("[\udc80-\udcff]")
_ZIP = b"PK\x03\x04"


class Format(StrEnum):
    """CSV is with any delimiter, so TSV too."""

    CSV = "CSV"
    NDJSON = "NDJSON"
    XLSX = "XLSX"


@dataclass(frozen=True, slots=True)
class Layout:
    """`encoding` is Python's name of it; None for XLSX. `delimiter` is None for all but CSV."""

    format: Format
    encoding: str | None
    delimiter: str | None
    columns: tuple[str, ...]


def is_workbook(head: bytes) -> bool:
    return head.startswith(_ZIP)


def detect(path: Path) -> Layout:
    """How the file is written; InvalidInputError where that cannot be told."""
    with path.open("rb") as file:
        head = file.read(SAMPLE)
        if is_workbook(head):
            return Layout(Format.XLSX, None, None, _checked(workbook.header(path)))
        encoding = _encoding(head, iter(lambda: file.read(_BLOCK), b""))
    text = head.decode(encoding, "replace")
    if not text.strip():
        raise InvalidInputError("The file is empty.")
    is_cut = len(head) == SAMPLE
    first = text.lstrip()[:1]
    if first == "[":
        raise InvalidInputError("The file is a JSON array: write one object per line (NDJSON).")
    if first == "{":
        return Layout(Format.NDJSON, encoding, None, _checked(_names(text)))
    delimiter = max(_DELIMITERS, key=lambda candidate: _fitness(text, candidate, is_cut=is_cut))
    header = next(_cells(text, delimiter, is_cut=is_cut), [])
    return Layout(Format.CSV, encoding, delimiter, _checked(tuple(name.strip() for name in header)))


def _encoding(head: bytes, rest: Iterable[bytes]) -> str:
    """What the byte order mark says; else UTF-8, unless more of what is not ASCII is broken as UTF-8 than whole."""
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return encoding
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    whole = broken = 0
    for block in chain((head,), rest):
        text = decoder.decode(block)
        if not text.isascii():
            strange = len(_BROKEN.findall(text))
            broken += strange
            whole += len(text) - len(text.encode("ascii", "ignore")) - strange
    return "utf-8" if whole >= broken else "cp1252"


def _cells(text: str, delimiter: str, *, is_cut: bool) -> Iterator[list[str]]:
    for record, problem in split(io.StringIO(text, newline=""), delimiter, is_cut=is_cut):
        if problem is None:
            try:
                yield next(csv.reader([record], delimiter=delimiter, strict=True))
            except csv.Error:
                continue


def _fitness(text: str, delimiter: str, *, is_cut: bool) -> tuple[float, int]:
    """How many of the first records have as many fields as the first one, if that has several; then how many."""
    widths: list[int] = []
    for cells in _cells(text, delimiter, is_cut=is_cut):
        widths.append(len(cells))
        if len(widths) == _COMPARED:
            break
    if not widths or widths[0] == 1:
        return (0, 0)
    return (Counter(widths)[widths[0]] / len(widths), widths[0])


def _names(text: str) -> tuple[str, ...]:
    """The names in the first objects."""
    names: dict[str, None] = {}
    written = (line for line, _ in lines(io.StringIO(text, newline="")) if not is_blank(line))
    for number, line in enumerate(written):
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict):
            names |= dict.fromkeys(found) | dict.fromkeys(flat(found))
        if number == _COMPARED:
            break
    return tuple(names)


def _checked(columns: tuple[str, ...]) -> tuple[str, ...]:
    if len(columns) > MOST_COLUMNS:
        raise InvalidInputError(f"The file has {len(columns):,} columns; {MOST_COLUMNS} may be.")
    return columns
