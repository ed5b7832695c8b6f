"""The demo is put in once, and its scores are what the model says."""

import asyncio

import httpx
import pytest

from app.seed import seed
from app.settings import Settings
from domain import demo
from domain.sentiment import scores
from inference import sentiment
from inference.sentiment import SentimentModel
from persistence.database import Database
from tests.callers import Caller

LOGIN = """mutation($email: String!) {
  login(input: {email: $email, password: "earful-demo-password"}) {
    ... on LoginSuccess { tokens { accessToken } }
  } }"""
SEEN = """{ viewer { workspaces { slug viewerRole sources { id } tags { id }
    feedback { totalCount } } } }"""


async def _login(http: httpx.AsyncClient, email: str) -> Caller:
    answer = await Caller(http).ask(LOGIN, email=email)
    return Caller(http, answer["login"]["tokens"]["accessToken"])


async def test_the_demo_is_there_for_its_people_once(
    settings: Settings, database: Database, http: httpx.AsyncClient
) -> None:
    await asyncio.to_thread(seed, settings)
    await asyncio.to_thread(seed, settings)

    owner = await (await _login(http, "demo@earful.example")).ask(SEEN)
    viewer = await (await _login(http, "viewer@earful.example")).ask(SEEN)
    other = await (await _login(http, "other@earful.example")).ask(SEEN)

    (demo_seen,) = owner["viewer"]["workspaces"]
    assert (demo_seen["slug"], demo_seen["viewerRole"]) == ("demo", "OWNER")
    assert (len(demo_seen["sources"]), len(demo_seen["tags"])) == (4, 6)
    assert demo_seen["feedback"]["totalCount"] == len(demo.bodies())
    assert viewer["viewer"]["workspaces"] == [demo_seen | {"viewerRole": "VIEWER"}]
    assert [seen["slug"] for seen in other["viewer"]["workspaces"]] == ["other"]


async def test_all_of_the_demo_is_scored_and_of_the_last_90_days(
    settings: Settings, database: Database, http: httpx.AsyncClient
) -> None:
    await asyncio.to_thread(seed, settings)

    owner = await _login(http, "demo@earful.example")
    answer = await owner.ask("""{ workspace(slug: "demo") {
        most: feedback(first: 1, orderBy: MOST_NEGATIVE) { nodes { sentiment { model } } }
        oldest: feedback(first: 1, orderBy: OLDEST_FIRST) { nodes { occurredAt } }
        stats(from: "2000-01-01T00:00:00Z", to: "2099-01-01T00:00:00Z", interval: MONTH) {
          totals { total unscored } } } }""")

    totals = answer["workspace"]["stats"]["totals"]
    assert totals == {"total": len(demo.bodies()), "unscored": 0}
    model = sentiment.name_of(sentiment.DEFAULT_DIRECTORY)
    assert answer["workspace"]["most"]["nodes"][0]["sentiment"]["model"] == model


def test_the_scores_that_come_with_the_demo_are_the_models() -> None:
    model = SentimentModel.load()
    bodies = demo.bodies()[::25]
    known = demo.known_scores(model.name)
    assert known is not None

    found = scores(model.score(bodies))

    # Not to the last digit: a processor with VNNI rounds the products of small integers otherwise than one without.
    pairs = list(zip(found, known[::25], strict=True))
    assert [score is None for score, _ in pairs] == [told is None for _, told in pairs]
    both = [(score, told) for score, told in pairs if score and told]
    assert [score.score for score, _ in both] == pytest.approx(
        [told.score for _, told in both], abs=0.05
    )
    assert sum(score.label != told.label for score, told in both) <= len(both) // 50
