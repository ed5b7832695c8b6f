"""No tenant reaches another's rows: by any id that the schema takes, nor past a use case's mistake."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx
import pytest
from graphql import (
    GraphQLArgument,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLObjectType,
    get_named_type,
)
from sqlalchemy import text

from graph.schema import schema
from persistence.database import Database, Record, Statement
from persistence.tables import METADATA
from tests.callers import JSON, Caller
from tests.factories import Factory, Tenant

SCHEMA = schema._schema
PROBLEM = "{ __typename ... on Problem { message } ... on InvalidInput { fields { path } } }"


@dataclass(frozen=True, slots=True)
class World:
    """A tenant with one thing of every kind, and a stranger who owns a workspace of the same sort."""

    tenant: Tenant
    feedback: str
    tag: str
    job: str
    owner: str
    stranger: Tenant
    own_feedback: str
    own_tag: str


@pytest.fixture
async def world(factory: Factory) -> World:
    tenant, stranger = await factory.tenant("victim"), await factory.tenant("stranger")
    feedback, own_feedback = await factory.feedback(tenant), await factory.feedback(stranger)
    world = World(
        tenant,
        feedback,
        await factory.tag(tenant, "red", feedback),
        await factory.job(tenant),
        await factory.membership(tenant, tenant.owner),
        stranger,
        own_feedback,
        await factory.tag(stranger, "own", own_feedback),
    )
    await factory.job(stranger)
    for each in (tenant, stranger):
        await factory.change(
            "INSERT INTO delivery (source_id, webhook_id, workspace_id, received_at)"
            " VALUES (:source, 'msg_1', :workspace, now())",
            within=each,
            source=each.source_id,
            workspace=each.id,
        )
    return world


async def everything(factory: Factory) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    return {
        table.name: await factory.rows(f'SELECT t::text FROM "{table.name}" t ORDER BY 1')
        for table in METADATA.sorted_tables
    }


# Each id that the schema takes


@dataclass(frozen=True, slots=True)
class Attempt:
    """An operation with the victim's id in one place, and what a stranger and a viewer are answered."""

    query: str
    variables: Callable[[World], JSON]
    stranger: JSON
    viewer: str | None = None


NOT_FOUND = {
    kind: {"__typename": "NotFound", "message": f"There is no such {words}."}
    for kind, words in {
        "workspace": "workspace",
        "source": "source in this workspace",
        "tag": "tag in this workspace",
        "feedback": "feedback",
        "member": "member",
    }.items()
}


def mutation(
    field: str, input: Callable[[World], JSON], stranger: str, viewer: str | None = "Forbidden"
) -> Attempt:
    kind = field[0].upper() + field[1:]
    query = f"mutation($input: {kind}Input!) {{ result: {field}(input: $input) {PROBLEM} }}"
    return Attempt(query, lambda w: {"input": input(w)}, {"result": NOT_FOUND[stranger]}, viewer)


def not_yet(field: str, **input: Any) -> Attempt:
    kind = field[0].upper() + field[1:]
    return Attempt(
        f"mutation($input: {kind}Input!) {{ result: {field}(input: $input) {PROBLEM} }}",
        lambda w: {
            "input": {name: value(w) if callable(value) else value for name, value in input.items()}
        },
        {
            "result": {
                "__typename": "InvalidInput",
                "message": f"{field} is not yet available in this version of Earful.",
                "fields": [],
            }
        },
        "InvalidInput",
    )


def filtered(field: str, value: Callable[[World], str]) -> tuple[Attempt, Attempt]:
    """A filter of the stranger's own list, and of their own statistics, by the victim's id."""
    variables = "query($slug: String!, $filter: FeedbackFilter)"
    span = 'from: "2026-06-15T00:00:00Z", to: "2026-06-16T00:00:00Z"'

    def given(w: World) -> JSON:
        return {"slug": "stranger", "filter": {field: [value(w)]}}

    return (
        Attempt(
            variables
            + "{ workspace(slug: $slug) { feedback(filter: $filter) { totalCount nodes { id } } } }",
            given,
            {"workspace": {"feedback": {"totalCount": 0, "nodes": []}}},
        ),
        Attempt(
            variables
            + f"{{ workspace(slug: $slug) {{ stats({span}, filter: $filter) {{ totals {{ total }} }} }} }}",
            given,
            {"workspace": {"stats": {"totals": {"total": 0}}}},
        ),
    )


