"""Counting all feedback anew, to compare with what is kept of the counts: one statement, and so one moment."""

from tests.factories import Factory

_LABELS = ("negative", "neutral", "positive", "unscored")
_EVERY = "'00000000-0000-0000-0000-000000000000'::uuid"


def _is(label: str) -> str:
    return "label IS NULL" if label == "unscored" else f"label = '{label.upper()}'"


_MEASURES = {
    f"{label}{suffix}": f"coalesce(sum({of}) FILTER (WHERE {_is(label)}), 0)"
    for suffix, of in (("", "n"), ("_score", "score"), ("_rated", "rated"), ("_rating", "rating"))
    for label in _LABELS
    if f"{label}{suffix}" != "unscored_score"
}


def _cells(rows: str) -> str:
    """Every cell that the rows make, of each source and of all."""
    return f"""
        SELECT workspace_id, tag_id, coalesce(source_id, {_EVERY}) AS source_id, hour, {", ".join(_MEASURES.values())}
        FROM ({rows}) AS rows
        GROUP BY GROUPING SETS ((workspace_id, tag_id, hour, source_id), (workspace_id, tag_id, hour))"""


def _counted(tag: str, tables: str) -> str:
    return f"""
        SELECT feedback.workspace_id, {tag} AS tag_id, feedback.source_id,
            date_trunc('hour', feedback.occurred_at, 'UTC') AS hour, feedback.sentiment_label AS label,
            1 AS n, coalesce(round(feedback.sentiment_score * 1000000000), 0)::bigint AS score,
            (feedback.rating IS NOT NULL)::int AS rated, coalesce(feedback.rating, 0) AS rating
        FROM {tables}"""


_RECOUNTED = _cells(
    _counted(_EVERY, "feedback")
    + " UNION ALL "
    + _counted("tag_id", "feedback JOIN feedback_tag ON feedback_id = feedback.id")
)
_CHANGED = _cells(
    "SELECT workspace_id, tag_id, source_id, hour, label, feedback AS n, score, rated, rating FROM stats_delta"
)
_KEPT = f"""
    SELECT workspace_id, tag_id, source_id, hour, {", ".join(f"sum({name})" for name in _MEASURES)}
    FROM (
        SELECT workspace_id, tag_id, source_id, hour, {", ".join(_MEASURES)} FROM stats_hour
        UNION ALL {_CHANGED}
    ) AS parts (workspace_id, tag_id, source_id, hour, {", ".join(_MEASURES)})
    GROUP BY workspace_id, tag_id, source_id, hour
    HAVING {" OR ".join(f"sum({name}) <> 0" for name in _MEASURES)}"""
DIFFERENCES = f"""
    WITH kept AS ({_KEPT}), recounted AS ({_RECOUNTED})
    (SELECT 'kept', * FROM kept EXCEPT ALL SELECT 'kept', * FROM recounted)
    UNION ALL (SELECT 'recounted', * FROM recounted EXCEPT ALL SELECT 'recounted', * FROM kept)"""
_BY_MODEL = """
    WITH kept AS (
        SELECT workspace_id, hour, model, sum(feedback) AS n FROM model_hour
        GROUP BY workspace_id, hour, model HAVING sum(feedback) <> 0
    ), recounted AS (
        SELECT workspace_id, date_trunc('hour', occurred_at, 'UTC') AS hour, sentiment_model AS model, count(*) AS n
        FROM feedback WHERE sentiment_label IS NOT NULL AND sentiment_model IS NOT NULL
        GROUP BY workspace_id, date_trunc('hour', occurred_at, 'UTC'), sentiment_model
    )
    (SELECT 'kept', * FROM kept EXCEPT ALL SELECT 'kept', * FROM recounted)
    UNION ALL (SELECT 'recounted', * FROM recounted EXCEPT ALL SELECT 'recounted', * FROM kept)"""
CELLS = "SELECT count(*) FROM stats_hour WHERE workspace_id = :workspace"
CHANGES = "SELECT count(*) FROM stats_delta WHERE workspace_id = :workspace"


async def differences(factory: Factory) -> list[tuple[object, ...]]:
    """Cells of all workspaces that are not what a recount says, with the side that says so; those by model too."""
    return [*await factory.rows(DIFFERENCES), *await factory.rows(_BY_MODEL)]
