"""Where a request comes from, as far as HTTP tells."""

from typing import NamedTuple

_LONGEST_AGENT = 500


class Origin(NamedTuple):
    """An address, and what the program there calls itself."""

    ip: str
    user_agent: str | None


def storable(user_agent: str | None) -> str | None:
    """What a device calls itself, as Postgres can keep it."""
    return None if user_agent is None else user_agent.replace("\x00", "")[:_LONGEST_AGENT]
