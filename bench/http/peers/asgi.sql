-- name: W1
SELECT json_build_object('data', json_build_object('node', (
    SELECT json_build_object(
        'id', 'feedback_' || replace(id::text, '-', ''), 'externalId', external_id, 'body', body, 'rating', rating,
        'language', language, 'metadata', metadata, 'occurredAt', occurred_at, 'receivedAt', received_at)
    FROM feedback WHERE id = $1)))::text

-- name: W2
WITH here AS MATERIALIZED (SELECT id FROM workspace WHERE slug = $1),
page AS MATERIALIZED (
    SELECT id, source_id, body, rating, occurred_at, received_at,
        row_number() OVER (ORDER BY occurred_at DESC, id DESC) AS place
    FROM feedback
    WHERE workspace_id = (SELECT id FROM here)
        AND (occurred_at, id)
            < (coalesce($2, 'infinity'::timestamptz), coalesce($3, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid))
    ORDER BY occurred_at DESC, id DESC LIMIT 51),
borne AS (
    SELECT link.feedback_id, json_agg(json_build_object(
        'id', 'tag_' || replace(tag.id::text, '-', ''), 'name', tag.name, 'color', tag.color)
        ORDER BY tag.name, tag.id) AS tags
    FROM page JOIN feedback_tag AS link ON link.feedback_id = page.id JOIN tag ON tag.id = link.tag_id
    GROUP BY link.feedback_id),
edges AS (
    SELECT place, to_json(occurred_at) #>> '{}' || '|' || replace(page.id::text, '-', '') AS cursor,
        json_build_object(
            'id', 'feedback_' || replace(page.id::text, '-', ''), 'body', body, 'rating', rating,
            'occurredAt', occurred_at, 'receivedAt', received_at,
            'source', json_build_object(
                'id', 'source_' || replace(source.id::text, '-', ''), 'name', source.name, 'kind', source.kind),
            'tags', coalesce(borne.tags, '[]')) AS node
    FROM page JOIN source ON source.id = page.source_id LEFT JOIN borne ON borne.feedback_id = page.id
    WHERE place <= 50)
SELECT json_build_object('data', json_build_object('workspace', (
    SELECT json_build_object('feedback', json_build_object(
        'edges', (SELECT coalesce(json_agg(json_build_object('cursor', cursor, 'node', node) ORDER BY place), '[]')
                  FROM edges),
        'pageInfo', json_build_object(
            'hasNextPage', (SELECT count(*) > 50 FROM page),
            'endCursor', (SELECT cursor FROM edges ORDER BY place DESC LIMIT 1))))
    FROM here)))::text

-- name: W3
WITH here AS MATERIALIZED (SELECT id FROM workspace WHERE slug = $1),
days AS MATERIALIZED (
    SELECT array_agg(day ORDER BY day) AS starts
    FROM generate_series($2::timestamptz, $3::timestamptz - interval '1 microsecond', interval '1 day') AS day),
counted AS (
    SELECT width_bucket(occurred_at, (SELECT starts FROM days)) AS bucket, count(*) AS total,
        count(*) FILTER (WHERE sentiment_label = 'NEGATIVE') AS negative,
        count(*) FILTER (WHERE sentiment_label = 'NEUTRAL') AS neutral,
        count(*) FILTER (WHERE sentiment_label = 'POSITIVE') AS positive, avg(sentiment_score) AS score
    FROM feedback
    WHERE workspace_id = (SELECT id FROM here) AND occurred_at >= $2 AND occurred_at < $3
    GROUP BY 1)
SELECT json_build_object('data', json_build_object('workspace', (
    SELECT json_build_object(
        'stats', json_build_object('buckets', (
            SELECT json_agg(json_build_object('start', starts.day, 'counts', json_build_object(
                'total', coalesce(total, 0), 'negative', coalesce(negative, 0), 'neutral', coalesce(neutral, 0),
                'positive', coalesce(positive, 0), 'averageScore', score)) ORDER BY starts.number)
            FROM days CROSS JOIN unnest(starts) WITH ORDINALITY AS starts (day, number)
            LEFT JOIN counted ON counted.bucket = starts.number)),
        'feedback', json_build_object('nodes', (
            SELECT coalesce(json_agg(json_build_object(
                'id', 'feedback_' || replace(id::text, '-', ''), 'body', body, 'rating', rating,
                'occurredAt', occurred_at)), '[]')
            FROM (SELECT id, body, rating, occurred_at FROM feedback WHERE workspace_id = (SELECT id FROM here)
                  ORDER BY occurred_at DESC, id DESC LIMIT 5) AS newest)))
    FROM here)))::text

-- name: W4
WITH written AS (
    INSERT INTO feedback (id, workspace_id, source_id, external_id, body, rating, occurred_at, received_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, now())
    RETURNING *)
SELECT json_build_object('data', json_build_object('submitFeedback', json_build_object(
    'duplicate', false, 'feedback', json_build_object(
        'id', 'feedback_' || replace(id::text, '-', ''), 'externalId', external_id, 'body', body, 'rating', rating,
        'occurredAt', occurred_at, 'receivedAt', received_at))))::text
FROM written

-- name: W5
WITH mine AS MATERIALIZED (
    SELECT workspace.*, role, 'workspace_' || replace(workspace.id::text, '-', '') AS public_id
    FROM member JOIN workspace ON workspace.id = workspace_id WHERE user_id = $4),
here AS MATERIALIZED (SELECT * FROM mine WHERE slug = $1),
days AS MATERIALIZED (
    SELECT array_agg(day ORDER BY day) AS starts
    FROM generate_series($2::timestamptz, $3::timestamptz - interval '1 microsecond', interval '1 day') AS day),
