"""What Earful does for itself, and when."""

from datetime import timedelta

from domain.job import Kind, Priority
from domain.schedule import Every, Missed, Plan

FORGET_THE_PAST = Kind(
    "forget_the_past", priority=Priority.BULK, timeout=timedelta(minutes=30), most_failures=5
)

PLANS = (Plan("forget the past", FORGET_THE_PAST, Every(3600), Missed.SKIP),)
"""The instance's schedules."""
