"""Files in the schema: uploads and downloads, what is attached to feedback, and pictures of people."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import strawberry

from domain import file
from domain.ids import Kind
from domain.scopes import Scope
from graph.access import scoped, signed_in
from graph.account import User
from graph.context import Info
from graph.errors import Conflict, Forbidden, InvalidInput, NotFound
from graph.feedback import Feedback
from graph.fields import batch, rows
from graph.job import Job
from graph.node import Node, id_field, read_id, read_ids
from persistence.limits import Limit

UPLOADS = Limit("create-upload", points=600, seconds=60)


@strawberry.enum(
    description="Whether a file can be used: READY; PENDING while its bytes are awaited or checked; REJECTED, and "
    "deleted, where they are not what was announced."
)
class FileStatus(StrEnum):
    PENDING = "PENDING"
    READY = "READY"
    REJECTED = "REJECTED"


async def _download_urls(parents: Sequence[file.File], info: Info) -> Sequence[str | None]:
    signer = await info.context.services.objects.signer()
    return [file.download_url(signer, parent) for parent in parents]


@strawberry.type(
    description="A file in the bucket. What is not used in time is deleted: an IMPORT after seven days, an ATTACHMENT "
    "that no feedback has and an AVATAR after one."
)
@rows(file.File)
class File(Node):
    id: strawberry.ID = id_field(Kind.FILE)
    name: str = strawberry.field(description="What the sender called it.")
    content_type: str = strawberry.field(description="Its media type.")
    size: int = strawberry.field(description="In bytes.")
    status: FileStatus = strawberry.field(description="Whether it can be used.")
    reason: str | None = strawberry.field(description="Why it was REJECTED; else null.")
    download_url: str | None = batch(
        _download_urls,
        reads=("key", "name", "content_type", "status"),
        graphql_type=str | None,
        description="A signed URL that works for five minutes and saves the file under its name. Null unless it is "
        "READY.",
    )
    created_at: datetime = strawberry.field(description="When it was announced.")


@strawberry.type(description="An HTTP header.")
class Header:
    name: str = strawberry.field(description="Its name.")
    value: str = strawberry.field(description="Its value.")


@strawberry.type(description="A piece of a large file, to be sent with PUT.")
class UploadPart:
    number: int = strawberry.field(description="1 for the first.")
    offset: int = strawberry.field(description="Where it begins in the file, in bytes.")
    size: int = strawberry.field(description="In bytes.")
    url: str = strawberry.field(description="The presigned URL.")
    headers: list[Header] = strawberry.field(description="Headers to send as they are.")


@strawberry.type(
    description="Where to send a file's bytes. S3 itself refuses another size, type or checksum than was announced, "
    "and a second upload. Browsers send Content-Length by themselves."
)
class UploadTarget:
    file: File = strawberry.field(description="The announced file.")
    method: str = strawberry.field(description="The HTTP method.")
    url: str = strawberry.field(
        description="The presigned URL; the first part's where there are parts."
    )
    headers: list[Header] = strawberry.field(description="Headers to send as they are.")
    expires_at: datetime = strawberry.field(
        description="Until when the URL works: 15 minutes, for parts six hours."
    )
    parts: list[UploadPart] | None = strawberry.field(
        description="Of a file of more than 64 MiB: send these, in any order and at the same time, each to its URL. "
        "Else null."
    )


def _headers(signed: file.Signed) -> list[Header]:
    return [Header(name=name, value=value) for name, value in signed.headers.items()]


def _part(part: file.Part) -> UploadPart:
    return UploadPart(
        number=part.number,
        offset=part.offset,
        size=part.size,
        url=part.signed.url,
        headers=_headers(part.signed),
    )


def _target(upload: file.Upload) -> UploadTarget:
    return UploadTarget(
        file=upload.file,  # type: ignore[arg-type]  # rows are files
        method="PUT",
        url=upload.signed.url,
        headers=_headers(upload.signed),
        expires_at=upload.expires_at,
        parts=None if upload.parts is None else [_part(part) for part in upload.parts],
    )


@strawberry.enum(
    description="What a file is for: an IMPORT has rows of feedback (CSV, lines of JSON, XLSX), up to 2 GiB; an "
    "ATTACHMENT goes with feedback, up to 25 MiB; an AVATAR is a picture of oneself, a JPEG, PNG or WebP up to 5 MiB."
)
class UploadPurpose(StrEnum):
    IMPORT = "IMPORT"
    ATTACHMENT = "ATTACHMENT"
    AVATAR = "AVATAR"


@strawberry.input(description="A file to send.")
class CreateUploadInput:
    workspace_id: strawberry.ID = strawberry.field(description="The workspace it is for.")
    name: str = strawberry.field(description="What to call it: up to 200 characters, no path.")
    content_type: str = strawberry.field(
        description="Its media type, without parameters; InvalidInput names those that the purpose allows."
    )
    size: int = strawberry.field(description="In bytes, exactly.")
    purpose: UploadPurpose = strawberry.field(description="What it is for.")
    sha256: str | None = strawberry.field(
        default=None, description="Its checksum, in hex or base64; other bytes are then refused."
    )

    def command(self) -> file.CreateUpload:
        return file.CreateUpload(
            workspace_id=read_id(Kind.WORKSPACE, self.workspace_id, "workspaceId"),
            name=self.name,
            content_type=self.content_type,
            size=self.size,
            purpose=file.Purpose(self.purpose.value),
            sha256=self.sha256,
        )


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


@strawberry.type(description="The file was checked, or is about to be.")
class CompleteUploadSuccess:
    file: File = strawberry.field(description="READY, or REJECTED with a reason.")
    job: Job | None = strawberry.field(
        description="Where the checksum of a large file has to be found out, what does that: the file is PENDING until "
        "then. Else null."
    )


CompleteUploadResult = Annotated[
    CompleteUploadSuccess | InvalidInput | NotFound | Conflict,
    strawberry.union("CompleteUploadResult"),
]


@strawberry.input(description="Files to attach.")
class AttachFilesInput:
    feedback_id: strawberry.ID = strawberry.field(description="The feedback.")
    file_ids: list[strawberry.ID] = strawberry.field(
        description="ATTACHMENTs that are READY, added to those it has; 20 in all at most."
    )


@strawberry.type(description="The feedback has these files too.")
class AttachFilesSuccess:
    feedback: Feedback = strawberry.field(description="The feedback.")


AttachFilesResult = Annotated[
    AttachFilesSuccess | InvalidInput | Forbidden | NotFound | Conflict,
    strawberry.union("AttachFilesResult"),
]


@strawberry.input(description="A picture of the caller.")
class SetAvatarInput:
    file_id: strawberry.ID | None = strawberry.field(
        description="An AVATAR of the caller's that is READY; null for no picture."
    )


@strawberry.type(description="The picture is made in the background, or was taken away.")
class SetAvatarSuccess:
    user: User = strawberry.field(description="The caller, with the picture as of now.")
    job: Job | None = strawberry.field(description="What makes the picture; null for none.")


SetAvatarResult = Annotated[
    SetAvatarSuccess | InvalidInput | Forbidden | NotFound, strawberry.union("SetAvatarResult")
]


@strawberry.type
class FileMutation:
    @strawberry.mutation(
        extensions=[scoped(Scope.IMPORTS_CREATE)],
        description="Announce a file and get an URL for its bytes. Needs the role ANALYST; an AVATAR needs none.",
    )
    async def create_upload(self, info: Info, input: CreateUploadInput) -> CreateUploadResult:
        context = info.context
        await context.spend(UPLOADS, context.viewer.id.hex)
        services = context.services
        upload = await file.create(
            services.database,
            services.objects,
            context.viewer,
            services.file_rules,
            input.command(),
        )
        return CreateUploadSuccess(upload=_target(upload))

    @strawberry.mutation(
        extensions=[scoped(Scope.IMPORTS_CREATE)],
        description="Check what was sent against what was announced; may be called again. Conflict while bytes are "
        "missing. For whoever announced the file.",
    )
    async def complete_upload(self, info: Info, input: CompleteUploadInput) -> CompleteUploadResult:
        services = info.context.services
        completed = await file.complete(
            services.database,
            services.objects,
            info.context.viewer,
            read_id(Kind.FILE, input.file_id, "fileId"),
        )
        return CompleteUploadSuccess(file=completed.file, job=completed.job)  # type: ignore[arg-type]  # rows are files

    @strawberry.mutation(
        extensions=[signed_in], description="Attach files to a feedback. Needs the role ANALYST."
    )
    async def attach_files(self, info: Info, input: AttachFilesInput) -> AttachFilesResult:
        async with info.context.transaction() as uow:
            attached = await file.attach(
                uow,
                info.context.viewer,
                feedback_id=read_id(Kind.FEEDBACK, input.feedback_id, "feedbackId"),
                file_ids=read_ids(Kind.FILE, input.file_ids, "fileIds") or (),
            )
        return AttachFilesSuccess(feedback=attached)  # type: ignore[arg-type]  # rows are feedback

    @strawberry.mutation(
        extensions=[signed_in],
        description="Show another picture of the caller: square, 256 by 256 pixels, without what the file says beside "
        "its pixels.",
    )
    async def set_avatar(self, info: Info, input: SetAvatarInput) -> SetAvatarResult:
        async with info.context.transaction() as uow:
            user, asked = await file.set_avatar(
                uow,
                info.context.viewer,
                None if input.file_id is None else read_id(Kind.FILE, input.file_id, "fileId"),
            )
        return SetAvatarSuccess(user=user, job=asked)  # type: ignore[arg-type]  # rows are users
