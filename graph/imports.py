"""Imports in the schema."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import strawberry

from domain import imports
from domain.ids import Kind
from domain.scopes import Scope
from graph.access import scoped, signed_in
from graph.context import Info
from graph.errors import Conflict, Forbidden, InvalidInput, NotFound
from graph.job import Job
from graph.node import read_id
from graph.scalars import JSON
from persistence.limits import Limit

IMPORTS = Limit("import", points=120, seconds=60)


@strawberry.enum(
    description="The format of a file to import. CSV is with any delimiter, so TSV too."
)
class ImportFormat(StrEnum):
    CSV = "CSV"
    NDJSON = "NDJSON"
    XLSX = "XLSX"


@strawberry.input(description="A file to import.")
class StartImportInput:
    file_id: strawberry.ID = strawberry.field(description="A READY file.")
    source_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="The source that its rows are of; the workspace's one for imports where it is missing.",
    )
    columns: JSON | None = strawberry.field(
        default=None,
        description="Maps our field names (body, rating, occurredAt, externalId, authorName, "
        "authorEmail, authorExternalId, tags, language, metadata, source) to the file's header names; null leaves a "
        "field out. Those that are missing are guessed.",
    )

    def command(self) -> imports.StartImport:
        return imports.StartImport(
            file_id=read_id(Kind.FILE, self.file_id, "fileId"),
            source_id=None
            if self.source_id is None
            else read_id(Kind.SOURCE, self.source_id, "sourceId"),
            columns=self.columns,
        )


@strawberry.type(description="The import is queued.")
class StartImportSuccess:
    job: Job = strawberry.field(
        description="Follow it with `jobUpdated`. Its `result` counts `rows`, `stored`, `duplicates` and `refused`; at "
        "its `resultUrl` is a CSV file of the refused rows."
    )


StartImportResult = Annotated[
    StartImportSuccess | InvalidInput | Forbidden | NotFound, strawberry.union("StartImportResult")
]


@strawberry.input(description="A file to look into.")
class PreviewImportInput:
    file_id: strawberry.ID = strawberry.field(description="A READY file.")
    columns: JSON | None = strawberry.field(
        default=None, description="As for `startImport`; what is missing is guessed."
    )

    def command(self) -> imports.PreviewImport:
        return imports.PreviewImport(read_id(Kind.FILE, self.file_id, "fileId"), self.columns)


@strawberry.type(description="A row as it would be stored.")
class ImportRow:
    row: int = strawberry.field(description="Its number; the first below the header is 1.")
    body: str = strawberry.field(description="What the customer wrote.")
    rating: int | None = strawberry.field(description="0 to 10.")
    occurred_at: datetime | None = strawberry.field(
        description="When; null where it would be the time of the import."
    )
    external_id: str = strawberry.field(
        description="The row's id, or one made of what it says and how many rows above it say the same."
    )
    author_name: str | None = strawberry.field(description="Who wrote it.")
    author_email: str | None = strawberry.field(description="Their address.")
    author_external_id: str | None = strawberry.field(
        description="Their id where the file is from."
    )
    tags: list[str] = strawberry.field(description="The names of its tags.")
    language: str | None = strawberry.field(description="The text's language (BCP 47).")
    metadata: JSON | None = strawberry.field(description="What else is known of it, an object.")
    source: str | None = strawberry.field(
        description="The name of its source, which is made if there is none of it; null for the import's own."
    )

    @classmethod
    def of(cls, row: imports.Row) -> "ImportRow":
        message = row.message
        author = message.author
        return cls(
            row=row.number,
            body=message.body,
            rating=message.rating,
            occurred_at=message.occurred_at,
            external_id=message.external_id or "",
            author_name=None if author is None else author.name,
            author_email=None if author is None else author.email,
            author_external_id=None if author is None else author.external_id,
            tags=list(row.tags),
            language=row.language,
            metadata=message.metadata,
            source=row.source,
        )


@strawberry.type(description="What is wrong with a row, or with the columns.")
class ImportProblem:
    row: int | None = strawberry.field(description="The row; null where it is the columns.")
    column: str = strawberry.field(
        description="The file's columns that are wrong, or, where it is the columns, our field."
    )
    reason: str = strawberry.field(description="What is wrong.")
    original: str | None = strawberry.field(description="The row as it is written, if it is one.")


@strawberry.type(description="What an import of the file would do, as its beginning shows.")
class ImportPreview:
    format: ImportFormat = strawberry.field(description="The format.")
    encoding: str | None = strawberry.field(
        description="How its characters are written, such as `utf-8`; null for XLSX."
    )
    delimiter: str | None = strawberry.field(description="What parts the fields of a CSV file.")
    columns: list[str] = strawberry.field(description="The names of its columns.")
    mapping: JSON = strawberry.field(
        description="Which column is which of our fields, in the form of `columns`."
    )
    looked_at: int = strawberry.field(description="How many rows were read: 1,000 at most.")
    refused: int = strawberry.field(description="How many of those would be refused.")
    rows: list[ImportRow] = strawberry.field(description="The first ten rows that would be stored.")
    problems: list[ImportProblem] = strawberry.field(
        description="The first ten problems; with the columns, and then there are no rows, or with rows."
    )

    @classmethod
    def of(cls, found: imports.Preview) -> "ImportPreview":
        layout = found.layout
        errors = [
            ImportProblem(row=None, column=error.path[-1], reason=error.message, original=None)
            for error in found.errors
        ]
        refusals = [
            ImportProblem(
                row=row.number, column=row.columns, reason=row.reason, original=row.original
            )
            for row in found.refusals
        ]
        return cls(
            format=ImportFormat(layout.format),
            encoding=layout.encoding,
            delimiter=layout.delimiter,
            columns=list(layout.columns),
            mapping=JSON(found.mapping),
            looked_at=found.looked_at,
            refused=found.refused,
            rows=[ImportRow.of(row) for row in found.rows],
            problems=errors or refusals,
        )


@strawberry.type(description="The file was looked into; nothing was stored.")
class PreviewImportSuccess:
    preview: ImportPreview = strawberry.field(description="What was found.")


PreviewImportResult = Annotated[
    PreviewImportSuccess | InvalidInput | Forbidden | NotFound,
    strawberry.union("PreviewImportResult"),
]


@strawberry.input(description="An import to undo.")
class UndoImportInput:
    job_id: strawberry.ID = strawberry.field(description="The job of an import that has ended.")


@strawberry.type(description="The undoing is queued.")
class UndoImportSuccess:
    job: Job = strawberry.field(
        description="Follow it with `jobUpdated`. Its `result` says how many were `deleted`."
    )


UndoImportResult = Annotated[
    UndoImportSuccess | InvalidInput | Forbidden | NotFound | Conflict,
    strawberry.union("UndoImportResult"),
]


@strawberry.type
class ImportMutation:
    @strawberry.mutation(
        extensions=[scoped(Scope.IMPORTS_CREATE)],
        description="Store the rows of a CSV, TSV, NDJSON or XLSX file as feedback; the same file again adds nothing. "
        "While it runs, asking again answers the same job. Needs the role ANALYST.",
    )
    async def start_import(self, info: Info, input: StartImportInput) -> StartImportResult:
        context = info.context
        await context.spend(IMPORTS, context.viewer.id.hex)
        services = context.services
        asked = await imports.start(
            services.database, services.objects, context.viewer, input.command()
        )
        return StartImportSuccess(job=asked)  # type: ignore[arg-type]  # rows are jobs

    @strawberry.mutation(
        extensions=[scoped(Scope.IMPORTS_CREATE)],
        description="Look into a file's beginning: how it is written, which column is what, and what would become of "
        "its first rows. Needs the role ANALYST.",
    )
    async def preview_import(self, info: Info, input: PreviewImportInput) -> PreviewImportResult:
        context = info.context
        await context.spend(IMPORTS, context.viewer.id.hex)
        services = context.services
        found = await imports.preview(
            services.database, services.objects, context.viewer, input.command(), services.clock()
        )
        return PreviewImportSuccess(preview=ImportPreview.of(found))

    @strawberry.mutation(
        extensions=[signed_in],
        description="Delete what an import has added, and the tags and sources that it made where nothing else has "
        "them. Conflict while it waits or runs. For ADMINs.",
    )
    async def undo_import(self, info: Info, input: UndoImportInput) -> UndoImportResult:
        id_ = read_id(Kind.JOB, input.job_id, "jobId")
        async with info.context.transaction() as uow:
            asked = await imports.undo(uow, info.context.viewer, id_)
        return UndoImportSuccess(job=asked)  # type: ignore[arg-type]  # rows are jobs
