"""Imports by the real tasks: each way to write a file, rows that are broken, once and only once, whatever dies."""

import asyncio
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import openpyxl
import pytest
from sqlalchemy import text

from app.settings import Settings
from domain import feedback, imports
from jobs import relay
from jobs.attempt import Attempt, LostError
from persistence import job as job_store
from persistence.database import Database, Record, Statement, new_id
from persistence.outbox import OutboxRow
from tests.factories import Factory
from tests.importing import Importer, counts, importer, job_uuid, refusals, table
from tests.working import Worker


@pytest.fixture(autouse=True)
async def _outbox_is_kept(settings: Settings, database: Database) -> AsyncIterator[None]:
    """What imports write into the outbox stays there, though other tests' relay may run."""
    connection = await asyncpg.connect(settings.database_url)
    async with connection.transaction():
        await connection.execute("LOCK TABLE outbox_claim IN SHARE MODE")
        yield
    await connection.close()


@pytest.fixture
async def work(factory: Factory, http: httpx.AsyncClient, worker: Worker) -> Importer:
    return await importer(factory, http, worker)


def numbered(count: int) -> bytes:
    return table("id,review", *(f"r{number},Text {number}" for number in range(1, count + 1)))


# Each way to write a file

WORDS = ["Schöne Grüße, alles gut", 'Er sagte "nie wieder"', "Zwei\nZeilen"]


def csv_of(delimiter: str, newline: str = "\n") -> str:
    quoted = [word.replace('"', '""') for word in WORDS]
    lines = [f"Review{delimiter}Stars", *(f'"{word}"{delimiter}4' for word in quoted)]
    return newline.join(lines)


def ndjson() -> bytes:
    return (
        b'{"text": "Sch\\u00f6ne Gr\\u00fc\\u00dfe, alles gut", "stars": 4}\n\n'
        b'{"text": "Er sagte \\"nie wieder\\"", "stars": "4"}\r\n'
        b'{"stars": 4.0, "text": "Zwei\\nZeilen"}'
    )


def xlsx() -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Review", None, "Stars"])
    for word in WORDS:
        sheet.append([word, None, 4])
        sheet.append([])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(csv_of(",").encode(), id="comma"),
        pytest.param(csv_of(";").encode(), id="semicolon"),
        pytest.param(csv_of("\t").encode(), id="tab"),
        pytest.param(csv_of("|").encode(), id="pipe"),
        pytest.param(csv_of(",", "\r\n").encode(), id="windows line ends"),
        pytest.param(csv_of(",", "\r").encode(), id="old line ends"),
        pytest.param(csv_of(";").encode("utf-8-sig"), id="utf-8 with a mark"),
        pytest.param(csv_of("\t").encode("utf-16"), id="utf-16 little end first"),
        pytest.param(b"\xfe\xff" + csv_of("\t").encode("utf-16-be"), id="utf-16 big end first"),
        pytest.param(csv_of(";").encode("cp1252"), id="windows-1252"),
        pytest.param(ndjson(), id="ndjson"),
        pytest.param(xlsx(), id="xlsx"),
    ],
)
async def test_each_way_to_write_a_file_is_understood(work: Importer, body: bytes) -> None:
    job = await work.run(body)

    assert counts(job) == (3, 3, 0, 0)
    assert (job["status"], job["resultUrl"]) == ("SUCCEEDED", None)
    assert [(row[0], row[1]) for row in await work.stored()] == [(word, 4) for word in WORDS]


async def test_every_field_is_stored(work: Importer) -> None:
    body = table(
        "Ticket ID;Comment;Rating;Created at;Name;E-Mail;Labels",
        "T-1; Too late. ;2;2026-03-04 15:30;Ada;ada@example.com;Slow, Late|slow",
    )

    await work.run(body)

    moment = datetime(2026, 3, 4, 15, 30, tzinfo=UTC)
    assert await work.stored() == [(" Too late. ", 2, moment, "T-1", "Ada", "ada@example.com")]
    tags = await work.factory.rows(
        "SELECT name FROM feedback_tag JOIN tag ON tag.id = tag_id ORDER BY name"
    )
    assert tags == [("Late",), ("slow",)]


async def test_rows_come_to_the_workspaces_source_for_imports(work: Importer) -> None:
    await work.run(table("text", "One."))
    await work.run(table("text", "Two."))

    sources = await work.factory.rows(
        "SELECT kind, name, count(*) FROM feedback JOIN source ON source.id = source_id GROUP BY 1, 2"
    )
    assert sources == [("IMPORT", "Import", 2)]


