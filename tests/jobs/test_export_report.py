"""The report: what people read in it, whatever was written."""

import io
from datetime import timedelta

import httpx
import pypdf
import pytest

from domain.export import lettering
from tests.exporting import exported, many
from tests.factories import NEGATIVE, NEUTRAL, NOON, POSITIVE, Factory, GivenScore
from tests.working import Worker


def pages(body: bytes) -> list[str]:
    """The text of each page, line by line."""
    read = pypdf.PdfReader(io.BytesIO(body)).pages
    return ["\n".join(map(str.strip, page.extract_text().splitlines())) for page in read]


async def test_a_report_says_what_people_ask_first(
    factory: Factory, http: httpx.AsyncClient, worker: Worker
) -> None:
    tenant = await factory.tenant("acme")
    bad = await factory.feedback(
        tenant, "It broke.", score=NEGATIVE, author_name="Ada", rating=2, occurred_at=NOON
    )
    await factory.feedback(
        tenant, "It broke at once.", score=GivenScore("NEGATIVE", -0.9, 0.9), occurred_at=NOON
    )
    await factory.feedback(tenant, "It came.", score=NEUTRAL, occurred_at=NOON)
    await factory.feedback(
        tenant, "I love it.", score=POSITIVE, occurred_at=NOON + timedelta(days=9)
    )
    await factory.feedback(tenant, "Waiting.", occurred_at=NOON)
    await factory.tag(tenant, "hardware", bad)

    (page,) = pages(await exported(worker, http, tenant, format="PDF"))

    lines = page.splitlines()
    assert lines[:4] == [
        "Customer feedback",
        "Acme",
        "15 June 2026 to 24 June 2026",
        "All feedback of this time.",
    ]
    for line in ("5", "50%", "25%", "negative (2)", "neutral (1)", "positive (1)", "2.0"):
        assert line in lines
    assert [line for line in lines if "One bar" in line] == ["One bar a day. Times are UTC."]
    assert page.index("By source") < page.index("Hook") < page.index("Top tags")
    assert page.index("Top tags") < page.index("hardware") < page.index("Most negative")
    quotes = ("Most negative", "It broke at once.", "It broke.\n", "Most positive", "I love it.")
    assert [page.index(quote) for quote in quotes] == sorted(page.index(quote) for quote in quotes)
    assert "Ada \u00b7 15 June 2026 \u00b7 Hook \u00b7 rated 2 \u00b7 score -0.70" in page
    assert "Page 1 of 1" in lines
    assert "It came." not in page


async def test_a_report_says_its_filter(
    factory: Factory, http: httpx.AsyncClient, worker: Worker
) -> None:
    tenant = await factory.tenant()
    late = await factory.feedback(tenant, "Late again.", score=NEGATIVE, rating=3)
    tag = await factory.tag(tenant, "late", late)
    await factory.feedback(tenant, "Late too.", score=POSITIVE)

    wanted = {
        "search": "late",
        "sourceIds": [tenant.source_gid],
        "tagIds": [tag],
        "sentiments": ["NEGATIVE", "NEUTRAL"],
        "ratingGte": 1,
        "ratingLte": 9,
        "occurredAfter": "2026-06-01T00:00:00Z",
        "occurredBefore": "2026-07-01T00:00:00Z",
    }
    (page,) = pages(await exported(worker, http, tenant, format="PDF", filter=wanted))

    assert "1 June 2026 to 30 June 2026" in page
    said = " ".join(page.split())
    assert (
        "Filter: contains late; source is Hook; tag is late; sentiment is negative or neutral; "
        "rated at least 1; rated at most 9"
    ) in said
    assert "Late again." in page
    assert "Late too." not in page
    assert "Most positive" not in page


async def test_a_report_on_nothing_says_so(
    factory: Factory, http: httpx.AsyncClient, worker: Worker
) -> None:
    tenant = await factory.tenant()

    (page,) = pages(await exported(worker, http, tenant, format="PDF"))

    assert "There is no feedback that passes this filter." in page


async def test_more_sources_than_fit_are_added_up(
    factory: Factory, http: httpx.AsyncClient, worker: Worker
) -> None:
    tenant = await factory.tenant()
    await many(factory, tenant, 20)
    await factory.change(
        "INSERT INTO source (id, workspace_id, name, kind, provider, created_at)"
        " SELECT gen_random_uuid(), :workspace, 'Shop ' || i, 'API', 'STANDARD', now()"
        " FROM generate_series(1, 12) AS i",
        within=tenant,
        workspace=tenant.id,
    )
    for (source,) in await factory.rows("SELECT id FROM source WHERE name LIKE 'Shop %'"):
        await factory.feedback(tenant, source_id=source)

    text = "\n".join(pages(await exported(worker, http, tenant, format="PDF")))

    assert "Hook\n20\n62%\n" in text
    assert "All others\n3\n9%\n" in text


async def test_no_text_breaks_a_report(
    factory: Factory, http: httpx.AsyncClient, worker: Worker
) -> None:
    tenant = await factory.tenant()
    bodies = [
        "<b>bold</b> & <unclosed \u00df \u0436 \u03a9 \u1ea5",
        "\u6771\u4eac \U0001f389\U0001f389 fine",
        "w" * 5_000,
        "\u202eturned\x01\x7f",
        "\u0301" * 300,
    ]
    for body in bodies:
        await factory.feedback(tenant, body, score=NEGATIVE, author_name="<i>\U0001f600")
    await factory.tag(tenant, "&nbsp;" * 20)
    await factory.change("UPDATE workspace SET name = '<para>' || repeat('W', 190)", within=tenant)

    text = "\n".join(pages(await exported(worker, http, tenant, format="PDF")))

    assert "<b>bold</b> & <unclosed \u00df \u0436 \u03a9 \u1ea5" in text
    assert "\u25a1 \u25a1 fine" in text
    assert "turned" in text
    assert "\u2026" in text


@pytest.mark.parametrize(
    ("days", "caption"),
    [
        (1, "One bar an hour."),
        (60, "One bar a day."),
        (300, "One bar a week."),
        (1_500, "One bar a month."),
        (6_000, "One bar for 3 months."),
    ],
)
async def test_the_plot_has_as_many_bars_as_can_be_seen(
    factory: Factory, http: httpx.AsyncClient, worker: Worker, days: int, caption: str
) -> None:
    tenant = await factory.tenant()
    await factory.feedback(tenant, occurred_at=NOON)
    await factory.feedback(tenant, occurred_at=NOON - timedelta(days=days))

    (page,) = pages(await exported(worker, http, tenant, format="PDF"))

    assert caption in page


def test_text_is_shortened_to_what_fits() -> None:
    assert lettering.plain(" a\r\n\tb ", 10) == "a b"
    assert lettering.plain("abcdef", 4) == "abc\u2026"
    assert lettering.plain("e\u0301", 4) == "\u00e9"
