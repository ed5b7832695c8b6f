-- The rows that every server answers from: the same each time, ids and times included. `samples` is there already.

CREATE FUNCTION pg_temp.made_id(kind text, n bigint, at timestamptz) RETURNS uuid IMMUTABLE LANGUAGE sql
RETURN (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(md5(kind || n), 1, 3)
        || '8' || substr(md5(kind || n), 4, 15))::uuid;

-- A number from 0 to below `below`, the same for the same name.
CREATE FUNCTION pg_temp.dice(name text, below int) RETURNS int IMMUTABLE LANGUAGE sql
RETURN (('x' || substr(md5(name), 1, 7))::bit(28)::int % below);

CREATE TEMP TABLE place AS
SELECT n, slug, name, size, pg_temp.made_id('workspace', n, '2026-01-01') AS id
FROM (VALUES (1, 'large', 'Large Company', 200000), (2, 'small', 'Small Company', 900), (3, 'inbox', 'Inbox', 0))
    AS given (n, slug, name, size);

CREATE FUNCTION pg_temp.fill(here place, last timestamptz) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('earful.workspace_id', here.id::text, true);
    INSERT INTO workspace (id, name, slug, created_at)
    VALUES (here.id, here.name, here.slug, '2026-01-01'::timestamptz + here.n * interval '1 minute');
    INSERT INTO member (id, workspace_id, user_id, role, joined_at)
    SELECT pg_temp.made_id('member', here.n, '2026-01-01'), here.id, "user".id, 'OWNER', '2026-01-01' FROM "user";
    INSERT INTO source (id, workspace_id, name, kind, provider, created_at)
    SELECT pg_temp.made_id('source', here.n * 100 + k, '2026-01-01'), here.id, kinds.name, kinds.kind, 'STANDARD',
        '2026-01-01'::timestamptz + k * interval '1 second'
    FROM (VALUES (0, 'Product reviews', 'IMPORT'), (1, 'Support desk', 'WEBHOOK'), (2, 'In-app survey', 'FORM'),
                 (3, 'API', 'API'), (4, 'Shop', 'WEBHOOK'), (5, 'Returns', 'WEBHOOK')) AS kinds (k, name, kind);
    INSERT INTO tag (id, workspace_id, name, color, created_at)
    SELECT pg_temp.made_id('tag', here.n * 100 + k, '2026-01-01'), here.id, word, '#' || substr(md5(word), 1, 6),
        '2026-01-01'
    FROM unnest(ARRAY['Battery', 'Delivery', 'Design', 'Manual', 'Picture', 'Price', 'Quality', 'Refund', 'Setup',
                      'Size', 'Sound', 'Support']) WITH ORDINALITY AS words (word, k);
    INSERT INTO job (id, workspace_id, kind, arguments, status, progress, attempts, error, created_at, run_at,
                     started_at, finished_at)
    SELECT pg_temp.made_id('job', here.n * 1000 + k, last - k * interval '3 hours'), here.id,
        (ARRAY['import', 'export', 'score'])[k % 3 + 1], '{}',
        (ARRAY['SUCCEEDED', 'SUCCEEDED', 'FAILED', 'RUNNING'])[k % 4 + 1], (ARRAY[1, 1, 0.25, 0.5])[k % 4 + 1], 1,
        CASE WHEN k % 4 = 2 THEN 'The file has no column called body.' END, last - k * interval '3 hours',
        last - k * interval '3 hours', last - k * interval '3 hours' + interval '0.125 seconds',
        CASE WHEN k % 4 < 3 THEN last - k * interval '3 hours' + interval '41 seconds' END
    FROM generate_series(1, 40) AS k;
    -- Milliseconds, which is what a JavaScript Date can hold.
    CREATE TEMP TABLE fresh ON COMMIT DROP AS
    SELECT name, n, pg_temp.made_id('feedback', here.n * 1000000 + n, received_at) AS id, occurred_at, received_at
    FROM (
        SELECT name, n, occurred_at, occurred_at + pg_temp.dice(name || 'lag', 60000) * interval '1 ms' AS received_at
        FROM (
            SELECT 'f' || here.n || '.' || n AS name, n,
                last - interval '2 minutes' - (n - 1) * (interval '90 days' / greatest(here.size, 1))
                    - pg_temp.dice('at' || n, 30000) * interval '1 ms' AS precise
            FROM generate_series(1, here.size) AS n
        ) AS spread, date_trunc('milliseconds', precise) AS occurred_at
    ) AS timed;
    INSERT INTO feedback (id, workspace_id, source_id, external_id, author_name, author_email, author_external_id,
                          body, rating, language, metadata, occurred_at, received_at, sentiment_label,
                          sentiment_score, sentiment_confidence, sentiment_model, scored_at)
    SELECT fresh.id, here.id, pg_temp.made_id('source', here.n * 100 + pg_temp.dice(name || 's', 6), '2026-01-01'),
        CASE WHEN pg_temp.dice(name || 'e', 10) < 8 THEN 'order-' || fresh.n END,
        CASE WHEN pg_temp.dice(name || 'a', 10) < 7 THEN 'Customer ' || pg_temp.dice(name || 'c', 5000) END,
        CASE WHEN pg_temp.dice(name || 'a', 10) < 7 THEN 'c' || pg_temp.dice(name || 'c', 5000) || '@customer.example' END,
        NULL, samples.body, samples.rating, 'en',
        CASE WHEN fresh.n % 3 = 0 THEN jsonb_build_object('order', fresh.n, 'channel', 'web', 'vip', fresh.n % 2 = 0) END,
        occurred_at, received_at, samples.label, samples.score, samples.confidence, 'bench', received_at
    FROM fresh JOIN samples ON samples.n = pg_temp.dice(name || 'b', (SELECT count(*) FROM samples)::int)
    ORDER BY received_at;
    INSERT INTO feedback_tag (feedback_id, tag_id, workspace_id)
    SELECT DISTINCT fresh.id, pg_temp.made_id('tag', here.n * 100 + 1 + pg_temp.dice(name || 't' || k, 12), '2026-01-01'),
        here.id
    FROM fresh, generate_series(1, 4) AS k
    WHERE k <= pg_temp.dice(name || 'count', 5)
    ORDER BY 1;
    DROP TABLE fresh;
END $$;

SELECT pg_temp.fill(place, '2026-06-01T00:00:00Z') FROM place ORDER BY n;
