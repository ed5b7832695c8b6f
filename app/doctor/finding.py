"""What the doctor finds: what it is, why it matters, and what to do."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from app.settings import Settings

State = Literal["ok", "warning", "broken"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that was looked at. What is not "ok" has a `why` and a `cure`."""

    part: str
    state: State
    text: str
    why: str = ""
    cure: str = ""


@dataclass(frozen=True, slots=True)
class Patient:
    """What is examined, and the clock that others are compared with."""

    settings: Settings
    clock: Callable[[], datetime]

    @property
    def is_nowhere(self) -> bool:
        """Whether there is nothing to look at: no store is named, and no `make run` has started any."""
        of_stores = ("database_url", "redis_url", "s3_endpoint_url")
        return all(getattr(self.settings, name) is None for name in of_stores)


Look = Callable[[Patient], AsyncIterator[Finding]]

_SMALL, _LARGE = timedelta(seconds=2), timedelta(seconds=30)


def clock(part: str, ahead: timedelta) -> Finding:
    """What it means that a clock is ahead of ours."""
    seconds = ahead.total_seconds()
    said = f"its clock is {abs(seconds):.1f} s {'ahead of' if seconds > 0 else 'behind'} this machine's"
    if abs(ahead) < _SMALL:
        return Finding(part, "ok", "its clock agrees with this machine's")
    return Finding(
        part,
        "broken" if abs(ahead) > _LARGE else "warning",
        said,
        "Tokens, webhooks' signatures, signed URLs and jobs go by the clock: they end or begin at the wrong time.",
        "Let both machines keep time by NTP (chrony or systemd-timesyncd), and see `timedatectl`.",
    )
