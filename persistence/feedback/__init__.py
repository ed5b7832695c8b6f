"""Feedback: the table, and every statement on it, by use case."""

from persistence.feedback.intake import Draft, add, by_external_id, enter, lock, receive, submit
from persistence.feedback.listing import (
    ALL,
    NOTHING,
    After,
    Along,
    Filter,
    Order,
    by_ids,
    by_value,
    conditions,
    counts,
    last_received,
    matching,
    pages,
)
from persistence.feedback.row import COLUMNS, Feedback, FeedbackRow
from persistence.feedback.scoring import UnscoredRow, overdue, score, unscored

__all__ = [
    "ALL",
    "COLUMNS",
    "NOTHING",
    "After",
    "Along",
    "Draft",
    "Feedback",
    "FeedbackRow",
    "Filter",
    "Order",
    "UnscoredRow",
    "add",
    "by_external_id",
    "by_ids",
    "by_value",
    "conditions",
    "counts",
    "enter",
    "last_received",
    "lock",
    "matching",
    "overdue",
    "pages",
    "receive",
    "score",
    "submit",
    "unscored",
]
