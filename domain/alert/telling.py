"""Telling people of alerts: which messages are asked for, what they say, and what became of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from domain import job
from domain.alert.channels import Channels, Urls
from domain.alert.rule import Definition, quiet_until
from domain.alert.wording import Telling
from domain.job import Job, Priority
from domain.seals import Seals
from persistence.alert import AlertRow, AlertRuleRow, QuoteRow, counting, keeping, raising
from persistence.database import Reader, UnitOfWork

FIRED, RESOLVED, TEST = "FIRED", "RESOLVED", "TEST"
MAIL, WEBHOOK, SLACK = "MAIL", "WEBHOOK", "SLACK"
WAITING, SENT, FAILED = "WAITING", "SENT", "FAILED"

NOTIFY_ALERT = job.Kind(
    "notify_alert",
    priority=Priority.HIGH,
    most_failures=15,
    first_pause=timedelta(seconds=2),
    longest_pause=timedelta(hours=1),
)


@dataclass(frozen=True, slots=True)
class Errand:
    """One message to be sent: of which event, by which channel, to whom. Without an alert it is a test."""

    rule_id: UUID
    alert_id: UUID | None
    event: str
    channel: str
    user_id: UUID | None = None

    @property
    def key(self) -> str:
        """What it is kept under, with its alert."""
        user = "" if self.user_id is None else f" {self.user_id.hex}"
        return f"{self.event} {self.channel}{user}"

    def arguments(self) -> dict[str, Any]:
        return {
            "rule": self.rule_id.hex,
            "alert": None if self.alert_id is None else self.alert_id.hex,
            "event": self.event,
            "channel": self.channel,
            "user": None if self.user_id is None else self.user_id.hex,
        }

    @classmethod
    def of(cls, arguments: Mapping[str, Any]) -> "Errand":
        alert, user = arguments["alert"], arguments["user"]
        return cls(
            UUID(hex=arguments["rule"]),
            None if alert is None else UUID(hex=alert),
            arguments["event"],
            arguments["channel"],
            None if user is None else UUID(hex=user),
        )


@dataclass(frozen=True, slots=True)
class Prepared:
    """All that a message needs: where it goes, an address or a URL, and what it says."""

    to: str
    telling: Telling


async def ask(
    uow: UnitOfWork, rule: AlertRuleRow, definition: Definition, alert: AlertRow, event: str
) -> None:
    """Ask for the messages about what has just happened to an alert; in quiet hours for when they are over.

    Who has not heard yet that it fired will hear of both at once.
    """
    if event == RESOLVED:
        told_at = quiet_until(definition, alert.fired_at)
        if told_at is not None and told_at > uow.now:
            return
    at = quiet_until(definition, uow.now)
    asked = await _errands(uow, rule, alert.id, event)
    for errand, _ in asked:
        await _enqueue(uow, rule, errand, at)
    notes = {errand.key: _noted(errand, to, WAITING, at or uow.now, None) for errand, to in asked}
    if notes:
        await raising.note(uow, rule.workspace_id, alert.id, orjson.dumps(notes).decode())


async def ask_for_test(uow: UnitOfWork, rule: AlertRuleRow, created_by: UUID) -> list[Job]:
    """Ask for a test message by each channel, whatever the hour."""
    return [
        await _enqueue(uow, rule, errand, None, created_by)
        for errand, _ in await _errands(uow, rule, None, TEST)
    ]


async def _errands(
    uow: UnitOfWork, rule: AlertRuleRow, alert: UUID | None, event: str
) -> list[tuple[Errand, str]]:
    """The messages to send, and how their receivers are shown."""
    channels = Channels.from_json(rule.channels)
    asked: list[tuple[Errand, str]] = []
    if channels.admins or channels.users:
        asked += [
            (Errand(rule.id, alert, event, MAIL, user.id), user.email)
            for user in await keeping.recipients(
                uow, rule.workspace_id, users=channels.users, admins=channels.admins
            )
        ]
    for channel, shown in ((WEBHOOK, channels.webhook), (SLACK, channels.slack)):
        if shown is not None:
            asked.append((Errand(rule.id, alert, event, channel), shown))
    return asked


async def _enqueue(
    uow: UnitOfWork,
    rule: AlertRuleRow,
    errand: Errand,
    at: datetime | None,
    created_by: UUID | None = None,
) -> Job:
    return await job.enqueue(
        uow,
        NOTIFY_ALERT,
        workspace=rule.workspace_id,
        arguments=errand.arguments(),
        at=at,
        created_by=created_by,
    )


async def prepare(
    reader: Reader, workspace: UUID, errand: Errand, seals: Seals, now: datetime
) -> Prepared | None:
    """The message as of now; None where nobody is to be told any more: rule, channel or member are gone."""
    rule = await keeping.secret(reader, workspace, errand.rule_id)
    if rule is None:
        return None
    to = await _receiver(reader, rule, errand, Urls.opened(seals, rule.id, rule.sealed_urls))
    if to is None:
        return None
    alert, quotes = None, list[QuoteRow]()
    if errand.alert_id is not None:
        alert = await raising.in_workspace(reader, workspace, errand.alert_id)
        if alert is None:
            return None
        quotes = await counting.quotes(reader, workspace, alert.sample_ids)
    name = await keeping.workspace_name(reader, workspace)
    return Prepared(to, Telling(errand.event, name, rule, alert, quotes, now))


async def _receiver(reader: Reader, rule: AlertRuleRow, errand: Errand, urls: Urls) -> str | None:
    match errand.channel:
        case "WEBHOOK":
            return urls.webhook
        case "SLACK":
            return urls.slack
        case _:
            assert errand.user_id is not None  # noqa: S101 - mail goes to somebody
            found = await keeping.recipients(
                reader, rule.workspace_id, users=[errand.user_id], admins=False
            )
            return found[0].email if found else None


async def note(
    uow: UnitOfWork, workspace: UUID, errand: Errand, to: str, status: str, error: str | None
) -> None:
    """Keep what became of a message with its alert; of a test there is the job alone."""
    if errand.alert_id is None:
        return
    notes = {errand.key: _noted(errand, to, status, uow.now, error)}
    await raising.note(uow, workspace, errand.alert_id, orjson.dumps(notes).decode())


def _noted(errand: Errand, to: str, status: str, at: datetime, error: str | None) -> dict[str, Any]:
    return {
        "event": errand.event,
        "channel": errand.channel,
        "to": to,
        "status": status,
        "at": at,
        "error": error,
    }


@dataclass(frozen=True, slots=True)
class Note:
    """What became of a message."""

    event: str
    channel: str
    to: str
    status: str
    at: datetime
    error: str | None


def notes(notified: str) -> Sequence[Note]:
    """The messages of an alert, as they were asked for."""
    found: dict[str, dict[str, Any]] = orjson.loads(notified)
    return sorted(
        (Note(**each | {"at": datetime.fromisoformat(each["at"])}) for each in found.values()),
        key=lambda each: (each.event, each.channel, each.to),
    )
