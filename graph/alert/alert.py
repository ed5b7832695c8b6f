"""Alerts in the schema: what rules have raised, and lists of it."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal

import strawberry

from domain import alert, feedback
from domain.ids import Kind
from domain.workspace import Workspace
from graph.alert.kind import AlertChannel, AlertEventType, AlertMessageStatus, AlertState
from graph.context import Info
from graph.cost import ListSize
from graph.feedback import Feedback
from graph.fields import batch, computed, rows
from graph.node import Node, id_field
from graph.pagination import (
    Page,
    PageInfo,
    columns_of,
    edges_field,
    nodes_field,
    page_info_field,
    pages_by_time,
)
from graph.scalars import JSON, json_text

if TYPE_CHECKING:
    from graph.alert.rule import AlertRule


@strawberry.type(description="A message about an alert to one receiver.")
class AlertMessage:
    event: AlertEventType = strawberry.field(description="What it is about.")
    channel: AlertChannel = strawberry.field(description="How it is sent.")
    to: str = strawberry.field(description="An address, or host and end of a URL.")
    status: AlertMessageStatus = strawberry.field(
        description="FAILED may still become SENT: it is tried again."
    )
    at: datetime = strawberry.field(
        description="When that was; of one that is WAITING, when it is due."
    )
    error: str | None = strawberry.field(description="Why it failed.")


async def _rule(parents: Sequence[alert.Alert], info: Info) -> Sequence[alert.AlertRule | None]:
    wanted = {parent.rule_id for parent in parents if parent.rule_id is not None}
    async with info.context.reader() as reader:
        found = await alert.rules_by_ids(
            reader, info.context.viewer, list(wanted), columns=info.columns("AlertRule")
        )
    by_id = {row.id: row for row in found}
    return [by_id.get(parent.rule_id) if parent.rule_id else None for parent in parents]


async def _samples(
    parents: Sequence[alert.Alert], info: Info
) -> Sequence[Sequence[feedback.Feedback]]:
    wanted = {id_ for parent in parents for id_ in parent.sample_ids}
    async with info.context.reader() as reader:
        found = await feedback.by_ids(
            reader, info.context.viewer, list(wanted), columns=info.columns("Feedback")
        )
    return [[found[id_] for id_ in parent.sample_ids if id_ in found] for parent in parents]


def _query(root: strawberry.Parent[alert.Alert]) -> JSON:
    return json_text(root.query)


def _messages(root: strawberry.Parent[alert.Alert]) -> list[AlertMessage]:
    return [
        AlertMessage(
            event=AlertEventType(each.event),
            channel=AlertChannel(each.channel),
            to=each.to,
            status=AlertMessageStatus(each.status),
            at=each.at,
            error=each.error,
        )
        for each in alert.notes(root.notified)
    ]


@strawberry.type(description="Something that a rule noticed, with all that it went by then.")
@rows(alert.Alert)
class Alert(Node):
    id: strawberry.ID = id_field(Kind.ALERT)
    name: str = strawberry.field(description="The rule's name when it fired.")
    kind: alert.Kind = strawberry.field(description="What the rule looked at when it fired.")
    state: AlertState = strawberry.field(description="Whether it still holds.")
    fired_at: datetime = strawberry.field(description="When it was noticed.")
    resolved_at: datetime | None = strawberry.field(
        description="When it was over; null while it is not."
    )
    value: float | None = strawberry.field(
        description="The number that it was: in the metric's unit, for SILENCE in minutes, null for MATCH."
    )
    threshold: float | None = strawberry.field(
        description="Where the rule fires: as in its condition, for SILENCE in minutes, null for MATCH."
    )
    baseline: float | None = strawberry.field(
        description="For CHANGE the number of the weeks before, for SILENCE the longest usual pause in minutes."
    )
    window_start: datetime = strawberry.field(description="From when on was counted.")
    window_end: datetime = strawberry.field(description="Up to when.")
    query: JSON = computed(
        _query, reads=("query",), description="The rule's condition as it was, as JSON."
    )
    messages: list[AlertMessage] = computed(
        _messages, reads=("notified",), description="Who was told, and what became of it."
    )
    rule: Annotated["AlertRule", strawberry.lazy("graph.alert.rule")] | None = batch(
        _rule,
        reads=("rule_id",),
        graphql_type=Annotated["AlertRule", strawberry.lazy("graph.alert.rule")] | None,
        description="The rule as it is now; null when it is gone.",
    )
    samples: list[Feedback] = batch(
        _samples,
        reads=("sample_ids",),
        directives=[ListSize(assumed_size=5)],
        graphql_type=list[Feedback],
        description="Up to five of the feedback that it is about, the newest first.",
    )


@strawberry.type(description="An alert in a list.")
class AlertEdge:
    cursor: str = strawberry.field(description="Pass it as `after` to go on behind this alert.")
    node: Alert = strawberry.field(description="The alert.")


@strawberry.type(description="Alerts, the newest first.")
class AlertConnection:
    edges: list[AlertEdge] = edges_field(AlertEdge)
    nodes: list[Alert] = nodes_field(Alert)
    page_info: PageInfo = page_info_field()


async def alerts_of(
    of: Literal["workspace_id", "rule_id"],
    parents: Sequence[Any],
    info: Info,
    first: int | None,
    after: str | None,
    state: AlertState | None,
) -> Sequence[Page[alert.Alert]]:
    """A page of the alerts of each workspace or rule."""
    columns = columns_of(info, "Alert", "fired_at")
    read = partial(
        alert.pages,
        of=of,
        state=None if state is None else state.value,
        columns=None if columns is None else columns | {of},
    )
    return await pages_by_time(
        parents,
        info,
        read,
        name=f"alerts {state}",
        of=of,
        at="fired_at",
        first=first,
        after=after,
    )


async def alerts_of_workspaces(
    parents: Sequence[Workspace],
    info: Info,
    first: int | None = 20,
    after: str | None = None,
    state: AlertState | None = None,
) -> Sequence[Page[alert.Alert]]:
    """A page of the alerts of each workspace."""
    return await alerts_of("workspace_id", parents, info, first, after, state)
