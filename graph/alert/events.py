"""The stream of alerts."""

from collections.abc import Hashable, Iterator
from functools import partial
from typing import Annotated

import strawberry

from domain import alert, events
from domain.ids import Kind
from graph.access import signed_in
from graph.alert.alert import Alert
from graph.alert.kind import AlertEventType
from graph.context import Context, Info
from graph.events import StreamGap, gap, read_cursor
from graph.live.bus import Entry
from graph.live.cursor import Cursor
from graph.live.index import Reading
from graph.node import read_id
from graph.outage import through_outages
from graph.scope import scope_of
from graph.streams import Log, Shared


@strawberry.type(description="A rule fired, or what it had noticed is over.")
class AlertEvent:
    cursor: str = strawberry.field(
        description="Pass the last one seen as `after` to go on without a gap or a repeat."
    )
    type: AlertEventType = strawberry.field(description="What happened.")
    alert: Alert = strawberry.field(description="The alert as it is now.")


AlertStreamItem = Annotated[AlertEvent | StreamGap, strawberry.union("AlertStreamItem")]


def _terms(event: events.AlertEvent) -> Iterator[Hashable]:
    yield event.rule_id


_ALERTS = Reading(events.AlertEvent.from_json, _terms)


@strawberry.type
class AlertSubscription:
    @strawberry.subscription(
        extensions=[signed_in],
        directives=[Shared()],
        graphql_type=AlertStreamItem,
        description="Every alert of a workspace when it fires and when it is resolved, in order and once. With "
        "`after` it begins behind that event, across reconnects and restarts.",
    )
    async def alert_raised(
        self, info: Info, workspace_id: strawberry.ID, after: str | None = None
    ) -> Log:
        id_ = read_id(Kind.WORKSPACE, workspace_id, "workspaceId")
        return Log(
            topic=events.topic(id_, events.ALERTS_TOPIC),
            after=read_cursor(after),
            scope=await through_outages(partial(scope_of, info.context, id_)),
            reading=_ALERTS,
            event=_event,
            gap=gap,
        )


async def _event(context: Context, entry: Entry, cursor: Cursor) -> AlertEvent | None:
    event = events.AlertEvent.from_json(entry.payload)
    async with context.reader() as reader:
        found = await alert.by_ids(reader, context.viewer, [event.alert_id])
    if not found:
        return None
    return AlertEvent(
        cursor=str(cursor),
        type=AlertEventType(event.type),
        alert=found[0],  # type: ignore[arg-type]  # rows are alerts
    )
