"""What is known of an author in the schema: handed out, and erased."""

from datetime import datetime
from typing import Annotated

import strawberry

from domain import ids, privacy
from domain.ids import Kind
from graph.access import signed_in
from graph.context import Info
from graph.errors import Conflict, Forbidden, InvalidInput, NotFound
from graph.fields import column, rows
from graph.job import Job
from graph.node import Node, id_field, read_id
from persistence.limits import Limit

REQUESTS = Limit("privacy", points=60, seconds=600)

ErasureMode = strawberry.enum(
    privacy.Mode,
    name="ErasureMode",
    description="ERASE: the author's feedback goes. ANONYMISE: it stays and is counted, and is nobody's.",
)


@strawberry.type(
    description="That an author was erased or made nobody's. It does not say who it was: compare `identifierHash`."
)
@rows(privacy.Receipt)
class ErasureReceipt(Node):
    id: strawberry.ID = id_field(Kind.ERASURE)
    at: datetime = strawberry.field(description="When all of it was done.")
    mode: privacy.Mode = column(
        "mode", privacy.Mode, graphql_type=ErasureMode, description="What was done."
    )
    identified_by: str = strawberry.field(
        description="What the author was known by: EMAIL or EXTERNAL_ID."
    )
    identifier_hash: str = strawberry.field(
        description="The same for the same author of this workspace, and of no use to anybody without SECRET_KEY."
    )
    erased_by_id: strawberry.ID | None = column(
        "erased_by",
        ids.writer(Kind.USER),
        graphql_type=strawberry.ID | None,
        description="The id of the user who asked for it, even when they are gone.",
    )
    erased_by_name: str = strawberry.field(description="What they were called then.")
    feedback_count: int = column(
        "feedback", int, graphql_type=int, description="How much feedback it was."
    )
    file_count: int = column(
        "files",
        int,
        graphql_type=int,
        description="How many files were taken away: attachments, imports and exports.",
    )
    log_entry_count: int = column(
        "log_entries",
        int,
        graphql_type=int,
        description="How many entries of other logs: what was sent to webhooks, refused rows, ended jobs.",
    )


@strawberry.input(description="Whose data to hand out: by `email` or by `externalId`.")
class ExportAuthorDataInput:
    workspace_id: strawberry.ID = strawberry.field(description="The workspace.")
    email: str | None = strawberry.field(
        default=None, description="The author's address, in any case."
    )
    external_id: str | None = strawberry.field(
        default=None, description="The author's id where the feedback is from, exactly."
    )


@strawberry.type(description="The file is being made.")
class ExportAuthorDataSuccess:
    job: Job = strawberry.field(
        description="When it has SUCCEEDED, its `resultUrl` is a ZIP of the author's feedback, a JSON object a line, "
        "and its attachments; for seven days."
    )


ExportAuthorDataResult = Annotated[
    ExportAuthorDataSuccess | InvalidInput | Forbidden | NotFound | Conflict,
    strawberry.union("ExportAuthorDataResult"),
]


@strawberry.input(description="Whom to erase: by `email` or by `externalId`.")
class EraseAuthorInput:
    workspace_id: strawberry.ID = strawberry.field(description="The workspace.")
    mode: privacy.Mode = strawberry.field(description="What becomes of the feedback.")
    email: str | None = strawberry.field(
        default=None, description="The author's address, in any case."
    )
    external_id: str | None = strawberry.field(
        default=None, description="The author's id where the feedback is from, exactly."
    )


@strawberry.type(description="It is being done, and cannot be undone.")
class EraseAuthorSuccess:
    job: Job = strawberry.field(
        description="When it has SUCCEEDED, `Workspace.erasures` has the receipt that its `result` names."
    )


EraseAuthorResult = Annotated[
    EraseAuthorSuccess | InvalidInput | Forbidden | NotFound | Conflict,
    strawberry.union("EraseAuthorResult"),
]


@strawberry.type
class PrivacyMutation:
    @strawberry.mutation(
        extensions=[signed_in],
        description="Hand out all that is known of an author: feedback, tags, attachments, where it was sent on to. "
        "Needs the role ADMIN.",
    )
    async def export_author_data(
        self, info: Info, input: ExportAuthorDataInput
    ) -> ExportAuthorDataResult:
        context = info.context
        await context.spend(REQUESTS, context.viewer.id.hex)
        workspace = read_id(Kind.WORKSPACE, input.workspace_id, "workspaceId")
        who = privacy.author(email=input.email, external_id=input.external_id)
        async with context.transaction() as uow:
            asked = await privacy.ask_for_export(
                uow, context.viewer, workspace, who, context.services.seals
            )
        return ExportAuthorDataSuccess(job=asked)  # type: ignore[arg-type]  # rows are jobs

    @strawberry.mutation(
        extensions=[signed_in],
        description="Erase an author, or make their feedback nobody's, for good: rows, attachments, files of imports "
        "and exports, logs of webhooks. Needs the role ADMIN.",
    )
    async def erase_author(self, info: Info, input: EraseAuthorInput) -> EraseAuthorResult:
        context = info.context
        await context.spend(REQUESTS, context.viewer.id.hex)
        workspace = read_id(Kind.WORKSPACE, input.workspace_id, "workspaceId")
        who = privacy.author(email=input.email, external_id=input.external_id)
        async with context.transaction() as uow:
            asked = await privacy.ask_for_erasure(
                uow,
                context.viewer,
                workspace,
                who,
                input.mode,
                context.services.seals,
            )
        return EraseAuthorSuccess(job=asked)  # type: ignore[arg-type]  # rows are jobs
