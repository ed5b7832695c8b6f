"""A throw-away Postgres for benchmarks, migrated, with one workspace in it."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from app.embedded import EmbeddedParts
from persistence import migrate


@asynccontextmanager
async def postgres() -> AsyncIterator[str]:
    """The URL of a durable Postgres with the tables of this version."""
    with tempfile.TemporaryDirectory(prefix="earful-bench-") as directory:
        parts = EmbeddedParts(
            Path(directory) / "state",
            parts=frozenset({"postgres"}),
            durable=True,
            report=lambda _: None,
        )
        url = parts.start().database_url
        assert url is not None
        try:
            await asyncio.to_thread(migrate.upgrade, url)
            yield url
        finally:
            parts.stop()
