"""How many statements an operation takes: as many for one parent as for fifty, whichever field is asked for."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx
import orjson
import pytest
from graphql import GraphQLField, GraphQLInterfaceType

from app.resources import Api
from app.settings import Settings
from app.stores import open_database
from graph.engine import RESOLUTION, Attribute, Computed
from graph.execution import Operations
from persistence.database import Database
from persistence.tables import METADATA
from tests.applications import client
from tests.callers import Caller
from tests.factories import Factory
from tests.graph.ways import (
    LIVE,
    NOT_YET,
    PLAIN,
    PROBLEMS,
    SCHEMA,
    WAYS,
    fields,
    visits,
)
from tests.graph.ways_world import World, world
from tests.statements import watched

DASHBOARD = """
    {
      viewer {
        user { email }
        sessions { current }
        workspaces {
          name
          feedback {
            totalCount
            edges { cursor node { body source { name lastReceivedAt } tags { name } } }
            nodes { source { name } }
          }
          stats(from: "2026-06-15T00:00:00Z", to: "2026-06-16T00:00:00Z") { totals { total } }
          sources { name lastReceivedAt }
          members { role user { email } }
          tags { name }
          apiKeys { name }
          jobs { nodes { status } }
        }
      }
    }
"""


@dataclass(slots=True)
class Watched:
    """An application whose statements are seen on their way to Postgres."""

    http: httpx.AsyncClient
    executed: list[str]
    reader: tuple[Caller, dict[str, Any]] | None = None
    """Who asks all queries; for a mutation there is always somebody new, and something new to change."""

    async def ask(self, world: World, operation: str) -> tuple[Any, list[str]]:
        """The owner's answer, and the statements that it took."""
        if self.reader is None:
            self.reader = await world.visitor(self.http)
        wanted = re.findall(r"\$(\w+)", operation)
        changes = operation.startswith("mutation")
        caller, variables = await world.visitor(self.http, wanted) if changes else self.reader
        self.executed.clear()
        answer = await caller.ask(operation, **variables)
        return answer, [text for text in self.executed if not _OF_NEW_CONNECTIONS.search(text)]


# How they are set up, and what asyncpg asks about types that it meets for the first time.
_OF_NEW_CONNECTIONS = re.compile(r"^SET |typeinfo_tree|'jit'")


@pytest.fixture
async def watch(settings: Settings, api: Api) -> AsyncIterator[Watched]:
    """Each statement of a level by itself, so that it can be looked at."""
    async with watching(settings, api) as (watch, database):
        database.keep_apart()
        yield watch


@pytest.fixture
async def watch_joint(settings: Settings, api: Api) -> AsyncIterator[Watched]:
    """As it is in the servers: those of a level together."""
    async with watching(settings, api) as (watch, _):
        yield watch


@asynccontextmanager
async def watching(settings: Settings, api: Api) -> AsyncIterator[tuple[Watched, Database]]:
    assert settings.database_url is not None
    async with (
        watched(settings.database_url) as (url, executed),
        open_database(settings.model_copy(update={"database_url": url}), "watched") as database,
        client(
            settings, replace(api, services=replace(api.services, database=database)), Operations
        ) as http,
    ):
        yield Watched(http, executed), database


@pytest.mark.parametrize("size", [1, 50])
async def test_each_field_takes_its_statements_however_many_parents_it_has(
    size: int, factory: Factory, api: Api, watch: Watched
) -> None:
    large = await world(factory, api.services, size)

    taken = {}
    for visit in visits():
        answer, statements = await watch.ask(large, visit.operation)
        objects = orjson.dumps(answer).count(b'"it":')
        taken[visit.coordinate] = (len(statements), objects)

    assert taken == {
        visit.coordinate: (visit.statements, 1 if visit.is_alone else size) for visit in visits()
    }


def test_there_is_a_way_to_every_type() -> None:
    assert {type_ for type_, _, _ in fields()} == WAYS.keys() | PROBLEMS | NOT_YET | PLAIN | LIVE


def test_types_without_a_way_take_no_statements() -> None:
    others = [
        f"{type_}.{name}"
        for type_, name, field in fields()
        if type_ in PROBLEMS | NOT_YET | PLAIN
        and not isinstance(field.extensions[RESOLUTION], Attribute | Computed)
    ]

    assert others == []


@pytest.mark.parametrize("size", [1, 50])
async def test_a_dashboard_takes_one_statement_for_each_field_of_a_level(
    size: int, factory: Factory, api: Api, watch: Watched
) -> None:
    here = await world(factory, api.services, size)

    answer, statements = await watch.ask(here, DASHBOARD)

    assert len(answer["viewer"]["workspaces"]) == size
    assert len(statements) == 14, statements