BY_SOURCE = filtered("sourceIds", lambda w: w.tenant.source_gid)
BY_TAG = filtered("tagIds", lambda w: w.tag)
FILE = f"file_{'0' * 32}"
ATTEMPTS = {
    "Query.node(id)": Attempt(
        "query($id: ID!) { node(id: $id) { id } }", lambda w: {"id": w.feedback}, {"node": None}
    ),
    "Query.nodes(ids)": Attempt(
        "query($ids: [ID!]!) { nodes(ids: $ids) { id } }",
        lambda w: {
            "ids": [
                w.tenant.gid,
                w.tenant.source_gid,
                w.tenant.owner.gid,
                w.feedback,
                w.tag,
                w.job,
                w.owner,
                w.own_feedback,
            ]
        },
        {"nodes": [None] * 7 + [{"id": ...}]},
    ),
    "Workspace.feedback(filter.sourceIds)": BY_SOURCE[0],
    "Workspace.stats(filter.sourceIds)": BY_SOURCE[1],
    "Workspace.feedback(filter.tagIds)": BY_TAG[0],
    "Workspace.stats(filter.tagIds)": BY_TAG[1],
    "Mutation.createSource(input.workspaceId)": mutation(
        "createSource", lambda w: {"workspaceId": w.tenant.gid, "name": "Mine"}, "workspace"
    ),
    "Mutation.createTag(input.workspaceId)": mutation(
        "createTag", lambda w: {"workspaceId": w.tenant.gid, "name": "mine"}, "workspace"
    ),
    "Mutation.changeMemberRole(input.memberId)": mutation(
        "changeMemberRole", lambda w: {"memberId": w.owner, "role": "VIEWER"}, "member"
    ),
    "Mutation.removeMember(input.memberId)": mutation(
        "removeMember", lambda w: {"memberId": w.owner}, "member"
    ),
    "Mutation.submitFeedback(input.workspaceId)": mutation(
        "submitFeedback", lambda w: {"workspaceId": w.tenant.gid, "body": "Mine."}, "workspace"
    ),
    "Mutation.submitFeedback(input.sourceId)": mutation(
        "submitFeedback",
        lambda w: {
            "workspaceId": w.stranger.gid,
            "sourceId": w.tenant.source_gid,
            "body": "Mine.",
        },
        "source",
        viewer="NotFound",
    ),
    "Mutation.setFeedbackTags(input.feedbackId)": mutation(
        "setFeedbackTags", lambda w: {"feedbackId": w.feedback, "tagIds": []}, "feedback"
    ),
    "Mutation.setFeedbackTags(input.tagIds)": mutation(
        "setFeedbackTags",
        lambda w: {"feedbackId": w.own_feedback, "tagIds": [w.tag]},
        "tag",
        viewer="NotFound",
    ),
    "Mutation.createApiKey(input.workspaceId)": not_yet(
        "createApiKey", workspaceId=lambda w: w.tenant.gid, name="Mine", scopes=[]
    ),
    "Mutation.createUpload(input.workspaceId)": not_yet(
        "createUpload",
        workspaceId=lambda w: w.tenant.gid,
        name="mine.csv",
        contentType="text/csv",
        size=1,
        purpose="IMPORT",
    ),
    "Mutation.completeUpload(input.fileId)": not_yet("completeUpload", fileId=FILE),
    "Mutation.startImport(input.fileId)": not_yet("startImport", fileId=FILE),
    "Mutation.startImport(input.sourceId)": not_yet(
        "startImport", fileId=FILE, sourceId=lambda w: w.tenant.source_gid
    ),
    "Mutation.startExport(input.workspaceId)": not_yet(
        "startExport", workspaceId=lambda w: w.tenant.gid, format="CSV"
    ),
    "Mutation.startExport(input.filter.sourceIds)": not_yet(
        "startExport",
        workspaceId=lambda w: w.tenant.gid,
        format="CSV",
        filter=lambda w: {"sourceIds": [w.tenant.source_gid]},
    ),
    "Mutation.startExport(input.filter.tagIds)": not_yet(
        "startExport",
        workspaceId=lambda w: w.tenant.gid,
        format="CSV",
        filter=lambda w: {"tagIds": [w.tag]},
    ),
}
MUTATIONS = [name for name, attempt in ATTEMPTS.items() if attempt.viewer]


