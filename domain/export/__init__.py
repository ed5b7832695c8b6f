"""Exports: a workspace's feedback as a table, as lines of JSON or as a report, read from one snapshot."""

from domain.export.asking import EXPORT, Format, StartExport, Wanted, filter_of, start
from domain.export.figures import Figures, figures
from domain.export.keeping import CONTENT_TYPES, KEPT, keep, place
from domain.export.parquet import GROUP
from domain.export.parquet import write as write_parquet
from domain.export.reading import BATCH, admit, batches, total
from domain.export.report import draw
from domain.export.rows import NAMES, csv_head, csv_rows, json_lines
from domain.export.scheduling import (
    SCHEDULED_EXPORT,
    Due,
    ExportSchedule,
    Period,
    Settings,
    by_ids,
    due,
    message,
    of_workspaces,
)
from domain.export.scheduling import create as schedule
from domain.export.scheduling import remove as unschedule
from domain.export.scheduling import update as reschedule

__all__ = [
    "BATCH",
    "CONTENT_TYPES",
    "EXPORT",
    "GROUP",
    "KEPT",
    "NAMES",
    "SCHEDULED_EXPORT",
    "Due",
    "ExportSchedule",
    "Figures",
    "Format",
    "Period",
    "Settings",
    "StartExport",
    "Wanted",
    "admit",
    "batches",
    "by_ids",
    "csv_head",
    "csv_rows",
    "draw",
    "due",
    "figures",
    "filter_of",
    "json_lines",
    "keep",
    "message",
    "of_workspaces",
    "place",
    "reschedule",
    "schedule",
    "start",
    "total",
    "unschedule",
    "write_parquet",
]
