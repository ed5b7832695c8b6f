"""Every kind of job that the worker does: the only list of them."""

from collections.abc import Sequence

from jobs import (
    account,
    alert,
    contact,
    export,
    feedback,
    file,
    housekeeping,
    imports,
    invitation,
    mail,
    privacy,
    rescoring,
    source,
    webhook,
)
from jobs.resources import WorkerResources
from jobs.runner import Task

TASKS: Sequence[Task[WorkerResources]] = (
    *account.TASKS,
    *alert.TASKS,
    *contact.TASKS,
    *export.TASKS,
    *feedback.TASKS,
    *file.TASKS,
    *housekeeping.TASKS,
    *imports.TASKS,
    *invitation.TASKS,
    *mail.TASKS,
    *privacy.TASKS,
    *rescoring.TASKS,
    *source.TASKS,
    *webhook.TASKS,
)
