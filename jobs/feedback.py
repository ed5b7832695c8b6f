"""Scoring feedback in the worker: at once what is new, and whenever there is time what else waits."""

import asyncio
from collections.abc import Callable
from uuid import UUID

import dramatiq
import structlog
from dramatiq.brokers.redis import RedisBroker

from domain import feedback, scoring
from domain.sentiment import Scorer
from jobs.attempt import Attempt
from jobs.broker import SCORE_FEEDBACK, SCORES
from jobs.resources import WorkerResources
from jobs.runner import Task
from persistence.database import Database

log = structlog.get_logger(__name__)

# Of all that can wait one page at a time is scored, in turn of those who ask: what is new always has half of the model.
_turn = asyncio.Lock()


async def score(database: Database, scorer: Scorer, workspace: UUID, ids: list[UUID]) -> int:
    """Score those that have no score yet; answers how many. Doing it again does nothing.

    No connection is held while the model runs.
    """
    async with database.reader() as reader:
        rows = await feedback.unscored(reader, workspace, ids)
    if not rows:
        return 0
    scores = await scorer.score([row.body for row in rows])
    by_id = {row.id: found for row, found in zip(rows, scores, strict=True)}
    async with database.transaction() as uow:
        return await feedback.record_scores(
            uow,
            workspace,
            [(id_, by_id[id_]) for id_ in ids if id_ in by_id],
            scorer.model_name,
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
                async with _turn:
                    scores = await scorer.score([row.body for row in rows])
            if recording is not None:
                scored += await recording
            if not rows:
                break
            last = rows[-1]
            recording = asyncio.create_task(
                scoring.record(database, workspace, rows, scores, scorer.model_name)
            )
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
    async def score_feedback(workspace: str, ids: list[str]) -> None:
        used = resources()
        done = await score(
            used.database, used.scorer, UUID(hex=workspace), [UUID(hex=id_) for id_ in ids]
        )
        log.debug("scored", workspace=workspace, asked=len(ids), scored=done)


TASKS = (Task(scoring.SCORE, _score_what_waits),)
