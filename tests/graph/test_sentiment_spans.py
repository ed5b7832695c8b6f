"""Sentences with what a model makes of them, the language of a text, and why it has no sentiment."""

from typing import Any

import httpx
import pytest

from app.resources import Api
from domain import ids
from domain.ids import Kind
from domain.sentiment import Scorer
from jobs.feedback import score
from persistence.database import Database
from persistence.feedback import COLUMNS
from tests.app.deliveries import deliver, event, rows
from tests.callers import JSON
from tests.factories import POSITIVE, Factory, Tenant

MIXED = "I love the screen. \N{GRINNING FACE} The battery died after two days, I hate it!"
SPANS = "spans { start end label score confidence }"
ANALYZE = (
    f"query($texts: [String!]!) {{ analyzeSentiment(texts: $texts) {{ label model {SPANS} }} }}"
)
LOOK = f"""query($id: ID!) {{ node(id: $id) {{ ... on Feedback {{
    language unscoredReason sentiment {{ label {SPANS} }} }} }} }}"""


@pytest.fixture
def scorer(api: Api) -> Scorer:
    return api.services.scorer


def read(feedback: str) -> Any:
    return ids.read(Kind.FEEDBACK, feedback)


async def look(tenant: Tenant, http: httpx.AsyncClient, feedback: str) -> JSON:
    answer: JSON = (await tenant.owner.on(http).ask(LOOK, id=feedback))["node"]
    return answer


def sentences(text: str, spans: list[JSON]) -> list[tuple[str, str]]:
    return [(text[span["start"] : span["end"]].strip(), span["label"]) for span in spans]


async def test_texts_are_analysed_sentence_by_sentence(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    person = await factory.person()

    answer = await person.on(http).ask(ANALYZE, texts=["Great!", MIXED, " ", *["Bad."] * 97])

    short, mixed, blank, *others = answer["analyzeSentiment"]
    assert sentences("Great!", short["spans"]) == [("Great!", "POSITIVE")]
    assert {"POSITIVE", "NEGATIVE"} <= {span["label"] for span in mixed["spans"]}
    assert mixed["spans"] == sorted(mixed["spans"], key=lambda span: span["start"])
    assert blank is None
    assert [each["label"] for each in others] == ["NEGATIVE"] * 97


async def test_a_stored_text_keeps_what_was_made_of_its_sentences(
    factory: Factory, http: httpx.AsyncClient, database: Database, scorer: Scorer
) -> None:
    tenant = await factory.tenant()
    feedback = await factory.feedback(tenant, MIXED)
    before = await look(tenant, http, feedback)

    await score(database, scorer, tenant.id, [read(feedback)])

    after = await look(tenant, http, feedback)
    (asked,) = (await tenant.owner.on(http).ask(ANALYZE, texts=[MIXED]))["analyzeSentiment"]
    spans = after["sentiment"]["spans"]
    assert before == {"language": None, "unscoredReason": "PENDING", "sentiment": None}
    assert (after["language"], after["unscoredReason"]) == ("en", None)
    assert sentences(MIXED, spans) == sentences(MIXED, asked["spans"])
    assert [span["score"] for span in spans] == pytest.approx(
        [span["score"] for span in asked["spans"]], abs=1e-3
    )


@pytest.mark.parametrize(
    ("text", "language", "reason"),
    [
        (
            "\u3053\u306e\u5546\u54c1\u306f\u3068\u3066\u3082\u826f\u3044\u3067\u3059\u3002",
            "ja",
            "UNKNOWN_LANGUAGE",
        ),
        ("Der Akku war leider schon nach zwei Tagen kaputt.", "de", "UNKNOWN_LANGUAGE"),
        ("\ue000 \ue001", None, "NO_KNOWN_WORDS"),
    ],
)
async def test_what_cannot_be_scored_says_why(
    factory: Factory,
    http: httpx.AsyncClient,
    database: Database,
    scorer: Scorer,
    text: str,
    language: str | None,
    reason: str,
) -> None:
    tenant = await factory.tenant()
    feedback = await factory.feedback(tenant, text)

    await score(database, scorer, tenant.id, [read(feedback)])

    assert await look(tenant, http, feedback) == {
        "language": language,
        "unscoredReason": reason,
        "sentiment": None,
    }


async def test_what_a_source_says_of_the_language_stays(
    factory: Factory, http: httpx.AsyncClient, database: Database, scorer: Scorer
) -> None:
    tenant = await factory.tenant()
    feedback = await factory.feedback(tenant, "It works very well, I like it.")
    await factory.change("UPDATE feedback SET language = 'en-GB'", within=tenant)

    await score(database, scorer, tenant.id, [read(feedback)])

    assert (await look(tenant, http, feedback))["language"] == "en-GB"


async def test_spans_stay_with_their_text_and_go_with_it(
    factory: Factory, http: httpx.AsyncClient, database: Database, scorer: Scorer
) -> None:
    tenant = await factory.tenant()
    edit: dict[str, Any] = {"external_id": "1", "body": "I love it."}
    await deliver(http, tenant, event(**edit))
    (row,) = await rows(database)
    feedback = ids.write(Kind.FEEDBACK, row["id"])
    await score(database, scorer, tenant.id, [row["id"]])
    scored = await look(tenant, http, feedback)

    seen: list[JSON] = []
    changes: list[dict[str, Any]] = [{"rating": 9}, {"body": "I hate it."}]
    for number, more in enumerate(changes, start=2):
        body = event(**(edit | more)).replace(b".created", b".updated")
        await deliver(http, tenant, body, webhook_id=f"msg_{number}")
        seen.append(await look(tenant, http, feedback))

    assert scored["sentiment"]["spans"][0]["label"] == "POSITIVE"
    assert seen == [scored, {"language": None, "unscoredReason": "PENDING", "sentiment": None}]


async def test_spans_are_read_only_where_they_are_asked_for(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    feedback = await factory.feedback(tenant, "It works.", score=POSITIVE)

    shown = await look(tenant, http, feedback)

    assert "sentiment_spans" not in {column.name for column in COLUMNS}
    assert sentences("It works.", shown["sentiment"]["spans"]) == [("It works.", "POSITIVE")]
