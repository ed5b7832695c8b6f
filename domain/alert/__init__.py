"""Alerts: rules about a workspace's feedback, checked as it comes in, and people told when they fire."""

from domain.alert.channels import Channels, Wanted, masked
from domain.alert.checking import (
    ASK_FOR_CHECKS,
    CHECK_ALERTS,
    MATCH_ALERTS,
    ask_after,
    ask_for_checks,
    check,
    forget,
    match,
)
from domain.alert.managing import (
    CreateRule,
    PreviewRule,
    UpdateRule,
    by_ids,
    create,
    of_workspaces,
    pages,
    preview,
    remove,
    rules_by_ids,
    test_channels,
    update,
)
from domain.alert.preview import Firing, Preview
from domain.alert.rule import Comparison, Definition, Kind, Metric, QuietHours
from domain.alert.telling import NOTIFY_ALERT, Errand, Note, Prepared, note, notes, prepare
from persistence.alert import AlertRow as Alert
from persistence.alert import AlertRuleRow as AlertRule

__all__ = [
    "ASK_FOR_CHECKS",
    "CHECK_ALERTS",
    "MATCH_ALERTS",
    "NOTIFY_ALERT",
    "Alert",
    "AlertRule",
    "Channels",
    "Comparison",
    "CreateRule",
    "Definition",
    "Errand",
    "Firing",
    "Kind",
    "Metric",
    "Note",
    "Prepared",
    "Preview",
    "PreviewRule",
    "QuietHours",
    "UpdateRule",
    "Wanted",
    "ask_after",
    "ask_for_checks",
    "by_ids",
    "check",
    "create",
    "forget",
    "masked",
    "match",
    "note",
    "notes",
    "of_workspaces",
    "pages",
    "prepare",
    "preview",
    "remove",
    "rules_by_ids",
    "test_channels",
    "update",
]
