"""What alert rules go by: feedback counted in many windows at once, each with a filter of its own.

One statement counts all windows of all rules of a workspace. Whole hours come from the statistics' hours where these
know what the filter asks for; what is before and after them, and what they cannot tell, is counted raw. Sums are
integers, scores in billionths, so that windows can be put together from smaller ones without a difference.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text

from persistence.database import Reader, Record, Statement
from persistence.feedback import Filter
from persistence.stats.cell import EVERY
from persistence.stats.span import Span, is_counted


@dataclass(frozen=True, slots=True)
class Window:
    """What passes the filter and was said from start to before end."""

    where: Filter
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Moment:
    """A source, and the time at which somebody looks back at it."""

    source: UUID
    at: datetime


class SumsRow(Record):
    """What a window holds; `score` is the sum of the scores in billionths."""

    place: int
    total: int
    negative: int
    neutral: int
    positive: int
    score: int
    rated: int
    rating: int


class FoundRow(Record):
    place: int
    id: UUID


class MomentRow(Record):
    place: int
    moment: datetime | None


class HourRow(Record):
    source_id: UUID
    hour: datetime


class QuoteRow(Record):
    id: UUID
    body: str
    occurred_at: datetime


_EVERY = f"'{EVERY}'::uuid"
_WINDOWS = """jsonb_to_recordset(:windows ::text ::jsonb) AS w(
        place int, start timestamptz, first timestamptz, last timestamptz, finish timestamptz,
        tag uuid, search text, source_ids uuid[], tag_ids uuid[], sentiments text[],
        rating_gte int, rating_lte int)"""
# Asked of each feedback of a window: no index is to be looked through for every one of many windows.
_PASSES = """feedback.workspace_id = :workspace
        AND (w.source_ids IS NULL OR feedback.source_id = ANY(w.source_ids))
        AND (w.tag_ids IS NULL OR EXISTS (
            SELECT FROM feedback_tag AS link
            WHERE link.feedback_id = feedback.id AND link.tag_id = ANY(w.tag_ids)))
        AND (w.sentiments IS NULL OR feedback.sentiment_label = ANY(w.sentiments))
        AND (w.rating_gte IS NULL OR feedback.rating >= w.rating_gte)
        AND (w.rating_lte IS NULL OR feedback.rating <= w.rating_lte)
        AND (w.search IS NULL OR feedback.search @@ websearch_to_tsquery('earful', w.search))"""
_LABELS = ("negative", "neutral", "positive")


def _asked(label: str) -> str:
    if label == "unscored":
        return "w.sentiments IS NULL"
    return f"(w.sentiments IS NULL OR '{label.upper()}' = ANY(w.sentiments))"


def _of_cell(*columns: str) -> str:
    """The sum of those columns of an hour that are of labels the filter asks for."""
    parts = (
        f"CASE WHEN {_asked(column.partition('_')[0])} THEN cell.{column} ELSE 0 END"
        for column in columns
    )
    return f"coalesce(sum({' + '.join(parts)}), 0)"


def _raw(start: str, end: str) -> str:
    labelled = ", ".join(
        f"count(*) FILTER (WHERE feedback.sentiment_label = '{label.upper()}')" for label in _LABELS
    )
    return f"""
        SELECT count(*), {labelled}, coalesce(sum((feedback.sentiment_score * 1e9)::bigint), 0),
            count(feedback.rating), coalesce(sum(feedback.rating), 0)
        FROM feedback
        WHERE feedback.occurred_at >= {start} AND feedback.occurred_at < {end} AND {_PASSES}"""  # noqa: S608 - of constants


_ALL = (*_LABELS, "unscored")
_SUMS = Statement(
    text(f"""
    SELECT w.place, sums.* FROM {_WINDOWS} CROSS JOIN LATERAL (
        SELECT sum(part.total)::bigint AS total, sum(part.negative)::bigint AS negative,
            sum(part.neutral)::bigint AS neutral, sum(part.positive)::bigint AS positive,
            sum(part.score)::bigint AS score, sum(part.rated)::bigint AS rated,
            sum(part.rating)::bigint AS rating
        FROM (
            SELECT {_of_cell(*_ALL)} AS total, {_of_cell("negative")} AS negative,
                {_of_cell("neutral")} AS neutral, {_of_cell("positive")} AS positive,
                {_of_cell(*(f"{label}_score" for label in _LABELS))} AS score,
                {_of_cell(*(f"{label}_rated" for label in _ALL))} AS rated,
                {_of_cell(*(f"{label}_rating" for label in _ALL))} AS rating
            FROM stats_hour AS cell
            WHERE w.first IS NOT NULL AND cell.workspace_id = :workspace AND cell.tag_id = w.tag
                AND cell.source_id = ANY(coalesce(w.source_ids, ARRAY[{_EVERY}]))
                AND cell.hour >= w.first AND cell.hour < w.last
            UNION ALL
            SELECT coalesce(sum(feedback), 0),
                coalesce(sum(feedback) FILTER (WHERE label = 'NEGATIVE'), 0),
                coalesce(sum(feedback) FILTER (WHERE label = 'NEUTRAL'), 0),
                coalesce(sum(feedback) FILTER (WHERE label = 'POSITIVE'), 0),
                coalesce(sum(score) FILTER (WHERE label IS NOT NULL), 0),
                coalesce(sum(rated), 0), coalesce(sum(rating), 0)
            FROM stats_delta AS cell
            WHERE w.first IS NOT NULL AND cell.workspace_id = :workspace AND cell.tag_id = w.tag
                AND (w.source_ids IS NULL OR cell.source_id = ANY(w.source_ids))
                AND (w.sentiments IS NULL OR cell.label = ANY(w.sentiments))
                AND cell.hour >= w.first AND cell.hour < w.last
            UNION ALL {_raw("w.start", "coalesce(w.first, w.finish)")}
            UNION ALL {_raw("w.last", "w.finish")}
        ) AS part
    ) AS sums"""),  # noqa: S608 - of constants
    SumsRow,
)
_NEWEST = Statement(
    text(f"""
    SELECT w.place, found.id FROM {_WINDOWS} CROSS JOIN LATERAL (
        SELECT feedback.id, feedback.occurred_at FROM feedback
        WHERE feedback.occurred_at >= w.start AND feedback.occurred_at < w.finish AND {_PASSES}
        ORDER BY feedback.occurred_at DESC, feedback.id DESC LIMIT :limit ::int
    ) AS found ORDER BY w.place, found.occurred_at DESC, found.id DESC"""),  # noqa: S608
    FoundRow,
)
_MATCHING = Statement(
    text(f"""
    SELECT w.place, feedback.id FROM {_WINDOWS}
    JOIN feedback ON feedback.id = ANY(:ids ::uuid[]) AND {_PASSES}
    ORDER BY w.place, feedback.received_at, feedback.id"""),  # noqa: S608
    FoundRow,
)
_SAID = Statement(
    text(f"""
    SELECT w.place, feedback.occurred_at AS moment FROM {_WINDOWS}
    JOIN feedback ON feedback.occurred_at >= w.start AND feedback.occurred_at < w.finish
        AND {_PASSES}
    ORDER BY feedback.occurred_at, feedback.id LIMIT :limit ::int"""),  # noqa: S608
    MomentRow,
)
_BEGAN = Statement(
    text(f"""
    SELECT w.place, least(
        (SELECT min(cell.hour) FROM stats_hour AS cell
         WHERE cell.workspace_id = :workspace AND cell.tag_id = {_EVERY}
            AND cell.source_id = ANY(coalesce(w.source_ids, ARRAY[{_EVERY}]))),
        (SELECT min(cell.hour) FROM stats_delta AS cell
         WHERE cell.workspace_id = :workspace AND cell.tag_id = {_EVERY}
            AND (w.source_ids IS NULL OR cell.source_id = ANY(w.source_ids)))
    ) AS moment FROM {_WINDOWS}"""),  # noqa: S608
    MomentRow,
)
_LAST_RECEIVED = Statement(
    text("""
    SELECT w.place, (
        SELECT max(feedback.received_at) FROM feedback
        WHERE feedback.workspace_id = :workspace AND feedback.source_id = w.source
            AND feedback.received_at <= w.at
    ) AS moment
    FROM unnest(:sources ::uuid[], :moments ::timestamptz[]) WITH ORDINALITY AS w(source, at, place)"""),
    MomentRow,
)
_ACTIVE_HOURS = Statement(
    text(f"""
    SELECT cell.source_id, cell.hour FROM stats_hour AS cell
    WHERE cell.workspace_id = :workspace AND cell.tag_id = {_EVERY}
        AND cell.source_id = ANY(:sources ::uuid[]) AND cell.hour >= :start AND cell.hour < :end
        AND cell.negative + cell.neutral + cell.positive + cell.unscored > 0
    UNION
    SELECT cell.source_id, cell.hour FROM stats_delta AS cell
    WHERE cell.workspace_id = :workspace AND cell.tag_id = {_EVERY}
        AND cell.source_id = ANY(:sources ::uuid[]) AND cell.hour >= :start AND cell.hour < :end
        AND cell.feedback > 0
    ORDER BY 1, 2"""),  # noqa: S608
    HourRow,
)
_QUOTES = Statement(
    text("""
    SELECT feedback.id, feedback.body, feedback.occurred_at FROM feedback
    WHERE feedback.workspace_id = :workspace AND feedback.id = ANY(:ids ::uuid[])
    ORDER BY feedback.occurred_at DESC, feedback.id DESC"""),
    QuoteRow,
)


def _given(windows: Sequence[Window]) -> str:
    """The windows as JSON; an hour that the statistics' hours know is not counted raw."""
    asked = []
    for place, window in enumerate(windows):
        where = window.where
        values: dict[str, Any] = replace(where, occurred_after=None, occurred_before=None).values()
        span = Span.of(window.start, window.end) if is_counted(where, ()) else None
        if span is not None:
            tags = where.tag_ids
            values |= {"first": span.first, "last": span.last, "tag": tags[0] if tags else EVERY}
        asked.append(values | {"place": place, "start": window.start, "finish": window.end})
    return orjson.dumps(asked, default=str).decode()


