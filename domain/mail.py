"""Mail that leaves: asked for with the rows that it is about, sent by the worker."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from domain import job
from domain.job import Job, Kind, Priority
from persistence.database import UnitOfWork

SEND_MAIL = Kind(
    "send_mail",
    priority=Priority.HIGH,
    most_failures=30,
    first_pause=timedelta(seconds=2),
    longest_pause=timedelta(hours=1),
)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of ours that goes with a message, if it is still there when that is sent."""

    key: str
    name: str
    content_type: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one person; addresses are `name@host` or `Name <name@host>`."""

    to: str
    subject: str
    text: str
    html: str | None = None
    reply_to: str | None = None
    attachment: Attachment | None = None

    @classmethod
    def of(cls, arguments: Mapping[str, Any]) -> "Message":
        """The message that a job was asked to send."""
        attached = arguments.get("attachment")
        return cls(**{**arguments, "attachment": attached and Attachment(**attached)})


async def send(uow: UnitOfWork, message: Message, *, workspace: UUID | None = None) -> Job:
    """Send it once this transaction has committed: at least once, and each time with the same Message-ID."""
    return await job.enqueue(
        uow,
        SEND_MAIL,
        workspace=workspace,
        arguments=asdict(message),
    )
