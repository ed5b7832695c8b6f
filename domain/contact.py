"""The public contact form: what a visitor writes reaches the workspace's inbox, and the visitor is thanked."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from domain import job
from domain.checks import Checks
from domain.errors import NotFoundError
from domain.job import Job, Kind, Priority
from domain.letters import Quote, letter
from domain.mail import Message
from persistence import workspace as store
from persistence.database import Reader, UnitOfWork

LONGEST_MESSAGE = 10_000
DELIVER_CONTACT = Kind(
    "deliver_contact",
    priority=Priority.HIGH,
    timeout=timedelta(minutes=3),
    most_failures=60,
    first_pause=timedelta(seconds=2),
    longest_pause=timedelta(hours=2),
)


@dataclass(frozen=True, slots=True)
class Contact:
    """What a visitor wrote."""

    name: str
    email: str
    message: str


async def submit(uow: UnitOfWork, workspace_slug: str, contact: Contact) -> Job:
    """Ask for a visitor's message to be delivered; whoever knows the job's id may follow it."""
    checks = Checks()
    checks.line(contact.name, "name", longest=200, required=True)
    checks.email(contact.email, "email", required=True)
    checks.text(contact.message, "message", longest=LONGEST_MESSAGE, required=True)
    checks.done()
    workspace = await store.enter_by_slug(uow, workspace_slug)
    if workspace is None:
        raise NotFoundError("There is no such workspace.")
    return await job.enqueue(
        uow,
        DELIVER_CONTACT,
        workspace=workspace,
        arguments={"name": contact.name, "email": contact.email, "message": contact.message},
        open=True,
    )


async def inbox(reader: Reader, workspace: UUID) -> store.InboxRow | None:
    """The workspace's name and the addresses that its visitors reach: its own or, without one, its owners'."""
    return await store.inbox(reader, workspace)


def to_inbox(address: str, workspace_name: str, contact: Contact) -> Message:
    """What the workspace reads; its answer goes to the visitor."""
    return letter(
        address,
        f"{contact.name} wrote to {workspace_name}",
        [
            f"{contact.name} ({contact.email}) wrote through the contact form of {workspace_name}:",
            Quote(contact.message),
            f"Your answer to this mail goes to {contact.email}.",
        ],
        reply_to=contact.email,
    )


def thanks(workspace_name: str, contact: Contact) -> Message:
    """What the visitor reads. Nothing of what was written is in it: anybody can have it sent to anybody."""
    return letter(
        contact.email,
        f"Thank you for writing to {workspace_name}",
        [
            f"Thank you for writing to {workspace_name}. Your message has arrived, and somebody will read it.",
            "If you did not write to us, somebody gave your address by mistake. There is nothing to do.",
        ],
    )
