"""What has run out is taken away, and nothing else."""

from datetime import timedelta

from app.stores import now
from domain import events
from domain import source as sources
from jobs import housekeeping
from persistence import account, delivery, source
from persistence.database import Database
from tests.factories import Factory


async def test_old_deliveries_are_forgotten_in_every_workspace(
    database: Database, factory: Factory
) -> None:
    tenants = [await factory.tenant(), await factory.tenant()]
    for tenant in tenants:
        async with database.transaction() as uow:
            row = await source.enter(uow, tenant.source_id)
            assert row is not None
            uow.now -= sources.REMEMBERED + timedelta(minutes=1)
            await delivery.record(uow, row, "old")
            uow.now += timedelta(minutes=2)
            await delivery.record(uow, row, "recent")

    await housekeeping.forget(database, now(), job_history=timedelta(days=30))

    for tenant in tenants:
        async with database.transaction() as uow:
            row = await source.enter(uow, tenant.source_id)
            assert row is not None
            assert await delivery.record(uow, row, "old")
            assert not await delivery.record(uow, row, "recent")


async def test_sessions_that_have_run_out_are_forgotten_with_their_tokens(
    database: Database, factory: Factory
) -> None:
    person = await factory.person()
    async with database.transaction() as uow:
        await account.add_refresh_token(
            uow, token_hash=b"live", session=person.session_id, expires_at=uow.now + timedelta(1)
        )
        await account.add_refresh_token(
            uow, token_hash=b"dead", session=person.session_id, expires_at=uow.now - timedelta(1)
        )
        gone = await account.add_session(
            uow, user=person.id, user_agent=None, ip=None, expires_at=uow.now - timedelta(1)
        )

    await housekeeping.forget(database, now(), job_history=timedelta(days=30))

    async with database.transaction() as uow:
        left = await account.sessions_by_ids(uow, person.id, [person.session_id, gone])
        assert [session.id for session in left] == [person.session_id]
        assert await account.lock_refresh_token(uow, b"live") is not None
        assert await account.lock_refresh_token(uow, b"dead") is None


async def test_topics_of_workspaces_that_are_gone_are_forgotten(
    database: Database, factory: Factory
) -> None:
    tenant, gone = await factory.tenant(), await factory.tenant()
    topics = [
        events.topic(workspace, name)
        for workspace, name in (
            (tenant.id, events.FEEDBACK_TOPIC),
            (events.INSTANCE, events.INSTANCE_TOPIC),
            (gone.id, events.FEEDBACK_TOPIC),
        )
    ]
    await factory.change("DELETE FROM topic_head")
    for topic in topics:
        await factory.change(
            "INSERT INTO topic_head (topic, epoch, \"offset\") VALUES (:topic, 'e', 1)", topic=topic
        )
    await factory.change("DELETE FROM workspace WHERE id = :id", within=gone, id=gone.id)

    await housekeeping.forget(database, now(), job_history=timedelta(days=30))

    left = await factory.rows("SELECT topic FROM topic_head")
    assert {topic for (topic,) in left} == set(topics[:2])
