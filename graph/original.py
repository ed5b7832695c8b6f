"""What was masked, in the schema: revealed to those who may see it."""

from typing import Annotated

import strawberry

from domain import original
from domain.ids import Kind
from graph.access import signed_in
from graph.context import Info
from graph.errors import Forbidden, InvalidInput, NotFound
from graph.fields import column
from graph.node import read_id
from graph.scalars import JSON, json_text


@strawberry.type(description="A feedback as it was sent, before it was masked.")
class FeedbackOriginal:
    body: str = strawberry.field(description="The text.")
    author_name: str | None = strawberry.field(description="The author's name.")
    author_email: str | None = strawberry.field(description="The author's address.")
    author_external_id: str | None = strawberry.field(description="The sender's id of the author.")
    metadata: JSON | None = column(
        "metadata",
        json_text,
        graphql_type=JSON | None,
        description="Whatever else the sender told: a JSON object.",
    )


@strawberry.input(description="Which feedback to reveal.")
class RevealFeedbackInput:
    feedback_id: strawberry.ID = strawberry.field(description="The feedback.")


@strawberry.type(description="What was sent. That it was looked at is in the audit log.")
class RevealFeedbackSuccess:
    original: FeedbackOriginal = strawberry.field(description="As it was before it was masked.")


RevealFeedbackResult = Annotated[
    RevealFeedbackSuccess | InvalidInput | Forbidden | NotFound,
    strawberry.union("RevealFeedbackResult"),
]


@strawberry.type
class OriginalMutation:
    @strawberry.mutation(
        extensions=[signed_in],
        description="Show what was masked of a feedback, where its source keeps that; the audit log says who looked. "
        "NotFound where nothing was masked, or for good. Needs the role ADMIN.",
    )
    async def reveal_feedback(self, info: Info, input: RevealFeedbackInput) -> RevealFeedbackResult:
        async with info.context.transaction() as uow:
            shown = await original.reveal(
                uow,
                info.context.viewer,
                read_id(Kind.FEEDBACK, input.feedback_id, "feedbackId"),
                info.context.services.seals,
            )
        return RevealFeedbackSuccess(original=shown)  # type: ignore[arg-type]  # it has these fields
