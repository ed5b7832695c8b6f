"""`python -m bench.live.slow api`: Earful with an event resolver that waits 10 ms more."""

import asyncio
import sys
from typing import Any

from app.cli import main
from graph import events

WAIT = 0.01
_event = events._event  # noqa: SLF001 - the resolver that every event of feedback goes through


async def _slow_event(*given: Any) -> events.FeedbackEvent | None:
    await asyncio.sleep(WAIT)
    return await _event(*given)


if __name__ == "__main__":
    setattr(events, _event.__name__, _slow_event)
    sys.exit(main())
