"""Migrations go up, down and up again, and end where the tables' definitions are."""

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest
from alembic import command
from structlog.testing import capture_logs

from app.settings import Settings
from persistence import migrate
from tests.persistence.test_upgrades import RULE_SINCE

ROOT = Path(__file__).parents[2]


async def test_migrations_go_up_down_and_up_to_the_tables_as_defined(settings: Settings) -> None:
    assert settings.database_url is not None
    admin = await asyncpg.connect(settings.database_url)
    await admin.execute("CREATE DATABASE migrations")
    url = settings.database_url.rpartition("/")[0] + "/migrations"
    configuration = migrate.configuration(url)
    try:
        await asyncio.to_thread(command.upgrade, configuration, "head")
        await asyncio.to_thread(command.downgrade, configuration, "base")
        await asyncio.to_thread(command.upgrade, configuration, "head")
        await asyncio.to_thread(command.check, configuration)
    finally:
        await admin.execute("DROP DATABASE migrations WITH (FORCE)")
        await admin.close()


async def test_processes_that_migrate_at_once_wait_for_each_other(settings: Settings) -> None:
    assert settings.database_url is not None
    admin = await asyncpg.connect(settings.database_url)
    await admin.execute("CREATE DATABASE together")
    url = settings.database_url.rpartition("/")[0] + "/together"
    try:
        await asyncio.gather(*(asyncio.to_thread(_upgrade_in_a_process, url) for _ in range(3)))
        together = await asyncpg.connect(url)
        assert await together.fetchval("SELECT count(*) FROM alembic_version") == 1
        await together.close()
    finally:
        await admin.execute("DROP DATABASE together WITH (FORCE)")
        await admin.close()


def _upgrade_in_a_process(url: str) -> None:
    program = "import sys; from persistence import migrate; migrate.upgrade(sys.argv[1])"
    subprocess.run([sys.executable, "-c", program, url], cwd=ROOT, check=True)


BEFORE, HELD = "0018", "user"
"""A version, and the table that the next one alters."""


async def test_a_migration_gives_way_to_who_uses_its_table_and_tries_again(
    settings: Settings,
) -> None:
    assert settings.database_url is not None
    admin = await asyncpg.connect(settings.database_url)
    await admin.execute("CREATE DATABASE held")
    url = settings.database_url.rpartition("/")[0] + "/held"
    try:
        await asyncio.to_thread(command.upgrade, migrate.configuration(url), BEFORE)
        reader = await asyncpg.connect(url)
        await reader.execute(f'BEGIN; LOCK TABLE "{HELD}" IN ACCESS SHARE MODE')
        with capture_logs() as said:
            migrating = asyncio.ensure_future(asyncio.to_thread(migrate.upgrade, url, pause=0))
            async with asyncio.timeout(60):
                while not said:
                    await asyncio.sleep(0.02)
            await reader.execute("COMMIT")
            await migrating
        version = await reader.fetchval("SELECT version_num FROM alembic_version")
        await reader.close()
    finally:
        await admin.execute("DROP DATABASE held WITH (FORCE)")
        await admin.close()

    assert version == migrate.known()[0]
    assert version != BEFORE
    assert (said[0]["log_level"], said[0]["attempt"]) == ("warning", 1)
    assert "Nothing was left behind: end what runs long" in said[0]["error"]


_ALTERED = re.compile(
    r'op\.(?:add_column|alter_column|drop_column|create_check_constraint|drop_constraint)\(\s*"(\w+)"'
    r"|ALTER TABLE \"?(\w+)|LOCK TABLE \"?(\w+)"
)


@pytest.mark.parametrize(
    "path",
    [
        path
        for path in sorted((migrate.MIGRATIONS / "versions").glob("0*.py"))
        if path.name >= RULE_SINCE
    ],
    ids=lambda path: path.stem,
)
def test_what_alters_a_table_that_is_there_says_how_long_it_waits(path: Path) -> None:
    text = path.read_text()
    made = set(re.findall(r'op\.create_table\(\s*"(\w+)"', text))
    altered = {name for names in _ALTERED.findall(text) for name in names if name} - made

    assert not altered or "lock_timeout" in text, f"{altered} may be held by others"
