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

from domain import ids
from domain.ids import Kind
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
    dead: str
    schedule: str
    rule: str
    alert: str
    owner: str
    stranger: Tenant
    own_feedback: str
    own_tag: str
    own_rule: str
    webhook: str
    own_webhook: str
    delivery: str
    file: str
    own_file: str
    key: str


@pytest.fixture
async def world(factory: Factory) -> World:
    tenant, stranger = await factory.tenant("victim"), await factory.tenant("stranger")
    feedback, own_feedback = await factory.feedback(tenant), await factory.feedback(stranger)
    webhook, own_webhook = await factory.webhook(tenant), await factory.webhook(stranger)
    world = World(
        tenant,
        feedback,
        await factory.tag(tenant, "red", feedback),
        await factory.job(tenant),
        await factory.job(tenant),
        await factory.schedule(tenant),
        *await factory.alert(tenant, feedback),
        await factory.membership(tenant, tenant.owner),
        stranger,
        own_feedback,
        await factory.tag(stranger, "own", own_feedback),
        (await factory.alert(stranger, own_feedback))[0],
        webhook,
        own_webhook,
        await factory.delivery(tenant, webhook),
        await factory.file(tenant),
        await factory.file(stranger),
        (await factory.api_key(tenant)).gid,
    )
    await factory.job_changed(tenant, world.dead, "FAILED", told=False)
    await factory.job(stranger)
    await factory.schedule(stranger)
    await factory.webhook_attempt(tenant, world.delivery)
    await factory.webhook_attempt(stranger, await factory.delivery(stranger, own_webhook))
    await factory.api_key(stranger)
    for each in (tenant, stranger):
        await factory.change(
            "INSERT INTO delivery (source_id, webhook_id, workspace_id, received_at)"
            " VALUES (:source, 'msg_1', :workspace, now())",
            within=each,
            source=each.source_id,
            workspace=each.id,
        )
        for sql in IMPORTED:
            await factory.change(sql, within=each, workspace=each.id)
    return world


# A row in each of the tables of imports.
IMPORTED = (
    (
        "INSERT INTO import_feedback (feedback_id, workspace_id, job_id) SELECT f.id, :workspace, j.id"
        " FROM feedback f JOIN job j USING (workspace_id) WHERE workspace_id = :workspace LIMIT 1"
    ),
    (
        "INSERT INTO import_tag (tag_id, workspace_id, job_id) SELECT t.id, :workspace, j.id"
        " FROM tag t JOIN job j USING (workspace_id) WHERE workspace_id = :workspace LIMIT 1"
    ),
    (
        "INSERT INTO import_refusal (job_id, number, workspace_id, columns, reason, original)"
        " SELECT id, 1, workspace_id, '', '', '' FROM job WHERE workspace_id = :workspace LIMIT 1"
    ),
)


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
        "job": "job",
        "rule": "alert rule",
        "webhook": "webhook",
        "delivery": "delivery",
        "its feedback": "feedback in this workspace",
        "key": "API key",
        "member": "member",
        "session": "session",
        "its member": "member in this workspace",
        "file": "file",
        "import": "import",
        "its file": "file in this workspace",
    }.items()
}


