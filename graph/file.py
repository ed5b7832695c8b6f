"""Files in the schema: uploads, imports and exports. Not yet available."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import strawberry

from graph import unavailable
from graph.access import signed_in
from graph.errors import Conflict, Forbidden, InvalidInput, NotFound
from graph.feedback import FeedbackFilter
from graph.job import Job
from graph.node import Node
from graph.scalars import JSON


@strawberry.enum(description="Whether a file can be used.")
class FileStatus(StrEnum):
    PENDING = "PENDING"
    READY = "READY"
    REJECTED = "REJECTED"


@strawberry.type(description="A file in the bucket.")
class File(Node):
    name: str = strawberry.field(description="What the sender called it.")
    content_type: str = strawberry.field(description="Its media type.")
    size: int = strawberry.field(description="In bytes.")
    status: FileStatus = strawberry.field(description="Whether it can be used.")
    download_url: str | None = strawberry.field(description="A short-lived signed URL.")
    created_at: datetime = strawberry.field(description="When it was announced.")


@strawberry.type(description="An HTTP header.")
class Header:
    name: str = strawberry.field(description="Its name.")
    value: str = strawberry.field(description="Its value.")


@strawberry.type(description="Where to send a file's bytes.")
class UploadTarget:
    file: File = strawberry.field(description="The announced file.")
    method: str = strawberry.field(description="The HTTP method.")
    url: str = strawberry.field(description="The presigned URL.")
    headers: list[Header] = strawberry.field(description="Headers to send as they are.")
    expires_at: datetime = strawberry.field(description="Until when the URL works.")


@strawberry.enum(description="What a file is for.")
class UploadPurpose(StrEnum):
    IMPORT = "IMPORT"
    ATTACHMENT = "ATTACHMENT"
    AVATAR = "AVATAR"


@strawberry.input(description="A file to send.")
class CreateUploadInput:
    workspace_id: strawberry.ID = strawberry.field(description="The workspace it is for.")
    name: str = strawberry.field(description="What to call it.")
    content_type: str = strawberry.field(description="Its media type.")
    size: int = strawberry.field(description="In bytes.")
    purpose: UploadPurpose = strawberry.field(description="What it is for.")
    sha256: str | None = strawberry.field(default=None, description="Its checksum, in hex.")


@strawberry.type(description="Send the bytes there, then call `completeUpload`.")
class CreateUploadSuccess:
    upload: UploadTarget = strawberry.field(description="Where to.")


CreateUploadResult = Annotated[
    CreateUploadSuccess | InvalidInput | Forbidden | NotFound,
    strawberry.union("CreateUploadResult"),
]


@strawberry.input(description="A file whose bytes were sent.")
class CompleteUploadInput:
    file_id: strawberry.ID = strawberry.field(description="The file.")


@strawberry.type(description="The file was checked.")
class CompleteUploadSuccess:
    file: File = strawberry.field(description="The file.")


CompleteUploadResult = Annotated[
    CompleteUploadSuccess | InvalidInput | NotFound | Conflict,
    strawberry.union("CompleteUploadResult"),
]


@strawberry.input(description="A file to import.")
class StartImportInput:
    file_id: strawberry.ID = strawberry.field(description="A READY file.")
    source_id: strawberry.ID | None = strawberry.field(
        default=None, description="The source that its rows are of; a new one where it is missing."
    )
    columns: JSON | None = strawberry.field(
        default=None,
        description="Maps our field names (body, rating, occurredAt, externalId, authorName, "
        "authorEmail, tags) to the file's header names.",
    )


@strawberry.type(description="The import is queued.")
class StartImportSuccess:
    job: Job = strawberry.field(description="Follow it with `jobUpdated`.")


StartImportResult = Annotated[
    StartImportSuccess | InvalidInput | Forbidden | NotFound, strawberry.union("StartImportResult")
]


@strawberry.enum(description="A file format.")
class ExportFormat(StrEnum):
    CSV = "CSV"
    NDJSON = "NDJSON"
    PDF = "PDF"


@strawberry.input(description="What to export.")
class StartExportInput:
    workspace_id: strawberry.ID = strawberry.field(description="The workspace.")
    format: ExportFormat = strawberry.field(description="The file format.")
    filter: FeedbackFilter | None = strawberry.field(default=None, description="All if missing.")


@strawberry.type(description="The export is queued.")
class StartExportSuccess:
    job: Job = strawberry.field(description="Follow it with `jobUpdated`.")


StartExportResult = Annotated[
    StartExportSuccess | InvalidInput | Forbidden | NotFound, strawberry.union("StartExportResult")
]


@strawberry.type
class FileMutation:
    @strawberry.mutation(extensions=[signed_in], description="Announce a file. Not yet available.")
    def create_upload(self, input: CreateUploadInput) -> CreateUploadResult:  # noqa: ARG002
        unavailable.refuse("createUpload")

    @strawberry.mutation(extensions=[signed_in], description="Check a file. Not yet available.")
    def complete_upload(self, input: CompleteUploadInput) -> CompleteUploadResult:  # noqa: ARG002
        unavailable.refuse("completeUpload")

    @strawberry.mutation(extensions=[signed_in], description="Import a file. Not yet available.")
    def start_import(self, input: StartImportInput) -> StartImportResult:  # noqa: ARG002
        unavailable.refuse("startImport")

    @strawberry.mutation(extensions=[signed_in], description="Export feedback. Not yet available.")
    def start_export(self, input: StartExportInput) -> StartExportResult:  # noqa: ARG002
        unavailable.refuse("startExport")
