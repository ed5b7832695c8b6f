"""Scoring again what other models have scored, so that all of it is said by one."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from domain import audit, feedback, job
from domain import workspace as workspaces
from domain.export.asking import check_filter, filter_of
from domain.feedback import Filter
from domain.job import Job, Kind, Once, Priority
from domain.roles import Action
from domain.sentiment import Judgement
from domain.sentiment import Unscored as NoScore
from domain.viewer import Viewer
from persistence import feedback as store
from persistence import sentiment_model as models
from persistence import tag as tag_store
from persistence.database import Reader, UnitOfWork

RESCORE = Kind(
    "rescore_feedback",
    priority=Priority.BULK,
    timeout=timedelta(hours=12),
    most_failures=10,
    first_pause=timedelta(seconds=10),
)
PAGE = 128

Outdated = store.OutdatedRow


@dataclass(frozen=True, slots=True)
class Course:
    """How far a job has come with the feedback that models other than `model` had scored."""

    model: str
    total: int
    scored: int = 0
    changed: int = 0
    after: tuple[datetime, UUID] | None = None

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> "Course | None":
        """As `state` has written it."""
        if not state:
            return None
        after = state["after"] and (
            datetime.fromisoformat(state["after"][0]),
            UUID(state["after"][1]),
        )
        return cls(state["model"], state["total"], state["scored"], state["changed"], after)

    def state(self) -> dict[str, Any]:
        after = self.after and (self.after[0].isoformat(), self.after[1].hex)
        return {**self.result(), "total": self.total, "after": after}

    def result(self) -> dict[str, Any]:
        return {"model": self.model, "scored": self.scored, "changed": self.changed}

    @property
    def progress(self) -> float:
        return min(self.scored / self.total, 0.99) if self.total else 0.99


async def ask(uow: UnitOfWork, viewer: Viewer, workspace: UUID, where: Filter) -> Job:
    """Have what passes the filter scored by the model of now; who asks while that waits or runs gets the same job."""
    viewer.require_person()
    await workspaces.enter(uow, viewer, workspace, Action.RESCORE_FEEDBACK)
    await check_filter(uow, workspace, where)
    values = where.values()
    asked = await job.enqueue(
        uow,
        RESCORE,
        workspace=workspace,
        arguments={"filter": values},
        once=Once(hashlib.blake2b(orjson.dumps(values), digest_size=16).hexdigest()),
        created_by=viewer.user_id,
    )
    what = audit.Action.JOB_RESCORING_STARTED
    await audit.record(uow, viewer, what, workspace, asked.id, after=asked)
    return asked


async def is_behind(reader: Reader, model: str) -> bool:
    """Whether a process with this model has still to take the one that was activated."""
    active = await models.active(reader)
    return active is not None and active.name != model


async def begin(reader: Reader, workspace: UUID, model: str, where: Filter, scored: int) -> Course:
    """At the beginning, with a model; `scored` is what was scored before it was swapped."""
    total = await store.count_outdated(reader, workspace, model, where)
    return Course(model, scored + total, scored)


async def page(reader: Reader, workspace: UUID, course: Course, where: Filter) -> list[Outdated]:
    """The next ones."""
    return await store.outdated(
        reader, workspace, course.model, where, after=course.after, most=PAGE
    )


def after(
    course: Course, rows: Sequence[Outdated], answers: Sequence[Judgement | NoScore]
) -> Course:
    """How far it is once these are recorded."""
    changed = sum(
        row.sentiment_label != getattr(answer, "label", None)
        for row, answer in zip(rows, answers, strict=True)
    )
    last = rows[-1]
    return Course(
        course.model,
        course.total,
        course.scored + len(rows),
        course.changed + changed,
        (last.occurred_at, last.id),
    )


async def record(
    uow: UnitOfWork,
    workspace: UUID,
    rows: Sequence[Outdated],
    answers: Sequence[Judgement | NoScore],
) -> None:
    """Put what one model says in the place of what others said, and tell of those where the label is another one.

    Telling of each would push what is new out of what subscribers can still be told after a break.
    """
    given = [
        feedback.said_by_model(row.id, answer, row.body)
        for row, answer in zip(rows, answers, strict=True)
    ]
    labels = {row.id: row.sentiment_label for row in rows}
    stored = await store.rescore(uow, workspace, given, model=answers[0].model)
    told = [row for row in stored if row.sentiment_label != labels[row.id]]
    tags: dict[UUID, list[UUID]] = {}
    for link in await tag_store.links(uow, workspace, [row.id for row in told]) if told else ():
        tags.setdefault(link.feedback_id, []).append(link.tag_id)
    for row in sorted(told, key=lambda row: (row.occurred_at, row.id)):
        feedback.announce(uow, "SCORED", row, tuple(tags.get(row.id, ())))


def wanted(arguments: Mapping[str, Any]) -> Filter:
    """What is to be scored, as `ask` has written it."""
    return filter_of(arguments["filter"])
