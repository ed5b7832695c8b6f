"""Saved views in the schema."""

from datetime import datetime
from typing import Annotated

import strawberry

from domain import feedback, ids, saved_view
from domain.ids import Kind
from graph.access import signed_in
from graph.context import Info
from graph.errors import Conflict, Forbidden, InvalidInput, NotFound
from graph.feedback import FeedbackOrder
from graph.feedback_filter import FeedbackFilter, shown, where
from graph.fields import column, computed, rows
from graph.node import Node, id_field, read_id
from graph.scalars import JSON


def _filter(root: strawberry.Parent[saved_view.SavedView]) -> JSON:
    return shown(saved_view.where_of(root))


def _is_shared(root: strawberry.Parent[saved_view.SavedView]) -> bool:
    return root.private_to is None


@strawberry.type(description="A filter and an order of feedback, under a name.")
@rows(saved_view.SavedView)
class SavedView(Node):
    id: strawberry.ID = id_field(Kind.SAVED_VIEW)
    name: str = strawberry.field(description="Its name, for people.")
    filter: JSON = computed(
        _filter,
        reads=("filter",),
        graphql_type=JSON,
        description="Which feedback, in the form of a FeedbackFilter: pass it as `filter` as it is.",
    )
    order_by: feedback.Order = column(
        "order_by",
        feedback.Order,
        graphql_type=FeedbackOrder,
        description="How the feedback is sorted.",
    )
    is_shared: bool = computed(
        _is_shared,
        reads=("private_to",),
        graphql_type=bool,
        description="Whether it is for all in the workspace, or for the caller alone.",
    )
    created_by_id: strawberry.ID | None = column(
        "created_by",
        ids.writer(Kind.MEMBER),
        graphql_type=strawberry.ID | None,
        description="The member who has saved it; null when they have left.",
    )
    created_at: datetime = strawberry.field(description="When it was saved first.")
    updated_at: datetime = strawberry.field(description="When it was last changed.")


@strawberry.input(description="A view to be saved.")
class CreateSavedViewInput:
    workspace_id: strawberry.ID = strawberry.field(description="The workspace.")
    name: str = strawberry.field(description="Up to 100 characters, in one line.")
    filter: FeedbackFilter | None = strawberry.field(
        default=None, description="Which feedback; all if missing."
    )
    order_by: feedback.Order = strawberry.field(
        default=feedback.Order.NEWEST_FIRST, description="How it is sorted."
    )
    is_shared: bool = strawberry.field(
        default=False, description="For all in the workspace, which needs the role ANALYST."
    )

    def settings(self) -> saved_view.Settings:
        return saved_view.Settings(
            name=self.name,
            where=where(self.filter),
            order=self.order_by,
            is_shared=self.is_shared,
        )


@strawberry.type(description="The view is saved.")
class CreateSavedViewSuccess:
    saved_view: SavedView = strawberry.field(description="The new view.")


CreateSavedViewResult = Annotated[
    CreateSavedViewSuccess | InvalidInput | Forbidden | NotFound | Conflict,
    strawberry.union("CreateSavedViewResult"),
]


@strawberry.input(description="What is to change of a view; what is left out stays.")
class UpdateSavedViewInput:
    saved_view_id: strawberry.ID = strawberry.field(description="The view.")
    name: str | None = strawberry.field(
        default=None, description="Up to 100 characters, in one line."
    )
    filter: FeedbackFilter | None = strawberry.field(
        default=None,
        description="Which feedback: the whole filter, in the place of the one before.",
    )
    order_by: feedback.Order | None = strawberry.field(
        default=None, description="How it is sorted."
    )
    is_shared: bool | None = strawberry.field(
        default=None,
        description="Whether it is for all; only whoever has saved it can change that.",
    )

    def settings(self) -> saved_view.Settings:
        return saved_view.Settings(
            name=self.name,
            where=None if self.filter is None else self.filter.where(),
            order=self.order_by,
            is_shared=self.is_shared,
        )


@strawberry.type(description="The view was changed.")
class UpdateSavedViewSuccess:
    saved_view: SavedView = strawberry.field(description="The view as it is now.")


UpdateSavedViewResult = Annotated[
    UpdateSavedViewSuccess | InvalidInput | Forbidden | NotFound | Conflict,
    strawberry.union("UpdateSavedViewResult"),
]


@strawberry.input(description="A view to be taken away.")
class DeleteSavedViewInput:
    saved_view_id: strawberry.ID = strawberry.field(description="The view.")


@strawberry.type(description="The view is gone.")
class DeleteSavedViewSuccess:
    saved_view_id: strawberry.ID = strawberry.field(description="The id that it had.")


DeleteSavedViewResult = Annotated[
    DeleteSavedViewSuccess | InvalidInput | Forbidden | NotFound,
    strawberry.union("DeleteSavedViewResult"),
]


@strawberry.type
class SavedViewMutation:
    @strawberry.mutation(
        extensions=[signed_in],
        description="Save a view: up to 100 for oneself in a workspace, which everybody may, and 100 for all.",
    )
    async def create_saved_view(
        self, info: Info, input: CreateSavedViewInput
    ) -> CreateSavedViewResult:
        workspace = read_id(Kind.WORKSPACE, input.workspace_id, "workspaceId")
        async with info.context.transaction() as uow:
            created = await saved_view.create(uow, info.context.viewer, workspace, input.settings())
        return CreateSavedViewSuccess(saved_view=created)  # type: ignore[arg-type]  # rows are views

    @strawberry.mutation(
        extensions=[signed_in],
        description="Change a view that the caller has saved. A shared one needs the role ANALYST for that, and ADMIN "
        "if somebody else has saved it.",
    )
    async def update_saved_view(
        self, info: Info, input: UpdateSavedViewInput
    ) -> UpdateSavedViewResult:
        id_ = read_id(Kind.SAVED_VIEW, input.saved_view_id, "savedViewId")
        async with info.context.transaction() as uow:
            changed = await saved_view.update(uow, info.context.viewer, id_, input.settings())
        return UpdateSavedViewSuccess(saved_view=changed)  # type: ignore[arg-type]  # rows are views

    @strawberry.mutation(
        extensions=[signed_in],
        description="Take a view away; who may change it may do that.",
    )
    async def delete_saved_view(
        self, info: Info, input: DeleteSavedViewInput
    ) -> DeleteSavedViewResult:
        id_ = read_id(Kind.SAVED_VIEW, input.saved_view_id, "savedViewId")
        async with info.context.transaction() as uow:
            removed = await saved_view.remove(uow, info.context.viewer, id_)
        return DeleteSavedViewSuccess(
            saved_view_id=strawberry.ID(ids.write(Kind.SAVED_VIEW, removed.id))
        )
