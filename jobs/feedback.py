"""Scoring feedback in the worker: at once what is new, and whenever there is time what else waits."""

import asyncio
from collections.abc import Callable, Mapping
from uuid import UUID

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from domain import feedback, scoring
from domain.sentiment import Scorer
from jobs.attempt import Attempt
from jobs.broker import SCORE_FEEDBACK, SCORES
from jobs.resources import WorkerResources
from jobs.runner import Task
from persistence.database import Database
from telemetry import lines, trace
from telemetry.trace import Kind, Part

# Of all that can wait one page at a time is scored, in turn of those who ask: what is new always has half of the model.
turn = asyncio.Lock()


async def score(
    database: Database,
    scorer: Scorer,
    workspace: UUID,
    ids: list[UUID],
    traces: Mapping[UUID, str] = {},
) -> int:
    """Score those that have no score yet; answers how many. Doing it again does nothing.

    No connection is held while the model runs. `traces` are those that single feedback belong to.
    """
    parts = {id_: Part("score feedback", of) for id_, of in traces.items()}
    with trace.each(parts, Kind.CONSUMER) as carried:
        return await _score(database, scorer, workspace, ids, carried)


async def _score(
    database: Database,
    scorer: Scorer,
    workspace: UUID,
    ids: list[UUID],
    traces: Mapping[UUID, str],
) -> int:
    async with database.reader() as reader:
        rows = await feedback.unscored(reader, workspace, ids)
    if not rows:
        return 0
    answers = await scorer.score([row.body for row in rows])
    by_id = {row.id: found for row, found in zip(rows, answers, strict=True)}
    async with database.transaction() as uow:
        return await feedback.record_scores(
            uow,
            workspace,
            [(id_, by_id[id_]) for id_ in ids if id_ in by_id],
            answers[0].model,
            traces,
            texts={row.id: row.body for row in rows},
        )


async def _score_what_waits(resources: WorkerResources, attempt: Attempt) -> None:
    """Page by page until nothing is left: while one is recorded the model is at the next."""
    assert attempt.workspace_id is not None  # noqa: S101 - feedback is of workspaces
    workspace, database, scorer = attempt.workspace_id, resources.database, resources.scorer
    last, scored = None, 0
    recording: asyncio.Task[int] | None = None
    try:
        while True:
            async with database.reader() as reader:
                rows = await scoring.page(reader, workspace, last)
            if rows:
                async with turn:
                    answers = await scorer.score([row.body for row in rows])
            if recording is not None:
                scored += await recording
            if not rows:
                break
            last = rows[-1]
            recording = asyncio.create_task(scoring.record(database, workspace, rows, answers))
    finally:
        if recording is not None:
            await asyncio.wait({recording})
    attempt.result = {"scored": scored}


def register(broker: RedisBroker, resources: Callable[[], WorkerResources]) -> None:
    """Declare the actors of this feature; `resources` are asked for when one runs."""

    @dramatiq.actor(
        broker=broker,
        actor_name=SCORE_FEEDBACK,
        queue_name=SCORES,
        max_retries=20,
        min_backoff=250,
        max_backoff=60_000,
    )
    async def score_feedback(
        workspace: str, ids: list[str], traces: Mapping[str, str] = {}
    ) -> None:
        used = resources()
        trace.begin(next(iter(traces.values()), None))
        with lines.line("job", kind=SCORE_FEEDBACK, entries=len(ids)):
            await score(
                used.database,
                used.scorer,
                UUID(hex=workspace),
                [UUID(hex=id_) for id_ in ids],
                {UUID(hex=id_): of for id_, of in traces.items()},
            )
            lines.note(outcome="succeeded")


TASKS = (Task(scoring.SCORE, _score_what_waits),)
