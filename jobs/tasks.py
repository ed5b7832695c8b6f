"""Every kind of job that the worker does: the only list of them."""

from collections.abc import Sequence

from jobs import contact, housekeeping, mail
from jobs.resources import WorkerResources
from jobs.runner import Task

TASKS: Sequence[Task[WorkerResources]] = (*contact.TASKS, *housekeeping.TASKS, *mail.TASKS)
