"""What the worker's tasks use."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from clients.mail import Mailer
from clients.outgoing import Outgoing
from domain.sentiment import Scorer
from persistence.database import Database


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
