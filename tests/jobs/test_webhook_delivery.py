"""Deliveries reach receivers that fail, ask for patience, or are gone, as often as they are to and no oftener."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import orjson
import pytest
from standardwebhooks import Webhook

from app.resources import Api
from app.settings import Settings
from domain.signing import signature
from domain.webhook.course import RETRIES
from jobs.webhook import AT_ONCE
from tests.factories import WEBHOOK_SECRET, Factory, Tenant
from tests.graph.webhook_queries import REPLAY, ROTATE, TEST, result
from tests.jobs.couriers import SECONDS, Courier, Receiver, answer, courier, receiver

SECOND, MINUTE, HOUR, DAY = (
    timedelta(seconds=1),
    timedelta(minutes=1),
    timedelta(hours=1),
    timedelta(days=1),
)


@pytest.fixture
async def worker(
    settings: Settings, api: Api, factory: Factory, tmp_path: Path
) -> AsyncIterator[Courier]:
    async with courier(settings, api, factory, tmp_path / "mail") as opened:
        yield opened


@pytest.fixture
async def tenant(factory: Factory) -> Tenant:
    return await factory.tenant()


async def deliver(factory: Factory, tenant: Tenant, to: Receiver, count: int = 1) -> None:
    """An endpoint that is to get so many events."""
    webhook = await factory.webhook(tenant, to.url)
    await factory.deliveries(tenant, webhook, count)


async def test_each_attempt_is_in_the_log(
    factory: Factory, tenant: Tenant, worker: Courier
) -> None:
    feedback = await factory.feedback(tenant, "It works.")
    refusal = answer(500, "Server: shop", "X-Other: y", body=b"no\x00 \xff" + b"x" * 5_000)
    async with receiver(refusal, answer(200, body=b"yes")) as shop:
        webhook = await factory.webhook(tenant, shop.url, selection="{ feedback { id } }")
        await factory.delivery(tenant, webhook, feedback)
        await worker.work()
        began = worker.clock.now
        await worker.work_until(MINUTE)

    first, second = await worker.attempts(
        "number, at, status, request_body, response_headers::text, response_body, error"
    )
    sent = '{"type":"feedback.added","timestamp":"2026-06-15T12:00:00Z",'
    sent += f'"data":{{"feedback":{{"id":"{feedback}"}}}}}}'
    assert first == (
        1,
        began,
        500,
        sent,
        '{"server": "shop"}',
        "no\ufffd \ufffd" + "x" * 4_091,
        None,
    )
    assert (second[0], second[2], second[3], second[5]) == (2, 200, sent, "yes")
    assert await worker.statuses() == [("SUCCEEDED", 2)]
    headers = orjson.loads((await worker.attempts("request_headers::text"))[0][0])
    assert headers == {
        name: shop.headers[0][name]
        for name in ("content-type", "webhook-id", "webhook-timestamp", "webhook-signature")
    }
    assert headers["webhook-timestamp"] == str(int(began.timestamp()))


async def test_what_fails_is_tried_again_with_the_same_id_over_three_days(
    factory: Factory, tenant: Tenant, worker: Courier
) -> None:
    async with receiver(answer(500)) as shop:
        await deliver(factory, tenant, shop)
        await worker.work_until(4 * DAY)

    assert await worker.statuses() == [("FAILED", 10)]
    assert len(shop.ids) == 10
    assert len(set(shop.ids)) == 1
    times = [at for (at,) in await worker.attempts("at")]
    pauses = [later - at for at, later in zip(times, times[1:], strict=False)]
    assert [
        0.8 <= pause / planned <= 1.2 for pause, planned in zip(pauses, RETRIES, strict=True)
    ] == [True] * 9
    assert len({shop.headers[number]["webhook-timestamp"] for number in range(10)}) == 10


@pytest.mark.parametrize("status", [301, 302, 307, 400, 404, 500])
async def test_whatever_is_no_success_is_a_failure_and_no_redirect_is_followed(
    status: int, factory: Factory, tenant: Tenant, worker: Courier
) -> None:
    async with receiver() as other, receiver(answer(status, f"Location: {other.url}")) as shop:
        await deliver(factory, tenant, shop)
        await worker.work()

    assert await worker.statuses() == [("PENDING", 1)]
    assert other.bodies == []


async def test_nobody_there_is_a_failure(factory: Factory, tenant: Tenant, worker: Courier) -> None:
    async with receiver() as shop:
        await deliver(factory, tenant, shop)
    await worker.work()

    assert await worker.statuses() == [("PENDING", 1)]
    assert await worker.attempts("status, error") == [
        (None, "the host cannot be reached: Connection refused")
    ]


async def test_a_retry_after_is_honoured_for_all_deliveries(
    factory: Factory, tenant: Tenant, worker: Courier
) -> None:
    async with receiver(answer(503, "Retry-After: 3600"), answer(204)) as shop:
        webhook = await factory.webhook(tenant, shop.url)
        await factory.delivery(tenant, webhook)
        await worker.work()
        await factory.delivery(tenant, webhook)
        await worker.work_until(HOUR - SECOND)
        before = len(shop.bodies)
        await worker.work_until(SECOND)

    assert before == 1
    assert await worker.statuses() == [("SUCCEEDED", 2), ("SUCCEEDED", 1)]


async def test_gone_is_disabled_at_once_and_its_admins_are_told(
    factory: Factory, tenant: Tenant, worker: Courier
) -> None:
    admin = await factory.member(tenant, "ADMIN")
    await factory.member(tenant, "ANALYST")
    async with receiver(answer(410)) as shop:
        await deliver(factory, tenant, shop, AT_ONCE + 2)
        await worker.work()

    assert await worker.endpoint("disabled_reason") == ("GONE",)
    assert await worker.statuses() == [("FAILED", 1)] * AT_ONCE + [("DROPPED", 0)] * 2
    mails = worker.mail()
    assert len(mails) == 2
    assert all("Your webhook Receiver was disabled" in mail for mail in mails)
    assert all("410 Gone" in mail for mail in mails)
    told = {
        address
        for address in (admin.email, tenant.owner.email)
        for mail in mails
        if address in mail
    }
    assert told == {admin.email, tenant.owner.email}


async def test_a_dead_receiver_is_probed_and_gets_the_rest_when_it_lives_again(
    factory: Factory, tenant: Tenant, worker: Courier
) -> None:
    async with receiver(answer(500)) as shop:
        await deliver(factory, tenant, shop, 20)
        await worker.work()
        tried_at_first = len(shop.bodies)
        await worker.work_until(HOUR)
        tried_within_an_hour = len(shop.bodies)
        shop.answers = [answer(204)]
        await worker.work_until(2 * HOUR)

    assert tried_at_first == AT_ONCE
    # After pauses of 30 s that double, each a fifth shorter or longer: 6 or 7 probes.
    assert AT_ONCE + 6 <= tried_within_an_hour <= AT_ONCE + 7
    assert {status for status, _ in await worker.statuses()} == {"SUCCEEDED"}
    assert await worker.endpoint("failing_since, failing, probes, resume_at") == (None, [], 0, None)


async def test_a_test_is_tried_once_even_while_it_is_held_back_and_tells_nothing_of_health(
    factory: Factory, tenant: Tenant, worker: Courier, http: httpx.AsyncClient
) -> None:
    async with receiver(answer(503, "Retry-After: 3600")) as shop:
        webhook = await factory.webhook(tenant, shop.url, selection="{ type }")
        await factory.delivery(tenant, webhook)
        await worker.work()
        before = await worker.endpoint("failing_since, failing, probes")
        await result(tenant.owner.on(http), TEST, webhookId=webhook)
        await worker.work()

    assert [orjson.loads(body)["type"] for body in shop.bodies] == [
        "feedback.added",
        "webhook.test",
    ]
    assert orjson.loads(shop.bodies[1])["data"] == {"type": "webhook.test"}
    rows = await factory.rows("SELECT event_type, status, attempts FROM webhook_delivery")
    assert sorted(rows) == [("feedback.added", "PENDING", 1), ("webhook.test", "FAILED", 1)]
    assert await worker.endpoint("failing_since, failing, probes") == before


async def test_what_is_replayed_has_the_same_id_and_as_many_tries_as_a_new_one(
    factory: Factory, tenant: Tenant, worker: Courier, http: httpx.AsyncClient
) -> None:
    async with receiver(answer(500)) as shop:
        webhook = await factory.webhook(tenant, shop.url)
        delivery = await factory.delivery(tenant, webhook)
        await worker.work_until(4 * DAY)
        await result(tenant.owner.on(http), REPLAY, deliveryId=delivery)
        await worker.work_until(MINUTE)
        shop.answers = [answer(204)]
        await worker.work_until(HOUR)

    assert await worker.statuses() == [("SUCCEEDED", 13)]
    assert len(set(shop.ids)) == 1


async def test_an_old_secret_signs_beside_the_new_one_until_the_overlap_is_over(
    factory: Factory, tenant: Tenant, worker: Courier, http: httpx.AsyncClient
) -> None:
    async with receiver() as shop:
        webhook = await factory.webhook(tenant, shop.url)
        rotated = await result(tenant.owner.on(http), ROTATE, webhookId=webhook, overlapHours=1)
        await factory.delivery(tenant, webhook)
        await worker.work()
        worker.clock.go_on(HOUR)
        await factory.delivery(tenant, webhook)
        await worker.work()

    signatures = [headers["webhook-signature"].split(" ") for headers in shop.headers]
    assert list(map(len, signatures)) == [2, 1]
    for secret in (rotated["secret"], WEBHOOK_SECRET):
        Webhook(secret).verify(shop.bodies[0], shop.headers[0])
    expected = signature(
        [rotated["secret"]],
        webhook_id=shop.ids[1],
        timestamp=int(shop.headers[1]["webhook-timestamp"]),
        body=shop.bodies[1],
    )
    assert signatures[1] == [expected]


async def test_five_days_without_a_success_disable_it_and_not_a_minute_less(
    factory: Factory, tenant: Tenant, worker: Courier
) -> None:
    async with receiver(answer(500)) as shop:
        webhook = await factory.webhook(tenant, shop.url)
        for _ in range(5):
            await factory.delivery(tenant, webhook)
            await worker.work_until(DAY - MINUTE)
        await factory.delivery(tenant, webhook)
        await worker.work()
        before = await worker.endpoint("disabled_at, disabled_reason")
        (since,) = await worker.endpoint("failing_since")
        await worker.work_until(since + 5 * DAY - worker.clock.now)
        await factory.delivery(tenant, webhook)
        # A probe comes at least every 72 minutes.
        await worker.work_until(2 * HOUR)

    assert before == (None, None)
    disabled_at, reason = await worker.endpoint("disabled_at, disabled_reason")
    assert reason == "FAILING"
    assert disabled_at >= since + 5 * DAY
    assert "PENDING" not in {status for status, _ in await worker.statuses()}
    (mail,) = worker.mail()
    assert "Nothing has reached it for five days." in mail


async def test_what_is_disabled_while_it_is_sent_leaves_nothing_pending(
    factory: Factory, tenant: Tenant, worker: Courier
) -> None:
    async with receiver(answer(500)) as shop:
        shop.open.clear()
        await deliver(factory, tenant, shop)
        working = asyncio.ensure_future(worker.work())
        async with asyncio.timeout(SECONDS):
            while not shop.bodies:
                await asyncio.sleep(0.01)
        await factory.change(
            "UPDATE webhook SET disabled_at = now(), disabled_reason = 'MANUAL'", within=tenant
        )
        shop.open.set()
        await working

    assert await worker.statuses() == [("DROPPED", 1)]
    assert worker.mail() == []


async def test_so_many_requests_in_a_second_and_no_more(
    factory: Factory, tenant: Tenant, worker: Courier
) -> None:
    async with receiver() as shop:
        webhook = await factory.webhook(tenant, shop.url, rate_per_second=3)
        await factory.deliveries(tenant, webhook, 7)
        sent = []
        for _ in range(3):
            await worker.work()
            sent.append(len(shop.bodies))
            worker.clock.go_on(SECOND)

    assert sent == [3, 6, 7]


async def test_so_many_requests_at_the_same_time_and_no_more(
    factory: Factory, tenant: Tenant, worker: Courier
) -> None:
    async with receiver() as shop:
        shop.open.clear()
        await deliver(factory, tenant, shop, AT_ONCE + 4)
        working = asyncio.ensure_future(worker.work())
        async with asyncio.timeout(SECONDS):
            while shop.under_way < AT_ONCE:
                await asyncio.sleep(0.01)
        shop.open.set()
        await working

    assert shop.most_under_way == AT_ONCE
    assert len(shop.bodies) == AT_ONCE + 4


async def test_what_was_sent_and_not_recorded_is_sent_again_with_the_same_id(
    settings: Settings, api: Api, factory: Factory, tenant: Tenant, tmp_path: Path
) -> None:
    async with receiver() as shop:
        shop.open.clear()
        await deliver(factory, tenant, shop)
        async with courier(settings, api, factory, tmp_path / "mail") as dying:
            working = asyncio.ensure_future(dying.work())
            async with asyncio.timeout(SECONDS):
                while not shop.bodies:
                    await asyncio.sleep(0.01)
            working.cancel()
            # As if its process were killed: nothing that it still does is recorded.
            await factory.change("UPDATE job SET worker_id = gen_random_uuid()", within=tenant)
            shop.open.set()
        assert await dying.statuses() == [("PENDING", 0)]
        await factory.change(
            "UPDATE job SET status = 'QUEUED', worker_id = NULL, run_at = now()", within=tenant
        )
        async with courier(settings, api, factory, tmp_path / "mail") as worker:
            await worker.work()

    assert len(shop.ids) == 2
    assert len(set(shop.ids)) == 1
    assert await worker.statuses() == [("SUCCEEDED", 1)]


async def test_endpoints_do_not_wait_for_each_other(
    factory: Factory, tenant: Tenant, worker: Courier
) -> None:
    async with receiver() as slow, receiver() as quick:
        slow.open.clear()
        await deliver(factory, tenant, slow)
        await deliver(factory, tenant, quick)
        working = asyncio.ensure_future(worker.work())
        await worker.until("SELECT count(*) FROM webhook_delivery WHERE status = 'SUCCEEDED'", 1)
        before = (len(slow.bodies), len(quick.bodies))
        slow.open.set()
        await working

    assert before == (1, 1)


async def test_a_selection_that_is_not_valid_any_more_fails_and_nothing_is_sent(
    factory: Factory, tenant: Tenant, worker: Courier
) -> None:
    async with receiver() as shop:
        webhook = await factory.webhook(tenant, shop.url, selection="{ mood }")
        await factory.delivery(tenant, webhook)
        await worker.work()

    assert shop.bodies == []
    assert await worker.statuses() == [("PENDING", 1)]
    assert await worker.attempts("status, request_body, error") == [
        (None, "", "line 1, column 3: Cannot query field 'mood' on type 'WebhookEvent'.")
    ]


async def test_an_endpoint_that_is_gone_leaves_its_job_nothing_to_do(
    factory: Factory, tenant: Tenant, worker: Courier
) -> None:
    async with receiver() as shop:
        await deliver(factory, tenant, shop)
        await factory.change("DELETE FROM webhook", within=tenant)
        await worker.work()

    assert shop.bodies == []
    assert await factory.rows("SELECT status FROM job") == [("SUCCEEDED",)]
