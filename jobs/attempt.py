"""What the work on a job is given: what was asked for, and ways to record how far it has come."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from domain.events import JobsUpdated
from persistence import job as store
from persistence.database import Database, UnitOfWork


class FailedError(Exception):
    """The attempt has failed; the message is for the people whose job it is. It is tried again."""


class HopelessError(FailedError):
    """The same, and trying again would not help."""


class PostponedError(Exception):
    """Nothing went wrong, but it is too early: the job waits so long, which is no failure."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__()
        self.wait = wait


class LostError(Exception):
    """The job is not this attempt's any more: it was cancelled, or given to another worker. Nothing was changed."""


AttemptKey = tuple[UUID, int, UUID]
"""What tells an attempt from all others: the job, the number of the attempt, the worker."""


class Attempt:
    """One attempt at a job. What it writes is written only while the job is still this attempt's.

    An attempt may be made twice at the same time, when a worker was silent for so long that it was given up: effects
    in Postgres belong into `step()` or `completing()`, where one of the two is refused; effects elsewhere must bear
    repetition.
    """

    def __init__(
        self,
        row: store.ClaimedRow,
        worker: UUID,
        database: Database,
        *,
        keep_success: bool = True,
    ) -> None:
        self.id = row.id
        self.key: AttemptKey = (row.id, row.attempts, worker)
        self.workspace_id = row.workspace_id
        self.arguments: Mapping[str, Any] = orjson.loads(row.arguments)
        self.state: Mapping[str, Any] = {} if row.state is None else orjson.loads(row.state)
        self.number: int = row.attempts
        self.failures: int = row.failures
        self.created_by: UUID | None = row.created_by
        self.created_at: datetime = row.created_at
        self.is_completed = False
        self._result: str | None = None
        self._worker = worker
        self._database = database
        self._keep_success = keep_success

    @property
    def result(self) -> Mapping[str, Any] | None:
        """What the job has to tell; it is recorded when the attempt ends."""
        return None if self._result is None else orjson.loads(self._result)

    @result.setter
    def result(self, result: Mapping[str, Any] | None) -> None:
        # At once, so that what is no JSON is the task's own mistake.
        self._result = None if result is None else orjson.dumps(result).decode()

    @asynccontextmanager
    async def step(
        self, *, progress: float | None = None, state: Mapping[str, Any] | None = None
    ) -> AsyncIterator[UnitOfWork]:
        """A transaction in the job's workspace, with how far it brings the job: both are there, or neither.

        `progress` runs from 0 to 1; `state` is what the next attempt will find. LostError: nothing was changed.
        """
        async with self._transaction() as uow:
            is_mine = await store.advance(
                uow,
                self._worker,
                self.id,
                self.number,
                progress=progress,
                state=None if state is None else orjson.dumps(state).decode(),
            )
            if not is_mine:
                raise LostError
            self._announce(uow)
            yield uow
        if state is not None:
            self.state = state

    @asynccontextmanager
    async def completing(self) -> AsyncIterator[UnitOfWork]:
        """A transaction that ends the job with success: its effects happen once, whatever dies when.

        What is in `result` by then is recorded with it. LostError, at the end of the block: nothing was changed.
        """
        async with self._transaction() as uow:
            yield uow
            ended = await store.end(uow, self._worker, [self.ended("SUCCEEDED")])
            if not ended or ended[0].is_cancelled:
                raise LostError
        self.is_completed = True

    async def report(self, progress: float, state: Mapping[str, Any] | None = None) -> None:
        """Record how far it has come, from 0 to 1, and what the next attempt is to find."""
        async with self.step(progress=progress, state=state):
            pass

    def ended(
        self,
        status: str,
        *,
        error: str | None = None,
        run_at: datetime | None = None,
        failed: bool = False,
    ) -> store.End:
        """How it ended, for the record."""
        return store.End(
            self.id, self.number, status, error, run_at, failed, self._result, self._keep_success
        )

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[UnitOfWork]:
        async with self._database.transaction() as uow:
            if self.workspace_id is not None:
                await uow.enter(self.workspace_id)
            yield uow

    def _announce(self, uow: UnitOfWork) -> None:
        if self.workspace_id is not None:
            event = JobsUpdated((self.id,))
            uow.emit(self.workspace_id, event.kind, event.to_json())
