"""Reading from a standby: only what is new enough for who asks, and from the primary where it is not.

How far the standby has come is known from looks, a few a second, at both servers: what was the primary's newest
position at a moment, the standby has replayed by now. So a standby that is cut off is known to be behind although it
knows of nothing that it lacks. Whoever has written is marked in Redis with the primary's position after the commit,
and reads from the primary until the standby is known to have passed it.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any

import asyncpg
import redis.asyncio
import structlog
from redis.exceptions import RedisError
from sqlalchemy import text

from persistence import cancelling
from persistence.database import Database, Reader, Record, Statement, StoreUnavailableError
from persistence.metering import Meter
from persistence.statement import R

log = structlog.get_logger(__name__)

EVERY_SECONDS = 0.2
_PATIENCE_SECONDS = 2.0
_REDIS_SECONDS = 0.5
# A mark that is older than the standby may lag says nothing any more.
_SLACK_SECONDS = 60
_REMEMBERED = 1_000
_OWN_MARKS = 10_000
_BEYOND = 2**62
"""A position that no server comes to."""

# Where the next record will be: not before the end of any that has been committed.
_WRITTEN: Statement[Record] = Statement(
    text("SELECT (pg_current_wal_insert_lsn() - '0/0') ::int8 AS position"), Record
)
_REPLAYED: Statement[Record] = Statement(
    text(
        "SELECT CASE WHEN pg_is_in_recovery()"
        " THEN (pg_last_wal_replay_lsn() - '0/0') ::int8 END AS position"
    ),
    Record,
)
# What a standby refuses for being one, or for having to go on: locks, and rows that the primary has removed.
_PRIMARY_KNOWS = (asyncpg.ReadOnlySQLTransactionError, asyncpg.SerializationError)


class Replica:
    """A standby beside the primary; `run` keeps it known how far it has come."""

    def __init__(
        self,
        primary: Database,
        standby: Database,
        marks: "redis.asyncio.Redis",
        *,
        most_seconds: float,
    ) -> None:
        """Nothing is read from it while it is more than `most_seconds` behind."""
        self._primary = primary
        self._standby = standby
        self._redis = marks
        self._most_seconds = most_seconds
        self._replayed = 0
        self._fresh_at: float | None = None
        """When what the standby has was all that there was; None while it is away or that is not known."""
        self._written: deque[tuple[float, int]] = deque(maxlen=_REMEMBERED)
        self._own_marks: dict[str, int] = {}
        self.reads = 0
        self.bypassed = 0

    @property
    def lag(self) -> float | None:
        """By how many seconds it is behind at most; None when it is away or that is not known."""
        if self._fresh_at is None:
            return None
        return asyncio.get_running_loop().time() - self._fresh_at

    async def run(self) -> None:
        """Look, until cancelled."""
        was_close = True
        while True:
            await self.look()
            if self._is_close() is not was_close:
                was_close = not was_close
                say = log.info if was_close else log.warning
                text_ = "the replica is read from" if was_close else "the replica is left alone"
                say(text_, lag=self.lag)
            await asyncio.sleep(EVERY_SECONDS)

    async def look(self) -> None:
        """Find out how far both have come."""
        now = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                self._written.append((now, await self._position()))
                async with self._standby.reader() as reader:
                    (row,) = await reader.fetch(_REPLAYED)
        except (StoreUnavailableError, TimeoutError):
            self._fresh_at = None
            return
        if row["position"] is None:  # It was promoted: what is written there we do not know.
            self._fresh_at = None
            return
        self._replayed = row["position"]
        while self._written and self._written[0][1] <= self._replayed:
            self._fresh_at, _ = self._written.popleft()

    async def mark(self, caller: str) -> None:
        """What this caller reads from now on is as new as it is now."""
        try:
            position = await self._position()
        except StoreUnavailableError:
            position = _BEYOND
        else:
            self._own_marks[caller] = position
            if len(self._own_marks) > _OWN_MARKS:
                del self._own_marks[next(iter(self._own_marks))]
        lasting = int(self._most_seconds + _SLACK_SECONDS)
        try:
            async with asyncio.timeout(_REDIS_SECONDS):
                with cancelling.heeded():
                    await self._redis.set(_key(caller), position, ex=lasting)
        except (RedisError, OSError, TimeoutError) as error:
            # Other processes read what they find; this one knows.
            log.warning("who has written cannot be marked", error=str(error))

    async def is_new_enough(self, callers: Sequence[str]) -> bool:
        """Whether the standby has what these callers must see, as far as is known."""
        is_enough = self._is_close() and await self._newest_mark(callers) <= self._replayed
        self.reads += is_enough
        self.bypassed += not is_enough
        return is_enough

    def joint_reader(self, operation: Meter) -> AbstractAsyncContextManager[Reader]:
        """For reads of one field of an operation, as Database's; what the standby does not answer the primary does."""
        return nullcontext(_CarefulReader(self, operation))

    async def fetch(
        self, operation: Meter, statement: Statement[R], values: dict[str, Any]
    ) -> list[R]:
        try:
            async with self._standby.joint_reader(operation) as reader:
                return await reader.fetch(statement, **values)
        except StoreUnavailableError:
            self._fresh_at = None
        except _PRIMARY_KNOWS:
            pass
        async with self._primary.joint_reader(operation) as reader:
            return await reader.fetch(statement, **values)

    def _is_close(self) -> bool:
        lag = self.lag
        return lag is not None and lag <= self._most_seconds

    async def _position(self) -> int:
        async with self._primary.reader() as reader:
            (row,) = await reader.fetch(_WRITTEN)
        return int(row["position"])

    async def _newest_mark(self, callers: Sequence[str]) -> int:
        found: Sequence[Any]
        try:
            async with asyncio.timeout(_REDIS_SECONDS):
                with cancelling.heeded():
                    found = await self._redis.mget([_key(caller) for caller in callers])
        except (RedisError, OSError, TimeoutError):
            return _BEYOND  # They may have written.
        own = [self._own_marks.get(caller, 0) for caller in callers]
        return max([*own, *(int(mark) for mark in found if mark is not None)])


class _CarefulReader(Reader):
    __slots__ = ("_operation", "_replica")

    def __init__(self, replica: Replica, operation: Meter) -> None:
        self._replica = replica
        self._operation = operation

    async def fetch(self, statement: Statement[R], **values: Any) -> list[R]:
        return await self._replica.fetch(self._operation, statement, values)

    async def first(self, statement: Statement[R], **values: Any) -> R | None:
        rows = await self.fetch(statement, **values)
        return rows[0] if rows else None


def _key(caller: str) -> str:
    return f"earful:written:{caller}"
