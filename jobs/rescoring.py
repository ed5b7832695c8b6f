"""Scoring again in the worker, page by page, each with how far it brings the job."""

from datetime import timedelta

from domain import rescoring
from domain.rescoring import Course
from jobs import feedback
from jobs.attempt import Attempt, PostponedError
from jobs.resources import WorkerResources
from jobs.runner import Task

# A process takes another model within this time.
_PATIENCE = timedelta(seconds=2)


async def _score_again(resources: WorkerResources, attempt: Attempt) -> None:
    """A page is recorded with where the next one begins, so that none is scored twice, whatever dies when."""
    assert attempt.workspace_id is not None  # noqa: S101 - feedback is of workspaces
    workspace, scorer = attempt.workspace_id, resources.scorer
    where = rescoring.wanted(attempt.arguments)
    course = Course.of(attempt.state)
    while True:
        model = scorer.model_name
        async with resources.database.reader() as reader:
            if await rescoring.is_behind(reader, model):
                raise PostponedError(_PATIENCE)
            if course is None or course.model != model:
                scored = 0 if course is None else course.scored
                course = await rescoring.begin(reader, workspace, model, where, scored)
            rows = await rescoring.page(reader, workspace, course, where)
        if not rows:
            break
        async with feedback.turn:
            answers = await scorer.score([row.body for row in rows])
        if answers[0].model != course.model:
            continue  # It was swapped in this moment: everything begins anew with the other one.
        course = rescoring.after(course, rows, answers)
        attempt.result = course.result()
        async with attempt.step(progress=course.progress, state=course.state()) as uow:
            await rescoring.record(uow, workspace, rows, answers)
    attempt.result = course.result()


TASKS = (Task(rescoring.RESCORE, _score_again),)
