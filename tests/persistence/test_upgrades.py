"""Each migration leaves what the version before it reads and writes, with rows there, and can be undone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from app.settings import Settings
from persistence import migrate

RULE_SINCE = "0016"
"""Before the first release nobody had an older version that was to go on meanwhile."""

# As the first version wrote them.
_ROWS = """
INSERT INTO "user" (id, email, name, password_hash, created_at)
SELECT uuid(lpad(n::text, 32, '0')), 'p' || n || '@example.com', 'P', 'x', now() FROM generate_series(1, 3) n;
SET earful.workspace_id = '00000000-0000-0000-0000-00000000000a';
INSERT INTO workspace (id, name, slug, created_at) SELECT uuid(lpad('a', 32, '0')), 'A', 'a', now();
INSERT INTO member (id, workspace_id, user_id, role, joined_at)
SELECT u.id, w.id, u.id, 'OWNER', now() FROM "user" u, workspace w;
INSERT INTO source (id, workspace_id, name, kind, provider, created_at)
SELECT id, id, 'API', 'API', 'STANDARD', now() FROM workspace;
INSERT INTO feedback (id, workspace_id, source_id, body, author_email, occurred_at, received_at)
SELECT gen_random_uuid(), w.id, w.id, 'It works ' || n, 'ada@example.com', now(), now()
FROM workspace w, generate_series(1, 200) n;
INSERT INTO outbox (workspace_id, kind, payload) SELECT id, 'FeedbackAdded', '{}' FROM workspace;
"""
_COUNTS = """
SELECT (SELECT count(*) FROM "user"), (SELECT count(*) FROM member), (SELECT count(*) FROM source),
    (SELECT count(*) FROM feedback WHERE body LIKE 'It works %'), (SELECT count(*) FROM outbox)
"""
_COLUMNS = """
SELECT c.relname AS name, c.relfilenode, a.attname, format_type(a.atttypid, a.atttypmod) AS type,
    a.attnotnull, a.atthasdef OR a.attidentity <> '' AS has_default
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind = 'r' AND c.relnamespace = 'public' ::regnamespace
"""
_CONSTRAINTS = """
SELECT conrelid ::regclass ::text AS name, pg_get_constraintdef(oid) AS text,
    (SELECT coalesce(array_agg(attname ::text), '{}') FROM pg_attribute
     WHERE attrelid = conrelid AND attnum = ANY (conkey)) AS columns
