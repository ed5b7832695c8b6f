"""Every kind of job that the worker does: the only list of them."""

from collections.abc import Sequence

from jobs import account, alert, contact, export, file, housekeeping, imports, mail, webhook
from jobs.resources import WorkerResources
from jobs.runner import Task

TASKS: Sequence[Task[WorkerResources]] = (
    *account.TASKS,
    *alert.TASKS,
    *contact.TASKS,
    *export.TASKS,
    *file.TASKS,
    *housekeeping.TASKS,
    *imports.TASKS,
    *mail.TASKS,
    *webhook.TASKS,
)
