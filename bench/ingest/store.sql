WITH added AS (
    INSERT INTO feedback (id, workspace_id, source_id, external_id, author_name, author_email, author_external_id, body,
                          rating, metadata, occurred_at, received_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, now())
    ON CONFLICT (source_id, external_id) WHERE external_id IS NOT NULL DO NOTHING
    RETURNING id, workspace_id, source_id, received_at
), delivered AS (
    INSERT INTO delivery (source_id, webhook_id, workspace_id, received_at)
    SELECT source_id, $12, workspace_id, received_at FROM added
), told AS (
    INSERT INTO outbox (workspace_id, kind, payload) SELECT workspace_id, 'feedback.added', $13::jsonb FROM added
)
SELECT id FROM added