async def sums(reader: Reader, workspace: UUID, windows: Sequence[Window]) -> list[SumsRow]:
    """What each of the windows holds, in their order."""
    if not windows:
        return []
    rows = await reader.fetch(_SUMS, workspace=workspace, windows=_given(windows))
    return sorted(rows, key=lambda row: row.place)


async def newest(
    reader: Reader, workspace: UUID, windows: Sequence[Window], limit: int
) -> list[list[UUID]]:
    """The newest feedback of each window, the newest first."""
    rows = await reader.fetch(_NEWEST, workspace=workspace, windows=_given(windows), limit=limit)
    return _by_place(rows, len(windows))


async def matching(
    reader: Reader, workspace: UUID, filters: Sequence[Filter], ids: Sequence[UUID]
) -> list[list[UUID]]:
    """Which of the ids pass each of the filters, in the order in which they were received."""
    rows = await reader.fetch(_MATCHING, workspace=workspace, windows=_filters(filters), ids=ids)
    return _by_place(rows, len(filters))


async def said(reader: Reader, workspace: UUID, window: Window, limit: int) -> list[datetime]:
    """When what passes the window's filter was said: the earliest `limit`."""
    rows = await reader.fetch(_SAID, workspace=workspace, windows=_given([window]), limit=limit)
    return [row.moment for row in rows if row.moment is not None]


