"""What Earful does for itself, and when."""

from datetime import timedelta

from domain.alert.checking import ASK_FOR_CHECKS
from domain.file import SWEEP_BUCKET, SWEEP_FILES
from domain.job import Kind, Priority
from domain.schedule import Every, Missed, Plan

FORGET_THE_PAST = Kind(
    "forget_the_past",
    priority=Priority.BULK,
    timeout=timedelta(minutes=30),
    most_failures=5,
    keep_successes=False,
)

EXPUNGE_LOGS = Kind(
    "expunge_logs", priority=Priority.BULK, timeout=timedelta(minutes=30), most_failures=5
)

PLANS = (
    Plan("forget the past", FORGET_THE_PAST, Every(3600), Missed.SKIP),
    Plan("expunge logs", EXPUNGE_LOGS, Every(86_400), Missed.SKIP),
    Plan("sweep files", SWEEP_FILES, Every(3600), Missed.SKIP),
    Plan("sweep the bucket", SWEEP_BUCKET, Every(86_400), Missed.SKIP),
    Plan("ask for alert checks", ASK_FOR_CHECKS, Every(60), Missed.SKIP),
)
"""The instance's schedules."""
