"""Alerts in the schema, by use case."""

from graph.alert.alert import Alert, AlertConnection, alerts_of_workspaces
from graph.alert.changing import AlertMutation
from graph.alert.events import AlertSubscription
from graph.alert.rule import AlertRule

__all__ = [
    "Alert",
    "AlertConnection",
    "AlertMutation",
    "AlertRule",
    "AlertSubscription",
    "alerts_of_workspaces",
]
