"""Mail that leaves: asked for with the rows that it is about, sent by the worker."""

from dataclasses import dataclass
from datetime import timedelta
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
class Message:
    """One message to one person; addresses are `name@host` or `Name <name@host>`."""

    to: str
    subject: str
    text: str
    html: str | None = None
    reply_to: str | None = None


async def send(uow: UnitOfWork, message: Message, *, workspace: UUID | None = None) -> Job:
    """Send it once this transaction has committed: at least once, and each time with the same Message-ID."""
    return await job.enqueue(
        uow,
        SEND_MAIL,
        workspace=workspace,
        arguments={
            "to": message.to,
            "subject": message.subject,
            "text": message.text,
            "html": message.html,
            "reply_to": message.reply_to,
        },
    )
