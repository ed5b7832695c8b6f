"""Every table of Earful, for migrations: importing this module fills the metadata."""

from sqlmodel import SQLModel

from persistence import account, feedback, job, outbox, schedule, source, stats, tag, workspace

METADATA = SQLModel.metadata

__all__ = [
    "METADATA",
    "account",
    "feedback",
    "job",
    "outbox",
    "schedule",
    "source",
    "stats",
    "tag",
    "workspace",
]
