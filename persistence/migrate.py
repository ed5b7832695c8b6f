"""Bringing the database to the version that this code expects."""

import time
from pathlib import Path

import structlog
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError

log = structlog.get_logger(__name__)

MIGRATIONS = Path(__file__).parent / "migrations"
ATTEMPTS = 5
_PAUSE_SECONDS = 2.0
_NO_LOCK = "55P03"
"""Postgres' code for a lock that was not to be had in time."""


class MigrationError(Exception):
    """The database was not brought to this version; the migration that failed left nothing behind."""


def configuration(database_url: str) -> Config:
    """Alembic's configuration for this server; the URL is `postgresql://`."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    scheme, _, rest = database_url.partition("://")
    assert scheme in {"postgres", "postgresql"}  # noqa: S101 - settings have checked it
    config.set_main_option("sqlalchemy.url", f"postgresql+asyncpg://{rest}".replace("%", "%%"))
    return config


def upgrade(database_url: str, *, attempts: int = ATTEMPTS, pause: float = _PAUSE_SECONDS) -> None:
    """Apply every migration that is missing; waits for another process that is doing the same.

    Where others use a table that it needs for itself it gives way to them after some seconds, for a `pause`, and tries
    again. MigrationError when that cannot be done; those before the one that failed are applied.
    """
    for attempt in range(1, attempts + 1):
        try:
            _upgrade(database_url)
            break
        except _LockedError as error:
            if attempt == attempts:
                raise
            log.warning("a migration waits for others", attempt=attempt, error=str(error))
            time.sleep(pause)


class _LockedError(MigrationError):
    """Others have a lock on what is to be changed."""


def _upgrade(database_url: str) -> None:
    try:
        command.upgrade(configuration(database_url), "head")
    except CommandError as error:
        if "Can't locate revision" not in str(error):
            raise
        raise MigrationError(
            "The database was migrated by a newer Earful than this; run that one."
        ) from error
    except DBAPIError as error:
        said = str(error.orig).partition(">: ")[2] or str(error.orig)
        if getattr(error.orig, "sqlstate", None) == _NO_LOCK:
            raise _LockedError(
                "The database cannot be migrated while others hold a table that is to be changed, for longer than a "
                "migration may wait. Nothing was left behind: end what runs long (SELECT pid, query FROM "
                "pg_stat_activity ORDER BY xact_start shows it first) and run it again."
            ) from error
        raise MigrationError(f"The database cannot be migrated: {said}") from error


def known() -> list[str]:
    """The migrations of this version, the newest first."""
    scripts = ScriptDirectory(str(MIGRATIONS))
    return [script.revision for script in scripts.walk_revisions()]
