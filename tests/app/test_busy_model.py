"""What a process does while its model has too much to do, or does not come back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx

from app.resources import Api
from app.scoring import Scorer
from app.settings import Settings
from graph.execution import Operations
from tests.applications import client
from tests.factories import Factory
from tests.inference.echo import Echo

ANALYZE = "query($texts: [String!]!) { analyzeSentiment(texts: $texts) { score } }"


@asynccontextmanager
async def served(settings: Settings, api: Api, scorer: Scorer) -> AsyncIterator[httpx.AsyncClient]:
    services = replace(api.services, scorer=scorer)
    changed = replace(api, services=services, model=scorer)
    async with client(settings, changed, Operations) as http:
        yield http


async def test_who_asks_for_too_much_is_told_to_come_again(
    settings: Settings, api: Api, factory: Factory
) -> None:
    scorer = Scorer(Echo(), max_pending=2)
    person = await factory.person()
    async with served(settings, api, scorer) as http:
        (error,) = await person.on(http).errors(ANALYZE, texts=["1", "2", "3"])
        answered = await person.on(http).ask(ANALYZE, texts=["1", "2"])
    await scorer.close()

    assert error["message"] == "0 texts are waiting to be scored. Try again in a moment."
    assert error["extensions"] == {"code": "RATE_LIMITED", "retryAfterSeconds": 1}
    assert answered["analyzeSentiment"] == [{"score": 1.0}, {"score": 2.0}]


async def test_while_a_run_hangs_all_else_is_served_and_the_process_is_not_ready(
    settings: Settings, api: Api, factory: Factory
) -> None:
    model, person = Echo(), await factory.person()
    scorer = Scorer(model, stuck=0.0)
    model.gate.clear()
    async with served(settings, api, scorer) as http:
        waiting = asyncio.create_task(person.on(http).ask(ANALYZE, texts=["1"]))
        await asyncio.to_thread(model.started.wait, 10)

        healthy, ready = await http.get("/healthz"), await http.get("/readyz")
        other = await person.on(http).ask("{ viewer { user { id } } }")
        model.gate.set()
        answered = await waiting
    async with served(settings, api, scorer) as http:
        again = await http.get("/readyz")
    await scorer.close()

    assert healthy.status_code == 200
    assert ready.status_code == 503
    assert ready.json()["parts"]["model"] == "away: a run has taken more than 0 s"
    assert other["viewer"]["user"] == {"id": person.gid}
    assert answered["analyzeSentiment"] == [{"score": 1.0}]
    assert again.json()["parts"]["model"] == "ok"
