"""Migrations go up, down and up again, and end where the tables' definitions are."""

import asyncio
import subprocess
import sys
from pathlib import Path

import asyncpg
from alembic import command

from app.settings import Settings
from persistence import migrate

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
