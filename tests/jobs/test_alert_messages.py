"""People are told of alerts: by mail, by webhook and in Slack, once quiet hours are over."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest

from app.stores import now
from domain import alert, ids
from domain.alert import Definition, Kind, QuietHours, Wanted
from domain.ids import Kind as IdKind
from tests.alerting import Alerting, viewer
from tests.clients.endpoints import OK, Endpoint, endpoint
from tests.factories import Factory, Tenant
from tests.working import Worker

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
COUNT = Definition(Kind.COUNT, threshold=2, cool_down_minutes=0)
BODY = "<b>Late</b> & <!channel>\nagain"


@pytest.fixture
async def tenant(factory: Factory) -> Tenant:
    return await factory.tenant("acme")


@pytest.fixture
async def partner() -> AsyncIterator[Endpoint]:
    async with endpoint(OK) as served:
        yield served


def url(partner: Endpoint, path: str = "hook") -> str:
    return f"http://127.0.0.1:{partner.port}/{path}"


def body(partner: Endpoint, request: int = -1) -> Any:
    return orjson.loads(partner.requests[request].partition(b"\r\n\r\n")[2])


async def fire(alerting: Alerting, factory: Factory, tenant: Tenant) -> None:
    """Two messages, and a check that finds them."""
    for text in ("It works.", BODY):
        await factory.feedback(tenant, text, occurred_at=now() - MINUTE)
    assert await alerting.check(tenant, now()) == 1


async def outcomes(factory: Factory) -> list[tuple[Any, ...]]:
    """Of each message: about what, how, to whom, and what became of it."""
    return await factory.rows(
        "SELECT note.value->>'event', note.value->>'channel', note.value->>'to',"
        " note.value->>'status', note.value->>'error'"
        " FROM alert, jsonb_each(notified) AS note ORDER BY 1, 2, 3"
    )


async def test_mail_goes_to_the_admins_and_to_the_members_who_are_named(
    alerting: Alerting, factory: Factory, tenant: Tenant, worker: Worker
) -> None:
    admin, analyst = [await factory.member(tenant, role) for role in ("ADMIN", "ANALYST")]
    await factory.member(tenant, "VIEWER")
    member = ids.read(IdKind.MEMBER, await factory.membership(tenant, analyst))
    assert member is not None
    await alerting.rule(
        tenant, COUNT, Wanted(admins=True, member_ids=(member,)), name="Much at once"
    )

    await fire(alerting, factory, tenant)
    await worker.work()

    mails = worker.mail()
    assert {mail["To"] for mail in mails} == {tenant.owner.email, admin.email, analyst.email}
    assert {mail["Subject"] for mail in mails} == {"Alert: Much at once"}
    text = mails[0].get_body(("plain",))
    html = mails[0].get_body(("html",))
    assert text is not None
    assert html is not None
    said = text.get_content().replace("\r\n", "\n")
    assert "Acme: the number of messages within 1 hour is 2 (alert at 2 or more)." in said
    assert "> <b>Late</b> & <!channel>\n> again" in said
    assert "Open Earful: http://earful.test" in said
    assert "&lt;b&gt;Late&lt;/b&gt; &amp; &lt;!channel&gt;" in html.get_content()
    assert await outcomes(factory) == sorted(
        ("FIRED", "MAIL", person.email, "SENT", None) for person in (tenant.owner, admin, analyst)
    )


async def test_a_webhook_is_posted_with_the_facts(
    alerting: Alerting, factory: Factory, tenant: Tenant, worker: Worker, partner: Endpoint
) -> None:
    rule = await alerting.rule(tenant, COUNT, Wanted(webhook=url(partner)), name="Much")

    await fire(alerting, factory, tenant)
    await worker.work()

    ((alert_id, fired_at, start),) = await factory.rows(
        "SELECT id, fired_at, window_start FROM alert"
    )
    sent = body(partner)
    assert sent["type"] == "alert.fired"
    assert sent["data"]["workspace_id"] == tenant.gid
    assert sent["data"]["rule"] == {"id": ids.write(IdKind.ALERT_RULE, rule), "name": "Much"}
    found = sent["data"]["alert"]
    assert (found["id"], found["state"]) == (ids.write(IdKind.ALERT, alert_id), "FIRING")
    assert (found["value"], found["threshold"], found["baseline"]) == (2.0, 2.0, None)
    assert found["fired_at"] == fired_at.isoformat()
    assert found["window"]["start"] == start.isoformat()
    assert [each["body"] for each in sent["data"]["feedback"]] == [BODY, "It works."]
    headers = partner.headers()
    ((job,),) = await factory.rows("SELECT id FROM job WHERE kind = 'notify_alert'")
    assert headers["webhook-id"] == ids.write(IdKind.JOB, job)
    assert headers["content-type"] == "application/json"
    assert await outcomes(factory) == [
        ("FIRED", "WEBHOOK", f"http://127.0.0.1:{partner.port}/…hook", "SENT", None)
    ]


async def test_slack_gets_text_that_nobody_can_make_a_mention_of(
    alerting: Alerting, factory: Factory, tenant: Tenant, worker: Worker, partner: Endpoint
) -> None:
    await alerting.rule(tenant, COUNT, Wanted(slack=url(partner)), name="a < b")

    await fire(alerting, factory, tenant)
    await worker.work()

    sent = body(partner)
    assert sent.keys() == {"text"}
    lines = sent["text"].splitlines()
    assert lines[0] == "*Alert: a &lt; b*"
    assert lines[1] == "Acme: the number of messages within 1 hour is 2 (alert at 2 or more)."
    assert lines[-4:] == [
        "> &lt;b&gt;Late&lt;/b&gt; &amp; &lt;!channel&gt;",
        "> again",
        "> It works.",
        "<http://earful.test|Open Earful>",
    ]


async def test_people_hear_that_it_is_over_unless_they_do_not_want_to(
    alerting: Alerting, factory: Factory, tenant: Tenant, worker: Worker, partner: Endpoint
) -> None:
    silent = replace(COUNT, notify_resolved=False)
    await alerting.rule(tenant, COUNT, Wanted(webhook=url(partner, "loud")))
    await alerting.rule(tenant, silent, Wanted(webhook=url(partner, "still")))
    for _ in range(2):
        await factory.feedback(tenant, occurred_at=now() - 2 * HOUR)

    await alerting.check(tenant, now() - HOUR - MINUTE)
    await worker.work()
    assert await alerting.check(tenant, now()) == 2
    await worker.work()

    found = sorted(
        (request.split(b" ", 2)[1], body(partner, i)["type"])
        for i, request in enumerate(partner.requests)
    )
    assert found == [
        (b"/loud", "alert.fired"),
        (b"/loud", "alert.resolved"),
        (b"/still", "alert.fired"),
    ]
    assert "Resolved at" in body(partner)["data"]["text"]


async def test_in_quiet_hours_an_alert_is_raised_and_its_messages_wait(
    alerting: Alerting, factory: Factory, tenant: Tenant
) -> None:
    quiet = replace(COUNT, quiet_hours=QuietHours("22:00", "07:00"), time_zone="Europe/Berlin")
    await alerting.rule(tenant, quiet, Wanted(slack="https://hooks.example.com/services/secret"))
    night = now().replace(year=2026, month=6, day=15, hour=23, minute=30)
    for minutes in (1, 2):
        await factory.feedback(tenant, occurred_at=night - minutes * MINUTE)

    await alerting.check(tenant, night)
    ((arguments, due),) = await alerting.messages(tenant)
    assert (arguments["event"], arguments["channel"]) == ("FIRED", "SLACK")
    assert due == night.replace(day=16, hour=5, minute=0, second=0, microsecond=0)
    assert await alerting.states(tenant) == ["FIRING"]

    # It is over before anybody has heard of it: the one message will say both.
    await alerting.check(tenant, night + HOUR)
    assert await alerting.states(tenant) == ["RESOLVED"]
    assert len(await alerting.messages(tenant)) == 1


async def test_what_fired_before_the_quiet_hours_is_told_to_be_over_after_them(
    alerting: Alerting, factory: Factory, tenant: Tenant
) -> None:
    quiet = replace(COUNT, quiet_hours=QuietHours("22:00", "07:00"))
    await alerting.rule(tenant, quiet, Wanted(slack="https://hooks.example.com/services/secret"))
    evening = now().replace(year=2026, month=6, day=15, hour=21, minute=59)
    for minutes in (1, 2):
        await factory.feedback(tenant, occurred_at=evening - minutes * MINUTE)

    await alerting.check(tenant, evening)
    await alerting.check(tenant, evening + HOUR)

    assert [
        (each["event"], due.day, due.hour) for each, due in await alerting.messages(tenant)
    ] == [
        ("FIRED", 15, 21),
        ("RESOLVED", 16, 7),
    ]


@pytest.mark.parametrize(
    ("answer", "status", "error"),
    [
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "FAILED", "404"),
        (b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", "QUEUED", "500"),
        (b"HTTP/1.1 429 Slow\r\nContent-Length: 0\r\n\r\n", "QUEUED", "429"),
        (b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", "QUEUED", "302"),
    ],
)
async def test_a_message_that_fails_says_so_and_is_tried_again_where_that_may_help(
    alerting: Alerting,
    factory: Factory,
    tenant: Tenant,
    worker: Worker,
    answer: bytes,
    status: str,
    error: str,
) -> None:
    async with endpoint(answer) as partner:
        await alerting.rule(tenant, COUNT, Wanted(webhook=url(partner)))
        await fire(alerting, factory, tenant)
        await worker.work()

    assert await factory.rows(
        "SELECT status, error, failures FROM job WHERE kind = 'notify_alert'"
    ) == [(status, f"the receiver answered {error}", 1)]
    ((*_, kept, why),) = await outcomes(factory)
    assert (kept, why) == ("FAILED", f"the receiver answered {error}")


async def test_what_is_not_public_is_not_called(
    alerting: Alerting, factory: Factory, tenant: Tenant, worker: Worker
) -> None:
    await alerting.rule(tenant, COUNT, Wanted(webhook="https://169.254.169.254/latest"))
    await fire(alerting, factory, tenant)
    await worker.work()

    assert await factory.rows("SELECT status FROM job WHERE kind = 'notify_alert'") == [("FAILED",)]


async def test_nobody_is_told_who_has_left(
    alerting: Alerting, factory: Factory, tenant: Tenant, worker: Worker
) -> None:
    person = await factory.member(tenant, "VIEWER")
    member = ids.read(IdKind.MEMBER, await factory.membership(tenant, person))
    assert member is not None
    await alerting.rule(tenant, COUNT, Wanted(member_ids=(member,)))
    await fire(alerting, factory, tenant)
    await factory.change("DELETE FROM member WHERE id = :id", within=tenant, id=member)

    await worker.work()

    assert worker.mail() == []
    assert await factory.rows(
        "SELECT status, result->>'sent' FROM job WHERE kind = 'notify_alert'"
    ) == [("SUCCEEDED", "false")]


async def test_a_message_about_a_rule_that_is_gone_is_not_sent(
    alerting: Alerting, factory: Factory, tenant: Tenant, worker: Worker, partner: Endpoint
) -> None:
    rule = await alerting.rule(tenant, COUNT, Wanted(webhook=url(partner)))
    await fire(alerting, factory, tenant)
    await alerting.remove(tenant, rule)

    await worker.work()

    assert partner.requests == []


async def test_a_changed_url_counts_for_messages_that_wait(
    alerting: Alerting, factory: Factory, tenant: Tenant, worker: Worker, partner: Endpoint
) -> None:
    rule = await alerting.rule(tenant, COUNT, Wanted(webhook=url(partner, "before")))
    await fire(alerting, factory, tenant)
    await alerting.change(tenant, rule, channels=Wanted(webhook=url(partner, "after")))

    await worker.work()

    assert [request.split(b" ", 2)[1] for request in partner.requests] == [b"/after"]


async def test_the_schedule_checks_every_workspace_that_has_rules(
    alerting: Alerting, factory: Factory, tenant: Tenant, worker: Worker
) -> None:
    off, without = await factory.tenant(), await factory.tenant()
    await alerting.rule(tenant, COUNT)
    await alerting.rule(off, COUNT, enabled=False)
    assert without.id != off.id
    await factory.change(
        "INSERT INTO job (id, kind, arguments, status, attempts, created_at, run_at)"
        " VALUES (gen_random_uuid(), 'ask_for_alert_checks', '{}', 'QUEUED', 0, now(), now())"
    )

    await worker.work()

    asked = await factory.rows(
        "SELECT workspace_id, key, run_at - created_at < interval '46 s' FROM job"
        " WHERE kind = 'check_alerts'"
    )
    assert asked == [(None, f"schedule {tenant.id.hex}", True)]


async def test_a_check_runs_as_a_job(
    alerting: Alerting, factory: Factory, tenant: Tenant, worker: Worker
) -> None:
    await alerting.rule(tenant, COUNT)
    for _ in range(2):
        await factory.feedback(tenant, occurred_at=now() - MINUTE)
    await factory.change(
        "INSERT INTO job (id, kind, arguments, status, attempts, created_at, run_at)"
        " VALUES (gen_random_uuid(), 'check_alerts', jsonb_build_object('workspace', :workspace ::text),"
        " 'QUEUED', 0, now(), now())",
        workspace=tenant.id.hex,
    )

    await worker.work()

    assert await alerting.states(tenant) == ["FIRING"]


async def test_a_test_goes_by_every_channel_at_any_hour(
    alerting: Alerting, factory: Factory, tenant: Tenant, worker: Worker, partner: Endpoint
) -> None:
    quiet = replace(COUNT, quiet_hours=QuietHours("00:00", "23:59"))
    rule = await alerting.rule(
        tenant, quiet, Wanted(admins=True, webhook=url(partner), slack=url(partner)), name="Mine"
    )
    async with alerting.database.transaction() as uow:
        jobs = await alert.test_channels(uow, viewer(tenant), rule)
    await worker.work()

    assert len(jobs) == 3
    assert [mail["Subject"] for mail in worker.mail()] == ["Test: Mine"]
    by_keys = sorted((body(partner, request) for request in range(2)), key=len)
    assert by_keys[0]["text"].startswith("*Test: Mine*\n")
    assert (by_keys[1]["type"], by_keys[1]["data"]["alert"]) == ("alert.test", None)
    assert await factory.rows("SELECT 1 FROM alert") == []