def id_paths(prefix: str, inputs: dict[str, GraphQLArgument | GraphQLInputField]) -> Iterator[str]:
    for name, given in inputs.items():
        kind = get_named_type(given.type)
        if kind.name == "ID":
            yield prefix + name
        elif isinstance(kind, GraphQLInputObjectType):
            yield from id_paths(f"{prefix}{name}.", {**kind.fields})


def test_every_id_that_the_schema_takes_is_tried() -> None:
    taken = {
        f"{kind.name}.{name}({path})"
        for kind in SCHEMA.type_map.values()
        if isinstance(kind, GraphQLObjectType) and kind is not SCHEMA.subscription_type
        for name, field in kind.fields.items()
        for path in id_paths("", {**field.args})
    }

    assert taken == ATTEMPTS.keys()


@pytest.mark.parametrize("name", ATTEMPTS)
async def test_nobody_is_told_to_sign_in_and_nothing_changes(
    world: World, factory: Factory, nobody: Caller, name: str
) -> None:
    attempt, before = ATTEMPTS[name], await everything(factory)

    body = (await nobody.post(attempt.query, **attempt.variables(world))).json()

    assert [error["extensions"] for error in body["errors"]] == [{"code": "UNAUTHENTICATED"}]
    assert body["data"] is None or list(body["data"].values()) == [None]
    assert await everything(factory) == before


@pytest.mark.parametrize("name", ATTEMPTS)
async def test_a_stranger_finds_nothing_and_nothing_changes(
    world: World, factory: Factory, http: httpx.AsyncClient, name: str
) -> None:
    attempt, before = ATTEMPTS[name], await everything(factory)

    answer = await world.stranger.owner.on(http).ask(attempt.query, **attempt.variables(world))

    expected = attempt.stranger
    assert str(answer).replace(world.own_feedback, "...") == str(expected).replace(
        "Ellipsis", "'...'"
    )
    assert await everything(factory) == before


@pytest.mark.parametrize("name", MUTATIONS)
async def test_a_viewer_changes_nothing(
    world: World, factory: Factory, http: httpx.AsyncClient, name: str
) -> None:
    attempt = ATTEMPTS[name]
    viewer = await factory.member(world.tenant, "VIEWER")
    before = await everything(factory)

    answer = await viewer.on(http).ask(attempt.query, **attempt.variables(world))

    assert answer["result"]["__typename"] == attempt.viewer
    assert await everything(factory) == before


@pytest.mark.parametrize(
    "name", ["Mutation.submitFeedback(input.sourceId)", "Mutation.setFeedbackTags(input.tagIds)"]
)
async def test_an_owner_of_both_cannot_mix_them(
    world: World, factory: Factory, http: httpx.AsyncClient, name: str
) -> None:
    await factory.change(
        "INSERT INTO member (id, workspace_id, user_id, role, joined_at)"
        " VALUES (gen_random_uuid(), :workspace, :user, 'OWNER', now())",
        within=world.tenant,
        workspace=world.tenant.id,
        user=world.stranger.owner.id,
    )
    attempt, before = ATTEMPTS[name], await everything(factory)

    answer = await world.stranger.owner.on(http).ask(attempt.query, **attempt.variables(world))

    assert answer == attempt.stranger
    assert await everything(factory) == before


# The second wall: row-level security alone

# By triggers of what has the wall, and for all at once.
WRITTEN_BY_ALL = {"outbox", "stats_hour", "stats_delta"}
TENANT_TABLES = {
    table.name: "workspace_id"
    for table in METADATA.sorted_tables
    if "workspace_id" in table.columns and table.name not in WRITTEN_BY_ALL
} | {"workspace": "id"}


