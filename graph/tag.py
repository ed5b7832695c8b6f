"""Tags in the schema."""

from typing import Annotated

import strawberry

from domain import tag
from domain.ids import Kind
from domain.scopes import Scope
from graph.access import scoped
from graph.context import Info
from graph.errors import Conflict, Forbidden, InvalidInput, NotFound
from graph.fields import rows
from graph.node import Node, id_field, read_id


@strawberry.type(description="A word that people sort feedback by.")
@rows(tag.Tag)
class Tag(Node):
    id: strawberry.ID = id_field(Kind.TAG)
    name: str = strawberry.field(description="Unique in the workspace, without regard to case.")
    color: str = strawberry.field(description="`#rrggbb`.")


@strawberry.input(description="A new tag.")
class CreateTagInput:
    workspace_id: strawberry.ID = strawberry.field(description="The workspace it is for.")
    name: str = strawberry.field(description="Up to 60 characters.")
    color: str | None = strawberry.field(
        default=None, description="`#rrggbb`; grey where it is missing."
    )


@strawberry.type(description="The tag was made.")
class CreateTagSuccess:
    tag: Tag = strawberry.field(description="The new tag.")


CreateTagResult = Annotated[
    CreateTagSuccess | InvalidInput | Forbidden | NotFound | Conflict,
    strawberry.union("CreateTagResult"),
]


@strawberry.type
class TagMutation:
    @strawberry.mutation(
        extensions=[scoped(Scope.FEEDBACK_TAG)], description="Make a tag. Needs the role ANALYST."
    )
    async def create_tag(self, info: Info, input: CreateTagInput) -> CreateTagResult:
        async with info.context.transaction() as uow:
            created = await tag.create(
                uow,
                info.context.viewer,
                workspace_id=read_id(Kind.WORKSPACE, input.workspace_id, "workspaceId"),
                name=input.name,
                color=input.color,
            )
        return CreateTagSuccess(tag=created)  # type: ignore[arg-type]  # rows are tags
