"""A victim and a stranger with one thing of every kind, and an attempt to reach the victim's by an id."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from persistence.tables import METADATA
from tests.callers import JSON
from tests.factories import Factory, Tenant

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
    invitation: str
    identity: str
    quarantined: str
    entry: str
    receipt: str
    export: str
    own_export: str
    note: str
    view: str
    own_view: str


async def victim_and_stranger(factory: Factory) -> World:
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
        await factory.invitation(tenant),
        await factory.identity(tenant.owner),
        await factory.quarantined(tenant),
        await factory.entry(tenant),
        await factory.receipt(tenant),
        await factory.export_schedule(tenant),
        await factory.export_schedule(stranger),
        await factory.note(tenant, feedback),
        await factory.saved_view(tenant),
        await factory.saved_view(stranger),
    )
    await factory.receipt(stranger)
    await factory.note(stranger, own_feedback)
    await factory.quarantined(stranger)
    await factory.invitation(stranger)
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
        for sql in (*IMPORTED, *OF_SOURCES, CHANGED):
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

# A row in each of the tables of sources.
OF_SOURCES = (
    (
        "INSERT INTO source_secret (id, source_id, workspace_id, sealed_secret, expires_at)"
        " SELECT gen_random_uuid(), id, workspace_id, '', now() FROM source"
        " WHERE workspace_id = :workspace LIMIT 1"
    ),
    (
        "INSERT INTO source_refusal (source_id, hour, workspace_id, times, message, last_at)"
        " SELECT id, now(), workspace_id, 1, '', now() FROM source WHERE workspace_id = :workspace LIMIT 1"
    ),
    (
        "INSERT INTO feedback_revision (id, feedback_id, workspace_id, body, replaced_at)"
        " SELECT gen_random_uuid(), id, workspace_id, body, now() FROM feedback"
        " WHERE workspace_id = :workspace LIMIT 1"
    ),
    (
        "INSERT INTO feedback_original (feedback_id, workspace_id, source_id, sealed)"
        " SELECT id, workspace_id, source_id, '' FROM feedback WHERE workspace_id = :workspace LIMIT 1"
    ),
)
CHANGED = (
    "INSERT INTO feedback_change (id, feedback_id, workspace_id, at, kind, removed, added,"
    " actor_kind, actor_name) SELECT gen_random_uuid(), id, workspace_id, now(), 'STATUS', '{OPEN}',"
    " '{CLOSED}', 'SYSTEM', 'Earful' FROM feedback WHERE workspace_id = :workspace LIMIT 1"
)


_EVERYTHING = " UNION ALL ".join(
    f"SELECT '{table.name}', t::text FROM \"{table.name}\" t" for table in METADATA.sorted_tables
)


async def everything(factory: Factory) -> list[tuple[Any, ...]]:
    """Every row of every table, after the table's name."""
    return await factory.rows(f"{_EVERYTHING} ORDER BY 1, 2")


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
        "any source": "source",
        "quarantined": "body in quarantine",
        "tag": "tag in this workspace",
        "feedback": "feedback",
        "job": "job",
        "rule": "alert rule",
        "export": "scheduled export",
        "webhook": "webhook",
        "delivery": "delivery",
        "its feedback": "feedback in this workspace",
        "key": "API key",
        "member": "member",
        "invitation": "invitation",
        "identity": "identity",
        "session": "session",
        "its member": "member in this workspace",
        "file": "file",
        "import": "import",
        "its file": "file in this workspace",
        "note": "note",
        "view": "saved view",
    }.items()
}


def mutation(
    field: str, input: Callable[[World], JSON], stranger: str, viewer: str | None = "Forbidden"
) -> Attempt:
    kind = field[0].upper() + field[1:]
    query = f"mutation($input: {kind}Input!) {{ result: {field}(input: $input) {PROBLEM} }}"
    return Attempt(query, lambda w: {"input": input(w)}, {"result": NOT_FOUND[stranger]}, viewer)


def not_for_rules(field: str, input: Callable[[World], JSON]) -> Attempt:
    """A rule of the stranger's own with a filter that rules do not have, whoever's id is in it."""
    refused: JSON = {
        "__typename": "InvalidInput",
        "message": "Some fields are not valid.",
        "fields": [{"path": ["rule", "filter", "assigneeIds"]}],
    }
    attempt = mutation(field, input, "workspace", viewer="NotFound")
    return replace(attempt, stranger={"result": refused})


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
