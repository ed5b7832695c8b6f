"""Sentiment models by name: looked at, taken by all processes, refused where they cannot be used."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from app.models import Models
from app.resources import Api
from app.scoring import load_scorer
from app.settings import Settings
from inference.batcher import Scorer
from inference.sentiment import DEFAULT_DIRECTORY
from persistence.database import Database
from tests.applications import client
from tests.callers import JSON
from tests.factories import Factory, Person
from tests.graph.account_queries import change

OPERATOR = "operator@example.com"
FIELDS = "name model problem isActive"
TEXT = '{ analyzeSentiment(texts: ["I love it."]) { model } }'


@dataclass(frozen=True, slots=True)
class Server:
    """A server with an operator and a directory of models, and another process beside it."""

    http: httpx.AsyncClient
    here: Scorer
    there: Scorer
    other: Models
    directory: Path

    def add(self, directory: str, **changed: Any) -> None:
        """Another model: a copy of ours with other words in its config.json."""
        shutil.copytree(DEFAULT_DIRECTORY, self.directory / directory)
        config = self.directory / directory / "config.json"
        told = orjson.loads(config.read_bytes())
        config.write_bytes(orjson.dumps(told | changed))


@pytest.fixture
async def server(settings: Settings, api: Api, tmp_path: Path) -> AsyncIterator[Server]:
    with_models = settings.model_copy(update={"sentiment_models": tmp_path})
    here, there = [await asyncio.to_thread(load_scorer, with_models) for _ in range(2)]
    services = replace(
        api.services,
        operators=frozenset({OPERATOR}),
        scorer=here,
        models=Models(with_models, here),
    )
    async with client(settings, replace(api, services=services)) as http:
        yield Server(http, here, there, Models(with_models, there), tmp_path)
    await here.close()
    await there.close()


async def operator(factory: Factory) -> Person:
    person = await factory.person(OPERATOR)
    await factory.change('UPDATE "user" SET email_verified_at = now() WHERE id = :id', id=person.id)
    return person


async def activate(person: Person, server: Server, name: str) -> JSON:
    caller = person.on(server.http)
    return await change(caller, "activateSentimentModel", f"models {{ {FIELDS} }}", name=name)


async def test_an_operator_lets_all_processes_take_another_model(
    factory: Factory, server: Server, database: Database
) -> None:
    server.add("newer", name="earful-newer-2")
    someone, before = await operator(factory), server.here.model_name

    taken = await activate(someone, server, "newer")
    await server.other.keep_up(database)
    scored = await someone.on(server.http).ask(TEXT)

    assert taken["models"] == [
        {"name": "default", "model": before, "problem": None, "isActive": False},
        {"name": "newer", "model": "earful-newer-2", "problem": None, "isActive": True},
    ]
    assert scored["analyzeSentiment"] == [{"model": "earful-newer-2"}]
    assert server.there.model_name == "earful-newer-2"

    await activate(someone, server, "default")
    await server.other.keep_up(database)

    assert (server.here.model_name, server.there.model_name) == (before, before)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("damaged", "SHA-256"),
        ("missing", "cannot be read"),
        ("..", "Some fields are not valid."),
        ("a/b", "Some fields are not valid."),
    ],
)
async def test_a_model_that_cannot_be_used_is_refused_and_nothing_changes(
    factory: Factory, server: Server, name: str, reason: str
) -> None:
    server.add("damaged")
    (server.directory / "damaged" / "tokenizer.json").write_text("{}")
    before = server.here.model_name

    refused = await activate(await operator(factory), server, name)

    assert refused["__typename"] == "InvalidInput"
    assert reason in refused["message"]
    assert server.here.model_name == before
    assert await factory.rows("SELECT * FROM active_model") == []


async def test_a_process_that_cannot_use_it_goes_on_with_the_one_it_has(
    factory: Factory, server: Server, database: Database
) -> None:
    server.add("newer", name="earful-newer-2")
    before = server.there.model_name
    await activate(await operator(factory), server, "newer")
    shutil.rmtree(server.directory / "newer")

    await server.other.keep_up(database)

    assert server.there.model_name == before


async def test_models_are_for_operators(factory: Factory, server: Server) -> None:
    tenant = await factory.tenant()

    seen = await tenant.owner.on(server.http).ask(f"{{ sentimentModels {{ {FIELDS} }} }}")
    refused = await activate(tenant.owner, server, "default")
    shown = await (await operator(factory)).on(server.http).ask("{ sentimentModels { name } }")

    assert (seen, refused["__typename"]) == ({"sentimentModels": []}, "Forbidden")
    assert shown == {"sentimentModels": [{"name": "default"}]}
