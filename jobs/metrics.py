"""What workers and relays count of their work. Kinds of jobs are ours, so there are few of them."""

from collections.abc import Iterable
from enum import StrEnum

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.metrics_core import Metric

_SECONDS = (0.005, 0.025, 0.1, 0.5, 1, 5, 15, 60, 300, 1_800)


_BECAME = {"QUEUED": "queued", "FAILED": "quarantined", "CANCELLED": "cancelled"}


class Ended(StrEnum):
    """How an attempt ended. LOST: the job was taken away from it meanwhile."""

    SUCCEEDED = "succeeded"
    RETRIED = "retried"
    POSTPONED = "postponed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"


class Arrived(StrEnum):
    """What became of something that was sent to somebody."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    UNSENT = "unsent"


class WorkMetrics:
    """Of one worker."""

    def __init__(self) -> None:
        self.attempts = Histogram(
            "earful_job_attempt_seconds",
            "How long attempts at jobs took, by kind and by how they ended.",
            ["kind", "outcome"],
            buckets=_SECONDS,
            registry=None,
        )
        self.running = Gauge(
            "earful_job_attempts_running", "Attempts under way in this process.", registry=None
        )
        self.mails = Counter(
            "earful_mails", "Mails handed to the mail server.", ["outcome"], registry=None
        )
        self.webhooks = Counter(
            "earful_webhook_attempts", "Posts to webhooks.", ["outcome"], registry=None
        )

        self.webhook_seconds = Histogram(
            "earful_webhook_seconds",
            "How long posts to webhooks took that were answered, or were given up.",
            buckets=_SECONDS,
            registry=None,
        )

    def collect(self) -> Iterable[Metric]:
        for each in (
            self.attempts,
            self.running,
            self.mails,
            self.webhooks,
            self.webhook_seconds,
        ):
            yield from each.collect()


class RelayMetrics:
    """Of one relay."""

    def __init__(self) -> None:
        self.leading = Gauge(
            "earful_relay_leading",
            "Whether this relay leads: 1 for one of all.",
            registry=None,
        )
        self.delivered = Counter(
            "earful_relay_events",
            "Events of the outbox that this relay has delivered.",
            registry=None,
        )
        self.waited = Histogram(
            "earful_relay_event_seconds",
            "From when an event was written until it was delivered.",
            buckets=_SECONDS,
            registry=None,
        )
        self.passed_over = Counter(
            "earful_relay_passed_over",
            "Events of which something that should have followed did not, for our mistake.",
            registry=None,
        )
        self.taken_back = Counter(
            "earful_jobs_taken_back",
            "Jobs taken back from dead workers, by kind and by what became of them.",
            ["kind", "outcome"],
            registry=None,
        )

    def took_back(self, kind: str, status: str) -> None:
        """A job of this kind was taken back, and has this status now."""
        self.taken_back.labels(kind, _BECAME[status]).inc()

    def collect(self) -> Iterable[Metric]:
        for each in (
            self.leading,
            self.delivered,
            self.waited,
            self.passed_over,
            self.taken_back,
        ):
            yield from each.collect()
