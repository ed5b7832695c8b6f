"""Mail about accounts, and taking away the workspaces that nobody is left in."""

from uuid import UUID

from domain import account
from jobs.attempt import Attempt
from jobs.mail import deliver
from jobs.resources import WorkerResources
from jobs.runner import Task


async def _mail(resources: WorkerResources, attempt: Attempt) -> None:
    """Compose and send; when it has to be sent again it holds another link, and the one before works too."""
    async with attempt.step() as uow:
        message = await account.compose(uow, attempt.arguments, base_url=resources.base_url)
    if message is not None:
        await deliver(resources, attempt, message)


async def _delete_workspace(_: WorkerResources, attempt: Attempt) -> None:
    """In parts, so that no transaction takes long."""
    is_done = False
    while not is_done:
        async with attempt.step() as uow:
            is_done = await account.delete_some(uow, UUID(hex=attempt.arguments["workspace"]))


TASKS = (Task(account.ACCOUNT_MAIL, _mail), Task(account.DELETE_WORKSPACE, _delete_workspace))
