"""Feedback that is like another: by the rare words of its body, its tags and its source."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text

from persistence.database import Reader, Record, Statement


class SimilarRow(Record):
    """A feedback, and one that is like it."""

    feedback_id: UUID
    id: UUID


# Which words are rare is seen by the newest 200 of the workspace. By each of the eight rarest those are compared, and
# 100 of the first 1,000 that have it in all workspaces; by each tag the newest 100. So many rows are looked at at most,
# however much feedback there is, and however common in other workspaces what is rare in this one.
_SIMILAR = Statement(
    text(r"""
    WITH asked AS MATERIALIZED (
        SELECT feedback.id, feedback.workspace_id, feedback.source_id, feedback.search
        FROM feedback
        WHERE feedback.id = ANY(:feedback ::uuid[]) AND feedback.workspace_id IN (
            SELECT member.workspace_id FROM member WHERE member.principal_id = :viewer ::uuid)
    ), newest AS MATERIALIZED (
        SELECT of.workspace_id, latest.id, latest.search
        FROM (SELECT DISTINCT workspace_id FROM asked) AS of
        CROSS JOIN LATERAL (
            SELECT feedback.id, feedback.search FROM feedback
            WHERE feedback.workspace_id = of.workspace_id
            ORDER BY feedback.occurred_at DESC, feedback.id DESC LIMIT 200
        ) AS latest
    ), common AS MATERIALIZED (
        SELECT newest.workspace_id, said.word, count(*) AS times
        FROM newest CROSS JOIN LATERAL unnest(tsvector_to_array(newest.search)) AS said(word)
        GROUP BY newest.workspace_id, said.word
    ), rare AS MATERIALIZED (
        SELECT asked.id, asked.workspace_id, chosen.word, ln(200.0 / (1 + chosen.times)) AS weight,
            ('''' || replace(replace(chosen.word, '\', '\\'), '''', '''''') || '''')::tsquery
                AS query
        FROM asked CROSS JOIN LATERAL (
            SELECT own.word, coalesce(common.times, 0) AS times
            FROM unnest(tsvector_to_array(asked.search)) AS own(word)
            LEFT JOIN common
                ON common.workspace_id = asked.workspace_id AND common.word = own.word
            WHERE coalesce(common.times, 0) <= 20
            ORDER BY times, length(own.word) DESC, own.word LIMIT 8
        ) AS chosen
    ), found AS MATERIALIZED (
        SELECT rare.id AS of, other.id, rare.word, rare.weight
        FROM rare CROSS JOIN LATERAL (
            SELECT matching.id FROM (
                SELECT feedback.id, feedback.workspace_id FROM feedback
                WHERE feedback.search @@ rare.query LIMIT 1000
            ) AS matching
            WHERE matching.workspace_id = rare.workspace_id LIMIT 100
        ) AS other
        UNION
        SELECT rare.id, newest.id, rare.word, rare.weight
        FROM rare JOIN newest
            ON newest.workspace_id = rare.workspace_id AND newest.search @@ rare.query
        UNION
        SELECT asked.id, other.feedback_id, borne.tag_id::text, 2.0
        FROM asked JOIN feedback_tag AS borne ON borne.feedback_id = asked.id
        CROSS JOIN LATERAL (
            SELECT link.feedback_id FROM feedback_tag AS link
            WHERE link.tag_id = borne.tag_id ORDER BY link.feedback_id DESC LIMIT 100
        ) AS other
    )
    SELECT asked.id AS feedback_id, best.id FROM asked CROSS JOIN LATERAL (
        SELECT feedback.id, feedback.occurred_at, sum(found.weight)
            + CASE WHEN feedback.source_id = asked.source_id THEN 1 ELSE 0 END AS score
        FROM found JOIN feedback ON feedback.id = found.id
        WHERE found.of = asked.id AND found.id <> asked.id
            AND feedback.workspace_id = asked.workspace_id
        GROUP BY feedback.id
        ORDER BY score DESC, feedback.occurred_at DESC, feedback.id DESC LIMIT :limit ::int
    ) AS best
    ORDER BY asked.id, best.score DESC, best.occurred_at DESC, best.id DESC"""),
    SimilarRow,
    lasting=True,
)


async def similar(
    reader: Reader, viewer: UUID, feedback: Sequence[UUID], *, limit: int
) -> list[SimilarRow]:
    """The `limit` that are most like each of the feedback, those first that are most."""
    return await reader.fetch(_SIMILAR, viewer=viewer, feedback=feedback, limit=limit)
