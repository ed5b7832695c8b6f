"""Fills the database: 200,000 feedback in one workspace, 900 in a second, none in a third that W4 writes to."""

import itertools
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import orjson

from app.stores import now
from domain import passwords, stats
from inference.sentiment import DEFAULT_DIRECTORY
from persistence import database as databases
from persistence import demo
from persistence.database import new_id

EMAIL = "bench@earful.example"
PASSWORD = "earful-bench-password"  # noqa: S105 - of a throw-away database
# The feedback lies in the 90 days before this moment.
END = "2026-06-01T00:00:00Z"

_HERE = Path(__file__).parent
# A database that was kept is found again as long as this is the same.
SQL = "".join(
    path.read_text(encoding="utf-8")
    for path in (_HERE / "data.sql", _HERE / "http" / "peers" / "postgraphile.sql")
)
_BULKY = ("feedback", "feedback_tag", "outbox")


async def fill(url: str) -> bool:
    """Put the rows in unless they are there; False when they were."""
    connection = await asyncpg.connect(url, command_timeout=600)
    try:
        if await connection.fetchval("SELECT 1 FROM workspace WHERE slug = 'large'"):
            return False
        async with connection.transaction():
            await connection.execute(
                'INSERT INTO "user" (id, email, name, password_hash, created_at)'
                " VALUES ($1, $2, 'Bench', $3, '2026-01-01')",
                new_id(),
                EMAIL,
                passwords.hash(PASSWORD),
            )
            await connection.execute(
                "CREATE TEMP TABLE samples (n int, body text, rating smallint, label text,"
                " score float8, confidence float8)"
            )
            await connection.copy_records_to_table("samples", records=_samples())
            await connection.execute(SQL)
        await _compact(url)
        for name in _BULKY:
            # Else it would start in the middle of somebody's round.
            await connection.execute(f"ALTER TABLE {name} SET (autovacuum_enabled = false)")
        # Else W4 would measure the disk, which is the same for all.
        await connection.execute("ALTER DATABASE earful SET synchronous_commit = off")
        await tidy(connection)
        return True
    finally:
        await connection.close()


async def _compact(url: str) -> None:
    """As the leader does every few seconds; here nobody leads."""
    database = await databases.connect(url, clock=now)
    try:
        await stats.compact(database)
    finally:
        await database.close()


async def empty_inbox(url: str) -> None:
    """Take away what W4 wrote."""
    connection = await asyncpg.connect(url, command_timeout=600)
    try:
        inbox = await connection.fetchval("SELECT id FROM workspace WHERE slug = 'inbox'")
        async with connection.transaction():
            await connection.execute(
                "SELECT set_config('earful.workspace_id', $1, true)", str(inbox)
            )
            await connection.execute("DELETE FROM feedback WHERE workspace_id = $1", inbox)
            await connection.execute("DELETE FROM outbox")
        await _compact(url)
        await tidy(connection)
    finally:
        await connection.close()


async def in_inbox(url: str) -> int:
    """How many rows W4 wrote."""
    connection = await asyncpg.connect(url, command_timeout=600)
    try:
        return int(
            await connection.fetchval(
                "SELECT count(*) FROM feedback WHERE workspace_id = (SELECT id FROM workspace WHERE slug = 'inbox')"
            )
        )
    finally:
        await connection.close()


async def tidy(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """VACUUM and ANALYZE, so that every server finds visibility maps and statistics."""
    await connection.execute("VACUUM (ANALYZE)")


def _samples() -> list[tuple[int, str, int | None, str, float, float]]:
    """The demo's texts, with the scores that came with them."""
    model = orjson.loads((DEFAULT_DIRECTORY / "config.json").read_bytes())["name"]
    scores = demo.known_scores(model) or []
    scored = ((text, score) for text, score in zip(demo.texts(), scores, strict=True) if score)
    return [
        (n, text.body, text.rating, score.label, score.score, score.confidence)
        for n, (text, score) in zip(itertools.count(), scored, strict=False)
    ]


def as_peer(url: str, workspace: str) -> str:
    """The same database for other servers: every connection has entered `workspace`, and so may write to it."""
    return urlunsplit(
        urlsplit(url)._replace(query=f"options=-c%20earful.workspace_id%3D{workspace}")
    )
