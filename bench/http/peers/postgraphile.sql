-- What PostGraphile turns into `Workspace.stats`: the days of a stretch of time, and its totals as the row without `start`.
CREATE TYPE day_counts AS (
    start timestamptz, total int, negative int, neutral int, positive int, average_score float8, average_rating float8);
CREATE FUNCTION workspace_stats(here workspace, since timestamptz, until timestamptz) RETURNS SETOF day_counts
STABLE LANGUAGE sql AS $$
    WITH days AS MATERIALIZED (
        SELECT array_agg(day ORDER BY day) AS starts
        FROM generate_series(since, until - interval '1 microsecond', interval '1 day') AS day),
    counted AS MATERIALIZED (
        SELECT width_bucket(occurred_at, (SELECT starts FROM days)) AS bucket, count(*)::int AS total,
            count(*) FILTER (WHERE sentiment_label = 'NEGATIVE')::int AS negative,
            count(*) FILTER (WHERE sentiment_label = 'NEUTRAL')::int AS neutral,
            count(*) FILTER (WHERE sentiment_label = 'POSITIVE')::int AS positive,
            avg(sentiment_score) AS average_score, avg(rating)::float8 AS average_rating
        FROM feedback
        WHERE workspace_id = here.id AND occurred_at >= since AND occurred_at < until
        GROUP BY GROUPING SETS ((), (1)))
    SELECT start, coalesce(total, 0), coalesce(negative, 0), coalesce(neutral, 0), coalesce(positive, 0),
        average_score, average_rating
    FROM (SELECT NULL::timestamptz AS start, NULL::bigint AS number
          UNION ALL
          SELECT day, number FROM days CROSS JOIN unnest(starts) WITH ORDINALITY AS each (day, number)) AS wanted
    LEFT JOIN counted ON counted.bucket IS NOT DISTINCT FROM wanted.number
    ORDER BY number NULLS FIRST
$$;
COMMENT ON FUNCTION workspace_stats IS E'@behavior list -connection';
