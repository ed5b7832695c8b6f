"""What there was before there were counts is counted by the migration, for all workspaces."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from alembic import command

from app.settings import Settings
from persistence import migrate
from tests.persistence.recounting import DIFFERENCES

ROWS = """
    DO $$
    DECLARE here uuid;
    BEGIN
        FOR number IN 1..2 LOOP
            here := gen_random_uuid();
            PERFORM set_config('earful.workspace_id', here::text, true);
            INSERT INTO workspace (id, name, slug, created_at) VALUES (here, 'Here', 'here-' || number, now());
            INSERT INTO source (id, workspace_id, name, kind, provider, created_at)
            SELECT gen_random_uuid(), here, 'API', 'API', 'STANDARD', now() FROM generate_series(1, 2);
            INSERT INTO tag (id, workspace_id, name, color, created_at)
            SELECT gen_random_uuid(), here, 'Tag ' || n, '#000000', now() FROM generate_series(1, 2) AS n;
            INSERT INTO feedback (id, workspace_id, source_id, body, occurred_at, received_at, rating,
                sentiment_label, sentiment_score)
            SELECT gen_random_uuid(), here, source.id, 'Fine.', now() + n * interval '17 minutes', now(), n % 11,
                (ARRAY['NEGATIVE', 'NEUTRAL', 'POSITIVE'])[n % 4], (ARRAY[-0.7, 0.1, 0.8])[n % 4]
            FROM source, generate_series(1, 20) AS n WHERE workspace_id = here;
            INSERT INTO feedback_tag (feedback_id, tag_id, workspace_id)
            SELECT feedback.id, tag.id, here FROM feedback, tag
            WHERE feedback.workspace_id = here AND tag.workspace_id = here AND rating > 5;
        END LOOP;
    END $$
"""
RESCORE = """
    SELECT set_config('earful.workspace_id', id::text, true) FROM workspace WHERE slug = 'here-1';
    UPDATE feedback SET rating = 3, sentiment_label = 'POSITIVE', sentiment_score = 0.5 WHERE rating > 7;
"""


@pytest.fixture
async def before(settings: Settings) -> AsyncIterator[str]:
    """A database as it was before there were counts."""
    assert settings.database_url is not None
    admin = await asyncpg.connect(settings.database_url)
    await admin.execute("CREATE DATABASE uncounted")
    url = settings.database_url.rpartition("/")[0] + "/uncounted"
    await asyncio.to_thread(command.upgrade, migrate.configuration(url), "0004")
    await asyncio.to_thread(command.downgrade, migrate.configuration(url), "-1")
    yield url
    await admin.execute("DROP DATABASE uncounted WITH (FORCE)")
    await admin.close()


async def test_the_migration_counts_what_is_there_and_what_comes_then(before: str) -> None:
    connection = await asyncpg.connect(before)
    await connection.execute(ROWS)

    await asyncio.to_thread(command.upgrade, migrate.configuration(before), "0004")

    total = "SELECT sum(negative + neutral + positive + unscored) FROM stats_hour"
    assert await connection.fetchval(total) == 2 * (80 + 2 * 36)
    assert await connection.fetch(DIFFERENCES) == []
    await connection.execute(RESCORE)
    assert await connection.fetchval("SELECT count(*) FROM stats_delta WHERE feedback <> 0") > 0
    assert await connection.fetch(DIFFERENCES) == []
    await connection.close()
