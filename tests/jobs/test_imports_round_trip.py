"""An export that is imported into a fresh workspace is there as it was, by the real tasks."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.callers import JSON
from tests.exporting import exported, objects
from tests.factories import NEGATIVE, NOON, Factory, Tenant
from tests.importing import counts, importer, numbered
from tests.working import Worker

# What an import cannot carry: it is of the workspace and the moment, or the model's.
_OWN = (
    *("id", "sourceId", "receivedAt"),
    *("sentimentLabel", "sentimentScore", "sentimentConfidence", "sentimentModel"),
)


async def hostile(factory: Factory, tenant: Tenant) -> None:
    """Feedback of two sources with what tables, spreadsheets and Unicode have traps for."""
    texts = (
        '=HYPERLINK("http://evil.example")\r\nGrüße, "東京" 🎉',
        "'=was there before",
        "''",
        ' \t"blank" before and after\n\n\n ',
        "-1\u2028+1\ufeff",
        "\x01\x7f",
    )
    ((api,),) = await factory.rows(
        "SELECT id FROM source WHERE workspace_id = :workspace AND name = 'API'",
        workspace=tenant.id,
    )
    for number, body in enumerate(texts):
        feedback = await factory.feedback(
            tenant,
            body,
            source_id=(tenant.source_id, api)[number % 2],
            score=NEGATIVE,
            external_id=f"+{number // 2}",
            author_name=f"'@ada {number} ",
            author_email="ada@example.com",
            author_external_id="-1",
            rating=number,
            metadata='{"big": 12345678901234567, "of": {"a": [1.5, null, "=x"]}, "k": ""}',
            occurred_at=NOON + timedelta(microseconds=number),
        )
        await factory.tag(tenant, f"late; {number},|\\", feedback)
        await factory.tag(tenant, f"=red {number}", feedback)
    await factory.feedback(tenant, "Alone.", external_id="alone", occurred_at=NOON)


def carried(rows: list[JSON]) -> list[JSON]:
    kept = [{name: value for name, value in row.items() if name not in _OWN} for row in rows]
    return sorted(kept, key=lambda row: str(row["body"]))


@pytest.mark.parametrize("format", ["CSV", "NDJSON"])
async def test_what_was_exported_is_imported_as_it_was(
    factory: Factory, http: httpx.AsyncClient, worker: Worker, format: str
) -> None:
    before = await factory.tenant()
    await hostile(factory, before)
    work = await importer(factory, http, worker)
    file = await exported(work.worker, http, before, format=format)

    job = await work.run(file)
    again = await work.run(file)

    first = objects(await exported(work.worker, http, before, format="NDJSON"))
    second = objects(await exported(work.worker, http, work.tenant, format="NDJSON"))
    assert (counts(job), counts(again)) == ((7, 7, 0, 0), (7, 0, 7, 0))
    assert carried(second) == carried(first)
    assert {row["source"] for row in second} == {"API", "Hook"}


async def test_sources_that_there_are_not_are_made_once(
    factory: Factory, http: httpx.AsyncClient, worker: Worker
) -> None:
    work = await importer(factory, http, worker)
    body = b"id,text,shop\n1,One.,North\n2,Two.,South\n1,Three.,South\n3,Four.,\n"

    job = await work.run(body, columns={"source": "shop"})

    found = await factory.rows(
        "SELECT source.name, kind, body FROM feedback JOIN source ON source.id = source_id"
        " ORDER BY feedback.id"
    )
    assert counts(job) == (4, 4, 0, 0)
    assert found == [
        ("North", "IMPORT", "One."),
        ("South", "IMPORT", "Two."),
        ("South", "IMPORT", "Three."),
        ("Import", "IMPORT", "Four."),
    ]


async def test_a_source_that_was_said_is_that_of_all_rows(
    factory: Factory, http: httpx.AsyncClient, worker: Worker
) -> None:
    before = await factory.tenant()
    await hostile(factory, before)
    work = await importer(factory, http, worker)
    file = await work.send(await exported(work.worker, http, before, format="CSV"))

    refused: Any = await work.start(
        file, sourceId=work.tenant.source_gid, columns={"source": "source"}
    )
    await work.asked(file, sourceId=work.tenant.source_gid)
    await work.worker.work()

    assert [field["path"] for field in refused["fields"]] == [["columns", "source"]]
    assert await factory.rows(
        "SELECT DISTINCT source_id FROM feedback WHERE workspace_id = :workspace",
        workspace=work.tenant.id,
    ) == [(work.tenant.source_id,)]


async def test_every_row_of_many_comes_back(
    factory: Factory, http: httpx.AsyncClient, worker: Worker
) -> None:
    first, second = [await importer(factory, http, worker) for _ in range(2)]
    await first.run(numbered(1_200))

    await second.run(await exported(first.worker, http, first.tenant, format="CSV"))

    assert sorted(await second.bodies()) == sorted(await first.bodies())
    assert len(await second.bodies()) == 1_200
