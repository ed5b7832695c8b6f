"""Imports: files of feedback, looked into, stored row by row once, and undone."""

from domain.imports.asking import IMPORT, UNDO, StartImport, start, undo
from domain.imports.fetching import fetch
from domain.imports.layout import Format
from domain.imports.previewing import Preview, PreviewImport, preview
from domain.imports.row import Refusal, Row
from domain.imports.storing import (
    Batch,
    batches,
    finish,
    forget,
    keep,
    report,
    stored,
    take_away,
    was_undone,
)

__all__ = [
    "IMPORT",
    "UNDO",
    "Batch",
    "Format",
    "Preview",
    "PreviewImport",
    "Refusal",
    "Row",
    "StartImport",
    "batches",
    "fetch",
    "finish",
    "forget",
    "keep",
    "preview",
    "report",
    "start",
    "stored",
    "take_away",
    "undo",
    "was_undone",
]
