"""Working through feedback in the schema: many at once."""

from typing import Annotated

import strawberry

from domain import ids, tag, triage
from domain.ids import Kind
from domain.scopes import Scope
from graph.access import scoped
from graph.context import Info
from graph.errors import Forbidden, InvalidInput, NotFound
from graph.feedback import Feedback
from graph.node import read_id, read_ids


@strawberry.input(description="What is to become of some feedback; what is left out stays.")
class UpdateFeedbackInput:
    ids: list[strawberry.ID] = strawberry.field(
        description="The feedback: 1 to 500, all of one workspace."
    )
    status: triage.Status | None = strawberry.field(
        default=None, description="How far people have come with it."
    )
    assignee_id: strawberry.Maybe[strawberry.ID | None] = strawberry.field(
        default=None,
        description="Whose it is, as `Workspace.members` lists the members; null: nobody's.",
    )
    add_tag_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Tags that each of them gets: at most 50 in all."
    )
    remove_tag_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Tags that none of them has from now on."
    )

    def command(self) -> triage.UpdateFeedback:
        assignee = None if self.assignee_id is None else self.assignee_id.value
        return triage.UpdateFeedback(
            ids=read_ids(Kind.FEEDBACK, self.ids, "ids") or (),
            status=self.status,
            assigns=self.assignee_id is not None,
            assignee_id=None if assignee is None else read_id(Kind.MEMBER, assignee, "assigneeId"),
            add_tag_ids=read_ids(Kind.TAG, self.add_tag_ids, "addTagIds") or (),
            remove_tag_ids=read_ids(Kind.TAG, self.remove_tag_ids, "removeTagIds") or (),
        )


@strawberry.type(description="The feedback is as it was asked for.")
class UpdateFeedbackSuccess:
    feedback: list[Feedback] = strawberry.field(
        description="All of them that there are, in the order asked for, whether they became another or not."
    )
    changed: int = strawberry.field(
        description="How many became another: each is told by an UPDATED event."
    )
    missing_ids: list[strawberry.ID] = strawberry.field(
        description="Those that are not there any more, or are not the caller's. The others were changed all the same."
    )


UpdateFeedbackResult = Annotated[
    UpdateFeedbackSuccess | InvalidInput | Forbidden | NotFound,
    strawberry.union("UpdateFeedbackResult"),
]


@strawberry.input(description="Which tags a feedback shall have.")
class SetFeedbackTagsInput:
    feedback_id: strawberry.ID = strawberry.field(description="The feedback.")
    tag_ids: list[strawberry.ID] = strawberry.field(
        description="All of its tags from now on, at most 50; an empty list takes all away."
    )


@strawberry.type(description="The feedback has these tags now.")
class SetFeedbackTagsSuccess:
    feedback: Feedback = strawberry.field(description="The feedback.")


SetFeedbackTagsResult = Annotated[
    SetFeedbackTagsSuccess | InvalidInput | Forbidden | NotFound,
    strawberry.union("SetFeedbackTagsResult"),
]


@strawberry.type
class TriageMutation:
    @strawberry.mutation(
        extensions=[scoped(Scope.FEEDBACK_TAG)],
        description="Set all tags of a feedback. Needs the role ANALYST.",
    )
    async def set_feedback_tags(
        self, info: Info, input: SetFeedbackTagsInput
    ) -> SetFeedbackTagsResult:
        async with info.context.transaction() as uow:
            tagged = await tag.set_on_feedback(
                uow,
                info.context.viewer,
                feedback_id=read_id(Kind.FEEDBACK, input.feedback_id, "feedbackId"),
                tag_ids=read_ids(Kind.TAG, input.tag_ids, "tagIds") or (),
            )
        return SetFeedbackTagsSuccess(feedback=tagged)  # type: ignore[arg-type]  # rows are feedback

    @strawberry.mutation(
        extensions=[scoped(Scope.FEEDBACK_WRITE, Scope.FEEDBACK_TAG)],
        description="Set the status or the assignee of up to 500 feedback, and add and take away tags: all that are "
        "there in one transaction, or none where the input is refused. Doing it again changes nothing. Needs the role "
        "ANALYST; of a key the scope feedback:tag for tags, and feedback:write for the rest.",
    )
    async def update_feedback(self, info: Info, input: UpdateFeedbackInput) -> UpdateFeedbackResult:
        async with info.context.transaction() as uow:
            updated = await triage.update(uow, info.context.viewer, input.command())
        return UpdateFeedbackSuccess(
            feedback=list(updated.feedback),  # type: ignore[arg-type]  # rows are feedback
            changed=updated.changed,
            missing_ids=[strawberry.ID(ids.write(Kind.FEEDBACK, id_)) for id_ in updated.missing],
        )