async def began(
    reader: Reader, workspace: UUID, filters: Sequence[Filter]
) -> list[datetime | None]:
    """The hour of the first feedback there is: of each filter's sources or, where it names none, of all."""
    rows = await reader.fetch(_BEGAN, workspace=workspace, windows=_filters(filters))
    return [row.moment for row in sorted(rows, key=lambda row: row.place)]


async def last_received(
    reader: Reader, workspace: UUID, moments: Sequence[Moment]
) -> list[datetime | None]:
    """When each source had last brought something, as of the moment."""
    rows = await reader.fetch(
        _LAST_RECEIVED,
        workspace=workspace,
        sources=[each.source for each in moments],
        moments=[each.at for each in moments],
    )
    return [row.moment for row in sorted(rows, key=lambda row: row.place)]


async def active_hours(
    reader: Reader, workspace: UUID, sources: Sequence[UUID], start: datetime, end: datetime
) -> dict[UUID, list[datetime]]:
    """The hours, in order, in which something was said through each source."""
    rows = await reader.fetch(
        _ACTIVE_HOURS, workspace=workspace, sources=sources, start=start, end=end
    )
    found: dict[UUID, list[datetime]] = {}
    for row in rows:
        found.setdefault(row.source_id, []).append(row.hour)
    return found


async def quotes(reader: Reader, workspace: UUID, ids: Sequence[UUID]) -> list[QuoteRow]:
    """What these feedback say, the newest first."""
    return await reader.fetch(_QUOTES, workspace=workspace, ids=ids)


def _filters(filters: Sequence[Filter]) -> str:
    return orjson.dumps(
        [where.values() | {"place": place} for place, where in enumerate(filters)], default=str
    ).decode()


def _by_place(rows: Sequence[FoundRow], number: int) -> list[list[UUID]]:
    found: list[list[UUID]] = [[] for _ in range(number)]
    for row in rows:
        found[row.place].append(row.id)
    return found
