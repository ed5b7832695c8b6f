"""Puts the demo in, once.

Its texts come with the scores that our model gave them (`python -m app score-demo` makes them, a test compares them
with the model), because scoring three thousand texts would make the first start half a minute longer. With another
model they are scored then and there.
"""

import asyncio
import os
from collections.abc import Sequence

from app.scoring import load_scorer
from app.settings import Settings
from app.stores import open_database, seals
from domain import demo, passwords
from domain.demo import KnownScore
from inference import sentiment


def seed(settings: Settings) -> None:
    """Put the demo in unless it is there."""
    asyncio.run(_seed(settings))


def score_demo(settings: Settings) -> None:
    """Score the demo's texts anew and keep the scores beside them."""
    model = sentiment.name_of(settings.sentiment_model or sentiment.DEFAULT_DIRECTORY)
    demo.keep_scores(model, asyncio.run(_score(settings)))


async def _seed(settings: Settings) -> None:
    async with open_database(settings, "earful seed") as database:
        async with database.reader() as reader:
            if await demo.is_there(reader):
                return
        model = sentiment.name_of(settings.sentiment_model or sentiment.DEFAULT_DIRECTORY)
        known = demo.known_scores(model) or await _score(settings)
        await demo.put_in(
            database,
            seals(settings),
            password_hash=passwords.hash(demo.PASSWORD),
            samples=demo.samples(known),
            model=model,
        )


async def _score(settings: Settings) -> Sequence[KnownScore | None]:
    # Nothing else runs yet: all cores, but no more than pay.
    scorer = load_scorer(settings, threads=min(os.cpu_count() or 1, 4))
    try:
        return demo.known(await scorer.score(demo.bodies()))
    finally:
        await scorer.close()
