"""The audit log of a workspace over GraphQL, and in the store."""

from datetime import timedelta

import asyncpg
import httpx
import pytest

from app.stores import now
from domain import audit, ids
from domain.ids import Kind
from persistence.database import Database
from tests.callers import JSON, Caller
from tests.factories import PASSWORD, Factory, Tenant
from tests.graph.account_queries import change
from tests.uploads import uploaded

LOG = """
    query($slug: String!, $first: Int, $after: String, $actor: ID, $action: String, $from: DateTime, $to: DateTime) {
      workspace(slug: $slug) {
        auditLog(first: $first, after: $after, actorId: $actor, action: $action, from: $from, to: $to) {
          nodes { id action actor { kind id name } targetId summary before after sessionId ip userAgent at }
          pageInfo { endCursor hasNextPage }
        }
      }
    }
"""
HOUR = timedelta(hours=1)


async def log(caller: Caller, tenant: Tenant, **asked: object) -> JSON:
    answer = await caller.ask(LOG, slug=tenant.slug, **asked)
    return answer["workspace"]["auditLog"]


async def actions(caller: Caller, tenant: Tenant, **asked: object) -> list[str]:
    return [entry["action"] for entry in (await log(caller, tenant, **asked))["nodes"]]


async def make_tag(caller: Caller, tenant: Tenant, name: str) -> str:
    made = await change(caller, "createTag", "tag { id }", workspaceId=tenant.gid, name=name)
    return str(made["tag"]["id"])


