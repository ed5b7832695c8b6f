"""Whether the sentiment model is there, whole, and scores."""

import asyncio
from collections.abc import AsyncIterator

from app.doctor.finding import Finding, Patient
from app.scoring import load_model
from inference.sentiment import ModelError

PART = "model"


async def look(patient: Patient) -> AsyncIterator[Finding]:
    try:
        model = await asyncio.to_thread(load_model, patient.settings)
        await asyncio.to_thread(model.score, ["I love it, thank you!"])
    except ModelError as error:
        yield Finding(
            PART,
            "broken",
            str(error),
            "Neither the API nor the worker starts without it.",
            "Bring its files back (`git checkout inference/models`, or the image anew), or correct SENTIMENT_MODEL.",
        )
        return
    yield Finding(PART, "ok", f"{model.name} scores")
