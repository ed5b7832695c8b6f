"""Submitting many messages at once, each with a result of its own."""

from datetime import datetime
from typing import Annotated

import strawberry

from domain import intake
from domain.errors import InvalidInputError
from domain.feedback import Submitted
from domain.ids import Kind
from domain.scopes import Scope
from graph.access import scoped
from graph.context import Info
from graph.errors import FieldProblem, Forbidden, InvalidInput, NotFound, RateLimited
from graph.feedback import SUBMISSIONS, AuthorInput, Feedback, message_of
from graph.node import read_id
from graph.scalars import JSON


@strawberry.input(description="One message of many.")
class FeedbackItemInput:
    body: str = strawberry.field(
        description="The text, stored as it is: up to 50,000 characters, not blank, no NUL."
    )
    external_id: str | None = strawberry.field(
        default=None,
        description="Your own id of it, up to 500 characters: the same id from the same source is stored once.",
    )
    author: AuthorInput | None = strawberry.field(default=None, description="Who wrote it.")
    rating: int | None = strawberry.field(default=None, description="From 0 to 10.")
    occurred_at: datetime | None = strawberry.field(
        default=None,
        description="When the customer said it, from 1970 to a day from now; now where it is missing.",
    )
    metadata: JSON | None = strawberry.field(
        default=None, description="Anything else: a JSON object of up to 16,384 bytes."
    )


@strawberry.input(description="Messages to store.")
class SubmitFeedbackBatchInput:
    workspace_id: strawberry.ID = strawberry.field(description="The workspace they are for.")
    source_id: strawberry.ID | None = strawberry.field(
        default=None, description="Where they came from; the workspace's API source where missing."
    )
    items: list[FeedbackItemInput] = strawberry.field(description="The messages: 1 to 500.")

    def command(self) -> intake.SubmitMany:
        return intake.SubmitMany(
            workspace_id=read_id(Kind.WORKSPACE, self.workspace_id, "workspaceId"),
            source_id=None
            if self.source_id is None
            else read_id(Kind.SOURCE, self.source_id, "sourceId"),
            messages=[message_of(item) for item in self.items],
        )


@strawberry.type(description="What became of one message.")
class FeedbackItemResult:
    index: int = strawberry.field(description="Which of the items, from 0 on.")
    feedback: Feedback | None = strawberry.field(
        description="What is stored; null where it was refused."
    )
    duplicate: bool = strawberry.field(
        description="True when the same externalId was already stored: the stored one is returned."
    )
    message: str | None = strawberry.field(
        description="Why it was refused; null where it is stored."
    )
    fields: list[FieldProblem] = strawberry.field(
        description="Each field that is wrong, from the item on."
    )


@strawberry.type(description="What can be stored of them is stored, all at once.")
class SubmitFeedbackBatchSuccess:
    results: list[FeedbackItemResult] = strawberry.field(
        description="One for each item, in their order."
    )
    stored: int = strawberry.field(description="How many were stored now.")
    duplicates: int = strawberry.field(description="How many were stored already.")
    refused: int = strawberry.field(description="How many were refused.")


SubmitFeedbackBatchResult = Annotated[
    SubmitFeedbackBatchSuccess | InvalidInput | Forbidden | NotFound | RateLimited,
    strawberry.union("SubmitFeedbackBatchResult"),
]


def _result(index: int, outcome: Submitted | InvalidInputError) -> FeedbackItemResult:
    if isinstance(outcome, Submitted):
        return FeedbackItemResult(
            index=index,
            feedback=outcome.feedback,  # type: ignore[arg-type]  # rows are feedback
            duplicate=outcome.duplicate,
            message=None,
            fields=[],
        )
    return FeedbackItemResult(
        index=index,
        feedback=None,
        duplicate=False,
        message=str(outcome),
        fields=[FieldProblem(path=list(e.path), message=e.message) for e in outcome.fields],
    )


@strawberry.type
class FeedbackBatchMutation:
    @strawberry.mutation(
        extensions=[scoped(Scope.FEEDBACK_WRITE)],
        description="Store up to 500 messages; those that are refused do not hold up the others. They are scored in "
        "the background. Counts as many submissions as there are items. Needs the role ANALYST.",
    )
    async def submit_feedback_batch(
        self, info: Info, input: SubmitFeedbackBatchInput
    ) -> SubmitFeedbackBatchResult:
        cost = min(max(len(input.items), 1), intake.MOST_AT_ONCE)
        await info.context.spend(SUBMISSIONS, info.context.viewer.id.hex, cost=cost)
        async with info.context.transaction() as uow:
            outcomes = await intake.submit_many(
                uow, info.context.viewer, input.command(), info.context.services.seals
            )
        results = [_result(index, outcome) for index, outcome in enumerate(outcomes)]
        refused = sum(result.feedback is None for result in results)
        duplicates = sum(result.duplicate for result in results)
        return SubmitFeedbackBatchSuccess(
            results=results,
            stored=len(results) - refused - duplicates,
            duplicates=duplicates,
            refused=refused,
        )