async def test_a_change_tells_who_what_when_from_where_and_what_became_another(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    owner = await factory.person(name="Grace")
    tenant = await factory.tenant(owner=owner)
    http.headers["user-agent"] = "a browser"
    key = (await factory.api_key(tenant, "stats:read", name="Shop")).gid
    began = now()

    await change(owner.on(http), "updateApiKey", "apiKey { id }", apiKeyId=key, name="Store")

    (entry,) = (await log(owner.on(http), tenant, first=1))["nodes"]
    assert ids.read(Kind.AUDIT_ENTRY, entry.pop("id")) is not None
    assert began.isoformat() < entry.pop("at").replace("Z", "+00:00") < now().isoformat()
    assert entry == {
        "action": "api_key.updated",
        "actor": {"kind": "USER", "id": owner.gid, "name": "Grace"},
        "targetId": key,
        "summary": "API key Store updated",
        "before": {"name": "Shop"},
        "after": {"name": "Store"},
        "sessionId": ids.write(Kind.SESSION, owner.session_id),
        "ip": "127.0.0.1",
        "userAgent": "a browser",
    }


async def test_a_key_is_named_after_it_is_gone(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    partner = await factory.api_key(tenant, "feedback:tag", name="Shop")
    await make_tag(partner.on(http), tenant, "late")
    await factory.change("DELETE FROM api_key WHERE id = :id", within=tenant, id=partner.id)

    (entry,) = (await log(tenant.owner.on(http), tenant, first=1))["nodes"]

    assert entry["actor"] == {"kind": "API_KEY", "id": partner.gid, "name": "Shop"}
    assert entry["sessionId"] is None


async def test_who_deletes_their_account_has_left_and_is_still_named(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    leaver = await factory.member(tenant, "ANALYST")
    place = await factory.membership(tenant, leaver)
    await make_tag(leaver.on(http), tenant, "late")

    await change(leaver.on(http), "deleteAccount", password=PASSWORD)

    entries = (await log(tenant.owner.on(http), tenant))["nodes"]
    named = {"kind": "USER", "id": leaver.gid, "name": "Somebody"}
    assert [(entry["action"], entry["actor"]) for entry in entries] == [
        ("member.left", named),
        ("tag.created", named),
    ]
    assert entries[0]["targetId"] == place


async def test_a_file_that_was_sent_is_told_as_announced_and_as_complete(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    owner = tenant.owner.on(http)

    file = await uploaded(owner, tenant)

    complete, created = (await log(owner, tenant))["nodes"]
    assert (complete["action"], complete["targetId"]) == ("file.completed", file["id"])
    assert (created["action"], created["after"]["status"]) == ("file.upload_created", "PENDING")
    assert complete["after"]["status"] == "READY"


async def test_what_was_refused_is_not_told(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    owner = tenant.owner.on(http)
    await make_tag(owner, tenant, "late")

    refused = await change(owner, "createTag", "tag { id }", workspaceId=tenant.gid, name="LATE")

    assert refused["__typename"] == "Conflict"
    assert await actions(owner, tenant) == ["tag.created"]


async def test_it_is_read_page_by_page_and_by_what_is_asked_for(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    owner, admin = tenant.owner.on(http), await factory.member(tenant, "ADMIN")
    await make_tag(owner, tenant, "one")
    await change(owner, "updateWorkspace", "workspace { id }", workspaceId=tenant.gid, name="New")
    await make_tag(admin.on(http), tenant, "two")

    first = await log(owner, tenant, first=2)
    rest = await log(owner, tenant, first=2, after=first["pageInfo"]["endCursor"])
    old = {"from": (now() - HOUR).isoformat(), "to": now().isoformat()}
    new = {"from": now().isoformat()}

    summaries = [entry["summary"] for entry in first["nodes"] + rest["nodes"]]
    assert summaries == ["Tag two created", "Workspace New updated", "Tag one created"]
    assert (first["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasNextPage"]) == (True, False)
    assert await actions(owner, tenant, actor=admin.gid) == ["tag.created"]
    assert await actions(owner, tenant, action="workspace.updated") == ["workspace.updated"]
    assert len(await actions(owner, tenant, **old)) == 3
    assert await actions(owner, tenant, **new) == []


async def test_an_actor_that_can_be_none_is_refused(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()

    errors = await tenant.owner.on(http).errors(LOG, slug=tenant.slug, actor=tenant.gid)

    assert errors[0]["message"] == "`actorId` must be the id of a user or of an API key."
    assert errors[0]["extensions"] == {"code": "INVALID_INPUT"}


@pytest.mark.parametrize(("role", "count"), [("ADMIN", 1), ("ANALYST", 0), ("VIEWER", 0)])
async def test_admins_read_it_and_no_others(
    role: str, count: int, factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    await make_tag(tenant.owner.on(http), tenant, "late")
    member = (await factory.member(tenant, role)).on(http)
    (entry,) = (await log(tenant.owner.on(http), tenant))["nodes"]

    found = await member.ask("query($id: ID!) { node(id: $id) { id } }", id=entry["id"])

    assert len(await actions(member, tenant)) == count
    assert found == {"node": [None, {"id": entry["id"]}][count]}


async def test_no_secret_is_in_it(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    owner, of = tenant.owner.on(http), {"workspaceId": tenant.gid}
    url = "https://93.184.215.14/secret-path?token=hidden"
    made = await change(owner, "createApiKey", "secret", **of, name="k", scopes=["stats:read"])
    hook = await change(owner, "createSource", "signingSecret", **of, name="s", kind="WEBHOOK")
    sent = await change(
        owner, "createWebhook", "secret", **of, name="w", url=url, eventTypes=["FEEDBACK_ADDED"]
    )

    rows = str(await factory.rows("SELECT audit_entry::text FROM audit_entry"))

    assert await actions(owner, tenant) == ["webhook.created", "source.created", "api_key.created"]
    assert "93.184.215.14" in rows
    secrets = (made["secret"], hook["signingSecret"], sent["secret"], "secret-path", "hidden")
    assert [secret for secret in secrets if secret in rows] == []


@pytest.mark.parametrize(
    "sql",
    ["UPDATE audit_entry SET summary = ''", "DELETE FROM audit_entry", "TRUNCATE audit_entry"],
)
async def test_postgres_refuses_to_change_it(
    sql: str, factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    await make_tag(tenant.owner.on(http), tenant, "late")

    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="audit_entry is only added to"):
        await factory.change(sql, within=tenant)

    assert await actions(tenant.owner.on(http), tenant) == ["tag.created"]


async def test_what_has_run_out_is_expunged_in_every_workspace(
    factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    tenants = [await factory.tenant(), await factory.tenant()]
    for tenant in tenants:
        async with database.transaction() as uow:
            await uow.enter(tenant.id)
            what = audit.Action.WORKSPACE_UPDATED
            uow.now -= 2 * HOUR
            await audit.record(uow, None, what, tenant.id, tenant.id)
            uow.now += HOUR + HOUR / 2
            await audit.record(uow, None, audit.Action.MEMBER_LEFT, tenant.id, tenant.id)

    await audit.expunge(database, now(), kept=HOUR)

    left = await factory.rows(
        "SELECT workspace_id, action, actor_kind, actor_name FROM audit_entry"
    )
    assert sorted(left) == sorted((t.id, "member.left", "SYSTEM", "Earful") for t in tenants)


async def test_a_workspace_that_is_deleted_takes_it_along(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    await make_tag(tenant.owner.on(http), tenant, "late")

    await factory.change("DELETE FROM workspace WHERE id = :id", within=tenant, id=tenant.id)

    assert await factory.rows("SELECT id FROM audit_entry") == []
