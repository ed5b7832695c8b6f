"""The Dramatiq broker and the messages we put into it. A message only wakes; the rows are the truth."""

from collections.abc import Sequence
from uuid import UUID

from dramatiq import Message
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import AgeLimit, AsyncIO, Callbacks, Retries, ShutdownNotifications

SCORES = "scores"
SCORE_FEEDBACK = "score_feedback"
# What one message asks for: enough to fill the model's batches, little enough to be done again.
SCORED_AT_ONCE = 64


def connect(redis_url: str) -> RedisBroker:
    """A broker that gives a dead worker's messages to another within seconds.

    Dramatiq's defaults (60 s, one maintenance in a thousand fetches) leave them for many minutes.
    """
    broker = RedisBroker(  # type: ignore[no-untyped-call]  # Dramatiq types none of its constructors
        url=redis_url,
        middleware=[AgeLimit(), ShutdownNotifications(), Callbacks(), Retries(), AsyncIO()],
        heartbeat_timeout=5_000,
        maintenance_chance=200_000,
    )
    broker.declare_queue(SCORES)
    return broker


def score_messages(workspace: UUID, ids: Sequence[UUID]) -> list[Message[None]]:
    """Messages that ask for these feedback to be scored."""
    return [
        Message(
            queue_name=SCORES,
            actor_name=SCORE_FEEDBACK,
            args=(workspace.hex, [id_.hex for id_ in ids[start : start + SCORED_AT_ONCE]]),
            kwargs={},
            options={},
        )
        for start in range(0, len(ids), SCORED_AT_ONCE)
    ]
