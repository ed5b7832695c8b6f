"""Watching live: a socket without a server, and a workspace with its owner and stream."""

import asyncio
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import UUID

import orjson

from app.main import Application
from domain import feedback, ids
from domain.ids import Kind
from persistence.database import Database
from tests.callers import Caller
from tests.factories import Person, Tenant

SECONDS = 5
SUBMIT = """
    mutation($input: SubmitFeedbackInput!) {
      submitFeedback(input: $input) { ... on SubmitFeedbackSuccess { feedback { id } } }
    }
"""
SET_TAGS = """
    mutation($feedback: ID!, $tags: [ID!]!) {
      setFeedbackTags(input: {feedbackId: $feedback, tagIds: $tags}) {
        ... on SetFeedbackTagsSuccess { feedback { id } }
      }
    }
"""
EVENTS = """
    subscription($workspace: ID!, $filter: FeedbackFilter, $after: String) {
      feedbackEvents(workspaceId: $workspace, filter: $filter, after: $after) {
        __typename
        ... on FeedbackEvent {
          cursor type
          feedback { id body sentiment { label } tags { name } }
        }
        ... on StreamGap { cursor }
      }
    }
"""
FROM = "2026-01-01T00:00:00Z"
NOWHERE = ids.write(Kind.WORKSPACE, UUID(int=7))
STATS = """
    subscription($workspace: ID!, $from: DateTime!, $filter: FeedbackFilter) {
      statsChanged(workspaceId: $workspace, from: $from, filter: $filter) {
        total negative neutral positive unscored averageScore averageRating
      }
    }
"""
JOB = "subscription($job: ID!) { jobUpdated(jobId: $job) { id status progress attempts } }"


@dataclass(slots=True)
class Socket:
    """A graphql-transport-ws client that speaks ASGI to the application, without a network."""

    application: Application
    sent: "asyncio.Queue[MutableMapping[str, Any]]" = field(default_factory=asyncio.Queue)
    heard: "asyncio.Queue[MutableMapping[str, Any]]" = field(default_factory=asyncio.Queue)
    ids: "count[int]" = field(default_factory=count)

    async def serve(self) -> None:
        scope = {
            "type": "websocket",
            "path": "/graphql",
            "headers": [],
            "subprotocols": ["graphql-transport-ws"],
            "client": ("127.0.0.1", 1),
        }
        await self.application(scope, self.sent.get, self.heard.put)

    async def say(self, **message: Any) -> None:
        await self.sent.put({"type": "websocket.receive", "text": orjson.dumps(message).decode()})

    async def hear(self) -> Any:
        event = await asyncio.wait_for(self.heard.get(), SECONDS)
        return orjson.loads(event["text"])

    async def subscribe(self, query: str, **variables: Any) -> None:
        await self.say(
            id=str(next(self.ids)),
            type="subscribe",
            payload={"query": query, "variables": variables},
        )

    async def data(self) -> Any:
        """The only field of the next answer."""
        message = await self.hear()
        assert message["type"] == "next", message
        assert "errors" not in message["payload"], message
        (value,) = message["payload"]["data"].values()
        return value

    async def error(self) -> tuple[str, str]:
        """Code and message of the refusal that comes."""
        message = await self.hear()
        assert message["type"] == "error", message
        (error,) = message["payload"]
        return error["extensions"]["code"], error["message"]

    async def silent(self) -> bool:
        """Whether nothing comes for a while."""
        await asyncio.wait({waiting := asyncio.ensure_future(self.heard.get())}, timeout=0.4)
        return waiting.cancel()


@asynccontextmanager
async def connected(application: Application, person: Person | None) -> AsyncIterator[Socket]:
    socket = Socket(application)
    task = asyncio.ensure_future(socket.serve())
    await socket.sent.put({"type": "websocket.connect"})
    assert (await socket.heard.get())["type"] == "websocket.accept"
    payload = {} if person is None else {"authorization": f"Bearer {person.token}"}
    await socket.say(type="connection_init", payload=payload)
    assert await socket.hear() == {"type": "connection_ack"}
    yield socket
    await socket.sent.put({"type": "websocket.disconnect", "code": 1000})
    await asyncio.wait_for(task, SECONDS)


@dataclass(frozen=True, slots=True)
class World:
    """A workspace, its owner's HTTP and socket, and a live stream's earliest cursor."""

    tenant: Tenant
    owner: Caller
    socket: Socket
    database: Database
    start: str

    async def submit(self, body: str = "It works.", **given: Any) -> str:
        answer = await self.owner.ask(
            SUBMIT, input={"workspaceId": self.tenant.gid, "body": body} | given
        )
        return str(answer["submitFeedback"]["feedback"]["id"])

    async def score(self, feedback_id: str, score: Any) -> None:
        id_ = ids.read(Kind.FEEDBACK, feedback_id)
        assert id_ is not None
        async with self.database.transaction() as uow:
            await feedback.record_scores(uow, self.tenant.id, [(id_, score)], "test-model-1")

    async def tag(self, feedback_id: str, *tags: str) -> None:
        await self.owner.ask(SET_TAGS, feedback=feedback_id, tags=list(tags))

    async def subscribe(self, *, after: str | None = None, filter: Any = None) -> None:
        """From the beginning, unless another cursor is given: so that nothing depends on haste."""
        await self.socket.subscribe(
            EVENTS, workspace=self.tenant.gid, after=after or self.start, filter=filter
        )

    async def next(self) -> tuple[str, str]:
        """Type and body of the next event."""
        item = await self.socket.data()
        assert item["__typename"] == "FeedbackEvent"
        return item["type"], item["feedback"]["body"]
