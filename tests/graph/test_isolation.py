"""No tenant reaches another's rows by any id that the schema takes."""

from collections.abc import Awaitable, Callable, Iterator

import httpx
import pytest
from graphql import (
    GraphQLArgument,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLObjectType,
    get_named_type,
)

from app.resources import Api
from graph.schema import schema
from persistence.database import Database
from tests.callers import Caller
from tests.factories import Factory
from tests.graph.isolation import World, everything, victim_and_stranger
from tests.graph.isolation_attempts import ATTEMPTS, MUTATIONS, PUBLIC

SCHEMA = schema._schema


@pytest.fixture(scope="module")
async def database(api: Api, empty: Callable[[], Awaitable[object]]) -> Database:
    """The database, emptied once: what is tried here changes nothing."""
    await empty()
    return api.services.database


@pytest.fixture(scope="module")
async def world(api: Api, database: Database) -> World:
    return await victim_and_stranger(Factory(database, api.services))


def id_paths(prefix: str, inputs: dict[str, GraphQLArgument | GraphQLInputField]) -> Iterator[str]:
    for name, given in inputs.items():
        kind = get_named_type(given.type)
        if kind.name == "ID":
            yield prefix + name
        elif isinstance(kind, GraphQLInputObjectType):
            yield from id_paths(f"{prefix}{name}.", {**kind.fields})


def test_every_id_that_the_schema_takes_is_tried() -> None:
    taken = {
        f"{kind.name}.{name}({path})"
        for kind in SCHEMA.type_map.values()
        if isinstance(kind, GraphQLObjectType) and kind is not SCHEMA.subscription_type
        for name, field in kind.fields.items()
        for path in id_paths("", {**field.args})
    }

    assert taken == ATTEMPTS.keys()


async def test_nobody_finds_a_job_that_is_not_open(world: World, nobody: Caller) -> None:
    attempt = ATTEMPTS["Query.job(id)"]

    assert await nobody.ask(attempt.query, **attempt.variables(world)) == {"job": None}


@pytest.mark.parametrize("name", ATTEMPTS.keys() - PUBLIC)
async def test_nobody_is_told_to_sign_in_and_nothing_changes(
    world: World, factory: Factory, nobody: Caller, name: str
) -> None:
    attempt, before = ATTEMPTS[name], await everything(factory)

    body = (await nobody.post(attempt.query, **attempt.variables(world))).json()

    assert [error["extensions"] for error in body["errors"]] == [{"code": "UNAUTHENTICATED"}]
    assert body["data"] is None or list(body["data"].values()) == [None]
    assert await everything(factory) == before


@pytest.mark.parametrize("name", ATTEMPTS)
async def test_a_stranger_finds_nothing_and_nothing_changes(
    world: World, factory: Factory, http: httpx.AsyncClient, name: str
) -> None:
    attempt, before = ATTEMPTS[name], await everything(factory)

    answer = await world.stranger.owner.on(http).ask(attempt.query, **attempt.variables(world))

    expected = attempt.stranger
    assert str(answer).replace(world.own_feedback, "...") == str(expected).replace(
        "Ellipsis", "'...'"
    )
    assert await everything(factory) == before


@pytest.mark.parametrize("name", MUTATIONS)
async def test_a_viewer_changes_nothing(
    world: World, factory: Factory, http: httpx.AsyncClient, name: str
) -> None:
    attempt = ATTEMPTS[name]
    viewer = await factory.member(world.tenant, "VIEWER")
    before = await everything(factory)

    answer = await viewer.on(http).ask(attempt.query, **attempt.variables(world))

    assert answer["result"]["__typename"] == attempt.viewer
    assert await everything(factory) == before


@pytest.mark.parametrize(
    "name", ["Mutation.submitFeedback(input.sourceId)", "Mutation.setFeedbackTags(input.tagIds)"]
)
async def test_an_owner_of_both_cannot_mix_them(
    world: World, factory: Factory, http: httpx.AsyncClient, name: str
) -> None:
    owner = await factory.member(world.tenant, "OWNER")
    await factory.change(
        "INSERT INTO member (id, workspace_id, user_id, role, joined_at)"
        " VALUES (gen_random_uuid(), :workspace, :user, 'OWNER', now())",
        within=world.stranger,
        workspace=world.stranger.id,
        user=owner.id,
    )
    attempt, before = ATTEMPTS[name], await everything(factory)

    answer = await owner.on(http).ask(attempt.query, **attempt.variables(world))

    assert answer == attempt.stranger
    assert await everything(factory) == before