FROM pg_constraint WHERE connamespace = 'public' ::regnamespace AND contype <> 'n'
"""
_OTHERS = """
SELECT indexdef AS text FROM pg_indexes WHERE schemaname = 'public'
UNION SELECT tablename || ': ' || policyname || coalesce(qual, '') || coalesce(with_check, '') FROM pg_policies
UNION SELECT proname || ': ' || prosrc FROM pg_proc WHERE pronamespace = 'public' ::regnamespace
UNION SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
"""


@dataclass
class Column:
    type: str
    required: bool
    has_default: bool


@dataclass
class Schema:
    """What there is of tables: `files` change when a table is written anew."""

    columns: dict[str, dict[str, Column]]
    files: dict[str, int]
    constraints: dict[str, dict[str, frozenset[str]]]
    others: set[str]

    @property
    def told(self) -> tuple[object, ...]:
        """All of it that must be the same on the way up and on the way down."""
        return self.columns, self.constraints, self.others


@asynccontextmanager
async def _database(settings: Settings, name: str) -> AsyncIterator[str]:
    assert settings.database_url is not None
    admin = await asyncpg.connect(settings.database_url)
    await admin.execute(f"CREATE DATABASE {name}")
    try:
        yield settings.database_url.rpartition("/")[0] + f"/{name}"
    finally:
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()


async def _schema(connection: "asyncpg.Connection[Any]") -> Schema:
    schema = Schema({}, {}, {}, set())
    for row in await connection.fetch(_COLUMNS):
        found = Column(row["type"], row["attnotnull"], row["has_default"])
        schema.columns.setdefault(row["name"], {})[row["attname"]] = found
        schema.files[row["name"]] = row["relfilenode"]
    for row in await connection.fetch(_CONSTRAINTS):
        schema.constraints.setdefault(row["name"], {})[row["text"]] = frozenset(row["columns"])
    schema.others = {row["text"] for row in await connection.fetch(_OTHERS)}
    return schema


def harm(before: Schema, after: Schema) -> list[str]:
    """What the version before would stumble over, and what holds everybody up while it is done."""
    found = []
    for table, columns in before.columns.items():
        now = after.columns.get(table)
        if now is None:
            found.append(f"{table} is gone")
            continue
        if after.files[table] != before.files[table]:
            found.append(f"{table} is written anew")
        for name, column in columns.items():
            if name not in now:
                found.append(f"{table}.{name} is gone")
            elif now[name].type != column.type:
                found.append(f"{table}.{name} is of another type")
            elif now[name].required and not column.required:
                found.append(f"{table}.{name} is required")
        found += [
            f"{table}.{name} is new, required, and has no default"
            for name, column in now.items()
            if name not in columns and column.required and not column.has_default
        ]
        held = before.constraints.get(table, {})
        found += [
            f"{table} is constrained: {text}"
            for text, of in after.constraints.get(table, {}).items()
            if text not in held
            and of <= columns.keys()
            and not _is_wider(text, of, held, after, table)
        ]
    return found


def _is_wider(
    text: str,
    of: frozenset[str],
    held: dict[str, frozenset[str]],
    after: Schema,
    table: str,
) -> bool:
    """Whether it takes the place of a list of words, all of which it allows, too."""
    gone = [old for old, columns in held.items() if columns == of]
    gone = [old for old in gone if old not in after.constraints[table]]
    return any(_words(old) <= _words(text) and "ARRAY[" in text for old in gone)


def _words(text: str) -> set[str]:
    return set(text.split("'")[1::2])


def _newest_first(configuration: Config) -> list[Any]:
    return list(ScriptDirectory.from_config(configuration).walk_revisions())


async def test_migrations_are_applied_to_rows_and_undone_one_by_one(settings: Settings) -> None:
    async with _database(settings, "upgrades") as url:
        configuration = migrate.configuration(url)
        revisions = [script.revision for script in reversed(_newest_first(configuration))]
        await asyncio.to_thread(command.upgrade, configuration, revisions[0])
        connection = await asyncpg.connect(url)
        await connection.execute(_ROWS)
        kept = tuple(await connection.fetchrow(_COUNTS) or ())
        up = {revisions[0]: await _schema(connection)}
        harms = {}

        for before, revision in zip(revisions, revisions[1:], strict=False):
            await asyncio.to_thread(command.upgrade, configuration, revision)
            up[revision] = await _schema(connection)
            harms[revision] = harm(up[before], up[revision])
        above = tuple(await connection.fetchrow(_COUNTS) or ())
        down = {}
        for revision in reversed(revisions[:-1]):
            await asyncio.to_thread(command.downgrade, configuration, revision)
            down[revision] = await _schema(connection)
        below = tuple(await connection.fetchrow(_COUNTS) or ())
        await connection.close()

    marked = {script.revision for script in _newest_first(configuration) if _is_contract(script)}
    assert kept == above == below == (3, 3, 1, 200, 1)
    assert [name for name in down if down[name].told != up[name].told] == []
    assert {
        revision: found
        for revision, found in harms.items()
        if found and revision >= RULE_SINCE and revision not in marked
    } == {}


def _is_contract(script: Any) -> bool:
    """Whether it says that no version is left that reads or writes what it takes away."""
    return bool(getattr(script.module, "CONTRACT", ""))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("DROP TABLE small", ["small is gone"]),
        ("ALTER TABLE large DROP COLUMN word", ["large.word is gone"]),
        ("ALTER TABLE large RENAME word TO words", ["large.word is gone"]),
        ("ALTER TABLE large ALTER word SET NOT NULL", ["large.word is required"]),
        (
            "ALTER TABLE large ALTER number TYPE bigint",
            ["large is written anew", "large.number is of another type"],
        ),
        (
            "ALTER TABLE large ADD more text NOT NULL",
            ["large.more is new, required, and has no default"],
        ),
        (
            "ALTER TABLE large ADD at timestamptz DEFAULT clock_timestamp()",
            ["large is written anew"],
        ),
        (
            "ALTER TABLE large ADD CHECK (number > 0)",
            ["large is constrained: CHECK ((number > 0))"],
        ),
        ("ALTER TABLE large ADD UNIQUE (word)", ["large is constrained: UNIQUE (word)"]),
        ("ALTER TABLE large ADD more text, ADD flag bool NOT NULL DEFAULT false", []),
        ("CREATE TABLE new (id int PRIMARY KEY REFERENCES small)", []),
        (
            "ALTER TABLE large DROP CONSTRAINT kind, ADD CONSTRAINT kind CHECK (kind IN ('A', 'B', 'C'))",
            [],
        ),
        (
            "ALTER TABLE large DROP CONSTRAINT kind, ADD CONSTRAINT kind CHECK (kind IN ('A', 'C'))",
            ["large is constrained: CHECK ((kind = ANY (ARRAY['A'::text, 'C'::text])))"],
        ),
    ],
)
async def test_what_harms_the_version_before_is_found(
    harmed: "asyncpg.Connection[Any]", change: str, expected: list[str]
) -> None:
    before = await _schema(harmed)
    await harmed.execute(change)

    assert harm(before, await _schema(harmed)) == expected


@pytest.fixture(scope="module")
async def tables(settings: Settings) -> AsyncIterator["asyncpg.Connection[Any]"]:
    async with _database(settings, "harmed") as url:
        connection = await asyncpg.connect(url)
        await connection.execute("""
            CREATE TABLE small (id int PRIMARY KEY);
            CREATE TABLE large (
                number int, word text, kind text CONSTRAINT kind CHECK (kind IN ('A', 'B')))
        """)
        yield connection
        await connection.close()


@pytest.fixture
async def harmed(
    tables: "asyncpg.Connection[Any]",
) -> AsyncIterator["asyncpg.Connection[Any]"]:
    """Two tables, and what is done to them is undone afterwards."""
    transaction = tables.transaction()
    await transaction.start()
    yield tables
    await transaction.rollback()
