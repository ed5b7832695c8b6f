"""Imports over GraphQL: looked into, asked for and undone, by those who may."""

from typing import Any

import httpx
import pytest

from domain.scopes import Scope
from tests.factories import Factory
from tests.importing import PREVIEW, Importer, counts, importer, table
from tests.uploads import target
from tests.working import Worker


@pytest.fixture
async def work(factory: Factory, http: httpx.AsyncClient, worker: Worker) -> Importer:
    return await importer(factory, http, worker)


# Looked into


async def test_a_preview_shows_how_a_file_is_written_and_what_becomes_of_it(
    work: Importer,
) -> None:
    body = table(
        "Ticket;Comment;Stars;Date;Customer;E-Mail;Labels",
        "7;Late again.;2;4.3.2026;Ada;ada@example.com;slow,late",
        "8;;2;;;;",
    )

    found = await work.preview(body, columns={"externalId": "Ticket"})

    assert found == {
        "format": "CSV",
        "encoding": "utf-8",
        "delimiter": ";",
        "columns": ["Ticket", "Comment", "Stars", "Date", "Customer", "E-Mail", "Labels"],
        "mapping": {
            "body": "Comment",
            "rating": "Stars",
            "occurredAt": "Date",
            "externalId": "Ticket",
            "authorName": "Customer",
            "authorEmail": "E-Mail",
            "tags": "Labels",
        },
        "lookedAt": 2,
        "refused": 1,
        "rows": [
            {
                "row": 1,
                "body": "Late again.",
                "rating": 2,
                "occurredAt": "2026-03-04T00:00:00Z",
                "externalId": "7",
                "authorName": "Ada",
                "authorEmail": "ada@example.com",
                "tags": ["slow", "late"],
            }
        ],
        "problems": [
            {"row": 2, "column": "Comment", "reason": "must not be blank", "original": "8;;2;;;;"}
        ],
    }
    assert await work.factory.rows("SELECT 1 FROM feedback") == []


async def test_a_preview_says_which_columns_do_not_fit(work: Importer) -> None:
    found = await work.preview(table("first,stars", "1,2"), columns={"tags": "Labels"})

    assert (found["mapping"], found["rows"]) == ({"rating": "stars"}, [])
    assert [(each["row"], each["column"]) for each in found["problems"]] == [
        (None, "tags"),
        (None, "body"),
    ]


async def test_a_preview_of_a_large_file_reads_its_beginning(work: Importer) -> None:
    body = table("text", *(f'"{number}\n{"x" * 1_000}"' for number in range(800)))

    found = await work.preview(body)

    assert found["lookedAt"] == 520
    assert (found["refused"], found["problems"]) == (0, [])


async def test_rows_are_previewed_as_they_are_stored(work: Importer) -> None:
    body = table("text,stars", "Good.,5", "Good.,5")

    found = await work.preview(body)
    await work.run(body)

    previewed = [(row["body"], row["rating"], row["externalId"]) for row in found["rows"]]
    assert previewed == [(row[0], row[1], row[3]) for row in await work.stored()]


# Asked for


@pytest.mark.parametrize(
    ("columns", "path"),
    [
        (["body"], ["columns"]),
        ({"text": "text"}, ["columns", "text"]),
        ({"body": 7}, ["columns", "body"]),
        ({"body": "Text"}, ["columns", "body"]),
        ({"body": None}, ["columns", "body"]),
        ({"tags": "twice"}, ["columns", "tags"]),
    ],
)
async def test_columns_that_do_not_fit_are_refused(
    work: Importer, columns: Any, path: list[str]
) -> None:
    file = await work.send(table("text,twice,twice", "One.,a,b"))

    answer = await work.start(file, columns=columns)

    assert answer["__typename"] == "InvalidInput"
    assert [field["path"] for field in answer["fields"]] == [path]
    assert await work.factory.rows("SELECT 1 FROM job") == []


@pytest.mark.parametrize("purpose", ["ATTACHMENT", "IMPORT"])
async def test_only_an_import_that_is_ready_is_imported(work: Importer, purpose: str) -> None:
    pending = (await target(work.caller, work.tenant, purpose=purpose))["file"]

    answer = await work.start(pending)

    assert answer["__typename"] == "InvalidInput"
    assert [field["path"] for field in answer["fields"]] == [["fileId"]]


async def test_an_analyst_imports(work: Importer, http: httpx.AsyncClient) -> None:
    analyst = await work.factory.member(work.tenant, "ANALYST")
    by_analyst = Importer(work.tenant, analyst.on(http), work.factory, work.worker)

    job = await by_analyst.run(table("text", "One."))

    assert counts(job) == (1, 1, 0, 0)


async def test_a_key_with_the_scope_imports(work: Importer, http: httpx.AsyncClient) -> None:
    partner = await work.factory.api_key(work.tenant, Scope.IMPORTS_CREATE)
    by_key = Importer(work.tenant, partner.on(http), work.factory, work.worker)

    job = await by_key.run(table("text", "One."))

    assert counts(job) == (1, 1, 0, 0)


@pytest.mark.parametrize("operation", ["start", "preview"])
async def test_viewers_and_strangers_import_nothing(
    work: Importer, http: httpx.AsyncClient, operation: str
) -> None:
    file = await work.send(table("text", "One."))
    viewer = await work.factory.member(work.tenant, "VIEWER")
    stranger = (await work.factory.tenant()).owner
    answers = []
    for person in (viewer, stranger):
        other = Importer(work.tenant, person.on(http), work.factory, work.worker)
        previewed = await other.caller.ask(PREVIEW, input={"fileId": file["id"]})
        answers.append({"start": await other.start(file), "preview": previewed["result"]})

    assert [answer[operation]["__typename"] for answer in answers] == ["Forbidden", "NotFound"]
    assert await work.factory.rows("SELECT 1 FROM job") == []


async def test_rows_come_to_no_source_of_others(work: Importer) -> None:
    other = await work.factory.tenant()

    answer = await work.start(await work.send(table("text", "One.")), sourceId=other.source_gid)

    assert answer == {
        "__typename": "NotFound",
        "message": "There is no such source in this workspace.",
    }


# Undone


async def test_only_an_import_that_has_ended_is_undone(work: Importer) -> None:
    job = await work.asked(await work.send(table("text", "One.")))
    other = await work.factory.job(work.tenant)

    assert await work.undo(job) == {
        "__typename": "Conflict",
        "message": "This import has not ended: cancel it first.",
    }
    assert await work.undo(other) == {
        "__typename": "NotFound",
        "message": "There is no such import.",
    }


async def test_only_admins_undo(work: Importer, http: httpx.AsyncClient) -> None:
    job = await work.asked(await work.send(table("text", "One.")))
    await work.worker.work()
    analyst = await work.factory.member(work.tenant, "ANALYST")
    stranger = (await work.factory.tenant()).owner
    others = [
        Importer(work.tenant, person.on(http), work.factory, work.worker)
        for person in (analyst, stranger)
    ]

    answers = [await other.undo(job) for other in others]
    await work.worker.work()

    assert [answer["__typename"] for answer in answers] == ["Forbidden", "NotFound"]
    assert await work.bodies() == ["One."]
