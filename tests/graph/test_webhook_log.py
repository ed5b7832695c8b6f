"""The log of deliveries: paged, with what was tried, and a way to have it sent again."""

from datetime import timedelta

import httpx
import pytest

from app.stores import now
from domain import ids
from domain.ids import Kind
from tests.factories import Factory, Tenant
from tests.graph.webhook_queries import LOG, REPLAY, REPLAY_RANGE, TEST, UPDATE, result

HOUR = timedelta(hours=1)


async def ended(factory: Factory, tenant: Tenant, delivery: str, status: str) -> None:
    await factory.change(
        "UPDATE webhook_delivery SET status = :status, next_attempt_at = NULL, tries = 10,"
        " attempts = 10, finished_at = now() WHERE id = :id",
        within=tenant,
        status=status,
        id=ids.read(Kind.WEBHOOK_DELIVERY, delivery),
    )


async def test_the_newest_come_first_with_what_was_tried(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    webhook = await factory.webhook(tenant)
    older, newer = [await factory.delivery(tenant, webhook) for _ in range(2)]
    for number in (2, 1):
        await factory.webhook_attempt(tenant, older, number)

    page = (await tenant.owner.on(http).ask(LOG, id=webhook))["node"]["deliveries"]

    tried = {
        "responseStatus": 500,
        "responseBody": "no",
        "error": None,
        "requestBody": "sent",
        "durationMs": 12,
    }
    assert page["nodes"] == [
        {"id": newer, "attempts": []},
        {"id": older, "attempts": [{"number": 1, **tried}, {"number": 2, **tried}]},
    ]


async def test_pages_follow_each_other_and_can_be_of_one_status(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    webhook, other = await factory.webhook(tenant), await factory.webhook(tenant)
    made = await factory.deliveries(tenant, webhook, 5)
    await factory.delivery(tenant, other)
    for delivery in made[:3]:
        await ended(factory, tenant, delivery, "FAILED")
    owner = tenant.owner.on(http)

    first = (await owner.ask(LOG, id=webhook, first=2, status="FAILED"))["node"]["deliveries"]
    after = first["pageInfo"]["endCursor"]
    second = (await owner.ask(LOG, id=webhook, first=2, status="FAILED", after=after))["node"]
    strange = await owner.errors(LOG, id=other, status="FAILED", after=after)

    failed = sorted(made[:3], reverse=True)
    assert [edge["node"]["id"] for edge in first["edges"]] == failed[:2]
    assert first["pageInfo"]["hasNextPage"] is True
    assert [edge["node"] for edge in second["deliveries"]["edges"]] == [
        {"id": failed[2], "status": "FAILED"}
    ]
    assert [error["extensions"]["code"] for error in strange] == ["INVALID_INPUT"]


@pytest.mark.parametrize("status", ["SUCCEEDED", "FAILED", "DROPPED"])
async def test_a_delivery_is_sent_again_whatever_has_become_of_it(
    status: str, factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    delivery = await factory.delivery(tenant, await factory.webhook(tenant))
    await ended(factory, tenant, delivery, status)
    await factory.change("DELETE FROM job", within=tenant)

    replayed = await result(tenant.owner.on(http), REPLAY, deliveryId=delivery)

    assert replayed["delivery"]["status"] == "PENDING"
    rows = await factory.rows("SELECT attempts, tries, finished_at FROM webhook_delivery")
    assert rows == [(10, 0, None)]
    assert await factory.rows("SELECT kind, status FROM job") == [("deliver_webhooks", "QUEUED")]


async def test_a_time_is_sent_again_what_failed_or_all_of_it(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    webhook, other = await factory.webhook(tenant), await factory.webhook(tenant)
    early, failed, dropped, succeeded, pending = await factory.deliveries(tenant, webhook, 5)
    elsewhere = await factory.delivery(tenant, other)
    for delivery, status in (
        (early, "FAILED"),
        (failed, "FAILED"),
        (dropped, "DROPPED"),
        (succeeded, "SUCCEEDED"),
        (elsewhere, "FAILED"),
    ):
        await ended(factory, tenant, delivery, status)
    await factory.change(
        "UPDATE webhook_delivery SET created_at = created_at - interval '2 hours' WHERE id = :id",
        within=tenant,
        id=ids.read(Kind.WEBHOOK_DELIVERY, early),
    )
    owner, given = tenant.owner.on(http), {"webhookId": webhook, "from": str(now() - HOUR)}
    given |= {"from": (now() - HOUR).isoformat(), "to": (now() + HOUR).isoformat()}

    missed = await result(owner, REPLAY_RANGE, **given)
    all_ = await result(owner, REPLAY_RANGE, **given, onlyFailed=False)

    assert (missed["replayed"], all_["replayed"]) == (2, 1)
    rows = await factory.rows("SELECT id FROM webhook_delivery WHERE status = 'FAILED'")
    assert {ids.write(Kind.WEBHOOK_DELIVERY, id_) for (id_,) in rows} == {early, elsewhere}
    assert pending


async def test_a_time_begins_before_it_ends(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    moment = now().isoformat()
    given = {"webhookId": await factory.webhook(tenant), "from": moment, "to": moment}

    refused = await result(tenant.owner.on(http), REPLAY_RANGE, **given)

    assert refused["fields"] == [{"path": ["to"], "message": "must be after `from`"}]


async def test_nothing_is_sent_to_a_disabled_endpoint(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    webhook = await factory.webhook(tenant)
    delivery = await factory.delivery(tenant, webhook)
    owner = tenant.owner.on(http)
    await result(owner, UPDATE, webhookId=webhook, enabled=False)
    span = {"from": (now() - HOUR).isoformat(), "to": now().isoformat()}

    refused = [
        await result(owner, TEST, webhookId=webhook),
        await result(owner, REPLAY, deliveryId=delivery),
        await result(owner, REPLAY_RANGE, webhookId=webhook, **span),
    ]

    problem = {
        "__typename": "Conflict",
        "message": "This webhook is disabled: enable it first.",
    }
    assert refused == [problem] * 3
    assert await factory.rows("SELECT status FROM webhook_delivery") == [("DROPPED",)]


async def test_a_test_is_on_its_way_with_the_newest_feedback(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    webhook = await factory.webhook(tenant)
    feedback = await factory.feedback(tenant)

    sent = (await result(tenant.owner.on(http), TEST, webhookId=webhook))["delivery"]

    ((event,),) = await factory.rows("SELECT event_id FROM webhook_delivery")
    assert sent == {
        "id": sent["id"],
        "status": "PENDING",
        "attemptCount": 0,
        "event": {"id": f"event_{event.hex}", "type": "webhook.test", "feedbackId": feedback},
    }
    assert await factory.rows("SELECT kind FROM job") == [("deliver_webhooks",)]
