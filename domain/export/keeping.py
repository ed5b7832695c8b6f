"""The file that an export has become."""

import secrets
from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from domain.errors import ConflictError
from domain.export.asking import Format, Wanted
from domain.file import File, Purpose, Rules
from domain.file.uploading import FILES
from domain.workspace import Workspace
from persistence import file as store
from persistence.database import UnitOfWork, new_id

KEPT = timedelta(days=7)
CONTENT_TYPES: Mapping[Format, str] = {
    Format.CSV: "text/csv",
    Format.NDJSON: "application/x-ndjson",
    Format.PARQUET: "application/vnd.apache.parquet",
    Format.PDF: "application/pdf",
}


def place(workspace_id: UUID) -> str:
    """A key in the bucket that no other object has, and nobody can guess."""
    return f"{FILES}{workspace_id.hex}/{new_id().hex}-{secrets.token_hex(16)}"


async def keep(
    uow: UnitOfWork,
    wanted: Wanted,
    workspace: Workspace,
    rules: Rules,
    *,
    key: str,
    size: int,
    created_by: UUID | None,
) -> File:
    """The file's row, for what lies at `key`. It takes room like any other; ConflictError where there is not enough."""
    name = f"{workspace.slug}-feedback-{uow.now:%Y-%m-%d}.{wanted.format.lower()}"
    row = await store.add(
        uow,
        workspace=workspace.id,
        quota=rules.quota,
        id=new_id(),
        name=name,
        content_type=CONTENT_TYPES[wanted.format],
        size=size,
        sha256=None,
        purpose=Purpose.EXPORT,
        key=key,
        upload=None,
        created_by=created_by,
        expires_at=uow.now + KEPT,
    )
    if row is None:
        raise ConflictError(f"The workspace's files leave no room for {size:,} bytes.")
    ready = await store.settle(
        uow, workspace.id, row.id, status="READY", reason=None, expires_at=uow.now + KEPT
    )
    assert ready is not None  # noqa: S101 - nobody else knows of it yet
    return ready
