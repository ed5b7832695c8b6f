"""The Dramatiq broker and the messages we put into it. A message only wakes; the rows are the truth."""

import time
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

import redis
from dramatiq import Message, MessageProxy
from dramatiq.broker import Consumer
from dramatiq.brokers.redis import RedisBroker
from dramatiq.errors import ConnectionClosed
from dramatiq.middleware import AgeLimit, AsyncIO, Callbacks, Retries, ShutdownNotifications

from domain.job import Priority

SCORES = "scores"
SCORE_FEEDBACK = "score_feedback"
JOBS = "jobs"
LOOK_FOR_JOBS = "look_for_jobs"
# What one message asks for: enough to fill the model's batches, little enough to be done again.
SCORED_AT_ONCE = 64
_LISTEN_SECONDS = 1
_FULL_SECONDS = 0.02
_BELL_SECONDS = 10


class _Listener(Consumer):
    """A queue's consumer that waits for the bell instead of asking again and again."""

    def __init__(self, consumer: Consumer, client: "redis.Redis", bell: str, most: int) -> None:
        self._consumer = consumer
        self._client = client
        self._bell = bell
        self._most = most

    def ack(self, message: MessageProxy) -> None:
        self._consumer.ack(message)

    def nack(self, message: MessageProxy) -> None:
        self._consumer.nack(message)

    def requeue(self, messages: Iterable[MessageProxy]) -> None:
        self._consumer.requeue(messages)

    def close(self) -> None:
        self._consumer.close()

    def __next__(self) -> MessageProxy | None:
        message = next(self._consumer)
        if message is None:
            self._wait()
        return message

    def _wait(self) -> None:
        if self._consumer.outstanding_message_count >= self._most:  # type: ignore[attr-defined]  # not in the protocol
            time.sleep(_FULL_SECONDS)
            return
        try:
            self._client.blpop([self._bell], timeout=_LISTEN_SECONDS)
        except redis.ConnectionError as error:
            raise ConnectionClosed(error) from None  # type: ignore[no-untyped-call]


class WakefulBroker(RedisBroker):
    """Dramatiq's Redis broker, whose consumers ask after a message at once rather than from time to time."""

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 5000) -> Consumer:  # noqa: ARG002
        # Zero: Dramatiq's own consumer, when it finds nothing, must not sleep.
        consumer = super().consume(queue_name, prefetch, timeout=0)
        return _Listener(consumer, self.client, _bell(queue_name), prefetch)

    def enqueue(self, message: Message[None], *, delay: int | None = None) -> Message[None]:
        enqueued = super().enqueue(message, delay=delay)
        bell = _bell(message.queue_name)
        # One ring is enough for a consumer that does not listen now; who listens takes it at once.
        with self.client.pipeline(transaction=False) as ring:
            ring.lpush(bell, 1)
            ring.ltrim(bell, 0, 0)
            ring.expire(bell, _BELL_SECONDS)
            ring.execute()
        return enqueued


def _bell(queue: str) -> str:
    return f"earful:bell:{queue}"


def connect(redis_url: str) -> WakefulBroker:
    """A broker that gives a dead worker's messages to another within seconds.

    Dramatiq's defaults (60 s, one maintenance in a thousand fetches) leave them for many minutes.
    """
    broker = WakefulBroker(  # type: ignore[no-untyped-call]  # Dramatiq types none of its constructors
        url=redis_url,
        middleware=[AgeLimit(), ShutdownNotifications(), Callbacks(), Retries(), AsyncIO()],
        heartbeat_timeout=5_000,
        maintenance_chance=200_000,
    )
    broker.declare_queue(SCORES)
    broker.declare_queue(JOBS)
    return broker


def look_message(priority: Priority) -> Message[None]:
    """A message that says that there are jobs of this priority."""
    return Message(
        queue_name=JOBS, actor_name=LOOK_FOR_JOBS, args=(priority.value,), kwargs={}, options={}
    )


def score_messages(
    workspace: UUID, ids: Sequence[UUID], traces: Mapping[UUID, str] = {}
) -> list[Message[None]]:
    """Messages that ask for these feedback to be scored, in the traces that they belong to."""
    return [
        _score_message(workspace, ids[start : start + SCORED_AT_ONCE], traces)
        for start in range(0, len(ids), SCORED_AT_ONCE)
    ]


def _score_message(
    workspace: UUID, ids: Sequence[UUID], traces: Mapping[UUID, str]
) -> Message[None]:
    of = {id_.hex: traces[id_] for id_ in ids if id_ in traces}
    return Message(
        queue_name=SCORES,
        actor_name=SCORE_FEEDBACK,
        args=(workspace.hex, [id_.hex for id_ in ids]),
        kwargs={"traces": of} if of else {},
        options={},
    )
