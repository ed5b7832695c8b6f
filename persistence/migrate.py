"""Bringing the database to the version that this code expects."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError

MIGRATIONS = Path(__file__).parent / "migrations"


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


def upgrade(database_url: str) -> None:
    """Apply every migration that is missing; waits for another process that is doing the same.

    MigrationError when that cannot be done; those before the one that failed are applied.
    """
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
        raise MigrationError(f"The database cannot be migrated: {said}") from error


def known() -> list[str]:
    """The migrations of this version, the newest first."""
    scripts = ScriptDirectory(str(MIGRATIONS))
    return [script.revision for script in scripts.walk_revisions()]
