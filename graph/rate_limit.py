"""What callers have left of their points."""

import math
from datetime import datetime, timedelta

import strawberry

from graph.access import public
from graph.context import Context, Info


def headers(context: Context) -> tuple[tuple[bytes, bytes], ...]:
    """What the caller may spend and has left, as far as this process knows: RateLimit fields of the IETF's draft.

    https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/
    """
    limit, caller = context.budget
    account = context.services.limiter.known(limit, caller)
    policy = b'"points";q=%d;qu="points";w=%d' % (account.points, limit.seconds)
    left = b'"points";r=%d;t=%d' % (account.left, math.ceil(account.seconds))
    return (b"ratelimit-policy", policy), (b"ratelimit", left)


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
        limit, caller = context.budget
        account = await context.services.limiter.account(limit, caller)
        return RateLimit(
            limit=account.points,
            remaining=account.left,
            reset_at=context.services.clock() + timedelta(seconds=account.seconds),
        )
