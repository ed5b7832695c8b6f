"""Watching live: a socket without a server, and a workspace with its owner and stream."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import UUID

import orjson
from websockets.frames import Close, Opcode

from app.main import Application
from domain import feedback, ids
from domain.ids import Kind
from graph.websocket import GraphQLOverWebSocket
from persistence import imports, tag
from persistence.database import Database
from tests.callers import Caller
from tests.factories import Person, Tenant
from tests.graph.wire import Wire

SECONDS = 20
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
    """A graphql-transport-ws client, without a network."""

    wire: Wire
    ids: "count[int]" = field(default_factory=count)

    async def say(self, **message: Any) -> None:
        self.wire.say(orjson.dumps(message).decode())

    async def hear(self) -> Any:
        frame = await asyncio.wait_for(self.wire.heard.get(), SECONDS)
        assert frame.opcode is Opcode.TEXT, frame
        return orjson.loads(frame.data)

    async def ended(self) -> tuple[int, str]:
        """Code and reason of the close that comes next."""
        frame = await asyncio.wait_for(self.wire.heard.get(), SECONDS)
        assert frame.opcode is Opcode.CLOSE, frame
        close = Close.parse(frame.data)
        return close.code, close.reason

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
        waiting = asyncio.ensure_future(self.wire.heard.get())
        await asyncio.wait({waiting}, timeout=0.4)
        return waiting.cancel()


@asynccontextmanager
async def connected(
    application: Application,
    person: Person | None,
    websocket: GraphQLOverWebSocket | None = None,
    *,
    token: str | None = None,
) -> AsyncIterator[Socket]:
    """A socket of this person's, or with this token; on another endpoint, if one is given."""
    socket = Socket(Wire(application, websocket))
    token = token if person is None else person.token
    payload = {} if token is None else {"authorization": f"Bearer {token}"}
    await socket.say(type="connection_init", payload=payload)
    assert await socket.hear() == {"type": "connection_ack"}
    try:
        yield socket
    finally:
        socket.wire.leave()


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

    async def delete(self, feedback_id: str) -> None:
        """As an import is undone."""
        id_ = ids.read(Kind.FEEDBACK, feedback_id)
        assert id_ is not None
        async with self.database.transaction() as uow:
            await uow.enter(self.tenant.id)
            tags = tuple(link.tag_id for link in await tag.links(uow, self.tenant.id, [id_]))
            (row,) = await imports.delete(uow, self.tenant.id, [id_])
            feedback.announce(uow, "DELETED", row, tags)

    async def tag(self, feedback_id: str, *tags: str) -> None:
        await self.owner.ask(SET_TAGS, feedback=feedback_id, tags=list(tags))

    async def subscribe(
        self, *, after: str | None = None, filter: Any = None, on: Socket | None = None
    ) -> None:
        """From the beginning, unless another cursor is given: so that nothing depends on haste."""
        await (on or self.socket).subscribe(
            EVENTS, workspace=self.tenant.gid, after=after or self.start, filter=filter
        )

    async def next(self) -> tuple[str, str]:
        """Type and body of the next event."""
        item = await self.socket.data()
        assert item["__typename"] == "FeedbackEvent"
        return item["type"], item["feedback"]["body"]
