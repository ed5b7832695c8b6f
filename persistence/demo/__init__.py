"""The demo's texts, and the statement that stores many feedback at once. NOTICE.md says whose texts they are."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import (
    Double,
    SmallInteger,
    Text,
    Uuid,
    bindparam,
    column,
    func,
    insert,
    select,
    text,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from persistence.database import TIMESTAMP, Record, Statement, UnitOfWork, new_id, table
from persistence.feedback import Feedback
from persistence.tag import FeedbackTag

_TEXTS = Path(__file__).parent / "feedback.csv"
_SCORES = Path(__file__).parent / "scores.json"


@dataclass(frozen=True, slots=True)
class Sample:
    body: str
    rating: int | None


@dataclass(frozen=True, slots=True)
class Row:
    """One feedback of the demo, scored."""

    source_id: UUID
    body: str
    rating: int | None
    author_name: str | None
    author_email: str | None
    occurred_at: datetime
    received_at: datetime
    label: str | None
    score: float | None
    confidence: float | None
    language: str | None
    spans: str | None
    tag_ids: Sequence[UUID]


_COLUMNS = {
    "id": Uuid,
    "source_id": Uuid,
    "body": Text,
    "rating": SmallInteger,
    "author_name": Text,
    "author_email": Text,
    "occurred_at": TIMESTAMP,
    "received_at": TIMESTAMP,
    "sentiment_label": Text,
    "sentiment_score": Double,
    "sentiment_confidence": Double,
    "language": Text,
}
_GIVEN = _COLUMNS | {"spans": Text}
_given = (
    func.unnest(*(bindparam(name, type_=ARRAY(kind)) for name, kind in _GIVEN.items()))  # type: ignore[arg-type]
    .table_valued(*(column(name, kind) for name, kind in _GIVEN.items()), name="given")  # type: ignore[arg-type]
    .render_derived()
)
_ADD = Statement(
    insert(table(Feedback)).from_select(
        [*_COLUMNS, "sentiment_spans", "workspace_id", "sentiment_model", "scored_at"],
        select(
            *(_given.c[name] for name in _COLUMNS),
            sql_cast(_given.c.spans, JSONB),
            bindparam("workspace", type_=Uuid),
            bindparam("model", type_=Text),
            _given.c.received_at,
        ),
    ),
    Record,
)
_links = (
    func.unnest(bindparam("feedback", type_=ARRAY(Uuid)), bindparam("tags", type_=ARRAY(Uuid)))
    .table_valued(column("feedback_id", Uuid), column("tag_id", Uuid), name="given")
    .render_derived()
)
_LINK = Statement(
    insert(table(FeedbackTag)).from_select(
        ["feedback_id", "tag_id", "workspace_id"],
        select(*_links.c, bindparam("workspace", type_=Uuid)),
    ),
    Record,
)


_ANALYZE = Statement(text("ANALYZE feedback, feedback_tag, member, source, tag"), Record)


@dataclass(frozen=True, slots=True)
class KnownScore:
    """What the model said about a text when the demo's scores were last made."""

    label: str
    score: float
    confidence: float
    language: str | None = None
    spans: str | None = None  # JSON text


def known_scores(model: str) -> list[KnownScore | None] | None:
    """The scores of `texts()`, in their order, if they were made by this model."""
    kept = orjson.loads(_SCORES.read_bytes())
    if kept["model"] != model:
        return None
    return [None if score is None else _known(*score) for score in kept["scores"]]


def _known(
    label: str, score: float, confidence: float, language: str | None = None, spans: Any = None
) -> KnownScore:
    written = None if spans is None else orjson.dumps(spans).decode()
    return KnownScore(label, score, confidence, language, written)


def keep_scores(model: str, scores: Sequence[KnownScore | None]) -> None:
    """Write what `known_scores` reads."""
    rows = [
        score
        and (
            score.label,
            round(score.score, 6),
            round(score.confidence, 6),
            score.language,
            score.spans and orjson.loads(score.spans),
        )
        for score in scores
    ]
    lines = ",\n".join(orjson.dumps(row).decode() for row in rows)
    _SCORES.write_text(f'{{"model": {orjson.dumps(model).decode()}, "scores": [\n{lines}\n]}}\n')


def texts() -> list[Sample]:
    """The demo's texts with the star rating where there is one."""
    with _TEXTS.open(newline="", encoding="utf-8") as file:
        return [
            Sample(row["body"], int(row["rating"]) if row["rating"] else None)
            for row in csv.DictReader(file)
        ]


async def add(uow: UnitOfWork, workspace: UUID, rows: Sequence[Row], model: str) -> None:
    """Store rows in a workspace that was entered, without announcing them."""
    ids = [new_id() for _ in rows]
    await uow.execute(
        _ADD,
        workspace=workspace,
        model=model,
        id=ids,
        source_id=[row.source_id for row in rows],
        body=[row.body for row in rows],
        rating=[row.rating for row in rows],
        author_name=[row.author_name for row in rows],
        author_email=[row.author_email for row in rows],
        occurred_at=[row.occurred_at for row in rows],
        received_at=[row.received_at for row in rows],
        sentiment_label=[row.label for row in rows],
        sentiment_score=[row.score for row in rows],
        sentiment_confidence=[row.confidence for row in rows],
        language=[row.language for row in rows],
        spans=[row.spans for row in rows],
    )
    links = [(id_, tag) for id_, row in zip(ids, rows, strict=True) for tag in row.tag_ids]
    await uow.execute(
        _LINK,
        workspace=workspace,
        feedback=[feedback for feedback, _ in links],
        tags=[tag for _, tag in links],
    )


async def analyze(uow: UnitOfWork) -> None:
    """Tell Postgres what it holds now, so that it need not guess until it looks by itself, a minute later."""
    await uow.execute(_ANALYZE)
