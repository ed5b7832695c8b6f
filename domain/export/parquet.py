"""Feedback as a Parquet file: typed columns, in groups of rows, so that any number takes the same memory."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate, chain
from typing import Any, BinaryIO

import orjson
from arro3.core import Array, DataType, Field, RecordBatch, RecordBatchReader, Schema, list_array
from arro3.io import write_parquet

from domain.export.rows import NAMES, values
from domain.feedback import Feedback

GROUP = 5_000
"""So many rows are compressed together, and are in memory until then."""

_TEXT = DataType.utf8()
_TAGS = DataType.list(Field("element", _TEXT, nullable=False))
_MOMENT = DataType.timestamp("us", tz="UTC")
_TYPES = {
    "rating": DataType.int16(),
    "tags": _TAGS,
    "sentimentScore": DataType.float64(),
    "sentimentConfidence": DataType.float64(),
    "occurredAt": _MOMENT,
    "receivedAt": _MOMENT,
}
_ALWAYS_THERE = {
    *("id", "source", "sourceId", "body", "tags", "occurredAt", "receivedAt", "status"),
}
_SCHEMA = Schema(
    [Field(name, _TYPES.get(name, _TEXT), nullable=name not in _ALWAYS_THERE) for name in NAMES]
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def write(batches: Iterable[Sequence[Feedback]], file: BinaryIO) -> None:
    """Write the file; it asks for the next rows when it has done with those before."""
    reader = RecordBatchReader.from_batches(_SCHEMA, map(_batch, batches))
    write_parquet(reader, file, compression="zstd(3)", max_row_group_size=GROUP)


def _batch(rows: Sequence[Feedback]) -> RecordBatch:
    columns = zip(*map(values, rows), strict=True)
    arrays = [_array(name, column) for name, column in zip(NAMES, columns, strict=True)]
    return RecordBatch.from_arrays(arrays, schema=_SCHEMA)


def _array(name: str, column: Sequence[Any]) -> Array:
    if name == "tags":
        ends = accumulate(map(len, column), initial=0)
        texts = Array(list(chain.from_iterable(column)), _TEXT)
        return list_array(Array(list(ends), DataType.int32()), texts, type=_TAGS)
    if name in {"occurredAt", "receivedAt"}:
        since = [(moment - _EPOCH) // _MICROSECOND for moment in column]
        return Array(since, DataType.int64()).cast(_MOMENT)
    if name == "metadata":
        written = [None if value is None else orjson.dumps(value).decode() for value in column]
        return Array(written, _TEXT)
    return Array(list(column), _TYPES.get(name, _TEXT))
