"""Letters of invitation."""

from domain import invitation
from domain.invitation import INVITATION_MAIL
from jobs.attempt import Attempt
from jobs.mail import deliver
from jobs.resources import WorkerResources
from jobs.runner import Task


async def _mail(resources: WorkerResources, attempt: Attempt) -> None:
    """Compose and send; when it has to be sent again it holds another link, and the one before works too."""
    assert attempt.workspace_id is not None  # noqa: S101 - invitation.invite gives one
    async with attempt.step() as uow:
        message = await invitation.compose(
            uow, attempt.workspace_id, attempt.arguments, base_url=resources.base_url
        )
    if message is not None:
        await deliver(resources, attempt, message)


TASKS = (Task(INVITATION_MAIL, _mail),)
