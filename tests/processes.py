"""Earful's own processes on the test's stores, for tests that kill them."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from app.settings import Settings

ROOT = Path(__file__).parents[1]
_STORES = ("database_url", "redis_url", "s3_endpoint_url")


@asynccontextmanager
async def process(
    settings: Settings, directory: Path, command: str, **more: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """`python -m app <command>`, killed at the end; `more` are settings of its own."""
    assert settings.secret_key is not None
    environment = {name.upper(): str(getattr(settings, name)) for name in _STORES} | {
        "PATH": os.environ["PATH"],
        "SECRET_KEY": settings.secret_key.get_secret_value(),
        "DATA_DIR": str(directory),
        "LOG_LEVEL": "error",
    }
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "app", command, cwd=ROOT, env=environment | more
    )
    try:
        yield started
    finally:
        with suppress(ProcessLookupError):
            started.kill()
        await started.wait()
