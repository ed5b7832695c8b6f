"""Every table of Earful, for migrations: importing this module fills the metadata."""

from sqlmodel import SQLModel

from persistence import (
    account,
    alert,
    api_key,
    audit,
    erasure,
    export_schedule,
    feedback,
    file,
    idempotency,
    imports,
    invitation,
    job,
    outbox,
    quarantine,
    schedule,
    security,
    source,
    source_health,
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
    "audit",
    "erasure",
    "export_schedule",
    "feedback",
    "file",
    "idempotency",
    "imports",
    "invitation",
    "job",
    "outbox",
    "quarantine",
    "schedule",
    "security",
    "source",
    "source_health",
    "stats",
    "tag",
    "webhook",
    "workspace",
]
