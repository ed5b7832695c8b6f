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


async def sources(work: Importer) -> list[str]:
    return [name for (name,) in await work.factory.rows("SELECT name FROM source ORDER BY name")]


async def undone(work: Importer, *jobs: str) -> None:
    for job in jobs:
        await work.undo(job)
    await work.worker.work()


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
    assert await sources(work) == ["API", "Hook"]
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


async def test_sources_that_an_import_made_go_with_it(work: Importer) -> None:
    body = table("text,shop", "One.,North", "Two.,Hook", "Three.,")
    job = await work.asked(await work.send(body), columns={"source": "shop"})
    await work.worker.work()
    made = await sources(work)

    await undone(work, job)

    assert made == ["API", "Hook", "Import", "North"]
    assert await sources(work) == ["API", "Hook"]


async def test_sources_that_are_used_otherwise_stay(work: Importer) -> None:
    body = table("text,shop", "One.,North", "Two.,South", "Three.,")
    job = await work.asked(await work.send(body), columns={"source": "shop"})
    await work.worker.work()
    ids = dict(await work.factory.rows("SELECT name, id FROM source"))
    await work.factory.feedback(work.tenant, "Own.", source_id=ids["North"])
    changed = await work.caller.ask(
        "mutation($id: ID!) { result: updateSource(input: {sourceId: $id,"
        " masking: {kinds: [EMAIL]}}) { __typename } }",
        id=f"source_{ids['South'].hex}",
    )
    await work.undo(job)
    # It is to be filled by the time at which the first has been undone.
    waiting = await work.asked(await work.send(numbered(2)))
    await work.factory.change(
        "UPDATE job SET run_at = now() + interval '1 hour' WHERE id = :id",
        within=work.tenant,
        id=job_uuid(waiting),
    )
    await work.worker.work()

    assert changed["result"]["__typename"] == "UpdateSourceSuccess"
    assert await work.bodies() == ["Own."]
    assert await sources(work) == ["API", "Hook", "Import", "North", "South"]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_what_two_imports_use_goes_with_the_last(
    work: Importer, order: tuple[int, int]
) -> None:
    jobs = []
    for text_ in ("One.", "Two."):
        body = table("text,tags,shop", f"{text_},new,North", f"{text_},new,")
        jobs.append(await work.asked(await work.send(body), columns={"source": "shop"}))
        await work.worker.work()

    await undone(work, jobs[order[0]])
    between = await sources(work), await work.factory.rows("SELECT name FROM tag")
    await undone(work, jobs[order[1]])

    assert between == (["API", "Hook", "Import", "North"], [("new",)])
    assert await sources(work) == ["API", "Hook"]
    assert await work.factory.rows("SELECT name FROM tag") == []


async def test_an_import_to_a_source_that_is_gone_has_failed(work: Importer) -> None:
    job = await work.asked(await work.send(numbered(2)), sourceId=work.tenant.source_gid)
    await work.factory.change("DELETE FROM source", within=work.tenant)
    await work.worker.work()

    ended = await work.job(job)

    assert (ended["status"], ended["error"]) == ("FAILED", "the source is gone")


async def test_nothing_is_imported_to_sources_that_are_being_deleted(work: Importer) -> None:
    await work.run(table("text,shop", "One.,North", "Two.,"), columns={"source": "shop"})
    await work.factory.change(
        "UPDATE source SET closed_at = now() WHERE kind = 'IMPORT'", within=work.tenant
    )

    await work.run(table("text,shop", "Three.,North", "Four.,"), columns={"source": "shop"})

    assert await work.factory.rows(
        "SELECT name, body FROM feedback JOIN source ON source.id = source_id"
        " WHERE closed_at IS NULL ORDER BY feedback.id"
    ) == [("North", "Three."), ("Import", "Four.")]


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
