"""What the hub has done since it began, for metrics and tests."""

from dataclasses import dataclass


@dataclass(slots=True)
class Counters:
    """`executed` answers to events and states, each once for a group; `delivered` to members, each by each.

    `dropped` members: those who took nothing for so long that they were sent away.
    """

    executed: int = 0
    delivered: int = 0
    gaps: int = 0
    dropped: int = 0