async def test_rows_come_to_the_source_that_was_said(work: Importer) -> None:
    await work.run(table("text", "One."), sourceId=work.tenant.source_gid)

    assert await work.factory.rows("SELECT source_id FROM feedback") == [(work.tenant.source_id,)]


async def test_columns_are_taken_as_they_were_said(work: Importer) -> None:
    body = table("text,note,stars", "No.,Yes.,3")

    await work.run(body, columns={"body": "note", "rating": None})

    assert [(row[0], row[1]) for row in await work.stored()] == [("Yes.", None)]


async def test_tags_that_there_are_already_are_used(work: Importer) -> None:
    await work.factory.tag(work.tenant, "Late")

    await work.run(table("text,tags", "One.,late", "Two.,LATE;new"))

    tags = await work.factory.rows(
        "SELECT name, count(*) FROM tag JOIN feedback_tag ON tag_id = tag.id GROUP BY 1 ORDER BY 1"
    )
    assert tags == [("Late", 2), ("new", 1)]


# Broken rows

HEAD = "id,body,rating,date,name,email,tags"
BROKEN = [
    ("1,,3,,,,", "body", "must not be blank"),
    ("2,   ,3,,,,", "body", "must not be blank"),
    ("3,Text.,11,,,,", "rating", "must be from 0 to 10"),
    ("4,Text.,-1,,,,", "rating", "must be from 0 to 10"),
    ("5,Text.,4.5,,,,", "rating", "must be a whole number from 0 to 10"),
    ("6,Text.,good,,,,", "rating", "must be a whole number from 0 to 10"),
    ("7,Text.,,03/04/2026,,,", "date", "may be read as two dates: write 2026-03-04"),
    ("8,Text.,,yesterday,,,", "date", "must be a date, such as 2026-03-04"),
    ("9,Text.,,2026-02-30,,,", "date", "must be a date, such as 2026-03-04"),
    ("10,Text.,,2999-01-01,,,", "date", "must be from 1970 to at most one day from now"),
    ("11,Text.,,1969-12-31,,,", "date", "must be from 1970 to at most one day from now"),
    ("12,Text.,,,,ada at example,", "email", "must be an e-mail address"),
    (f"13,Text.,,,{'n' * 201},,", "name", "must have at most 200 characters, has 201"),
    (f"{'1' * 501},Text.,,,,,", "id", "must have at most 500 characters, has 501"),
    (f"15,{'t' * 50_001},,,,,", "body", "must have at most 50,000 characters, has 50,001"),
    ("16,Text.", "", "has 2 fields where the header has 7"),
    ("17,Text.,,,,,,more", "", "has 8 fields where the header has 7"),
    ('18,"Text.,3,,,,', "", "a quote is not closed"),
    ('19,"Text" again,3,,,,', "", "a quote is not closed"),
    ("20,NUL \x00.,,,,,", "body", "must not contain the NUL character"),
    (f"21,Text.,,,,,{'t' * 61}", "tags", "must have at most 60 characters each"),
    (f"22,Text.,,,,,{';'.join(map(str, range(21)))}", "tags", "must be at most 20, are 21"),
    (f"23,{'t' * 300_000},,,,,", "", "is longer than 262,144 characters"),
]


async def test_broken_rows_are_refused_and_the_others_stored(work: Importer) -> None:
    lines = [
        line
        for number, (broken, _, _) in enumerate(BROKEN)
        for line in (broken, f"ok{number},Fine.,,,,,")
    ]
    body = table(HEAD, *lines) + b"x,broken \xff\xfe bytes \xc3\xa4\xc3\xb6\xc3\xbc,,,,,\n"

    job = await work.run(body)
    refused = await refusals(job)

    assert counts(job) == (len(BROKEN) * 2 + 1, len(BROKEN), 0, len(BROKEN) + 1)
    assert job["status"] == "SUCCEEDED"
    assert await work.bodies() == ["Fine."] * len(BROKEN)
    expected = [(str(2 * index + 1), column) for index, (_, column, _) in enumerate(BROKEN)]
    assert [(row[0], row[1]) for row in refused] == [*expected, (str(len(BROKEN) * 2 + 1), "body")]
    for (number, _, reason, original), (line, _, why) in zip(refused[:-1], BROKEN, strict=True):
        assert reason.startswith(why), number
        assert original == line[:1_000].replace("\x00", "\N{REPLACEMENT CHARACTER}")
    assert refused[-1][2] == "must be valid Unicode text"


