"""Delivering what visitors write."""

from domain import contact
from domain.contact import DELIVER_CONTACT, Contact
from jobs.attempt import Attempt, HopelessError
from jobs.mail import deliver
from jobs.resources import WorkerResources
from jobs.runner import Task


async def _deliver_contact(resources: WorkerResources, attempt: Attempt) -> None:
    """Mail the inbox, then thank the visitor; what was sent before a failure is not sent again."""
    assert attempt.workspace_id is not None  # noqa: S101 - contact.submit gives one
    async with resources.database.reader() as reader:
        inbox = await contact.inbox(reader, attempt.workspace_id)
    if inbox is None or not inbox.addresses:
        raise HopelessError("nobody in this workspace reads its mail")
    sent = set(attempt.state.get("sent", ()))
    written = Contact(**attempt.arguments)
    for address in inbox.addresses:
        if address not in sent:
            message = contact.to_inbox(address, inbox.name, written)
            await deliver(resources, attempt, message, part=f"inbox{len(sent)}")
            sent.add(address)
            await attempt.report(len(sent) / (len(inbox.addresses) + 1), {"sent": sorted(sent)})
    try:
        await deliver(resources, attempt, contact.thanks(inbox.name, written), part="thanks")
    except HopelessError:
        # The message has arrived; that the visitor gave a wrong address is no failure of ours.
        attempt.result = {"thanked": False}
    else:
        attempt.result = {"thanked": True}


TASKS = (Task(DELIVER_CONTACT, _deliver_contact),)
