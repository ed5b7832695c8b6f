"""What messages about alerts say: as mail, to Slack, and to machines."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import orjson

from domain import ids, letters
from domain.alert.rule import Comparison, Definition, Kind, Metric
from domain.letters import Link, Quote
from domain.mail import Message
from domain.stats import zone
from persistence.alert import AlertRow, AlertRuleRow, QuoteRow

_LONGEST_QUOTE = 300
_DIRECTION = {Comparison.AT_LEAST: "or more", Comparison.AT_MOST: "or less"}
_METRIC = {
    Metric.COUNT: "number of messages",
    Metric.SHARE: "share",
    Metric.SCORE: "average score",
    Metric.RATING: "average rating",
}


@dataclass(frozen=True, slots=True)
class Telling:
    """What is told: that an alert FIRED, was RESOLVED, or, without an alert, that this is a TEST."""

    event: str
    workspace: str
    rule: AlertRuleRow
    alert: AlertRow | None
    quotes: Sequence[QuoteRow]
    now: datetime

    @property
    def title(self) -> str:
        """One line."""
        if self.alert is None:
            return f"Test: {self.rule.name}"
        return f"{'Resolved' if self.event == 'RESOLVED' else 'Alert'}: {self.alert.name}"

    def lines(self) -> list[str]:
        """What has happened, in sentences."""
        if self.alert is None:
            return [
                f"This is a test of the alert rule “{self.rule.name}” of {self.workspace}.",
                "Nothing has happened; alerts of this rule will come here.",
            ]
        alert = self.alert
        definition = Definition.from_json(alert.query)
        said = [f"{self.workspace}: {sentence(alert, definition)}"]
        if definition.kind not in (Kind.MATCH, Kind.SILENCE):
            start, end = (
                _clock(moment, definition) for moment in (alert.window_start, alert.window_end)
            )
            said.append(f"Counted from {start} to {end} ({definition.time_zone}).")
        said.append(f"Fired at {_clock(alert.fired_at, definition)} ({definition.time_zone}).")
        if alert.resolved_at is not None and definition.kind is not Kind.MATCH:
            said.append(f"Resolved at {_clock(alert.resolved_at, definition)}.")
        return said

    def bodies(self) -> list[str]:
        """What people wrote, each cut short where it is long."""
        return [_cut(quote.body) for quote in self.quotes]

    def mail(self, to: str, link: str) -> Message:
        return letters.letter(
            to,
            self.title,
            [*self.lines(), *map(Quote, self.bodies()), Link("Open Earful", link)],
        )

    def slack(self, link: str) -> bytes:
        """The body for a Slack-compatible incoming webhook."""
        lines = [f"*{_escaped(self.title)}*", *map(_escaped, self.lines())]
        for body in self.bodies():
            lines += [f"> {_escaped(line)}" for line in body.splitlines()]
        lines.append(f"<{link}|Open Earful>")
        return orjson.dumps({"text": "\n".join(lines)})

    def webhook(self, link: str) -> bytes:
        """The body for machines: the same facts, by name."""
        return orjson.dumps(
            {
                "type": f"alert.{self.event.lower()}",
                "timestamp": self.now,
                "data": {
                    "workspace_id": ids.write(ids.Kind.WORKSPACE, self.rule.workspace_id),
                    "rule": {"id": _rule_gid(self.rule.id), "name": self.rule.name},
                    "alert": None if self.alert is None else _facts(self.alert),
                    "feedback": [
                        {
                            "id": ids.write(ids.Kind.FEEDBACK, quote.id),
                            "body": quote.body,
                            "occurred_at": quote.occurred_at,
                        }
                        for quote in self.quotes
                    ],
                    "text": " ".join(self.lines()),
                    "link": link,
                },
            }
        )


def sentence(alert: AlertRow, definition: Definition) -> str:
    """What the rule saw, and what it goes by."""
    span = _span(definition.window_minutes)
    value = 0.0 if alert.value is None else alert.value
    limit = 0.0 if alert.threshold is None else alert.threshold
    direction = _DIRECTION[definition.comparison]
    match definition.kind:
        case Kind.MATCH:
            return "somebody wrote what this rule looks for."
        case Kind.SILENCE:
            usual = (
                ""
                if alert.baseline is None
                else f"; its longest usual pause is {_span(round(alert.baseline))}"
            )
            return (
                f"the source has been silent for {_span(round(value))}"
                f" (alert after {_span(round(limit))}{usual})."
            )
        case Kind.CHANGE:
            assert definition.metric is not None  # noqa: S101 - it was checked when it was saved
            baseline = 0.0 if alert.baseline is None else alert.baseline
            verb = "rose" if definition.comparison is Comparison.AT_LEAST else "fell"
            return (
                f"the {_METRIC[definition.metric]} within {span} {verb} to {_unit(value, definition)}"
                f" from {_unit(baseline, definition)}, the mean of this weekday and time in the"
                f" {definition.baseline_weeks} weeks before (alert at {limit:g} %)."
            )
        case Kind.SHARE:
            labels = " or ".join(label.lower() for label in definition.share_of)
            return (
                f"{_unit(value, definition)} of what was scored within {span} is {labels}"
                f" (alert at {_unit(limit, definition)} {direction})."
            )
        case _:
            assert definition.metric is not None  # noqa: S101 - it was checked when it was saved
            return (
                f"the {_METRIC[definition.metric]} within {span} is {_unit(value, definition)}"
                f" (alert at {_unit(limit, definition)} {direction})."
            )


def _unit(value: float, definition: Definition) -> str:
    if definition.metric is Metric.SHARE:
        return f"{value:.3g} %"
    return (
        f"{value:.0f}"
        if definition.metric is Metric.COUNT and value == int(value)
        else f"{value:.3g}"
    )


def _span(minutes: int) -> str:
    """A time in words: 90 minutes, 2 hours, 7 days."""
    for size, name in ((1_440, "day"), (60, "hour"), (1, "minute")):
        if minutes % size == 0 and minutes:
            number = minutes // size
            return f"{number} {name}{'' if number == 1 else 's'}"
    return "0 minutes"


def _clock(moment: datetime, definition: Definition) -> str:
    return f"{moment.astimezone(zone(definition.time_zone)):%Y-%m-%d %H:%M}"


def _cut(body: str) -> str:
    body = body.strip()
    return body if len(body) <= _LONGEST_QUOTE else body[: _LONGEST_QUOTE - 1].rstrip() + "…"


def _escaped(text: str) -> str:
    """As Slack asks for it: no text can become a link, a mention or a call to everybody."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _rule_gid(rule: UUID) -> str:
    return ids.write(ids.Kind.ALERT_RULE, rule)


def _facts(alert: AlertRow) -> dict[str, object]:
    return {
        "id": ids.write(ids.Kind.ALERT, alert.id),
        "name": alert.name,
        "kind": alert.kind,
        "state": alert.state,
        "value": alert.value,
        "threshold": alert.threshold,
        "baseline": alert.baseline,
        "window": {"start": alert.window_start, "end": alert.window_end},
        "fired_at": alert.fired_at,
        "resolved_at": alert.resolved_at,
    }