async def test_broken_lines_of_json_are_refused(work: Importer) -> None:
    body = table(
        '{"text": "Fine."}', '{"text": "half', '["text"]', '{"text": null}', '{"other": 1}'
    )

    job = await work.run(body)

    assert counts(job) == (5, 1, 0, 4)
    assert [(row[0], row[2]) for row in await refusals(job)] == [
        ("2", "is not JSON"),
        ("3", "is not a JSON object"),
        ("4", "must not be blank"),
        ("5", "must not be blank"),
    ]


async def test_every_problem_of_a_row_is_told(work: Importer) -> None:
    job = await work.run(table("text,stars,date", ",eleven,03/04/2026"))

    (row,) = await refusals(job)
    assert row[1] == "stars, date, text"
    assert row[2].split("; ")[0] == "must be a whole number from 0 to 10"


async def test_the_file_of_refusals_has_no_formulas(work: Importer) -> None:
    job = await work.run(table("text,stars", '"=HYPERLINK(""http://x"")",99', "@cmd,99"))

    originals = [row[3] for row in await refusals(job)]
    assert originals == ['"=HYPERLINK(""http://x"")",99', "'@cmd,99"]


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"PK\x03\x04 and no more", "The file is no XLSX file that can be read."),
        (b"first,second\n1,2\n", "The file's columns do not fit."),
        (b' [{"text": "No."}]', "The file is a JSON array: write one object per line (NDJSON)."),
        (b"\n\n", "The file is empty."),
    ],
)
async def test_what_is_no_table_is_refused_at_once(work: Importer, body: bytes, error: str) -> None:
    answer = await work.start(await work.send(body))

    assert (answer["__typename"], answer["message"]) == ("InvalidInput", error)
    assert await work.factory.rows("SELECT 1 FROM job") == []


# Once


async def test_the_same_file_again_adds_nothing(work: Importer) -> None:
    body = table("text,stars", "Good.,5", "Good.,5", "Bad.,1", "No.,12")

    first = await work.run(body)
    again = await work.run(body)
    longer = await work.run(body + b"Good.,5\n")

    assert [counts(job) for job in (first, again, longer)] == [
        (4, 3, 0, 1),
        (4, 0, 3, 1),
        (5, 1, 3, 1),
    ]
    assert await work.bodies() == ["Good.", "Good.", "Bad.", "Good."]


async def test_an_external_id_is_stored_once(work: Importer) -> None:
    job = await work.run(table("id,text", "a,One.", "b,Two.", "a,Three."))

    assert counts(job) == (3, 2, 1, 0)
    assert await work.bodies() == ["One.", "Two."]


async def test_two_imports_of_the_same_rows_at_once_add_them_once(work: Importer) -> None:
    body = numbered(2_000)
    files = [await work.send(body), await work.send(body)]
    asked = [await work.asked(file) for file in files]

    await work.worker.work()

    jobs = [await work.job(id_) for id_ in asked]
    assert [job["status"] for job in jobs] == ["SUCCEEDED", "SUCCEEDED"]
    assert sum(job["result"]["stored"] for job in jobs) == 2_000
    assert sum(job["result"]["duplicates"] for job in jobs) == 2_000
    assert len(await work.bodies()) == 2_000


async def test_an_import_that_waits_or_runs_is_answered_again(work: Importer) -> None:
    file = await work.send(numbered(3))

    first, *others = await asyncio.gather(*(work.asked(file) for _ in range(5)))
    await work.worker.work()
    later = await work.asked(file)

    assert {first, *others} == {first}
    assert later != first
    assert counts(await work.job(first)) == (3, 3, 0, 0)


# Events


async def test_each_row_is_announced_with_its_tags(work: Importer) -> None:
    await work.run(table("id,text,stars,tags", "a,One.,4,red", "a,Two.,4,red"))

    events = await work.factory.rows(
        "SELECT payload ->> 'rating', jsonb_array_length(payload -> 'tags'), payload ->> 'patient'"
        " FROM outbox WHERE kind = 'feedback.added'"
    )
    assert events == [("4", 1, "true")]


async def test_rows_are_scored_when_there_is_time(work: Importer, database: Database) -> None:
    await work.run(numbered(3))

    async with database.reader() as reader:
        events = await reader.fetch(_ADDED)
        later = await feedback.overdue(reader, datetime.now(UTC) + timedelta(seconds=1))
    assert len(events) == 3
    assert relay._messages(events) == []
    assert len(later) == 3


