"""Exports in the schema: feedback as a file, made in the background."""

from enum import StrEnum
from typing import Annotated

import strawberry

from domain import export
from domain.ids import Kind
from domain.scopes import Scope
from graph.access import scoped
from graph.context import Info
from graph.errors import Forbidden, InvalidInput, NotFound
from graph.feedback_filter import FeedbackFilter, where
from graph.job import Job
from graph.node import read_id
from persistence.limits import Limit

EXPORTS = Limit("start-export", points=60, seconds=600)


@strawberry.enum(
    description="What the file is: CSV, a table in UTF-8 in which nothing is a formula; NDJSON, one object a line with "
    "all that is known; PARQUET, a table of typed columns for programs; PDF, a report "
    "with totals, sentiment over time, sources, tags and quotes."
)
class ExportFormat(StrEnum):
    CSV = "CSV"
    NDJSON = "NDJSON"
    PARQUET = "PARQUET"
    PDF = "PDF"


@strawberry.input(description="What to export.")
class StartExportInput:
    workspace_id: strawberry.ID = strawberry.field(description="The workspace.")
    format: ExportFormat = strawberry.field(description="The file format.")
    filter: FeedbackFilter | None = strawberry.field(
        default=None,
        description="Which feedback; all if missing. It names at most 100 sources and tags, of the workspace.",
    )

    def command(self) -> export.StartExport:
        return export.StartExport(
            workspace_id=read_id(Kind.WORKSPACE, self.workspace_id, "workspaceId"),
            format=export.Format(self.format.value),
            where=where(self.filter),
        )


@strawberry.type(description="The export is queued.")
class StartExportSuccess:
    job: Job = strawberry.field(
        description="Follow it with `jobUpdated`; when it has SUCCEEDED, its `resultUrl` is the file's, for seven days."
    )


StartExportResult = Annotated[
    StartExportSuccess | InvalidInput | Forbidden | NotFound, strawberry.union("StartExportResult")
]


@strawberry.type
class ExportMutation:
    @strawberry.mutation(
        extensions=[scoped(Scope.EXPORTS_CREATE)],
        description="Export feedback as it is at one moment, the oldest first. Needs the role ANALYST.",
    )
    async def start_export(self, info: Info, input: StartExportInput) -> StartExportResult:
        context = info.context
        await context.spend(EXPORTS, context.viewer.id.hex)
        command = input.command()
        async with context.transaction() as uow:
            asked = await export.start(uow, context.viewer, command)
        return StartExportSuccess(job=asked)  # type: ignore[arg-type]  # rows are jobs
