"""Exports: a workspace's feedback as a table, as lines of JSON or as a report, read from one snapshot."""

from domain.export.asking import EXPORT, Format, StartExport, Wanted, start
from domain.export.figures import Figures, figures
from domain.export.keeping import CONTENT_TYPES, KEPT, keep, place
from domain.export.reading import BATCH, admit, batches, total
from domain.export.report import draw
from domain.export.rows import NAMES, csv_head, csv_rows, json_lines

__all__ = [
    "BATCH",
    "CONTENT_TYPES",
    "EXPORT",
    "KEPT",
    "NAMES",
    "Figures",
    "Format",
    "StartExport",
    "Wanted",
    "admit",
    "batches",
    "csv_head",
    "csv_rows",
    "draw",
    "figures",
    "json_lines",
    "keep",
    "place",
    "start",
    "total",
]