_ADDED = Statement(
    text("SELECT workspace_id, kind, payload ::text FROM outbox WHERE kind = 'feedback.added'"),
    OutboxRow,
)


async def test_progress_is_told_after_each_batch(work: Importer, database: Database) -> None:
    await work.run(numbered(1_200))

    events = await work.factory.rows("SELECT 1 FROM outbox WHERE kind = 'job.updated'")
    state = await work.factory.rows("SELECT state ::text, progress FROM job")
    # Three batches, begun and ended.
    assert len(events) >= 3 + 1
    assert state == [('{"row": 1200, "refused": 0}', 1.0)]


# Whatever dies


async def half_done(work: Importer, database: Database, body: bytes, *, after: int) -> str:
    """An import whose worker has died when it had stored so many batches."""
    job = await work.asked(await work.send(body))
    worker = new_id()
    async with database.transaction() as uow:
        await job_store.enlist(uow, worker, "test")
    async with database.transaction() as uow:
        (row,) = await job_store.claim(
            uow, worker, priority="BULK", kinds=["import"], free=1, most_of_one=1
        )
    attempt = Mortal(row, worker, database, after)
    (task,) = [task for task in work.worker.tasks if task.kind is imports.IMPORT]
    with pytest.raises(LostError):
        await task.do(work.worker.resources, attempt)
    return job


class Mortal(Attempt):
    """An attempt that comes no further than so many steps."""

    def __init__(self, row: Any, worker: Any, database: Database, steps: int) -> None:
        super().__init__(row, worker, database)
        self._steps = steps

    def step(self, **given: Any) -> Any:
        self._steps -= 1
        if self._steps < 0:
            raise LostError
        return super().step(**given)


async def take_back(database: Database) -> None:
    async with database.transaction() as uow:
        await job_store.take_back(uow, silence=0)


async def test_an_import_goes_on_behind_the_last_batch(work: Importer, database: Database) -> None:
    lines = [f"{['Same.', f'Text {number}'][number % 2]},{number % 12}" for number in range(2_300)]
    body = table("text,stars", *lines)

    job = await half_done(work, database, body, after=3)
    before = len(await work.bodies())
    ((state,),) = await work.factory.rows("SELECT state ::text FROM job")
    await take_back(database)
    await work.worker.work()

    ended = await work.job(job)
    refused = sum(number % 12 == 11 for number in range(2_300))
    assert state == '{"row": 1500, "refused": 125}'
    assert before == 1_375
    assert counts(ended) == (2_300, 2_300 - refused, 0, refused)
    assert len(await refusals(ended)) == refused
    assert await work.bodies() == [
        ["Same.", f"Text {number}"][number % 2] for number in range(2_300) if number % 12 != 11
    ]
    assert counts(await work.run(body)) == (2_300, 0, 2_300 - refused, refused)


async def test_an_attempt_that_was_given_up_stores_nothing_more(
    work: Importer, database: Database
) -> None:
    await half_done(work, database, numbered(1_200), after=1)
    ((before,),) = await work.factory.rows("SELECT count(*) FROM feedback")
    await take_back(database)
    await work.worker.work()

    assert before == 500
    assert len(await work.bodies()) == 1_200


async def test_a_cancelled_import_keeps_what_it_has_and_goes_on_when_asked(
    work: Importer, database: Database
) -> None:
    job = await half_done(work, database, numbered(1_200), after=1)
    await work.caller.ask(
        "mutation($id: ID!) { cancelJob(input: {jobId: $id}) { __typename } }", id=job
    )
    await take_back(database)
    cancelled = await work.job(job)
    kept = len(await work.bodies())

    await work.caller.ask(
        "mutation($id: ID!) { retryJob(input: {jobId: $id}) { __typename } }", id=job
    )
    await work.worker.work()

    assert (cancelled["status"], kept) == ("CANCELLED", 500)
    assert counts(await work.job(job)) == (1_200, 1_200, 0, 0)


async def test_an_import_is_cancelled_while_it_runs(work: Importer, database: Database) -> None:
    job = await work.asked(await work.send(numbered(60_000)))

    async with work.worker.working(), asyncio.timeout(30):
        while not await work.bodies():
            await asyncio.sleep(0.02)
        await work.caller.ask(
            "mutation($id: ID!) { cancelJob(input: {jobId: $id}) { __typename } }", id=job
        )
        while (ended := await work.job(job))["status"] == "RUNNING":
            await asyncio.sleep(0.02)

    assert ended["status"] == "CANCELLED"
    assert counts(ended)[1] == len(await work.bodies()) < 60_000


# Undone


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
