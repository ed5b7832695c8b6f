"""Alerts: their rules, what these go by, and what they have raised."""

from persistence.alert import counting, keeping, raising
from persistence.alert.counting import Moment, QuoteRow, SumsRow, Window
from persistence.alert.raising import Key
from persistence.alert.row import Alert, AlertRow, AlertRule, AlertRuleRow, SecretRow

__all__ = [
    "Alert",
    "AlertRow",
    "AlertRule",
    "AlertRuleRow",
    "Key",
    "Moment",
    "QuoteRow",
    "SecretRow",
    "SumsRow",
    "Window",
    "counting",
    "keeping",
    "raising",
]
