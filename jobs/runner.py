"""Does jobs: claims them in turn of the tenants, runs them side by side, and records how they ended."""

import asyncio
import contextlib
import os
import socket
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from time import perf_counter
from typing import Generic, TypeVar
from uuid import UUID

import structlog

from domain import ids
from domain.ids import Kind as IdKind
from domain.job import Kind as JobKind
from domain.job import Priority
from jobs.attempt import Attempt, AttemptKey
from jobs.metrics import Ended, WorkMetrics
from jobs.verdict import CancelledFromWithinError, TookTooLongError, is_unexpected, verdict
from persistence import job as store
from persistence.database import Database, StoreUnavailableError, new_id
from telemetry import lines, trace
from telemetry.trace import Kind

log = structlog.get_logger(__name__)

R = TypeVar("R")

PLACES: Mapping[Priority, int] = {Priority.HIGH: 16, Priority.NORMAL: 64, Priority.BULK: 4}
"""How many jobs of each priority one process does at the same time."""
PULSE_SECONDS = 1.0
_RETRY_SECONDS = 0.5
_MOST_AT_ONCE = 500
# So long a job that may kill its worker waits for one that happens to have nothing to do.
_PULSES_FOR_SUSPECTS = 20
# So long it does what may kill it before others get their turn.
_SECONDS_ALONE = 10.0
_GRACE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Task(Generic[R]):
    """How a kind of job is done. `do` returns when it has succeeded; what it raises says what becomes of the job."""

    kind: JobKind
    do: Callable[[R, Attempt], Awaitable[None]]


class _Reason(Enum):
    """Why a running attempt was cancelled."""

    ASKED = auto()
    LOST = auto()
    DRAINED = auto()


