"""The words of alerts in the schema: what rules look at, how alerts stand, how people are told."""

from enum import StrEnum

import strawberry

from domain import alert

AlertKind = strawberry.enum(
    alert.Kind,
    name="AlertKind",
    description="What a rule looks at: COUNT how much was said in a window, SHARE how much of what was scored has "
    "certain sentiments, AVERAGE the mean score or rating, CHANGE any of these against the same weekday and time in "
    "the weeks before, SILENCE a source that brings nothing, MATCH every single feedback.",
)
AlertMetric = strawberry.enum(
    alert.Metric,
    name="AlertMetric",
    description="The number of a window: how much was said, a share in percent, the mean score (-1 to 1), "
    "the mean rating.",
)
AlertComparison = strawberry.enum(
    alert.Comparison,
    name="AlertComparison",
    description="On which side of the threshold a rule fires, the threshold itself included. For CHANGE: AT_LEAST is "
    "a rise, AT_MOST a fall.",
)


@strawberry.enum(description="How somebody is told of an alert.")
class AlertChannel(StrEnum):
    MAIL = "MAIL"
    WEBHOOK = "WEBHOOK"
    SLACK = "SLACK"


@strawberry.enum(description="Whether what was noticed still holds.")
class AlertState(StrEnum):
    FIRING = "FIRING"
    RESOLVED = "RESOLVED"


@strawberry.enum(description="What became of a message about an alert.")
class AlertMessageStatus(StrEnum):
    WAITING = "WAITING"
    SENT = "SENT"
    FAILED = "FAILED"


@strawberry.enum(description="What happened to an alert.")
class AlertEventType(StrEnum):
    FIRED = "FIRED"
    RESOLVED = "RESOLVED"
