"""What an export has written an import reads again, whatever customers have written."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from domain import export
from domain.imports import Refusal, Row, batches
from persistence.database import new_id

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
_HOSTILE = "'=+-@\t\r\n\",;|\\ a\u2028\u00a0\ufeff\uff1d🎉ü"
_LETTERS = st.characters(codec="utf-8", exclude_characters="\x00")
Given = dict[str, Any]


def texts(longest: int) -> st.SearchStrategy[str]:
    """Any text, and often one that a table or a spreadsheet may stumble over."""
    return st.text(_LETTERS, min_size=1, max_size=longest) | st.text(
        _HOSTILE, min_size=1, max_size=min(longest, 30)
    )


def written(longest: int) -> st.SearchStrategy[str]:
    return texts(longest).filter(str.strip)


_PLAIN = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts(20)
)
_NAMES = st.text(_LETTERS, max_size=10)
_METADATA = st.dictionaries(
    _NAMES,
    st.recursive(_PLAIN, lambda of: st.lists(of) | st.dictionaries(_NAMES, of), max_leaves=5),
    max_size=4,
)
_FEEDBACK = st.fixed_dictionaries(
    {
        "external_id": written(40),
        "author_name": st.none() | texts(40),
        "author_email": st.none() | st.just("+ada@example.com"),
        "author_external_id": st.none() | texts(40),
        "body": written(200),
        "rating": st.none() | st.integers(0, 10),
        "language": st.sampled_from([None, "en", "pt-BR"]),
        "tags": st.lists(written(20), unique=True, max_size=5),
        "metadata": st.none() | _METADATA,
        "occurred_at": st.datetimes(
            datetime(1970, 1, 1),  # noqa: DTZ001 - Hypothesis adds the zone
            datetime(2026, 6, 15),  # noqa: DTZ001
            timezones=st.just(UTC),
        ),
        "source": written(20),
    }
)
LONG: Given = {
    "external_id": "'",
    "author_name": " ",
    "author_email": None,
    "author_external_id": "''=1",
    "body": '"\n' * 25_000,
    "rating": 0,
    "language": None,
    "tags": ["'=a;b\\", "Straße", "STRASSE", "a,b|c"],
    "metadata": {},
    "occurred_at": NOW.replace(microsecond=1),
    "source": "-1",
}
CONTROL: Given = LONG | {"body": "\x01" * 50_000, "metadata": {"a.b": {"c": [1.5, None]}}}


def as_exported(feedback: Given) -> Any:
    """A feedback as a page for an export brings it."""
    metadata = feedback["metadata"]
    return SimpleNamespace(
        **feedback
        | {
            "id": new_id(),
            "source_id": new_id(),
            "received_at": NOW,
            "sentiment_label": "NEGATIVE",
            "sentiment_score": -0.5,
            "sentiment_confidence": 0.5,
            "sentiment_model": "model",
            "status": "CLOSED",
            "assignee": "=Ada",
            "source": SimpleNamespace(name=feedback["source"]),
            "tags": [SimpleNamespace(name=name) for name in feedback["tags"]],
            "metadata": None if metadata is None else orjson.dumps(metadata).decode(),
        }
    )


def as_imported(row: Row) -> Given:
    """What would be stored."""
    author = row.message.author
    return {
        "external_id": row.message.external_id,
        "author_name": author and author.name,
        "author_email": author and author.email,
        "author_external_id": author and author.external_id,
        "body": row.message.body,
        "rating": row.message.rating,
        "language": row.language,
        "tags": list(row.tags),
        "metadata": None if row.metadata is None else orjson.loads(row.metadata),
        "occurred_at": row.message.occurred_at,
        "source": row.source,
    }


def read(body: bytes) -> tuple[list[Given], list[Refusal]]:
    """The rows of a file, and those that would be refused."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "file"
        path.write_bytes(body)
        found = list(batches(path, {}, NOW, after=0))
    rows = [as_imported(row) for batch in found for row in batch.rows]
    return rows, [refusal for batch in found for refusal in batch.refusals]


@settings(deadline=None, max_examples=60)
@given(st.lists(_FEEDBACK, min_size=1, max_size=3))
@example([LONG, CONTROL, LONG])
def test_csv_comes_back_as_it_was(feedback: list[Given]) -> None:
    rows = [as_exported(each) for each in feedback]

    assert read(export.csv_head() + export.csv_rows(rows)) == (feedback, [])


@settings(deadline=None, max_examples=60)
@given(st.lists(_FEEDBACK, min_size=1, max_size=3))
@example([LONG, CONTROL, LONG])
def test_ndjson_comes_back_as_it_was(feedback: list[Given]) -> None:
    rows = [as_exported(each) for each in feedback]

    assert read(export.json_lines(rows)) == (feedback, [])


@pytest.mark.parametrize("cell", ["'=1+1", "'@you"])
def test_other_files_keep_their_apostrophes(cell: str) -> None:
    ((row,), refused) = read(f"id,text,source\n1,{cell},Twitter\n".encode())

    assert (row["body"], row["source"], refused) == (cell, None, [])
