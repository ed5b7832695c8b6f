"""Imports by the real tasks: undone, they leave nothing."""

import httpx
import pytest
from sqlalchemy import text

from persistence.database import Database, Record, Statement
from tests.factories import Factory
from tests.importing import Importer, counts, importer, job_uuid, numbered, table
from tests.working import Worker

pytestmark = pytest.mark.usefixtures("kept_outbox")


@pytest.fixture
async def work(factory: Factory, http: httpx.AsyncClient, worker: Worker) -> Importer:
    return await importer(factory, http, worker)


async def test_undoing_leaves_nothing(work: Importer) -> None:
    await work.factory.tag(work.tenant, "kept")
    own = await work.factory.feedback(work.tenant, "Own.", external_id="r3")
    body = table(
        "text,tags,stars", *(f"Text {number},new;kept," for number in range(700)), "No.,,99"
    )
    job = await work.asked(await work.send(body), sourceId=work.tenant.source_gid)
    await work.worker.work()

    answer = await work.undo(job)
    await work.worker.work()

    undone = await work.job(answer["job"]["id"])
    assert (undone["status"], undone["result"]) == ("SUCCEEDED", {"deleted": 700})
    assert await work.bodies() == ["Own."]
    assert await work.factory.rows("SELECT name FROM tag") == [("kept",)]
    for name in ("feedback_tag", "import_feedback", "import_tag", "import_refusal"):
        assert await work.factory.rows(f"SELECT 1 FROM {name}") == []
    events = await work.factory.rows("SELECT count(*) FROM outbox WHERE kind = 'feedback.deleted'")
    assert events == [(700,)]
    assert own is not None


async def test_undoing_keeps_tags_that_others_use(work: Importer) -> None:
    job = await work.asked(await work.send(table("text,tags", "One.,new")))
    await work.worker.work()
    other = await work.factory.feedback(work.tenant, "Own.")
    await work.factory.change(
        "INSERT INTO feedback_tag (feedback_id, tag_id, workspace_id)"
        " SELECT :feedback, id, workspace_id FROM tag",
        within=work.tenant,
        feedback=job_uuid(other.replace("feedback_", "job_")),
    )

    await work.undo(job)
    await work.worker.work()

    assert await work.bodies() == ["Own."]
    assert await work.factory.rows("SELECT name FROM tag") == [("new",)]


async def test_what_was_undone_can_be_imported_again_but_not_taken_up(work: Importer) -> None:
    file = await work.send(numbered(3))
    job = await work.asked(file)
    await work.worker.work()
    await work.factory.change(
        "UPDATE job SET status = 'CANCELLED', state = NULL WHERE id = :id",
        within=work.tenant,
        id=job_uuid(job),
    )
    await work.undo(job)
    await work.caller.ask(
        "mutation($id: ID!) { retryJob(input: {jobId: $id}) { __typename } }", id=job
    )
    await work.worker.work()
    taken_up = await work.job(job)
    left = await work.bodies()
    another = await work.asked(file)
    await work.worker.work()

    assert (taken_up["status"], left) == ("FAILED", [])
    assert taken_up["error"] == "this import was undone; start another one"
    assert counts(await work.job(another)) == (3, 3, 0, 0)


async def test_undoing_waits_for_who_writes_the_feedback(
    work: Importer, database: Database
) -> None:
    job = await work.asked(await work.send(numbered(2)))
    await work.worker.work()
    undo = (await work.undo(job))["job"]["id"]

    async with database.transaction() as uow:
        await uow.enter(work.tenant.id)
        await uow.execute(
            Statement[Record](
                text("SELECT 1 FROM feedback WHERE external_id = 'r1' FOR UPDATE"), Record
            )
        )
        await work.worker.work()
        waiting = await work.job(undo)
    await work.factory.change("UPDATE job SET run_at = now()", within=work.tenant)
    await work.worker.work()

    assert waiting["status"] == "QUEUED"
    assert (await work.job(undo))["status"] == "SUCCEEDED"
    assert await work.bodies() == []
