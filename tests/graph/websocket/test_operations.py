"""Operations over a socket: many at a time, each under its id, and none left behind."""

import asyncio
from typing import Any

import asyncpg
import httpx
import pytest

from app.resources import Api
from app.settings import Settings
from persistence.database import Database
from tests.factories import Factory
from tests.graph.posting import NOT_PROVIDED
from tests.graph.sockets import (
    QUERY,
    SECONDS,
    STATS,
    acknowledged,
    answered,
    following,
)


async def test_a_mutation_goes_over_the_socket(
    server: str, factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant("acme")

    async with acknowledged(server, tenant.owner.token) as client:
        answer = await answered(
            client,
            'mutation { submitFeedback(input: {workspaceId: "%s", body: "Good."}) '  # noqa: UP031
            "{ ... on SubmitFeedbackSuccess { duplicate } } }" % tenant.gid,
        )
    stored = await tenant.owner.on(http).ask(
        '{ workspace(slug: "acme") { feedback { nodes { body } } } }'
    )

    assert answer == {"data": {"submitFeedback": {"duplicate": False}}}
    assert stored == {"workspace": {"feedback": {"nodes": [{"body": "Good."}]}}}


async def test_a_mutation_with_a_key_is_carried_out_once(
    server: str, factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant("acme")
    query = """mutation($input: SubmitFeedbackInput!) { submitFeedback(input: $input) {
        ... on SubmitFeedbackSuccess { feedback { id } } } }"""

    async def asked(id_: str, body: str) -> Any:
        payload = {
            "query": query,
            "variables": {"input": {"workspaceId": tenant.gid, "body": body}},
            "extensions": {"idempotencyKey": "order 7"},
        }
        await client.say(id=id_, type="subscribe", payload=payload)
        answer = await client.hear()
        if answer["type"] == "next":
            assert await client.hear() == {"id": id_, "type": "complete"}
        return answer["payload"]

    async with acknowledged(server, tenant.owner.token) as client:
        first, again = await asked("1", "Good."), await asked("2", "Good.")
        (refused,) = await asked("3", "Bad.")
    stored = await tenant.owner.on(http).ask(
        '{ workspace(slug: "acme") { feedback { nodes { id body } } } }'
    )

    assert first == again
    (node,) = stored["workspace"]["feedback"]["nodes"]
    assert first["data"]["submitFeedback"]["feedback"] == {"id": node["id"]}
    assert refused["extensions"] == {"code": "CONFLICT"}


async def test_a_field_error_is_an_answer(server: str, database: Database) -> None:
    async with acknowledged(server) as client:
        answer = await answered(client, '{ workspace(slug: "acme") { id } }')

    assert answer["data"] == {"workspace": None}
    assert answer["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED"}


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        ({"query": "{"}, "Syntax Error: Expected Name, found <EOF>."),
        ({"query": ""}, "Syntax Error: Unexpected <EOF>."),
        ({"query": "{ nothing }"}, "Cannot query field 'nothing' on type 'Query'."),
        (
            {"query": "query A { __typename } query B { __typename }"},
            "The document has several operations: name one in operationName.",
        ),
        (
            {"query": "query($id: ID!) { node(id: $id) { id } }"},
            NOT_PROVIDED,
        ),
    ],
)
async def test_a_request_error_leaves_other_operations_alive(
    server: str, factory: Factory, payload: dict[str, Any], message: str
) -> None:
    tenant = await factory.tenant()

    async with acknowledged(server, tenant.owner.token) as client:
        await following(client, tenant, "live")
        await client.say(id="bad", type="subscribe", payload=payload)
        refused = await client.hear()
        again = await answered(client)
        await client.subscribe("live", QUERY)
        ended = await client.ended()

    assert (refused["id"], refused["type"]) == ("bad", "error")
    assert [error["message"] for error in refused["payload"]] == [message]
    assert refused["payload"][0]["extensions"] == {"code": "BAD_REQUEST"}
    assert again == {"data": {"viewer": {"user": {"email": tenant.owner.email}}}}
    assert ended == (4409, "Subscriber for live already exists")


async def test_an_id_in_use_ends_the_socket_with_a_reason_that_fits(
    server: str, factory: Factory
) -> None:
    tenant = await factory.tenant()
    id_ = "🎉" * 256

    async with acknowledged(server, tenant.owner.token) as client:
        await following(client, tenant, id_)
        await client.subscribe(id_, QUERY)
        code, reason = await client.ended()

    assert code == 4409
    assert len(reason.encode()) <= 123


async def test_an_id_is_free_again_when_its_operation_has_ended(
    server: str, database: Database
) -> None:
    async with acknowledged(server) as client:
        answers = [await answered(client) for _ in range(3)]

    assert answers == [{"data": {"viewer": None}}] * 3


async def test_complete_ends_an_operation_and_frees_its_id(server: str, factory: Factory) -> None:
    tenant = await factory.tenant()

    async with acknowledged(server, tenant.owner.token) as client:
        await following(client, tenant, "1")
        await client.say(id="1", type="complete")
        await client.say(id="unknown", type="complete")
        await following(client, tenant, "1")


async def test_more_than_a_hundred_operations_end_the_socket_and_hold_no_lock(
    server: str, factory: Factory, settings: Settings
) -> None:
    tenant = await factory.tenant()
    other = await asyncpg.connect(settings.database_url, server_settings={"lock_timeout": "3s"})

    async with acknowledged(server, tenant.owner.token) as client:
        for number in range(101):
            await client.subscribe(str(number), STATS, workspace=tenant.gid)

        assert await client.ended() == (4429, "At most 100 operations on one socket")
    # One after the other: both together could meet a statement that is being cancelled in a deadlock.
    for table in ("member", "feedback"):
        async with other.transaction():
            await other.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
    await other.close()


async def test_a_client_that_vanishes_leaves_nothing_behind(
    server: str, factory: Factory, api: Api
) -> None:
    tenant = await factory.tenant()

    async with acknowledged(server, tenant.owner.token) as client:
        await following(client, tenant, "live")
        assert tenant.id.hex in "".join(api.services.hub._topics)
        client.connection.transport.abort()
        await client.connection.wait_closed()

    async with asyncio.timeout(SECONDS):
        while tenant.id.hex in "".join(api.services.hub._topics):
            await asyncio.sleep(0.01)
