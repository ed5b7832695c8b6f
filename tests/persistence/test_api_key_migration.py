"""Members stay members when keys come, and keys go when the migration is taken back."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from alembic import command

from app.settings import Settings
from persistence import migrate

MEMBERS = """
    DO $$
    DECLARE here uuid; person uuid;
    BEGIN
        FOR number IN 1..2 LOOP
            here := gen_random_uuid();
            person := gen_random_uuid();
            PERFORM set_config('earful.workspace_id', here::text, true);
            INSERT INTO workspace (id, name, slug, created_at) VALUES (here, 'Here', 'here-' || number, now());
            INSERT INTO "user" (id, email, name, password_hash, created_at)
            VALUES (person, number || '@example.com', 'Somebody', '', now());
            INSERT INTO member (id, workspace_id, user_id, role, joined_at)
            VALUES (gen_random_uuid(), here, person, 'OWNER', now());
        END LOOP;
    END $$
"""
KEYS = """
    DO $$
    DECLARE here uuid;
    BEGIN
        FOR here IN SELECT id FROM workspace LOOP
            PERFORM set_config('earful.workspace_id', here::text, true);
            INSERT INTO api_key (id, workspace_id, name, prefix, scopes, allowed_ips, created_at)
            VALUES (gen_random_uuid(), here, 'Key', 'earful_x', '{}', '{}', now());
            INSERT INTO member (id, workspace_id, api_key_id, role, joined_at)
            SELECT gen_random_uuid(), here, id, 'KEY ', now() FROM api_key WHERE workspace_id = here;
        END LOOP;
    END $$
"""
WHO = 'SELECT email, role FROM member JOIN "user" ON "user".id = user_id ORDER BY email'
PEOPLE = [("1@example.com", "OWNER"), ("2@example.com", "OWNER")]


@pytest.fixture
async def before(settings: Settings) -> AsyncIterator[str]:
    """A database as it was before there were keys."""
    assert settings.database_url is not None
    admin = await asyncpg.connect(settings.database_url)
    await admin.execute("CREATE DATABASE keyless")
    url = settings.database_url.rpartition("/")[0] + "/keyless"
    await asyncio.to_thread(command.upgrade, migrate.configuration(url), "0006")
    yield url
    await admin.execute("DROP DATABASE keyless WITH (FORCE)")
    await admin.close()


async def test_members_stay_and_keys_go_with_the_migration(before: str) -> None:
    connection = await asyncpg.connect(before)
    await connection.execute(MEMBERS)

    await asyncio.to_thread(command.upgrade, migrate.configuration(before), "0007")
    principals = await connection.fetch("SELECT user_id = principal_id AS same FROM member")
    await connection.execute(KEYS)
    with_keys = await connection.fetch(WHO)
    count = await connection.fetchval("SELECT count(DISTINCT principal_id) FROM member")
    await asyncio.to_thread(command.downgrade, migrate.configuration(before), "0006")
    without = await connection.fetch(WHO)
    members = await connection.fetchval("SELECT count(*) FROM member")
    await connection.close()

    assert [row["same"] for row in principals] == [True, True]
    assert ([tuple(row) for row in with_keys], count) == (PEOPLE, 4)
    assert ([tuple(row) for row in without], members) == (PEOPLE, 2)


@pytest.mark.parametrize(
    ("columns", "values"),
    [
        ("api_key_id, role", "(SELECT id FROM api_key), 'OWNER'"),
        ("user_id, api_key_id, role", "person, (SELECT id FROM api_key), 'KEY '"),
        ("user_id, role", "person, 'KEY feedback:read'"),
    ],
)
async def test_a_key_has_scopes_and_a_person_a_role(before: str, columns: str, values: str) -> None:
    await asyncio.to_thread(command.upgrade, migrate.configuration(before), "0007")
    connection = await asyncpg.connect(before)
    await connection.execute(MEMBERS.replace("1..2", "1..1"))
    await connection.execute(KEYS)
    await connection.execute("DELETE FROM member")
    person = await connection.fetchval('SELECT id FROM "user"')
    workspace = await connection.fetchval("SELECT id FROM workspace")
    await connection.execute(f"SET earful.workspace_id = '{workspace}'")

    with pytest.raises(asyncpg.CheckViolationError):
        await connection.execute(
            f"INSERT INTO member (id, workspace_id, joined_at, {columns})"
            f" VALUES (gen_random_uuid(), '{workspace}', now(),"
            f" {values.replace('person', repr(str(person)))})"
        )
    await connection.close()