def mutation(
    field: str, input: Callable[[World], JSON], stranger: str, viewer: str | None = "Forbidden"
) -> Attempt:
    kind = field[0].upper() + field[1:]
    query = f"mutation($input: {kind}Input!) {{ result: {field}(input: $input) {PROBLEM} }}"
    return Attempt(query, lambda w: {"input": input(w)}, {"result": NOT_FOUND[stranger]}, viewer)


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
HOOK: JSON = {"name": "Mine", "url": "https://me.example/", "eventTypes": ["FEEDBACK_ADDED"]}
COUNT: JSON = {"kind": "COUNT", "threshold": 1}
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
                w.schedule,
                w.rule,
                w.alert,
                w.webhook,
                w.delivery,
                w.file,
                w.key,
                w.owner,
                w.own_feedback,
            ]
        },
        {"nodes": [None] * 14 + [{"id": ...}]},
    ),
    "Query.job(id)": Attempt(
        "query($id: ID!) { job(id: $id) { id } }", lambda w: {"id": w.job}, {"job": None}
    ),
    "Query.deadJobs(workspaceId)": Attempt(
        "query($id: ID!) { deadJobs(workspaceId: $id) { nodes { id } } }",
        lambda w: {"id": w.tenant.gid},
        {"deadJobs": {"nodes": []}},
    ),
    "Workspace.feedback(filter.sourceIds)": BY_SOURCE[0],
    "Workspace.stats(filter.sourceIds)": BY_SOURCE[1],
    "Workspace.feedback(filter.tagIds)": BY_TAG[0],
    "Workspace.stats(filter.tagIds)": BY_TAG[1],
    "Mutation.createSource(input.workspaceId)": mutation(
        "createSource", lambda w: {"workspaceId": w.tenant.gid, "name": "Mine"}, "workspace"
    ),
    "Mutation.createAlertRule(input.workspaceId)": mutation(
        "createAlertRule",
        lambda w: {"workspaceId": w.tenant.gid, "name": "Mine", "rule": COUNT},
        "workspace",
    ),
    "Mutation.createAlertRule(input.rule.filter.sourceIds)": mutation(
        "createAlertRule",
        lambda w: {
            "workspaceId": w.stranger.gid,
            "name": "Mine",
            "rule": COUNT | {"filter": {"sourceIds": [w.tenant.source_gid]}},
        },
        "source",
        viewer="NotFound",
    ),
    "Mutation.createAlertRule(input.rule.filter.tagIds)": mutation(
        "createAlertRule",
        lambda w: {
            "workspaceId": w.stranger.gid,
            "name": "Mine",
            "rule": COUNT | {"filter": {"tagIds": [w.tag]}},
        },
        "tag",
        viewer="NotFound",
    ),
    "Mutation.createAlertRule(input.channels.memberIds)": mutation(
        "createAlertRule",
        lambda w: {
            "workspaceId": w.stranger.gid,
            "name": "Mine",
            "rule": COUNT,
            "channels": {"memberIds": [w.owner]},
        },
        "its member",
        viewer="NotFound",
    ),
    "Mutation.updateAlertRule(input.alertRuleId)": mutation(
        "updateAlertRule", lambda w: {"alertRuleId": w.rule, "name": "Mine"}, "rule"
    ),
    "Mutation.updateAlertRule(input.rule.filter.sourceIds)": mutation(
        "updateAlertRule",
        lambda w: {
            "alertRuleId": w.own_rule,
            "rule": COUNT | {"filter": {"sourceIds": [w.tenant.source_gid]}},
        },
        "source",
        viewer="NotFound",
    ),
    "Mutation.updateAlertRule(input.rule.filter.tagIds)": mutation(
        "updateAlertRule",
        lambda w: {"alertRuleId": w.own_rule, "rule": COUNT | {"filter": {"tagIds": [w.tag]}}},
        "tag",
        viewer="NotFound",
    ),
    "Mutation.updateAlertRule(input.channels.memberIds)": mutation(
        "updateAlertRule",
        lambda w: {"alertRuleId": w.own_rule, "channels": {"memberIds": [w.owner]}},
        "its member",
        viewer="NotFound",
    ),
    "Mutation.createWebhook(input.workspaceId)": mutation(
        "createWebhook", lambda w: HOOK | {"workspaceId": w.tenant.gid}, "workspace"
    ),
    "Mutation.createWebhook(input.sourceIds)": mutation(
        "createWebhook",
        lambda w: HOOK | {"workspaceId": w.stranger.gid, "sourceIds": [w.tenant.source_gid]},
        "source",
        viewer="NotFound",
    ),
    "Mutation.createWebhook(input.tagIds)": mutation(
        "createWebhook",
        lambda w: HOOK | {"workspaceId": w.stranger.gid, "tagIds": [w.tag]},
        "tag",
        viewer="NotFound",
    ),
    "Mutation.updateWebhook(input.webhookId)": mutation(
        "updateWebhook", lambda w: {"webhookId": w.webhook, "name": "Mine"}, "webhook"
    ),
    "Mutation.updateWebhook(input.sourceIds)": mutation(
        "updateWebhook",
        lambda w: {"webhookId": w.own_webhook, "sourceIds": [w.tenant.source_gid]},
        "source",
        viewer="NotFound",
    ),
    "Mutation.updateWebhook(input.tagIds)": mutation(
        "updateWebhook",
        lambda w: {"webhookId": w.own_webhook, "tagIds": [w.tag]},
        "tag",
        viewer="NotFound",
    ),
    "Mutation.deleteWebhook(input.webhookId)": mutation(
        "deleteWebhook", lambda w: {"webhookId": w.webhook}, "webhook"
    ),
    "Mutation.rotateWebhookSecret(input.webhookId)": mutation(
        "rotateWebhookSecret", lambda w: {"webhookId": w.webhook}, "webhook"
    ),
    "Mutation.revokeSession(input.sessionId)": mutation(
        "revokeSession",
        lambda w: {"sessionId": ids.write(Kind.SESSION, w.tenant.owner.session_id)},
        "session",
        viewer="NotFound",
    ),
    "Mutation.sendTestWebhook(input.webhookId)": mutation(
        "sendTestWebhook", lambda w: {"webhookId": w.webhook}, "webhook"
    ),
    "Mutation.replayWebhookDelivery(input.deliveryId)": mutation(
        "replayWebhookDelivery", lambda w: {"deliveryId": w.delivery}, "delivery"
    ),
    "Mutation.replayWebhookDeliveries(input.webhookId)": mutation(
        "replayWebhookDeliveries",
        lambda w: {
            "webhookId": w.webhook,
            "from": "2026-06-15T00:00:00Z",
            "to": "2026-06-16T00:00:00Z",
        },
        "webhook",
    ),
    "Mutation.previewWebhookPayload(input.workspaceId)": mutation(
        "previewWebhookPayload", lambda w: {"workspaceId": w.tenant.gid}, "workspace"
    ),
    "Mutation.previewWebhookPayload(input.feedbackId)": mutation(
        "previewWebhookPayload",
        lambda w: {"workspaceId": w.stranger.gid, "feedbackId": w.feedback},
        "its feedback",
        viewer="NotFound",
    ),
    "Mutation.deleteAlertRule(input.alertRuleId)": mutation(
        "deleteAlertRule", lambda w: {"alertRuleId": w.rule}, "rule"
    ),
    "Mutation.testAlertChannels(input.alertRuleId)": mutation(
        "testAlertChannels", lambda w: {"alertRuleId": w.rule}, "rule"
    ),
    "Mutation.previewAlertRule(input.workspaceId)": mutation(
        "previewAlertRule", lambda w: {"workspaceId": w.tenant.gid, "rule": COUNT}, "workspace"
    ),
    "Mutation.previewAlertRule(input.rule.filter.sourceIds)": mutation(
        "previewAlertRule",
        lambda w: {
            "workspaceId": w.stranger.gid,
            "rule": COUNT | {"filter": {"sourceIds": [w.tenant.source_gid]}},
        },
        "source",
        viewer="NotFound",
    ),
    "Mutation.previewAlertRule(input.rule.filter.tagIds)": mutation(
        "previewAlertRule",
        lambda w: {
            "workspaceId": w.stranger.gid,
            "rule": COUNT | {"filter": {"tagIds": [w.tag]}},
        },
        "tag",
        viewer="NotFound",
    ),
    "Mutation.createTag(input.workspaceId)": mutation(
        "createTag", lambda w: {"workspaceId": w.tenant.gid, "name": "mine"}, "workspace"
    ),
    "Mutation.updateWorkspace(input.workspaceId)": mutation(
        "updateWorkspace", lambda w: {"workspaceId": w.tenant.gid, "name": "Mine"}, "workspace"
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
    "Mutation.cancelJob(input.jobId)": mutation("cancelJob", lambda w: {"jobId": w.job}, "job"),
    "Mutation.retryJob(input.jobId)": mutation("retryJob", lambda w: {"jobId": w.dead}, "job"),
    # It does what it may, which is nothing.
    "Mutation.requeueJobs(input.jobIds)": Attempt(
        f"mutation($input: RequeueJobsInput!) {{ result: requeueJobs(input: $input) {PROBLEM} }}",
        lambda w: {"input": {"jobIds": [w.dead]}},
        {"result": {"__typename": "RequeueJobsSuccess"}},
        "RequeueJobsSuccess",
    ),
    "Mutation.createApiKey(input.workspaceId)": mutation(
        "createApiKey",
        lambda w: {"workspaceId": w.tenant.gid, "name": "Mine", "scopes": []},
        "workspace",
    ),
    "Mutation.updateApiKey(input.apiKeyId)": mutation(
        "updateApiKey", lambda w: {"apiKeyId": w.key, "scopes": []}, "key"
    ),
    "Mutation.rotateApiKey(input.apiKeyId)": mutation(
        "rotateApiKey", lambda w: {"apiKeyId": w.key}, "key"
    ),
    "Mutation.revokeApiKey(input.apiKeyId)": mutation(
        "revokeApiKey", lambda w: {"apiKeyId": w.key}, "key"
    ),
    "Mutation.createUpload(input.workspaceId)": mutation(
        "createUpload",
        lambda w: {
            "workspaceId": w.tenant.gid,
            "name": "mine.csv",
            "contentType": "text/csv",
            "size": 1,
            "purpose": "IMPORT",
        },
        "workspace",
    ),
    "Mutation.completeUpload(input.fileId)": mutation(
        "completeUpload", lambda w: {"fileId": w.file}, "file", viewer="NotFound"
    ),
    "Mutation.attachFiles(input.feedbackId)": mutation(
        "attachFiles", lambda w: {"feedbackId": w.feedback, "fileIds": []}, "feedback"
    ),
    "Mutation.attachFiles(input.fileIds)": mutation(
        "attachFiles",
        lambda w: {"feedbackId": w.own_feedback, "fileIds": [w.file]},
        "its file",
        viewer="NotFound",
    ),
    "Mutation.setAvatar(input.fileId)": mutation(
        "setAvatar", lambda w: {"fileId": w.file}, "file", viewer="NotFound"
    ),
    "Mutation.startImport(input.fileId)": mutation(
        "startImport", lambda w: {"fileId": w.file}, "file"
    ),
    "Mutation.startImport(input.sourceId)": mutation(
        "startImport",
        lambda w: {"fileId": w.own_file, "sourceId": w.tenant.source_gid},
        "source",
        viewer="NotFound",
    ),
    "Mutation.previewImport(input.fileId)": mutation(
        "previewImport", lambda w: {"fileId": w.file}, "file"
    ),
    "Mutation.undoImport(input.jobId)": mutation(
        "undoImport", lambda w: {"jobId": w.job}, "import"
    ),
    "Mutation.startExport(input.workspaceId)": mutation(
        "startExport", lambda w: {"workspaceId": w.tenant.gid, "format": "CSV"}, "workspace"
    ),
    "Mutation.startExport(input.filter.sourceIds)": mutation(
        "startExport",
        lambda w: {
            "workspaceId": w.stranger.gid,
            "format": "CSV",
            "filter": {"sourceIds": [w.tenant.source_gid]},
        },
        "source",
        viewer="NotFound",
    ),
    "Mutation.startExport(input.filter.tagIds)": mutation(
        "startExport",
        lambda w: {"workspaceId": w.stranger.gid, "format": "CSV", "filter": {"tagIds": [w.tag]}},
        "tag",
        viewer="NotFound",
    ),
}
# Nobody need sign in for them, and finds nothing either.
PUBLIC = {"Query.job(id)"}
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


async def test_nobody_finds_a_job_that_is_not_open(world: World, nobody: Caller) -> None:
    attempt = ATTEMPTS["Query.job(id)"]

    assert await nobody.ask(attempt.query, **attempt.variables(world)) == {"job": None}


@pytest.mark.parametrize("name", ATTEMPTS.keys() - PUBLIC)
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

    assert touched == {"source": 2, "job": 3, "member": 2}.get(table, 1)


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
