"""Imports by the real tasks: each way to write a file, and what becomes of its columns."""

import io
from datetime import UTC, datetime

import httpx
import openpyxl
import pytest

from tests.factories import Factory
from tests.importing import Importer, counts, importer, table
from tests.working import Worker


@pytest.fixture
async def work(factory: Factory, http: httpx.AsyncClient, worker: Worker) -> Importer:
    return await importer(factory, http, worker)


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
