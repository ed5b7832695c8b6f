"""Notes on feedback in the schema."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Annotated

import strawberry

from domain import feedback, ids, note
from domain.ids import Kind
from graph.access import signed_in
from graph.audit import AuditActor
from graph.context import Info
from graph.errors import Conflict, Forbidden, InvalidInput, NotFound
from graph.fields import column, computed, rows
from graph.node import Node, id_field, read_id
from graph.pagination import (
    Page,
    PageInfo,
    columns_of,
    edges_field,
    nodes_field,
    page_info_field,
    pages_by_time,
)


def _itself(root: strawberry.Parent[note.Note]) -> note.Note:
    return root


@strawberry.type(
    description="What somebody in the workspace has written on a feedback, for the others there."
)
@rows(note.Note)
class FeedbackNote(Node):
    id: strawberry.ID = id_field(Kind.FEEDBACK_NOTE)
    feedback_id: strawberry.ID = column(
        "feedback_id",
        ids.writer(Kind.FEEDBACK),
        graphql_type=strawberry.ID,
        description="What it is written on.",
    )
    body: str = strawberry.field(
        description="The text as it was written. Show it as plain text, or as Markdown without HTML."
    )
    author: AuditActor = computed(
        _itself,
        reads=("actor_kind", "actor_id", "actor_name"),
        graphql_type=AuditActor,
        description="Who wrote it.",
    )
    created_at: datetime = strawberry.field(description="When it was written.")
    edited_at: datetime | None = strawberry.field(
        description="When its text was last changed; null for never."
    )


@strawberry.type(description="A note in a list.")
class FeedbackNoteEdge:
    cursor: str = strawberry.field(description="Pass it as `after` to go on behind this one.")
    node: FeedbackNote = strawberry.field(description="The note.")


@strawberry.type(description="Notes, the newest first.")
class FeedbackNoteConnection:
    edges: list[FeedbackNoteEdge] = edges_field(FeedbackNoteEdge)
    nodes: list[FeedbackNote] = nodes_field(FeedbackNote)
    page_info: PageInfo = page_info_field()


async def notes_of(
    parents: Sequence[feedback.Feedback],
    info: Info,
    first: int | None = 20,
    after: str | None = None,
) -> Sequence[Page[note.Note]]:
    """The newest notes on each feedback."""
    read = partial(note.pages, columns=columns_of(info, "FeedbackNote", "created_at"))
    return await pages_by_time(
        parents,
        info,
        read,
        name="notes",
        of="feedback_id",
        at="created_at",
        first=first,
        after=after,
    )


@strawberry.input(description="A note to be written.")
class AddFeedbackNoteInput:
    feedback_id: strawberry.ID = strawberry.field(description="The feedback that it is about.")
    body: str = strawberry.field(
        description="The text, kept as it is: up to 10,000 characters, not blank, no NUL."
    )


@strawberry.type(description="The note is written.")
class AddFeedbackNoteSuccess:
    note: FeedbackNote = strawberry.field(description="The new note.")


AddFeedbackNoteResult = Annotated[
    AddFeedbackNoteSuccess | InvalidInput | Forbidden | NotFound | Conflict,
    strawberry.union("AddFeedbackNoteResult"),
]


@strawberry.input(description="A note's new text.")
class EditFeedbackNoteInput:
    note_id: strawberry.ID = strawberry.field(description="The note.")
    body: str = strawberry.field(
        description="The text, kept as it is: up to 10,000 characters, not blank, no NUL."
    )


@strawberry.type(description="The note has this text now.")
class EditFeedbackNoteSuccess:
    note: FeedbackNote = strawberry.field(description="The note as it is now.")


EditFeedbackNoteResult = Annotated[
    EditFeedbackNoteSuccess | InvalidInput | Forbidden | NotFound,
    strawberry.union("EditFeedbackNoteResult"),
]


@strawberry.input(description="A note to be taken away.")
class DeleteFeedbackNoteInput:
    note_id: strawberry.ID = strawberry.field(description="The note.")


@strawberry.type(description="The note is gone.")
class DeleteFeedbackNoteSuccess:
    note_id: strawberry.ID = strawberry.field(description="The id that it had.")


DeleteFeedbackNoteResult = Annotated[
    DeleteFeedbackNoteSuccess | InvalidInput | Forbidden | NotFound,
    strawberry.union("DeleteFeedbackNoteResult"),
]


@strawberry.type
class NoteMutation:
    @strawberry.mutation(
        extensions=[signed_in],
        description="Write a note on a feedback: at most 500 on one. Needs the role ANALYST.",
    )
    async def add_feedback_note(
        self, info: Info, input: AddFeedbackNoteInput
    ) -> AddFeedbackNoteResult:
        feedback_id = read_id(Kind.FEEDBACK, input.feedback_id, "feedbackId")
        async with info.context.transaction() as uow:
            added = await note.add(uow, info.context.viewer, feedback_id, input.body)
        return AddFeedbackNoteSuccess(note=added)  # type: ignore[arg-type]  # rows are notes

    @strawberry.mutation(
        extensions=[signed_in],
        description="Change the text of one's own note. Needs the role ANALYST, and ADMIN for a note of somebody else.",
    )
    async def edit_feedback_note(
        self, info: Info, input: EditFeedbackNoteInput
    ) -> EditFeedbackNoteResult:
        note_id = read_id(Kind.FEEDBACK_NOTE, input.note_id, "noteId")
        async with info.context.transaction() as uow:
            edited = await note.edit(uow, info.context.viewer, note_id, input.body)
        return EditFeedbackNoteSuccess(note=edited)  # type: ignore[arg-type]  # rows are notes

    @strawberry.mutation(
        extensions=[signed_in],
        description="Take away one's own note, for good. Needs the role ANALYST, and ADMIN for a note of another.",
    )
    async def delete_feedback_note(
        self, info: Info, input: DeleteFeedbackNoteInput
    ) -> DeleteFeedbackNoteResult:
        note_id = read_id(Kind.FEEDBACK_NOTE, input.note_id, "noteId")
        async with info.context.transaction() as uow:
            removed = await note.remove(uow, info.context.viewer, note_id)
        return DeleteFeedbackNoteSuccess(
            note_id=strawberry.ID(ids.write(Kind.FEEDBACK_NOTE, removed.id))
        )
