"""Sources in the schema."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import strawberry

from domain import ids, source
from domain.ids import Kind
from domain.scopes import Scope
from graph.access import scoped
from graph.context import Info
from graph.errors import Forbidden, InvalidInput, NotFound
from graph.fields import batch, computed, rows
from graph.node import Node, id_field, read_id


@strawberry.enum(
    description="How feedback comes in: signed webhooks of an outside service, calls of `submitFeedback`, "
    "a form on a web page, or files."
)
class SourceKind(StrEnum):
    WEBHOOK = "WEBHOOK"
    API = "API"
    FORM = "FORM"
    IMPORT = "IMPORT"


@strawberry.enum(description="Whose webhook style a source speaks.")
class SourceProvider(StrEnum):
    STANDARD = "STANDARD"
    STRIPE = "STRIPE"
    GITHUB = "GITHUB"
    SLACK = "SLACK"
    TYPEFORM = "TYPEFORM"
    INTERCOM = "INTERCOM"
    ZENDESK = "ZENDESK"
    GENERIC = "GENERIC"


def _ingest_url(root: strawberry.Parent[source.Source], info: Info) -> str | None:
    if root.kind != SourceKind.WEBHOOK:
        return None
    return f"{info.context.services.base_url}/hooks/{ids.write(Kind.SOURCE, root.id)}"


async def _last_received_at(
    parents: Sequence[source.Source], info: Info
) -> Sequence[datetime | None]:
    async with info.context.reader() as reader:
        times = await source.last_received(
            reader, info.context.viewer, [parent.id for parent in parents]
        )
    return [times.get(parent.id) for parent in parents]


@strawberry.type(description="A place that feedback comes from.")
@rows(source.Source)
class Source(Node):
    id: strawberry.ID = id_field(Kind.SOURCE)
    name: str = strawberry.field(description="Its name, for people.")
    kind: SourceKind = strawberry.field(description="How feedback comes in.")
    provider: SourceProvider = strawberry.field(description="Whose webhook style it speaks.")
    ingest_url: str | None = computed(
        _ingest_url,
        reads=("id", "kind"),
        description="Where the outside service posts its webhooks; null for kinds that have none.",
    )
    last_received_at: datetime | None = batch(
        _last_received_at,
        reads=("id",),
        description="When it last brought something; null before the first.",
    )
    created_at: datetime = strawberry.field(description="When it was made.")


@strawberry.input(description="A new source.")
class CreateSourceInput:
    workspace_id: strawberry.ID = strawberry.field(description="The workspace it is for.")
    name: str = strawberry.field(description="Up to 200 characters.")
    kind: SourceKind = strawberry.field(
        default=SourceKind.WEBHOOK, description="How feedback comes in."
    )
    provider: SourceProvider = strawberry.field(
        default=SourceProvider.STANDARD,
        description="Whose webhook style it speaks. For now STANDARD only: Standard Webhooks.",
    )

    def command(self) -> source.CreateSource:
        return source.CreateSource(
            workspace_id=read_id(Kind.WORKSPACE, self.workspace_id, "workspaceId"),
            name=self.name,
            kind=self.kind.value,
            provider=self.provider.value,
        )


@strawberry.type(description="The source was made.")
class CreateSourceSuccess:
    source: Source = strawberry.field(description="The new source.")
    signing_secret: str | None = strawberry.field(
        description="`whsec_...`, to verify with; shown this once. Null for kinds that sign nothing."
    )


CreateSourceResult = Annotated[
    CreateSourceSuccess | InvalidInput | Forbidden | NotFound,
    strawberry.union("CreateSourceResult"),
]


@strawberry.type
class SourceMutation:
    @strawberry.mutation(
        extensions=[scoped(Scope.SOURCES_MANAGE)],
        description="Make a source. Needs the role ADMIN.",
    )
    async def create_source(self, info: Info, input: CreateSourceInput) -> CreateSourceResult:
        async with info.context.transaction() as uow:
            created = await source.create(
                uow, info.context.viewer, input.command(), info.context.services.seals
            )
        return CreateSourceSuccess(source=created.source, signing_secret=created.secret)  # type: ignore[arg-type]  # rows are sources
