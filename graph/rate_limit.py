"""What callers have left of their points."""

from datetime import datetime, timedelta

import strawberry

from graph.access import public
from graph.context import Info


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