def insert(table: str) -> str:
    """A row of nothing but its workspace: the wall is asked before the constraints."""
    return f"INSERT INTO {table} ({TENANT_TABLES[table]}) VALUES (:workspace)"


async def run(database: Database, entered: Tenant | None, sql: str, **values: Any) -> int:
    """How many rows the statement touches, in a transaction that has entered this workspace."""
    async with database.transaction() as uow:
        if entered is not None:
            await uow.enter(entered.id)
        return await uow.execute(Statement(text(sql), Record), **values)


async def test_every_tenant_table_has_the_wall(factory: Factory) -> None:
    walled = await factory.rows(
        "SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity AND relkind = 'r'"
    )

    assert {name for (name,) in walled} == TENANT_TABLES.keys()


async def test_earful_connects_as_a_role_that_the_wall_binds(factory: Factory) -> None:
    rows = await factory.rows(
        "SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user"
    )

    assert rows == [(False, False)]


@pytest.mark.parametrize("table", TENANT_TABLES)
@pytest.mark.parametrize("entered", [True, False])
async def test_the_wall_refuses_to_insert_a_row_of_another_workspace(
    world: World, factory: Factory, database: Database, table: str, entered: bool
) -> None:
    before = await everything(factory)
    within = {True: world.stranger, False: None}[entered]

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await run(database, within, insert(table), workspace=world.tenant.id)

    assert await everything(factory) == before


@pytest.mark.parametrize("table", TENANT_TABLES)
async def test_the_wall_lets_a_row_of_the_entered_workspace_pass(
    world: World, database: Database, table: str
) -> None:
    with pytest.raises(asyncpg.NotNullViolationError):
        await run(database, world.tenant, insert(table), workspace=world.tenant.id)


@pytest.mark.parametrize("table", TENANT_TABLES)
@pytest.mark.parametrize("entered", [True, False])
async def test_the_wall_hides_the_rows_of_another_workspace_from_changes(
    world: World, factory: Factory, database: Database, table: str, entered: bool
) -> None:
    column, before = TENANT_TABLES[table], await everything(factory)
    within = {True: world.stranger, False: None}[entered]
    statements = [
        f"UPDATE {table} SET {column} = {column} WHERE {column} = :workspace",
        f"DELETE FROM {table} WHERE {column} = :workspace",
    ]

    touched = [await run(database, within, sql, workspace=world.tenant.id) for sql in statements]
    locked = await run(
        database,
        within,
        f"SELECT 1 FROM {table} WHERE {column} = :workspace FOR UPDATE",
        workspace=world.tenant.id,
    )

    assert (touched, locked) == ([0, 0], 0)
    assert await everything(factory) == before


@pytest.mark.parametrize("table", TENANT_TABLES)
async def test_the_wall_lets_the_rows_of_the_entered_workspace_change(
    world: World, database: Database, table: str
) -> None:
    column = TENANT_TABLES[table]

    touched = await run(
        database,
        world.tenant,
        f"UPDATE {table} SET {column} = {column} WHERE {column} = :workspace",
        workspace=world.tenant.id,
    )

    assert touched == {"source": 2}.get(table, 1)


@pytest.mark.parametrize("table", TENANT_TABLES)
async def test_the_wall_refuses_to_move_a_row_into_another_workspace(
    world: World, factory: Factory, database: Database, table: str
) -> None:
    column, before = TENANT_TABLES[table], await everything(factory)

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await run(
            database,
            world.stranger,
            f"UPDATE {table} SET {column} = :victim WHERE {column} = :own",
            victim=world.tenant.id,
            own=world.stranger.id,
        )

    assert await everything(factory) == before


async def test_a_workspace_is_entered_until_the_transaction_ends(
    world: World, factory: Factory, database: Database
) -> None:
    sql = "SELECT current_setting('earful.workspace_id', true)"

    await run(database, world.tenant, "SELECT 1")
    left = [await factory.rows(sql) for _ in range(4)]

    assert {value or "" for ((value,),) in left} == {""}
