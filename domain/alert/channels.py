"""Whom a rule tells, and where: members by mail, a webhook, a Slack-compatible incoming webhook."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

import orjson

from domain.alert.rule import UrlCheck
from domain.checks import Checks
from domain.seals import Seals

MOST_MEMBERS = 50
_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Urls:
    """Where messages are posted to. Whoever knows such a URL can post there too, so they are kept sealed."""

    webhook: str | None = None
    slack: str | None = None

    def sealed(self, seals: Seals, rule: UUID) -> bytes | None:
        """Sealed to their rule: moved to another row they cannot be opened."""
        if self == Urls():
            return None
        text = orjson.dumps({"webhook": self.webhook, "slack": self.slack})
        return seals.seal(text, f"channels of {rule.hex}")

    @classmethod
    def opened(cls, seals: Seals, rule: UUID, sealed: bytes | None) -> "Urls":
        if sealed is None:
            return cls()
        return cls(**orjson.loads(seals.open(sealed, f"channels of {rule.hex}")))


@dataclass(frozen=True, slots=True)
class Channels:
    """The same as everybody in the workspace may see it: URLs are masked. `users` are told by mail."""

    admins: bool = False
    users: tuple[UUID, ...] = ()
    webhook: str | None = None
    slack: str | None = None

    def to_json(self) -> str:
        return orjson.dumps(
            {
                "admins": self.admins,
                "users": list(map(str, self.users)),
                "webhook": self.webhook,
                "slack": self.slack,
            }
        ).decode()

    @classmethod
    def from_json(cls, text: str) -> "Channels":
        data = orjson.loads(text)
        users = tuple(UUID(user) for user in data.pop("users"))
        return cls(users=users, **data)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody asks for. A URL as it is shown, masked, stands for the one that is kept."""

    admins: bool = False
    member_ids: tuple[UUID, ...] = ()
    webhook: str | None = None
    slack: str | None = None


def masked(url: str) -> str:
    """The host, and of the rest no more than tells one URL from another."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/…{url[-_SHOWN:]}"


def urls(wanted: Wanted, kept: Urls, check: UrlCheck, checks: Checks, path: Sequence[str]) -> Urls:
    """What to keep; `checks` learns which URL will not be called."""

    def checked(url: str | None, before: str | None, name: str) -> str | None:
        if url is None or (before is not None and url == masked(before)):
            return url and before
        problem = check(url)
        if problem is not None:
            checks.refuse((*path, name), problem)
        return url

    if len(wanted.member_ids) > MOST_MEMBERS:
        checks.refuse((*path, "memberIds"), f"must be at most {MOST_MEMBERS}")
    return Urls(
        checked(wanted.webhook, kept.webhook, "webhookUrl"),
        checked(wanted.slack, kept.slack, "slackUrl"),
    )


def shown(wanted: Wanted, kept: Urls, users: Sequence[UUID]) -> Channels:
    return Channels(
        admins=wanted.admins,
        users=tuple(users),
        webhook=kept.webhook and masked(kept.webhook),
        slack=kept.slack and masked(kept.slack),
    )
