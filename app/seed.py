"""Puts the demo in, once: its texts are scored by the real model."""

import asyncio
import os
import time

from app.resources import load_scorer, open_database, seals
from app.settings import Settings
from domain import demo, passwords


def seed(settings: Settings) -> None:
    """Put the demo in unless it is there."""
    asyncio.run(_seed(settings))


async def _seed(settings: Settings) -> None:
    async with open_database(settings, "earful seed") as database:
        async with database.reader() as reader:
            if await demo.is_there(reader):
                return
        began = time.monotonic()
        # Nothing else runs yet: all cores, but no more than pay.
        scorer = load_scorer(settings, threads=min(os.cpu_count() or 1, 4))
        texts = demo.bodies()
        scores = await scorer.score([text.body for text in texts])
        samples = [
            demo.Sample(text.body, text.rating, score)
            for text, score in zip(texts, scores, strict=True)
        ]
        count = await demo.put_in(
            database,
            seals(settings),
            password_hash=passwords.hash(demo.PASSWORD),
            samples=samples,
            model=scorer.model_name,
        )
        await scorer.close()
        print(f"  Demo: {count:,} texts scored and stored in {time.monotonic() - began:.1f} s")
