"""Endpoints: made, seen, changed, keyed anew and taken away by those who manage a workspace's webhooks."""

import base64
from typing import Any

import httpx
import pytest

from app.resources import Api
from domain import signing
from domain.webhook.endpoint import MOST_WEBHOOKS
from tests.callers import Caller
from tests.factories import WEBHOOK_SECRET, Factory
from tests.graph.webhook_queries import (
    DELETE,
    ROTATE,
    UPDATE,
    created,
    result,
    webhooks,
)

NODE = "query($id: ID!) { node(id: $id) { id ... on Webhook { name } } }"


async def test_an_endpoint_is_made_and_listed(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    tag = await factory.tag(tenant, "red")

    made = await created(
        http,
        tenant,
        eventTypes=["FEEDBACK_SCORED", "FEEDBACK_ADDED", "FEEDBACK_ADDED"],
        sourceIds=[tenant.source_gid],
        tagIds=[tag],
        sentiments=["NEGATIVE"],
        selection="{ feedback { body } }",
        ratePerSecond=3,
    )

    expected = {
        "id": made["webhook"]["id"],
        "name": "Shop",
        "url": "https://receiver.example/hook",
        "eventTypes": ["FEEDBACK_SCORED", "FEEDBACK_ADDED"],
        "sourceIds": [tenant.source_gid],
        "tagIds": [tag],
        "sentiments": ["NEGATIVE"],
        "selection": "{ feedback { body } }",
        "algorithm": "HMAC",
        "ratePerSecond": 3,
        "enabled": True,
        "disabledReason": None,
        "failingSince": None,
        "createdById": tenant.owner.gid,
    }
    assert made["webhook"] == expected
    assert await webhooks(http, tenant, tenant.owner) == [expected]
    found = await tenant.owner.on(http).ask(NODE, id=expected["id"])
    assert found == {"node": {"id": expected["id"], "name": "Shop"}}


async def test_a_shared_secret_is_shown_once_and_sealed(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()

    made = await created(http, tenant)

    assert made["publicKey"] is None
    assert made["secret"].startswith("whsec_")
    raw = base64.b64decode(made["secret"].removeprefix("whsec_"))
    assert len(raw) == 32
    for table in ("webhook", "webhook_secret", "job", "outbox"):
        for (text,) in await factory.rows(f"SELECT t::text FROM {table} t"):
            assert made["secret"] not in text
            assert raw.hex() not in text


async def test_of_a_key_pair_only_the_public_half_is_shown(
    factory: Factory, http: httpx.AsyncClient, api: Api
) -> None:
    tenant = await factory.tenant()

    made = await created(http, tenant, algorithm="ED25519")

    assert made["secret"] is None
    ((webhook, sealed),) = await factory.rows("SELECT webhook_id, sealed FROM webhook_secret")
    private = api.services.seals.open(sealed, f"webhook secret of {webhook.hex}").decode()
    assert made["publicKey"] == signing.public_key(private)


@pytest.mark.parametrize(
    ("input", "path", "message"),
    [
        ({"name": " "}, "name", "must not be blank"),
        ({"name": "x" * 201}, "name", "must have at most 200 characters, has 201"),
        ({"url": "ftp://receiver.example/"}, "url", "expected a URL like https://host/path"),
        (
            {"url": "https://10.0.0.1/"},
            "url",
            "the host's address is not one that may be called: private",
        ),
        (
            {"url": "https://169.254.169.254/latest"},
            "url",
            "the host's address is not one that may be called: cloud metadata",
        ),
        ({"url": "https://localhost/"}, "url", "the host is a name of a local network"),
        ({"url": "https://a:b@receiver.example/"}, "url", "a URL holds no user name or password"),
        ({"eventTypes": []}, "eventTypes", "is required"),
        ({"ratePerSecond": 0}, "ratePerSecond", "must be from 1 to 200"),
        ({"ratePerSecond": 201}, "ratePerSecond", "must be from 1 to 200"),
        (
            {"selection": "{\n  mood }"},
            "selection",
            "line 2, column 3: Cannot query field 'mood' on type 'WebhookEvent'.",
        ),
    ],
)
async def test_what_is_not_right_is_refused(
    input: dict[str, Any],
    path: str,
    message: str,
    factory: Factory,
    http: httpx.AsyncClient,
) -> None:
    tenant = await factory.tenant()

    made = await created(http, tenant, **input)

    assert made["fields"] == [{"path": [path], "message": message}]
    assert await factory.rows("SELECT id FROM webhook") == []


async def test_a_workspace_has_so_many_and_no_more(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    for _ in range(MOST_WEBHOOKS):
        await factory.webhook(tenant)

    made = await created(http, tenant)

    assert made == {"__typename": "Conflict", "message": "A workspace has at most 50 webhooks."}


async def test_what_is_left_out_stays_and_null_takes_away(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    made = await created(
        http, tenant, selection="{ type }", sourceIds=[tenant.source_gid], sentiments=["NEUTRAL"]
    )
    owner, before = tenant.owner.on(http), made["webhook"]

    renamed = await result(owner, UPDATE, webhookId=before["id"], name="Till")
    opened = await result(
        owner, UPDATE, webhookId=before["id"], selection=None, sourceIds=None, sentiments=None
    )

    assert renamed["webhook"] == before | {"name": "Till"}
    assert opened["webhook"] == before | {
        "name": "Till",
        "selection": None,
        "sourceIds": None,
        "sentiments": None,
    }


@pytest.mark.parametrize("field", ["name", "url", "eventTypes", "ratePerSecond"])
async def test_what_an_endpoint_needs_cannot_be_taken_away(
    field: str, factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    webhook = await factory.webhook(tenant)

    changed = await result(tenant.owner.on(http), UPDATE, webhookId=webhook, **{field: None})

    assert changed["fields"] == [{"path": [field], "message": "is required"}]


async def test_a_disabled_endpoint_drops_what_is_pending_and_begins_as_new(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    webhook = await factory.webhook(tenant)
    await factory.delivery(tenant, webhook)
    await factory.change(
        "UPDATE webhook SET failing_since = now(), failed_at = now(), probes = 3,"
        " resume_at = now(), failing = ARRAY[gen_random_uuid()]",
        within=tenant,
    )
    owner = tenant.owner.on(http)

    disabled = (await result(owner, UPDATE, webhookId=webhook, enabled=False))["webhook"]
    dropped = await factory.rows("SELECT status FROM webhook_delivery")
    enabled = (await result(owner, UPDATE, webhookId=webhook, enabled=True))["webhook"]

    assert (disabled["enabled"], disabled["disabledReason"]) == (False, "MANUAL")
    assert dropped == [("DROPPED",)]
    assert (enabled["enabled"], enabled["disabledReason"], enabled["failingSince"]) == (
        True,
        None,
        None,
    )
    course = "SELECT failing_since, failed_at, failing, probes, resume_at FROM webhook"
    assert await factory.rows(course) == [(None, None, [], 0, None)]


async def test_a_replaced_secret_signs_beside_the_new_one_until_it_expires(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    webhook = await factory.webhook(tenant)

    rotated = await result(tenant.owner.on(http), ROTATE, webhookId=webhook, overlapHours=2)

    assert rotated["secret"].startswith("whsec_")
    assert rotated["secret"] != WEBHOOK_SECRET
    rows = await factory.rows(
        "SELECT expires_at - (SELECT max(created_at) FROM webhook_secret) = interval '2 hours'"
        " FROM webhook_secret ORDER BY created_at"
    )
    assert rows == [(True,), (None,)]


async def test_without_an_overlap_the_secret_before_is_forgotten(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    webhook = await factory.webhook(tenant)

    await result(tenant.owner.on(http), ROTATE, webhookId=webhook, overlapHours=0)

    assert await factory.rows("SELECT expires_at FROM webhook_secret") == [(None,)]


@pytest.mark.parametrize("hours", [-1, 169])
async def test_an_overlap_is_of_a_week_at_most(
    hours: int, factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    webhook = await factory.webhook(tenant)

    refused = await result(tenant.owner.on(http), ROTATE, webhookId=webhook, overlapHours=hours)

    assert refused["fields"] == [{"path": ["overlapHours"], "message": "must be from 0 to 168"}]
    assert await factory.rows("SELECT expires_at FROM webhook_secret") == [(None,)]


async def test_an_endpoint_goes_with_its_log_and_secrets(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    webhook = await factory.webhook(tenant)
    await factory.delivery(tenant, webhook)

    gone = await result(tenant.owner.on(http), DELETE, webhookId=webhook)

    assert gone == {"__typename": "DeleteWebhookSuccess", "webhookId": webhook}
    for table in ("webhook", "webhook_secret", "webhook_delivery"):
        assert await factory.rows(f"SELECT id FROM {table}") == []


@pytest.mark.parametrize("role", ["VIEWER", "ANALYST"])
async def test_those_below_admin_see_none(
    role: str, factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    webhook = await factory.webhook(tenant)
    person = await factory.member(tenant, role)

    assert await webhooks(http, tenant, person) == []
    assert await person.on(http).ask(NODE, id=webhook) == {"node": None}


async def test_an_admin_sees_them(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    webhook = await factory.webhook(tenant)
    admin = await factory.member(tenant, "ADMIN")

    assert [each["id"] for each in await webhooks(http, tenant, admin)] == [webhook]


async def test_nobody_is_told_to_sign_in(factory: Factory, nobody: Caller) -> None:
    tenant = await factory.tenant()
    webhook = await factory.webhook(tenant)

    errors = await nobody.errors(UPDATE, input={"webhookId": webhook, "enabled": False})

    assert [error["extensions"]["code"] for error in errors] == ["UNAUTHENTICATED"]
    assert await factory.rows("SELECT disabled_at FROM webhook") == [(None,)]
