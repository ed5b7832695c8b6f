"""Every table of Earful, for migrations: importing this module fills the metadata."""

from sqlmodel import SQLModel

from persistence import (
    account,
    alert,
    api_key,
    feedback,
    file,
    imports,
    job,
    outbox,
    schedule,
    source,
    stats,
    tag,
    webhook,
    workspace,
)

METADATA = SQLModel.metadata

__all__ = [
    "METADATA",
    "account",
    "alert",
    "api_key",
    "feedback",
    "file",
    "imports",
    "job",
    "outbox",
    "schedule",
    "source",
    "stats",
    "tag",
    "webhook",
    "workspace",
]
