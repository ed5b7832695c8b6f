"""The built dashboard in Chromium: who signs in sees the overview, and what is submitted there as it is committed."""

import asyncio
import shutil
from pathlib import Path

import pytest

from app.main import create_app
from app.resources import Api
from app.settings import Settings
from jobs.relay import Relay
from tests.app.test_file_browser import CHROMIUM
from tests.both_ways import BothWays
from tests.factories import PASSWORD, Factory
from tests.graph.sockets import served

WEB = Path(__file__).parents[2] / "web"
DASHBOARD = WEB / "dashboard"
SECONDS = 120


def _is_built() -> bool:
    """Whether there is a build that is newer than what it is built from: tests build none."""
    built = DASHBOARD / "dist" / "server.json"
    sources = [
        WEB.parent / "schema.graphql",
        *(path for path in (DASHBOARD / "src").rglob("*") if "gql" not in path.parts),
    ]
    return built.exists() and not any(
        path.is_file() and path.stat().st_mtime > built.stat().st_mtime for path in sources
    )


_WANTING = (
    (CHROMIUM is None, "there is no Chromium here: install chromium"),
    (shutil.which("node") is None, "node is not here: install nodejs and npm"),
    (
        not (_is_built() and (DASHBOARD / "node_modules" / "playwright-core").exists()),
        "the dashboard is not built from its present sources: make web",
    ),
)
needs_dashboard = pytest.mark.skipif(
    any(is_wanting for is_wanting, _ in _WANTING),
    reason="; ".join(reason for is_wanting, reason in _WANTING if is_wanting),
)


@needs_dashboard
async def test_who_signs_in_sees_feedback_arrive(
    api: Api, settings: Settings, factory: Factory, relay: Relay
) -> None:
    assert CHROMIUM is not None
    tenant = await factory.tenant()
    application = create_app(
        settings.model_copy(update={"dashboard": DASHBOARD / "dist"}), BothWays
    )
    application.open(api)
    async with served(application) as address:
        looking = await asyncio.create_subprocess_exec(
            "node",
            WEB / "e2e" / "glance.mjs",
            f"http://{address}",
            CHROMIUM,
            tenant.owner.email,
            PASSWORD,
            tenant.slug,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await asyncio.wait_for(looking.communicate(), SECONDS)

    assert looking.returncode == 0, said.decode()