counted AS MATERIALIZED (
    SELECT width_bucket(occurred_at, (SELECT starts FROM days)) AS bucket, count(*) AS total,
        count(*) FILTER (WHERE sentiment_label = 'NEGATIVE') AS negative,
        count(*) FILTER (WHERE sentiment_label = 'NEUTRAL') AS neutral,
        count(*) FILTER (WHERE sentiment_label = 'POSITIVE') AS positive, sum(sentiment_score) AS scores,
        count(sentiment_score) AS scored, sum(rating) AS ratings, count(rating) AS rated
    FROM feedback
    WHERE workspace_id = (SELECT id FROM here) AND occurred_at >= $2 AND occurred_at < $3
    GROUP BY 1),
page AS MATERIALIZED (
    SELECT id, source_id, body, rating, occurred_at, sentiment_label, sentiment_score, author_name, author_email,
        author_external_id, row_number() OVER (ORDER BY occurred_at DESC, id DESC) AS place
    FROM feedback WHERE workspace_id = (SELECT id FROM here) ORDER BY occurred_at DESC, id DESC LIMIT 21),
borne AS (
    SELECT link.feedback_id, json_agg(json_build_object(
        'id', 'tag_' || replace(tag.id::text, '-', ''), 'name', tag.name, 'color', tag.color)
        ORDER BY tag.name, tag.id) AS tags
    FROM page JOIN feedback_tag AS link ON link.feedback_id = page.id JOIN tag ON tag.id = link.tag_id
    GROUP BY link.feedback_id),
edges AS (
    SELECT place, to_json(occurred_at) #>> '{}' || '|' || replace(page.id::text, '-', '') AS cursor,
        json_build_object(
            'id', 'feedback_' || replace(page.id::text, '-', ''), 'body', body, 'rating', rating,
            'occurredAt', occurred_at,
            'sentiment', CASE WHEN sentiment_label IS NOT NULL
                THEN json_build_object('label', sentiment_label, 'score', sentiment_score) END,
            'author', CASE WHEN coalesce(author_name, author_email, author_external_id) IS NOT NULL
                THEN json_build_object('name', author_name, 'email', author_email) END,
            'source', json_build_object(
                'id', 'source_' || replace(source.id::text, '-', ''), 'name', source.name, 'kind', source.kind),
            'tags', coalesce(borne.tags, '[]')) AS node
    FROM page JOIN source ON source.id = page.source_id LEFT JOIN borne ON borne.feedback_id = page.id
    WHERE place <= 20)
SELECT json_build_object('data', json_build_object(
    'viewer', json_build_object(
        'user', (SELECT json_build_object('id', 'user_' || replace(id::text, '-', ''), 'name', name, 'email', email)
                 FROM "user" WHERE id = $4),
        'workspaces', (SELECT json_agg(json_build_object(
            'id', public_id, 'name', name, 'slug', slug, 'viewerRole', role) ORDER BY created_at, id) FROM mine)),
    'workspace', (
        SELECT json_build_object(
            'id', public_id, 'name', name, 'slug', slug, 'viewerRole', role, 'createdAt', created_at,
            'sources', (SELECT json_agg(json_build_object(
                'id', 'source_' || replace(id::text, '-', ''), 'name', name, 'kind', kind) ORDER BY created_at, id)
                FROM source WHERE workspace_id = here.id),
            'tags', (SELECT json_agg(json_build_object(
                'id', 'tag_' || replace(id::text, '-', ''), 'name', name, 'color', color) ORDER BY name, id)
                FROM tag WHERE workspace_id = here.id),
            'stats', json_build_object(
                'totals', (SELECT json_build_object(
                    'total', coalesce(sum(total), 0), 'negative', coalesce(sum(negative), 0),
                    'neutral', coalesce(sum(neutral), 0), 'positive', coalesce(sum(positive), 0),
                    'averageScore', sum(scores) / nullif(sum(scored), 0),
                    'averageRating', sum(ratings)::float8 / nullif(sum(rated), 0)) FROM counted),
                'buckets', (
                    SELECT json_agg(json_build_object('start', starts.day, 'counts', json_build_object(
                        'total', coalesce(total, 0), 'negative', coalesce(negative, 0),
                        'neutral', coalesce(neutral, 0), 'positive', coalesce(positive, 0),
                        'averageScore', scores / nullif(scored, 0))) ORDER BY starts.number)
                    FROM days CROSS JOIN unnest(starts) WITH ORDINALITY AS starts (day, number)
                    LEFT JOIN counted ON counted.bucket = starts.number)),
            'feedback', json_build_object(
                'edges', (SELECT coalesce(json_agg(json_build_object('cursor', cursor, 'node', node) ORDER BY place),
                                          '[]') FROM edges),
                'pageInfo', json_build_object(
                    'hasNextPage', (SELECT count(*) > 20 FROM page),
                    'endCursor', (SELECT cursor FROM edges ORDER BY place DESC LIMIT 1))),
            'jobs', json_build_object('nodes', (
                SELECT coalesce(json_agg(json_build_object(
                    'id', 'job_' || replace(id::text, '-', ''), 'kind', kind, 'status', status,
                    'progress', progress, 'attempts', attempts, 'error', error, 'createdAt', created_at,
                    'finishedAt', finished_at)), '[]')
                FROM (SELECT * FROM job WHERE workspace_id = here.id ORDER BY created_at DESC, id DESC LIMIT 10)
                    AS latest)))
        FROM here)))::text
