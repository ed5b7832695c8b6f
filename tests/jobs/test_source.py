"""Sources in the worker: deleted with their feedback, and what is forgotten of them in time."""

from datetime import timedelta

import httpx
import pytest

from app.stores import now
from domain import ids
from domain.ids import Kind
from jobs import housekeeping
from persistence.database import Database
from tests.factories import Factory
from tests.graph.source_queries import change
from tests.working import Worker


@pytest.mark.usefixtures("kept_outbox")
async def test_the_feedback_of_a_deleted_source_goes_with_it(
    factory: Factory, http: httpx.AsyncClient, worker: Worker, database: Database
) -> None:
    tenant = await factory.tenant()
    await factory.change(
        "INSERT INTO feedback (id, workspace_id, source_id, body, occurred_at, received_at)"
        " SELECT gen_random_uuid(), :workspace, :source, 'x', now(), now()"
        " FROM generate_series(1, 1100)",
        within=tenant,
        workspace=tenant.id,
        source=tenant.source_id,
    )
    spare = ids.read(Kind.SOURCE, await factory.spare_source(tenant))
    await factory.feedback(tenant, source_id=spare)

    await change(tenant.owner, http, "deleteSource", sourceId=tenant.source_gid)
    await worker.work()

    assert await factory.rows("SELECT name FROM source ORDER BY name") == [("API",), ("Spare",)]
    assert await factory.rows("SELECT count(*) FROM feedback") == [(1,)]
    assert await factory.rows("SELECT status, result ->> 'deleted' FROM job") == [
        ("SUCCEEDED", "1100")
    ]
    assert await factory.rows("SELECT count(*) FROM outbox WHERE kind = 'feedback.deleted'") == [
        (1100,)
    ]


@pytest.mark.parametrize(("days", "left"), [(29, 1), (31, 0)])
async def test_what_was_kept_apart_is_forgotten_after_thirty_days(
    days: int, left: int, factory: Factory, database: Database
) -> None:
    tenant = await factory.tenant()
    await factory.quarantined(tenant)
    await factory.change(
        "INSERT INTO source_refusal (source_id, hour, workspace_id, times, message, last_at)"
        " VALUES (:source, now(), :workspace, 1, 'x', now())",
        within=tenant,
        source=tenant.source_id,
        workspace=tenant.id,
    )

    await housekeeping.forget(
        database, now() + timedelta(days=days), job_history=timedelta(days=30)
    )

    assert await factory.rows("SELECT count(*) FROM quarantined") == [(left,)]
    assert await factory.rows("SELECT count(*) FROM source_refusal") == [(left,)]
