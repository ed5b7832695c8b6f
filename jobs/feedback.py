"""Scoring new feedback in the worker."""

from collections.abc import Callable
from uuid import UUID

import dramatiq
import structlog
from dramatiq.brokers.redis import RedisBroker

from domain import feedback
from domain.sentiment import Scorer
from jobs.broker import SCORE_FEEDBACK, SCORES
from jobs.resources import WorkerResources
from persistence.database import Database

log = structlog.get_logger(__name__)


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
