"""Imports by the real tasks: rows that are broken, and files that are none."""

import httpx
import pytest

from tests.factories import Factory
from tests.importing import Importer, counts, importer, refusals, table
from tests.working import Worker


@pytest.fixture
async def work(factory: Factory, http: httpx.AsyncClient, worker: Worker) -> Importer:
    return await importer(factory, http, worker)


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
    (f"23,{'t' * 200_000},,,,,", "", "has a field of more than 131,072 characters"),
    (f"24,{'t' * 400_000},,,,,", "", "is longer than 393,216 characters"),
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
