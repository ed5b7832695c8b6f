"""What callers have left of their points."""

import math
from datetime import datetime, timedelta
from functools import cache

import strawberry

from graph.access import public
from graph.context import Context, Info


def headers(context: Context) -> tuple[tuple[bytes, bytes], ...]:
    """What the caller may spend and has left, as far as this process knows: RateLimit fields of the IETF's draft.

    https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/
    """
    purse = context.purse
    account = purse.known()
    left = b'"points";r=%d;t=%d' % (account.left, math.ceil(account.seconds))
    return _policy(account.points, purse.seconds), (b"ratelimit", left)


@cache
def _policy(points: int, seconds: float) -> tuple[bytes, bytes]:
    """One for each limit."""
    return b"ratelimit-policy", b'"points";q=%d;qu="points";w=%d' % (points, seconds)


@strawberry.type(description="What the caller's operations may cost.")
class RateLimit:
    limit: int = strawberry.field(description="The points that come back within a minute.")
    remaining: int = strawberry.field(description="The points left, this operation's taken off.")
    reset_at: datetime = strawberry.field(
        description="When all points will have come back, if none is spent meanwhile."
    )


@strawberry.type
class RateLimitQuery:
    @strawberry.field(
        extensions=[public],
        description="What the caller has left: a user or a key by itself, others by their address. What an operation "
        "costs is in `extensions.cost` of its answer over HTTP.",
    )
    async def rate_limit(self, info: Info) -> RateLimit:
        context = info.context
        account = await context.purse.account()
        return RateLimit(
            limit=account.points,
            remaining=account.left,
            reset_at=context.services.clock() + timedelta(seconds=account.seconds),
        )
