"""The Strawberry server's counts of feedback by sentiment, in total and by day."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import strawberry
from sqlalchemy import case, func, select

from bench.http.peers.strawberry_tables import FeedbackRow
from bench.http.peers.strawberry_tables import session as open_session


@strawberry.type
class SentimentCounts:
    total: int
    negative: int
    neutral: int
    positive: int
    unscored: int
    average_score: float | None
    average_rating: float | None

    @classmethod
    def of(cls, rows: Sequence[Any]) -> "SentimentCounts":
        total, negative, neutral, positive, scores, rated, ratings = (
            sum(row[place] or 0 for row in rows) for place in range(1, 8)
        )
        scored = negative + neutral + positive
        return cls(
            total=total,
            negative=negative,
            neutral=neutral,
            positive=positive,
            unscored=total - scored,
            average_score=scores / scored if scored else None,
            average_rating=ratings / rated if rated else None,
        )


@strawberry.type
class StatsBucket:
    start: datetime
    counts: SentimentCounts


@strawberry.type
class FeedbackStats:
    totals: SentimentCounts
    buckets: list[StatsBucket]


async def count(workspace: UUID, since: datetime, until: datetime) -> FeedbackStats:
    """The days, in UTC, from `since` to before `until`; those without feedback too."""
    day = since.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    starts = []
    while day < until:
        starts.append(day)
        day += timedelta(days=1)
    row, label = FeedbackRow, FeedbackRow.sentiment_label
    bucket = func.width_bucket(row.occurred_at, starts)
    asked = (
        select(
            bucket.label("bucket"),
            func.count(),
            *(func.count(case((label == name, 1))) for name in ("NEGATIVE", "NEUTRAL", "POSITIVE")),
            func.sum(row.sentiment_score),
            func.count(row.rating),
            func.sum(row.rating),
        )
        .where(row.workspace_id == workspace, row.occurred_at >= since, row.occurred_at < until)
        .group_by("bucket")
    )
    async with open_session() as session:
        rows = (await session.execute(asked)).all()
    found = {counts[0]: counts for counts in rows}
    return FeedbackStats(
        totals=SentimentCounts.of(rows),
        buckets=[
            StatsBucket(
                start=start,
                counts=SentimentCounts.of([found[number]] if number in found else []),
            )
            for number, start in enumerate(starts, start=1)
        ],
    )
