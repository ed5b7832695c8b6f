"""The protocol of graphql-transport-ws: the handshake, the messages, and the close codes of its errors."""

import asyncio
from typing import Any

import pytest

from app.main import Application
from app.resources import Api
from graph.websocket import PROTOCOL
from persistence.database import Database
from tests.graph.sockets import (
    QUERY,
    acknowledged,
    answered,
    endpoint,
    opened,
    served,
)


@pytest.mark.parametrize(
    "message",
    [
        {"type": "connection_init"},
        {"type": "connection_init", "payload": None},
        {"type": "connection_init", "payload": {}},
        {"type": "connection_init", "payload": {"authorization": None, "other": [1]}},
    ],
)
async def test_a_connection_is_acknowledged(
    server: str, database: Database, message: dict[str, Any]
) -> None:
    async with opened(server) as client:
        await client.say(**message)

        assert await client.hear() == {"type": "connection_ack"}
        assert client.connection.subprotocol == PROTOCOL
        assert client.connection.protocol.extensions == []


@pytest.mark.parametrize("payload", ["x", 1, True, []])
async def test_an_init_payload_of_a_wrong_type_ends_the_socket(
    server: str, database: Database, payload: Any
) -> None:
    async with opened(server) as client:
        await client.say(type="connection_init", payload=payload)

        assert await client.ended() == (4400, "The payload of connection_init must be an object")


async def test_a_second_init_ends_the_socket(server: str, database: Database) -> None:
    async with acknowledged(server) as client:
        await client.say(type="connection_init")

        assert await client.ended() == (4429, "Too many initialisation requests")


async def test_to_subscribe_before_the_acknowledgement_ends_the_socket(
    server: str, database: Database
) -> None:
    async with opened(server) as client:
        await client.subscribe("1", QUERY)

        assert await client.ended() == (4401, "Unauthorized: send connection_init first")


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("{", "The message is not JSON"),
        ("", "The message is not JSON"),
        ("NaN", "The message is not JSON"),
        ("[" * 100_000, "The message is not JSON"),
        ("[]", "A message is an object with a type"),
        ("1", "A message is an object with a type"),
        ("null", "A message is an object with a type"),
        ('"ping"', "A message is an object with a type"),
        ("{}", "A message is an object with a type"),
        ('{"type":null}', "A message is an object with a type"),
        ('{"type":["ping"]}', "A message is an object with a type"),
        ('{"type":"start"}', "Unknown message type 'start'"),
        ('{"type":"connection_ack"}', "Unknown message type 'connection_ack'"),
        (b'{"type":"ping"}', "Messages are text"),
    ],
    ids=lambda given: str(given)[:24],
)
async def test_a_message_that_is_none_ends_the_socket(
    server: str, database: Database, message: str | bytes, reason: str
) -> None:
    async with opened(server) as client:
        await client.connection.send(message)

        assert await client.ended() == (4400, reason)


@pytest.mark.parametrize("kind", ["🎉" * 1_000, "\u200b" * 1_000, "ä" * 40])
async def test_a_reason_fits_into_a_close_frame(server: str, database: Database, kind: str) -> None:
    async with opened(server) as client:
        await client.say(type=kind)
        code, reason = await client.ended()

    assert code == 4400
    assert reason.startswith("Unknown message type '")
    assert len(reason.encode()) <= 123


async def test_another_subprotocol_ends_the_socket(server: str, database: Database) -> None:
    async with opened(server, protocols=["graphql-ws"]) as client:
        assert await client.ended() == (4406, "Speak graphql-transport-ws")
        assert client.connection.subprotocol is None


async def test_no_subprotocol_ends_the_socket(server: str, database: Database) -> None:
    async with opened(server, protocols=None) as client:
        assert await client.ended() == (4406, "Speak graphql-transport-ws")


async def test_ours_is_chosen_among_several_subprotocols(server: str, database: Database) -> None:
    async with opened(server, protocols=["graphql-ws", PROTOCOL]) as client:
        assert client.connection.subprotocol == PROTOCOL


async def test_a_socket_without_init_ends(
    api: Api, application: Application, database: Database
) -> None:
    impatient = endpoint(api, init_seconds=0.1)

    async with served(application, impatient) as address, opened(address) as client:
        await client.say(type="ping")

        assert await client.hear() == {"type": "pong"}
        assert await client.ended() == (4408, "connection_init did not come in time")


async def test_an_acknowledged_socket_stays(
    api: Api, application: Application, database: Database
) -> None:
    impatient = endpoint(api, init_seconds=0.2)

    async with served(application, impatient) as address, acknowledged(address) as client:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.connection.recv(), 2.5)

        assert await answered(client) == {"data": {"viewer": None}}


@pytest.mark.parametrize("payload", [{"a": [1, None, "ü"]}, {}])
async def test_a_ping_comes_back_with_its_payload(
    server: str, database: Database, payload: dict[str, Any]
) -> None:
    async with opened(server) as client:
        await client.say(type="ping", payload=payload)

        assert await client.hear() == {"type": "pong", "payload": payload}


async def test_a_ping_without_a_payload_comes_back_without_one(
    server: str, database: Database
) -> None:
    async with acknowledged(server) as client:
        await client.say(type="pong", payload={"ignored": True})
        await client.say(type="ping")

        assert await client.hear() == {"type": "pong"}


@pytest.mark.parametrize("id_", [1, None, "", True, [], {}, "i" * 257])
@pytest.mark.parametrize("kind", ["subscribe", "complete"])
async def test_an_id_that_is_none_ends_the_socket(
    server: str, database: Database, id_: Any, kind: str
) -> None:
    async with acknowledged(server) as client:
        await client.say(id=id_, type=kind, payload={"query": QUERY})

        assert await client.ended() == (4400, "id must be a string of 1 to 256 characters")


async def test_a_missing_id_ends_the_socket(server: str, database: Database) -> None:
    async with acknowledged(server) as client:
        await client.say(type="subscribe", payload={"query": QUERY})

        assert await client.ended() == (4400, "id must be a string of 1 to 256 characters")


@pytest.mark.parametrize("payload", [None, "x", 1, []])
async def test_a_subscribe_payload_of_a_wrong_type_ends_the_socket(
    server: str, database: Database, payload: Any
) -> None:
    async with acknowledged(server) as client:
        await client.say(id="1", type="subscribe", payload=payload)

        assert await client.ended() == (4400, "The payload of subscribe must be an object")


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"query": None},
        {"query": 1},
        {"query": [QUERY]},
        {"query": QUERY, "variables": []},
        {"query": QUERY, "variables": "{}"},
        {"query": QUERY, "operationName": 1},
        {"query": QUERY, "operationName": ["A"]},
        {"query": QUERY, "extensions": []},
        {"query": QUERY, "extensions": "x"},
    ],
)
async def test_a_subscribe_field_of_a_wrong_type_ends_the_socket(
    server: str, database: Database, payload: dict[str, Any]
) -> None:
    async with acknowledged(server) as client:
        await client.say(id="1", type="subscribe", payload=payload)

        assert await client.ended() == (
            4400,
            "The payload of subscribe has fields of a wrong type",
        )