async def test_most_statements_of_a_level_go_together(
    factory: Factory, api: Api, watch: Watched, watch_joint: Watched
) -> None:
    here = await world(factory, api.services, 3)
    without_sessions = DASHBOARD.replace("sessions { current }", "")  # each asker has one

    for beginning in (watch, watch_joint):
        await beginning.ask(here, "{ __typename }")  # who asks is there before anything is compared
    apart, each = await watch.ask(here, without_sessions)
    joint, statements = await watch_joint.ask(here, without_sessions)

    assert joint == apart
    assert len(each) == 13
    assert len(statements) == 7, statements


async def test_whatever_is_read_of_a_tenant_is_read_as_a_member(
    factory: Factory, api: Api, watch: Watched
) -> None:
    here = await world(factory, api.services, 1)
    queries = [visit.operation for visit in visits() if visit.operation.startswith("query")]

    texts = {text for query in [*queries, DASHBOARD] for text in (await watch.ask(here, query))[1]}

    tables = {text: _TENANTS.intersection(_READ.findall(text)) for text in texts}
    assert set().union(*tables.values()) == _TENANTS - _OF_JOBS_ALONE
    assert [text for text, read in tables.items() if read and not _AS_MEMBER.search(text)] == []


_TENANTS = {"workspace"} | {
    table.name for table in METADATA.sorted_tables if "workspace_id" in table.columns
}
_OF_JOBS_ALONE = {
    "api_key_secret",
    "delivery",
    "feedback_original",
    "import_feedback",
    "import_refusal",
    "import_tag",
    "invitation_token",
    "outbox",
    "source_secret",
    "webhook_secret",
}
_READ = re.compile(r"(?:FROM|JOIN)\s+(\w+)")
_AS_MEMBER = re.compile(r"FROM\s+member\b.*\bprincipal_id = \$", re.DOTALL)


async def test_nothing_is_read_but_what_a_field_looks_at(
    factory: Factory, api: Api, watch: Watched
) -> None:
    node = SCHEMA.type_map["Node"]
    assert isinstance(node, GraphQLInterfaceType)
    here = await world(factory, api.services, 1)
    looked_at = {f"{type_}.{name}": _looks_at(field) for type_, name, field in fields()}
    of_rows = [visit for visit in visits() if _OF_ROWS.search(visit.operation)]

    read = {v.coordinate: _columns((await watch.ask(here, v.operation))[1][0]) for v in of_rows}

    types = {coordinate.partition(".")[0] for coordinate in read}
    assert types == {type_.name for type_ in SCHEMA.get_implementations(node).objects} - NOT_YET
    assert read == {coordinate: {"id"} | looked_at[coordinate] for coordinate in read}


@pytest.mark.parametrize(
    ("selection", "columns"),
    [
        ("totalCount", set()),
        ("pageInfo { endCursor } edges { cursor }", set()),
        ("nodes { id __typename }", set()),
        ("nodes { body }", {"body"}),
        ("nodes { ...on Feedback { rating } } edges { node { language } }", {"rating", "language"}),
        ("nodes { source { name } tags { name } }", {"source_id"}),
        ("nodes { author { name } }", {"author_name", "author_email", "author_external_id"}),
        ("nodes { body @skip(if: true) rating @include(if: false) }", set()),
    ],
)
async def test_nothing_is_read_of_a_page_but_what_is_selected_of_its_nodes(
    selection: str, columns: set[str], factory: Factory, api: Api, watch: Watched
) -> None:
    here = await world(factory, api.services, 1)

    _, statements = await watch.ask(
        here, f"query($slug: String!) {{ workspace(slug: $slug) {{ feedback {{ {selection} }} }} }}"
    )

    assert _columns(statements[1]) == {"id", "workspace_id", "occurred_at"} | columns


@pytest.mark.parametrize(
    ("selection", "statements"),
    [
        ("edges { node { body source { name } tags { color } } }", 2),
        ("edges { node { source { name } } } nodes { source { kind } tags { name } }", 2),
        ("nodes { first: tags { name } second: tags { color } }", 2),
        ("nodes { source { lastReceivedAt } }", 3),
        ("nodes { tags { __typename } }", 2),
        ("nodes { tags { __typename } } edges { cursor }", 3),
    ],
)
async def test_a_page_brings_its_sources_and_tags_along(
    selection: str, statements: int, factory: Factory, api: Api, watch: Watched
) -> None:
    here = await world(factory, api.services, 1)

    _, taken = await watch.ask(
        here, f"query($slug: String!) {{ workspace(slug: $slug) {{ feedback {{ {selection} }} }} }}"
    )

    assert len(taken) == statements, taken


# A field by itself, of what nodes(ids:) found.
_OF_ROWS = re.compile(r"^query.*\.\.\. on \w+ \{ it: ")


def _looks_at(field: GraphQLField) -> set[str]:
    resolution = field.extensions[RESOLUTION]
    return {resolution.name} if isinstance(resolution, Attribute) else set(resolution.reads or ())


def _columns(statement: str) -> set[str]:
    """What a SELECT answers of each row."""
    columns = statement.partition("SELECT ")[2].partition("\nFROM ")[0].split(", ")
    return {re.split(r" AS |\.", column)[-1].strip() for column in columns}
