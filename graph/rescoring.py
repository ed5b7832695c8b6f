"""Scoring again in the schema."""

from typing import Annotated

import strawberry

from domain import rescoring
from domain.ids import Kind
from graph.access import signed_in
from graph.context import Info
from graph.errors import Forbidden, InvalidInput, NotFound
from graph.feedback_filter import FeedbackFilter, where
from graph.job import Job
from graph.node import read_id


@strawberry.input(description="What to score again.")
class RescoreFeedbackInput:
    workspace_id: strawberry.ID = strawberry.field(description="The workspace.")
    filter: FeedbackFilter | None = strawberry.field(
        default=None, description="Which of its feedback; all where it is missing."
    )


@strawberry.type(description="It is being scored again.")
class RescoreFeedbackSuccess:
    job: Job = strawberry.field(
        description="Its `result` has the model, how much it has scored, and of how much the label has changed. It can "
        "be cancelled: what is scored by then stays."
    )


RescoreFeedbackResult = Annotated[
    RescoreFeedbackSuccess | InvalidInput | Forbidden | NotFound,
    strawberry.union("RescoreFeedbackResult"),
]


@strawberry.type
class RescoringMutation:
    @strawberry.mutation(
        extensions=[signed_in],
        description="Have what other models have scored scored by the one of now. Subscribers hear SCORED where the "
        "label has changed. While that waits or runs, who asks for the same again gets the same job. Needs the role "
        "ADMIN.",
    )
    async def rescore_feedback(
        self, info: Info, input: RescoreFeedbackInput
    ) -> RescoreFeedbackResult:
        async with info.context.transaction() as uow:
            asked = await rescoring.ask(
                uow,
                info.context.viewer,
                read_id(Kind.WORKSPACE, input.workspace_id, "workspaceId"),
                where(input.filter),
            )
        return RescoreFeedbackSuccess(job=asked)  # type: ignore[arg-type]  # rows are jobs
