"""Strawberry as its documentation teaches, but for one shared Redis reader, which feeds a queue for each subscriber."""

import asyncio
import contextlib
import os
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

import orjson
import redis.asyncio
import strawberry
from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute
from strawberry.asgi import GraphQL
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL

_CHANNEL = os.environ["CHANNEL"]
_TOPIC = f"{_CHANNEL}:{os.environ['WORKSPACE']}"


@strawberry.enum
class FeedbackEventType(Enum):
    ADDED = "ADDED"
    UPDATED = "UPDATED"
    SCORED = "SCORED"
    DELETED = "DELETED"


@strawberry.type
class Feedback:
    id: strawberry.ID
    body: str
    rating: int | None
    language: str | None
    occurred_at: datetime
    received_at: datetime


@strawberry.type
class FeedbackEvent:
    cursor: str
    type: FeedbackEventType
    feedback: Feedback


def _event(message: bytes) -> FeedbackEvent:
    data = orjson.loads(message)
    of = data["feedback"]
    return FeedbackEvent(
        cursor=data["cursor"],
        type=FeedbackEventType(data["type"]),
        feedback=Feedback(
            id=of["id"],
            body=of["body"],
            rating=of["rating"],
            language=of["language"],
            occurred_at=datetime.fromisoformat(of["occurredAt"]),
            received_at=datetime.fromisoformat(of["receivedAt"]),
        ),
    )


@dataclass(frozen=True, slots=True)
class Followers:
    """The queues of the subscribers to each topic."""

    queues: "dict[str, set[asyncio.Queue[FeedbackEvent]]]"

    async def read(self) -> None:
        client = redis.asyncio.Redis.from_url(os.environ["REDIS_URL"])
        async with client.pubsub(ignore_subscribe_messages=True) as pubsub:
            await pubsub.subscribe(_TOPIC)
            async for message in pubsub.listen():
                event = _event(message["data"])
                for queue in self.queues.get(message["channel"].decode(), ()):
                    queue.put_nowait(event)

    async def follow(self, topic: str) -> AsyncGenerator[FeedbackEvent, None]:
        queue: asyncio.Queue[FeedbackEvent] = asyncio.Queue()
        self.queues.setdefault(topic, set()).add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            self.queues[topic].discard(queue)


_followers = Followers({})


@strawberry.type
class Query:
    ready: bool = True


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def feedback_events(
        self, workspace_id: strawberry.ID
    ) -> AsyncGenerator[FeedbackEvent, None]:
        async for event in _followers.follow(f"{_CHANNEL}:{workspace_id}"):
            yield event


@contextlib.asynccontextmanager
async def _lifespan(_: Starlette) -> AsyncIterator[None]:
    reading = asyncio.ensure_future(_followers.read())
    yield
    reading.cancel()


_graphql: GraphQL[None, None] = GraphQL(
    strawberry.Schema(query=Query, subscription=Subscription),
    subscription_protocols=[GRAPHQL_TRANSPORT_WS_PROTOCOL],
)
app = Starlette(
    routes=[Route("/graphql", _graphql), WebSocketRoute("/graphql", _graphql)], lifespan=_lifespan
)
