"""Scoring what nobody waits for: what came in files, and what a crash has left."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from domain import feedback, job
from domain.feedback import Unscored
from domain.job import Job, Kind, Once
from domain.sentiment import Judgement
from domain.sentiment import Unscored as NoScore
from persistence import feedback as store
from persistence.database import Database, Reader

SCORE = Kind("score_feedback", timeout=timedelta(hours=12), first_pause=timedelta(seconds=10))
PAGE = 128


async def ask(database: Database, workspace: UUID) -> Job:
    """Have all that a workspace has unscored scored; who asks while that waits or runs gets the same job."""
    async with database.transaction() as uow:
        await uow.enter(workspace)
        return await job.enqueue(uow, SCORE, workspace=workspace, once=Once())


async def ask_where_overdue(database: Database, before: datetime) -> int:
    """The same for each workspace with feedback that was received before then; answers how many there are."""
    async with database.reader() as reader:
        workspaces = await store.overdue(reader, before)
    for workspace in workspaces:
        await ask(database, workspace)
    return len(workspaces)


async def page(reader: Reader, workspace: UUID, after: Unscored | None) -> list[Unscored]:
    """The oldest of what a workspace has unscored, after that one."""
    place = None if after is None else (after.received_at, after.id)
    return await store.oldest_unscored(reader, workspace, after=place, most=PAGE)


async def record(
    database: Database,
    workspace: UUID,
    rows: Sequence[Unscored],
    answers: Sequence[Judgement | NoScore],
) -> int:
    """Store what one model says of these, where there is no score yet; answers how many."""
    given = [(row.id, answer) for row, answer in zip(rows, answers, strict=True)]
    texts = {row.id: row.body for row in rows}
    async with database.transaction() as uow:
        return await feedback.record_scores(uow, workspace, given, answers[0].model, texts=texts)
