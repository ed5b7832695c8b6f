"""The health of sources in the schema."""

from collections.abc import Sequence
from datetime import datetime

import strawberry

from domain import source, source_health
from graph.context import Info
from graph.fields import computed, rows


def _usual_pause(root: strawberry.Parent[source_health.Health]) -> int | None:
    return None if root.usual_pause is None else int(root.usual_pause.total_seconds())


def _is_quiet(root: strawberry.Parent[source_health.Health]) -> bool:
    return root.quiet_since is not None


@strawberry.type(description="How a source is doing.")
@rows(source_health.Health)
class SourceHealth:
    last_received_at: datetime | None = strawberry.field(
        description="When it last brought feedback; null before the first."
    )
    per_hour: float = strawberry.field(
        description="Feedback in an hour: of the last day or, where that brought more than 200, of the latest 200."
    )
    usual_pause_seconds: int | None = computed(
        _usual_pause,
        reads=("usual_pause",),
        description="Its habit: the longest pause between two of its latest 200 feedback. Null before there are ten.",
    )
    gone_quiet: bool = computed(
        _is_quiet,
        reads=("quiet_since",),
        description="Whether it has been silent for more than twice its usual pause, and for an hour at least.",
    )
    quiet_since: datetime | None = strawberry.field(
        description="Since when, if it has gone quiet: when it was last heard of."
    )
    quarantined: int = strawberry.field(
        description="How much of what it sent lies in quarantine; 10,000 for more than that."
    )
    refused_last_day: int = strawberry.field(
        description="Deliveries that were refused within about a day: badly signed, or too many."
    )
    last_refusal: str | None = strawberry.field(
        description="Why the last of these was refused; null where there is none."
    )
    last_refused_at: datetime | None = strawberry.field(
        description="When that was; null where there is none."
    )


async def health_of(parents: Sequence[source.Source], info: Info) -> Sequence[source_health.Health]:
    """The health of each source."""
    now = info.context.services.clock()
    async with info.context.reader() as reader:
        found = await source_health.health(
            reader, info.context.viewer, [parent.id for parent in parents], now
        )
    return [found[parent.id] for parent in parents]
