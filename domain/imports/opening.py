"""A file's rows in their order, read piece by piece, and how much of it has been read."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from domain.imports import workbook
from domain.imports.layout import Format, Layout
from domain.imports.records import Raw, of_cells, of_csv, of_ndjson

Fraction = Callable[[], float]
"""How much of the file has been read, from 0 to 1."""


@contextmanager
def opened(
    path: Path, layout: Layout, *, is_cut: bool = False
) -> Iterator[tuple[Iterator[Raw], Fraction]]:
    """The rows below the header; a last one that is not all there is left out where the file `is_cut`."""
    if layout.format is Format.XLSX:
        with workbook.below_header(path, len(layout.columns)) as (cells, count):
            done = _Counted(of_cells(cells, layout.columns))
            yield done, lambda: min(1.0, done.number / count)
        return
    size = max(1, path.stat().st_size)
    with path.open("rb") as file:
        errors = "replace" if layout.encoding == "utf-16" else "surrogateescape"
        text = io.TextIOWrapper(file, layout.encoding, errors, newline="")
        if layout.delimiter is None:
            rows: Iterator[Raw] = of_ndjson(text, is_cut=is_cut)
        else:
            rows = of_csv(text, layout.columns, layout.delimiter, is_cut=is_cut)
        yield rows, lambda: file.tell() / size


class _Counted(Iterator[Raw]):
    """Rows, and the number of the last one."""

    def __init__(self, rows: Iterator[Raw]) -> None:
        self._rows = rows
        self.number = 0

    def __next__(self) -> Raw:
        row = next(self._rows)
        self.number = row.number
        return row
