"""Bringing the database to the version that this code expects."""

from pathlib import Path

from alembic import command
from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"


def configuration(database_url: str) -> Config:
    """Alembic's configuration for this server; the URL is `postgresql://`."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    scheme, _, rest = database_url.partition("://")
    assert scheme in {"postgres", "postgresql"}  # noqa: S101 - settings have checked it
    config.set_main_option("sqlalchemy.url", f"postgresql+asyncpg://{rest}".replace("%", "%%"))
    return config


def upgrade(database_url: str) -> None:
    """Apply every migration that is missing; waits for another process that is doing the same."""
    command.upgrade(configuration(database_url), "head")
