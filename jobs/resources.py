"""What the worker's tasks use."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from clients.mail import Mailer
from clients.outgoing import Outgoing
from domain.file import Rules
from domain.seals import Seals
from domain.sentiment import Scorer
from domain.viewer import Viewer
from domain.webhook import Event
from jobs.metrics import WorkMetrics
from persistence.database import Database
from persistence.objects import Objects

Render = Callable[[str | None, Event, Viewer], Awaitable[bytes]]
"""The body of a webhook: what its selection answers of an event, as that viewer may see it."""


@dataclass(frozen=True, slots=True)
class WorkerResources:
    """What one worker process has open."""

    database: Database
    scorer: Scorer
    mailer: Mailer
    mail_domain: str
    outgoing: Outgoing
    base_url: str
    clock: Callable[[], datetime]
    job_history: timedelta
    audit_history: timedelta
    seals: Seals
    render: Render
    objects: Objects
    file_rules: Rules
    metrics: WorkMetrics = field(default_factory=WorkMetrics)