@dataclass(slots=True)
class _Lane:
    """The places of one priority."""

    priority: Priority
    places: int
    called: asyncio.Event = field(default_factory=asyncio.Event)
    busy: int = 0

    @property
    def most_of_one(self) -> int:
        """One place in four is kept from whoever has all the others."""
        return self.places - max(1, self.places // 4)


@dataclass(slots=True)
class _Running:
    """An attempt that has not ended."""

    lane: _Lane
    task: "asyncio.Future[None]"
    reason: _Reason | None = None

    def cancel(self, reason: _Reason) -> None:
        if self.reason is None:
            self.reason = reason
            self.task.cancel()


class Runner(Generic[R]):
    """The jobs of one worker process. `run()` it; `look()` when there may be something to do."""

    def __init__(
        self,
        database: Database,
        resources: R,
        tasks: Iterable[Task[R]],
        *,
        clock: Callable[[], datetime],
        places: Mapping[Priority, int] = PLACES,
        metrics: WorkMetrics | None = None,
    ) -> None:
        self._database = database
        self._resources = resources
        self._tasks = {task.kind.name: task for task in tasks}
        self._clock = clock
        self._lanes = {priority: _Lane(priority, number) for priority, number in places.items()}
        self._metrics = metrics or WorkMetrics()
        self._worker = new_id()
        self._running: dict[AttemptKey, _Running] = {}
        self._ended: list[tuple[_Lane, UUID, store.End]] = []
        self._claims = 0
        self._to_record = asyncio.Event()
        self._left = asyncio.Event()
        self._dared = asyncio.Event()
        self._is_draining = False
        self._is_alone = False
        self._suspects_waited = 0

    def look(self, priority: Priority) -> None:
        """There may be jobs of this priority to do."""
        self._lanes[priority].called.set()

    async def run(self) -> None:
        """Work until cancelled; `drain()` before, or the jobs begun wait until they are taken back."""
        await self._enlist(self._worker)
        async with asyncio.TaskGroup() as group:
            for lane in self._lanes.values():
                lane.called.set()
                group.create_task(self._serve(lane))
            group.create_task(self._record())
            group.create_task(self._pulse())
            group.create_task(self._dare())

    async def drain(self, seconds: float) -> None:
        """Begin nothing more, let what runs end for so long, and hand the rest back."""
        self._is_draining = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._idle()
        for running in self._running.values():
            running.cancel(_Reason.DRAINED)
        with contextlib.suppress(TimeoutError, StoreUnavailableError):
            async with asyncio.timeout(_GRACE_SECONDS):
                await self._idle()
                async with self._database.transaction() as uow:
                    await store.dismiss(uow, self._worker)

    async def _idle(self) -> None:
        """Until nothing is claimed, runs, or is to be recorded."""
        while self._claims or self._running or self._ended:
            self._left.clear()
            await self._left.wait()

    # Beginning

    async def _serve(self, lane: _Lane) -> None:
        while True:
            await lane.called.wait()
            lane.called.clear()
            try:
                while (free := self._free(lane)) and await self._claim(lane, free) == free:
                    pass
            except Exception as error:  # noqa: BLE001 - it is logged
                _complain("no jobs can be claimed", error)
                await asyncio.sleep(_RETRY_SECONDS)
                lane.called.set()

    def _free(self, lane: _Lane) -> int:
        stopped = self._is_draining or self._is_alone
        impatient = self._suspects_waited > _PULSES_FOR_SUSPECTS
        return 0 if stopped or impatient else lane.places - lane.busy

    async def _claim(self, lane: _Lane, free: int) -> int:
        worker = self._worker
        with self._claiming():
            async with self._database.transaction() as uow:
                rows = await store.claim(
                    uow,
                    worker,
                    priority=lane.priority,
                    kinds=list(self._tasks),
                    free=free,
                    most_of_one=lane.most_of_one,
                )
            for row in rows:
                self._begin(lane, row, worker)
        return len(rows)

    @contextlib.contextmanager
    def _claiming(self) -> Iterator[None]:
        """Until it is known what was claimed, and that has begun."""
        self._claims += 1
        try:
            yield
        finally:
            self._claims -= 1
            self._left.set()

    def _begin(self, lane: _Lane, row: store.ClaimedRow, worker: UUID) -> None:
        lane.busy += 1
        task = asyncio.ensure_future(self._attempt(lane, row, worker))
        self._running[row.id, row.attempts, worker] = _Running(lane, task)

    # Running

    async def _attempt(self, lane: _Lane, row: store.ClaimedRow, worker: UUID) -> None:
        task = self._tasks[row.kind]
        keep = task.kind.keep_successes
        attempt = Attempt(row, worker, self._database, keep_success=keep)
        trace.begin(row.trace)
        with (
            self._metrics.running.track_inprogress(),
            trace.span(f"job {row.kind}", Kind.CONSUMER) as span,
            lines.line("job", **_said(row, self._clock())),
        ):
            began = perf_counter()
            end = await self._outcome(attempt, task)
            running = self._running.pop(attempt.key)
            how = _ended(attempt, None if running.reason is _Reason.LOST else end)
            lines.note(outcome=how.value)
            if span is not None:
                span.note(earful__attempt=row.attempts, earful__outcome=how.value)
        self._metrics.attempts.labels(row.kind, how).observe(perf_counter() - began)
        if end is None or running.reason is _Reason.LOST:
            self._leave(lane)
        else:
            self._ended.append((lane, worker, end))
            self._to_record.set()

    async def _outcome(self, attempt: Attempt, task: Task[R]) -> store.End | None:
        """How the attempt ended; None when there is nothing to be recorded."""
        limit = asyncio.timeout(task.kind.timeout.total_seconds())
        try:
            async with limit:
                await task.do(self._resources, attempt)
        except asyncio.CancelledError as error:
            if self._running[attempt.key].reason is not None:
                return self._cancelled(attempt)
            found: Exception = CancelledFromWithinError(str(error))
        except Exception as error:  # noqa: BLE001 - the verdict is on all of them
            found = TookTooLongError(task.kind) if limit.expired() else error
        else:
            return None if attempt.is_completed else attempt.ended("SUCCEEDED")
        if is_unexpected(found):
            job = ids.write(IdKind.JOB, attempt.id)
            log.error(
                "job failed",
                job=job,
                kind=task.kind.name,
                attempt=attempt.number,
                exc_info=found,
            )
        return verdict(attempt, task.kind, found, self._clock())

    def _cancelled(self, attempt: Attempt) -> store.End | None:
        match self._running[attempt.key].reason:
            case _Reason.ASKED:
                return attempt.ended("CANCELLED")
            case _Reason.DRAINED:
                return attempt.ended("QUEUED", run_at=self._clock())
            case _:
                return None

    def _leave(self, lane: _Lane) -> None:
        lane.busy -= 1
        self._left.set()
        lane.called.set()

    def _is_busy(self) -> bool:
        return self._claims > 0 or any(lane.busy for lane in self._lanes.values())

    # Recording

    async def _record(self) -> None:
        while True:
            await self._to_record.wait()
            self._to_record.clear()
            while self._ended:
                batch = self._ended[:_MOST_AT_ONCE]
                try:
                    await self._write(batch)
                except StoreUnavailableError as error:
                    log.warning("the end of jobs cannot be recorded", error=str(error))
                    await asyncio.sleep(_RETRY_SECONDS)
                    continue
                del self._ended[: len(batch)]
                for lane, _, _ in batch:
                    self._leave(lane)

    async def _write(self, batch: list[tuple[_Lane, UUID, store.End]]) -> None:
        # What a worker that was given up has done is not recorded: the statement finds none of its jobs.
        by_worker: dict[UUID, list[store.End]] = {}
        for _, worker, end in batch:
            by_worker.setdefault(worker, []).append(end)
        for worker, ends in by_worker.items():
            try:
                await self._write_ends(worker, ends)
            except StoreUnavailableError:
                raise
            except Exception:
                log.exception("ends cannot be recorded together", jobs=len(ends))
                for end in ends:
                    await self._write_alone(worker, end)

    async def _write_alone(self, worker: UUID, end: store.End) -> None:
        try:
            await self._write_ends(worker, [end])
        except StoreUnavailableError:
            raise
        except Exception:
            log.exception("an end cannot be recorded", job=ids.write(IdKind.JOB, end.job))
            error = "the result cannot be stored; the worker's log has more"
            failed = store.End(end.job, end.attempts, "FAILED", error, failed=True)
            await self._write_ends(worker, [failed])

    async def _write_ends(self, worker: UUID, ends: list[store.End]) -> None:
        async with self._database.transaction() as uow:
            await uow.operate()
            await store.end(uow, worker, ends)

    # Living

    async def _enlist(self, worker: UUID) -> None:
        name = f"{socket.gethostname()}:{os.getpid()}"
        while True:
            try:
                async with self._database.transaction() as uow:
                    return await store.enlist(uow, worker, name)
            except StoreUnavailableError:
                await asyncio.sleep(_RETRY_SECONDS)

    async def _pulse(self) -> None:
        while True:
            await asyncio.sleep(PULSE_SECONDS)
            try:
                async with self._database.transaction() as uow:
                    seen = await store.seen(uow, self._worker)
                await self._obey(seen)
            except Exception as error:  # noqa: BLE001 - it is logged
                _complain("the worker cannot be seen", error)

    async def _obey(self, seen: store.SeenRow) -> None:
        if not seen.alive and not self._is_draining:
            log.warning("this worker was given up; its jobs are others'", jobs=len(self._running))
            for running in self._running.values():
                running.cancel(_Reason.LOST)
            # Until then nothing can be claimed: the worker before has no name any more.
            worker = new_id()
            await self._enlist(worker)
            self._worker = worker
        elif not self._claims:
            await self._hand_back(seen)
        for key in [key for key in self._running if key[0] in seen.cancelled]:
            self._running[key].cancel(_Reason.ASKED)
        # Messages wake at once; without Redis it takes a pulse.
        for priority in seen.due:
            self.look(Priority(priority))
        self._suspects_waited = self._suspects_waited + 1 if seen.suspects else 0
        if seen.suspects and not (self._is_busy() or self._is_draining or self._is_alone):
            self._is_alone = True
            self._dared.set()

    async def _hand_back(self, seen: store.SeenRow) -> None:
        """What was claimed when the connection broke, so that nobody knew of it and began."""
        known = {key[0] for key in self._running} | {end.job for _, _, end in self._ended}
        now = self._clock()
        strays = [
            store.End(job, attempts, "QUEUED", run_at=now)
            for job, attempts in zip(seen.held, seen.held_attempts, strict=True)
            if job not in known
        ]
        if strays:
            log.warning("handed jobs back that were never begun", jobs=len(strays))
            await self._write_ends(self._worker, strays)

    async def _dare(self) -> None:
        """Do what may kill a worker, one job at a time and nothing beside them."""
        clock = asyncio.get_running_loop().time
        while True:
            await self._dared.wait()
            self._dared.clear()
            self._suspects_waited = 0
            until = clock() + _SECONDS_ALONE
            try:
                while clock() < until and not self._is_draining and await self._claim_suspect():
                    # Recorded too: the next one may kill us, and this one must not be blamed for that.
                    await self._idle()
            except Exception as error:  # noqa: BLE001 - it is logged
                _complain("no job can be claimed alone", error)
            finally:
                self._is_alone = False
                for lane in self._lanes.values():
                    lane.called.set()

    async def _claim_suspect(self) -> bool:
        worker = self._worker
        with self._claiming():
            async with self._database.transaction() as uow:
                row = await store.claim_suspect(uow, worker, kinds=list(self._tasks))
            if row is not None:
                self._begin(self._lanes[Priority(row.priority)], row, worker)
        return row is not None


def _said(row: store.ClaimedRow, now: datetime) -> lines.Facts:
    """Of an attempt, in the log."""
    return {
        "kind": row.kind,
        "job": ids.write(IdKind.JOB, row.id),
        "attempt": row.attempts,
        "waited": round(max((now - row.run_at).total_seconds(), 0.0), 3),
    }


def _ended(attempt: Attempt, end: store.End | None) -> Ended:
    if attempt.is_completed:
        return Ended.SUCCEEDED
    if end is None:
        return Ended.LOST
    if end.status == "QUEUED":
        return Ended.RETRIED if end.failed else Ended.POSTPONED
    return Ended(end.status.lower())


def _complain(message: str, error: Exception) -> None:
    """Without Postgres nothing can be done; anything else is our mistake, and going on may still help."""
    if isinstance(error, StoreUnavailableError):
        log.warning(message, error=str(error))
    else:
        log.error(message, exc_info=error)
