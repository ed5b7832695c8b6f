"""Feedback as rows of CSV and as lines of JSON, with the same names in both; docs/exports.md describes them."""

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from domain import ids
from domain.cells import harmless, joined
from domain.feedback import Feedback
from domain.ids import Kind

NAMES = (
    "id",
    "source",
    "sourceId",
    "externalId",
    "authorName",
    "authorEmail",
    "authorExternalId",
    "body",
    "rating",
    "language",
    "tags",
    "sentimentLabel",
    "sentimentScore",
    "sentimentConfidence",
    "sentimentModel",
    "metadata",
    "occurredAt",
    "receivedAt",
    "status",
    "assignee",
)
_feedback_id = ids.writer(Kind.FEEDBACK)
_source_id = ids.writer(Kind.SOURCE)
_LINE = orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z


def csv_head() -> bytes:
    """The names, after the mark by which Excel knows UTF-8."""
    return b"\xef\xbb\xbf" + _table([NAMES])


def csv_rows(rows: Sequence[Feedback]) -> bytes:
    """RFC 4180. Numbers are as they are, and of all else nothing is a formula."""
    return _table([[_cell(value) for value in values(row)] for row in rows])


def json_lines(rows: Sequence[Feedback]) -> bytes:
    """One object a line, with every name."""
    return b"".join(
        orjson.dumps(dict(zip(NAMES, values(row), strict=True)), option=_LINE) for row in rows
    )


def values(row: Feedback) -> tuple[Any, ...]:
    """In the order of NAMES. What is JSON stays as Postgres wrote it."""
    assert row.source is not None  # noqa: S101 - a page for an export brings it along
    return (
        _feedback_id(row.id),
        row.source.name,
        _source_id(row.source_id),
        row.external_id,
        row.author_name,
        row.author_email,
        row.author_external_id,
        row.body,
        row.rating,
        row.language,
        [tag.name for tag in row.tags or ()],
        row.sentiment_label,
        row.sentiment_score,
        row.sentiment_confidence,
        row.sentiment_model,
        None if row.metadata is None else orjson.Fragment(row.metadata),
        row.occurred_at,
        row.received_at,
        row.status,
        row.assignee,
    )


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return harmless(value)
    if isinstance(value, list):
        return harmless(joined(value))
    if isinstance(value, orjson.Fragment):
        return orjson.dumps(value).decode()
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value


def _table(rows: Sequence[Sequence[Any]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()
