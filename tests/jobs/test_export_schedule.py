"""Scheduled exports by the real tasks: of the period before, once for all runs that were missed, to those who may."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest

from app.stores import now
from domain import job, mail, schedule
from domain.export import SCHEDULED_EXPORT, Period
from domain.export.scheduling import span
from persistence.database import Database
from tests.callers import JSON
from tests.export_schedules import DELETE, UPDATE, made, uuid
from tests.exporting import cells
from tests.factories import Factory, Tenant
from tests.uploads import get
from tests.working import Worker

# A Monday.
MEANT = datetime(2026, 6, 15, 5, tzinfo=UTC)
_JOBS = "SELECT status, error FROM job WHERE kind = 'scheduled_export'"


async def run(
    database: Database, worker: Worker, tenant: Tenant, plan: JSON, meant: datetime = MEANT
) -> None:
    """As the schedule asks for it at that time."""
    arguments = {"export_schedule": uuid(plan).hex, "scheduled_for": meant.isoformat()}
    async with database.transaction() as uow:
        await uow.enter(tenant.id)
        await job.enqueue(uow, SCHEDULED_EXPORT, workspace=tenant.id, arguments=arguments)
    await worker.work()


def link(text: str) -> str:
    return next(line for line in text.splitlines() if line.startswith("http"))


@pytest.mark.parametrize(
    ("period", "day", "first", "end"),
    [
        (Period.DAY, date(2026, 3, 1), date(2026, 2, 28), date(2026, 3, 1)),
        (Period.WEEK, date(2026, 6, 15), date(2026, 6, 8), date(2026, 6, 15)),
        (Period.WEEK, date(2026, 6, 17), date(2026, 6, 8), date(2026, 6, 15)),
        (Period.MONTH, date(2026, 1, 1), date(2025, 12, 1), date(2026, 1, 1)),
        (Period.MONTH, date(2024, 3, 9), date(2024, 2, 1), date(2024, 3, 1)),
    ],
)
def test_each_is_about_the_last_whole_period(
    period: Period, day: date, first: date, end: date
) -> None:
    assert span(period, day) == (first, end)


async def test_the_mail_has_a_link_to_what_was_said_in_the_period(
    factory: Factory, http: httpx.AsyncClient, worker: Worker, database: Database
) -> None:
    tenant = await factory.tenant()
    analyst = await factory.member(tenant, "ANALYST")
    # In Berlin the day before begins at 22:00 by UTC, and is over at 22:00.
    begins = datetime(2026, 6, 13, 22, tzinfo=UTC)
    for body, at in (
        ("Before.", begins - timedelta(microseconds=1)),
        ("First.", begins),
        ("Last.", begins + timedelta(hours=24, microseconds=-1)),
        ("After.", begins + timedelta(hours=24)),
    ):
        await factory.feedback(tenant, body, occurred_at=at, rating=1)
    await factory.feedback(tenant, "Filtered.", occurred_at=begins, rating=5)
    plan = await made(
        tenant.owner.on(http),
        factory,
        tenant,
        analyst,
        tenant.owner,
        timeZone="Europe/Berlin",
        filter={"ratingLte": 2},
    )

    await run(database, worker, tenant, plan)

    mails = worker.mail()
    assert sorted(sent["To"] for sent in mails) == sorted([analyst.email, tenant.owner.email])
    assert {sent["Subject"] for sent in mails} == {f"{tenant.slug.title()}: Yesterday, 2026-06-14"}
    text: Any = mails[0].get_content()
    assert "2026-06-14: 2 feedback, CSV." in text
    answer = await get(link(text))
    assert [row["body"] for row in cells(answer.content)] == ["First.", "Last."]
    assert answer.headers["content-disposition"].startswith("attachment")
    assert await factory.rows(_JOBS) == [("SUCCEEDED", None)]


async def test_a_report_is_sent_of_a_week(
    factory: Factory, http: httpx.AsyncClient, worker: Worker, database: Database
) -> None:
    tenant = await factory.tenant()
    await factory.feedback(tenant, "Good.", occurred_at=MEANT - timedelta(days=3))
    plan = await made(tenant.owner.on(http), factory, tenant, period="WEEK", format="PDF")

    await run(database, worker, tenant, plan)

    (sent,) = worker.mail()
    assert sent["Subject"].endswith("Yesterday, 2026-06-08 to 2026-06-14")
    (body, _) = sent.iter_parts()
    text: Any = body.get_content()
    linked = (await get(link(text))).content
    assert linked.startswith(b"%PDF-")
    (attached,) = sent.iter_attachments()
    assert (attached.get_content(), attached.get_content_type()) == (linked, "application/pdf")
    assert (attached.get_filename() or "").endswith(".pdf")


async def test_a_file_that_is_gone_by_then_keeps_no_mail(
    database: Database, worker: Worker
) -> None:
    gone = mail.Attachment("exports/gone", "report.pdf", "application/pdf")
    asked = mail.Message("ada@earful.example", "Report", "Here it is.", attachment=gone)
    async with database.transaction() as uow:
        await mail.send(uow, asked)

    await worker.work()

    (sent,) = worker.mail()
    assert (sent.get_content(), list(sent.iter_attachments())) == ("Here it is.\r\n", [])


async def test_runs_that_were_missed_are_made_up_for_once(
    factory: Factory, http: httpx.AsyncClient, worker: Worker, database: Database
) -> None:
    tenant = await factory.tenant()
    await made(tenant.owner.on(http), factory, tenant)
    await factory.change(
        "UPDATE schedule SET next_run_at = next_run_at - interval '5 days'", within=tenant
    )
    kinds = {SCHEDULED_EXPORT.name: SCHEDULED_EXPORT}

    asked = [await schedule.run_due(database, now(), kinds) for _ in range(2)]
    await worker.work()

    assert asked == [1, 0]
    assert await factory.rows(_JOBS) == [("SUCCEEDED", None)]
    assert len(worker.mail()) == 1


async def test_who_may_not_export_any_more_is_sent_nothing(
    factory: Factory, http: httpx.AsyncClient, worker: Worker, database: Database
) -> None:
    tenant = await factory.tenant()
    lowered, gone = [await factory.member(tenant, "ANALYST") for _ in range(2)]
    plan = await made(tenant.owner.on(http), factory, tenant, lowered, gone, tenant.owner)
    await factory.change(
        "UPDATE member SET role = 'VIEWER' WHERE user_id = :user", within=tenant, user=lowered.id
    )
    await factory.change("DELETE FROM member WHERE user_id = :user", within=tenant, user=gone.id)

    await run(database, worker, tenant, plan)

    assert [sent["To"] for sent in worker.mail()] == [tenant.owner.email]


@pytest.mark.parametrize("is_recipient", [True, False])
async def test_where_nobody_is_left_it_is_dead_and_admins_see_it(
    factory: Factory,
    http: httpx.AsyncClient,
    worker: Worker,
    database: Database,
    is_recipient: bool,
) -> None:
    tenant = await factory.tenant()
    admin, analyst = await factory.member(tenant, "ADMIN"), await factory.member(tenant, "ANALYST")
    people = {True: [admin], False: [analyst]}[is_recipient]
    plan = await made(admin.on(http), factory, tenant, *people)
    await factory.change("DELETE FROM member WHERE user_id = :user", within=tenant, user=admin.id)

    await run(database, worker, tenant, plan)

    ((status, error),) = await factory.rows(_JOBS)
    dead = await tenant.owner.on(http).ask("{ deadJobs(first: 1) { nodes { kind status } } }")
    assert (status, worker.mail()) == ("FAILED", [])
    assert "workspace" in error
    assert dead["deadJobs"]["nodes"] == [{"kind": "scheduled_export", "status": "FAILED"}]


async def test_what_was_taken_away_meanwhile_is_not_made(
    factory: Factory, http: httpx.AsyncClient, worker: Worker, database: Database
) -> None:
    tenant = await factory.tenant()
    plan = await made(tenant.owner.on(http), factory, tenant)
    await tenant.owner.on(http).ask(DELETE, id=plan["id"])

    await run(database, worker, tenant, plan)

    assert worker.mail() == []
    assert await factory.rows(_JOBS) == [("SUCCEEDED", None)]
    assert await factory.rows("SELECT 1 FROM file") == []


async def test_what_is_paused_meanwhile_is_not_made(
    factory: Factory, http: httpx.AsyncClient, worker: Worker, database: Database
) -> None:
    tenant = await factory.tenant()
    plan = await made(tenant.owner.on(http), factory, tenant)
    paused = {"exportScheduleId": plan["id"], "enabled": False}
    await tenant.owner.on(http).ask(UPDATE, input=paused)

    await run(database, worker, tenant, plan)

    assert worker.mail() == []
    assert await factory.rows(_JOBS) == [("SUCCEEDED", None)]
    assert await factory.rows("SELECT 1 FROM file") == []
