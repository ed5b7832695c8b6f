"""Alert rules in the schema: what they look at and whom they tell."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry

from domain import alert, ids
from domain.alert import Channels, Definition
from domain.ids import Kind
from graph.alert.alert import AlertConnection, alerts_of
from graph.alert.kind import AlertState
from graph.feedback_filter import FeedbackFilter, where
from graph.fields import batch, column, computed, rows
from graph.node import Node, id_field, read_ids
from graph.sentiment import SentimentLabel


@strawberry.type(description="Which feedback a rule looks at. Conditions are joined by AND.")
class AlertFilter:
    search: str | None = strawberry.field(description="Words in the body.")
    source_ids: list[strawberry.ID] | None = strawberry.field(description="From these sources.")
    tag_ids: list[strawberry.ID] | None = strawberry.field(description="With one of these tags.")
    sentiments: list[SentimentLabel] | None = strawberry.field(description="Scored as these.")
    rating_gte: int | None = strawberry.field(description="Rated at least this.")
    rating_lte: int | None = strawberry.field(description="Rated at most this.")


@strawberry.type(description="The part of each day in which messages wait.")
class QuietHours:
    from_: str = strawberry.field(name="from", description="The first quiet minute: `22:00`.")
    to: str = strawberry.field(description="The first minute that is not quiet: `07:00`.")


@strawberry.type(
    description="All that a rule goes by. What its kind has no use for has its default."
)
class AlertCondition:
    kind: alert.Kind = strawberry.field(description="What it looks at.")
    metric: alert.Metric | None = strawberry.field(
        description="The number of a window; null for SILENCE and MATCH."
    )
    share_of: list[SentimentLabel] = strawberry.field(
        description="The sentiments whose share is counted."
    )
    filter: AlertFilter = strawberry.field(description="Which feedback it looks at.")
    window_minutes: int = strawberry.field(description="How long its window is, in minutes.")
    comparison: alert.Comparison = strawberry.field(description="On which side it fires.")
    threshold: float | None = strawberry.field(
        description="Where it fires, in the metric's unit; for CHANGE in percent; for SILENCE how many times its "
        "longest usual pause a source must be silent."
    )
    resolve_threshold: float | None = strawberry.field(
        description="While it fires this counts instead; null where the threshold does."
    )
    minimum_sample: int = strawberry.field(
        description="How much must be scored or rated for a share or an average to count."
    )
    minimum_change: float = strawberry.field(
        description="For CHANGE: how large the difference must be at least, in the metric's unit."
    )
    baseline_weeks: int = strawberry.field(
        description="For CHANGE: how many weeks before are compared with."
    )
    cool_down_minutes: int = strawberry.field(
        description="After it fired it does not fire again for so long, in minutes."
    )
    quiet_hours: QuietHours | None = strawberry.field(
        description="When messages wait; null for never."
    )
    time_zone: str = strawberry.field(
        description="The IANA time zone of its weekdays, quiet hours and messages."
    )
    notify_resolved: bool = strawberry.field(
        description="Whether people are told when it is over. Of a MATCH they never are."
    )


def condition(definition: Definition) -> AlertCondition:
    """The condition as the schema has it."""
    given = definition.where
    quiet = definition.quiet_hours
    return AlertCondition(
        kind=definition.kind,
        metric=definition.metric,
        share_of=_labels(definition.share_of) or [],
        filter=AlertFilter(
            search=given.search,
            source_ids=_ids(Kind.SOURCE, given.source_ids),
            tag_ids=_ids(Kind.TAG, given.tag_ids),
            sentiments=_labels(given.sentiments),
            rating_gte=given.rating_gte,
            rating_lte=given.rating_lte,
        ),
        window_minutes=definition.window_minutes,
        comparison=definition.comparison,
        threshold=definition.threshold,
        resolve_threshold=definition.resolve_threshold,
        minimum_sample=definition.minimum_sample,
        minimum_change=definition.minimum_change,
        baseline_weeks=definition.baseline_weeks,
        cool_down_minutes=definition.cool_down_minutes,
        quiet_hours=None if quiet is None else QuietHours(from_=quiet.start, to=quiet.end),
        time_zone=definition.time_zone,
        notify_resolved=definition.notify_resolved,
    )


def _ids(kind: Kind, values: Sequence[UUID] | None) -> list[strawberry.ID] | None:
    return None if values is None else [strawberry.ID(ids.write(kind, each)) for each in values]


def _labels(labels: Sequence[str] | None) -> list[SentimentLabel] | None:
    return None if labels is None else [SentimentLabel(label) for label in labels]


@strawberry.type(description="Whom a rule tells.")
class AlertChannels:
    admins: bool = strawberry.field(
        description="Whether everybody who is ADMIN or OWNER by then is mailed."
    )
    user_ids: list[strawberry.ID] = strawberry.field(
        description="Users who are mailed as long as they belong to the workspace."
    )
    webhook_url: str | None = strawberry.field(
        description="Where JSON is posted to: host and end of the URL, which is a secret."
    )
    slack_url: str | None = strawberry.field(
        description="A Slack-compatible incoming webhook: host and end of the URL, which is a secret."
    )


def _condition(root: strawberry.Parent[alert.AlertRule]) -> AlertCondition:
    return condition(Definition.from_json(root.definition))


def _channels(root: strawberry.Parent[alert.AlertRule]) -> AlertChannels:
    channels = Channels.from_json(root.channels)
    return AlertChannels(
        admins=channels.admins,
        user_ids=[strawberry.ID(ids.write(Kind.USER, user)) for user in channels.users],
        webhook_url=channels.webhook,
        slack_url=channels.slack,
    )


async def _alerts(
    parents: Sequence[alert.AlertRule],
    info: Any,
    first: int | None = 20,
    after: str | None = None,
    state: AlertState | None = None,
) -> Sequence[Any]:
    return await alerts_of("rule_id", parents, info, first, after, state)


@strawberry.type(description="What is to be noticed in a workspace's feedback, and who is told.")
@rows(alert.AlertRule)
class AlertRule(Node):
    id: strawberry.ID = id_field(Kind.ALERT_RULE)
    name: str = strawberry.field(description="Its name, for people.")
    kind: alert.Kind = strawberry.field(description="What it looks at.")
    condition: AlertCondition = computed(
        _condition, reads=("definition",), description="All that it goes by."
    )
    channels: AlertChannels = computed(_channels, reads=("channels",), description="Whom it tells.")
    enabled: bool = strawberry.field(description="Whether it is checked.")
    last_fired_at: datetime | None = strawberry.field(
        description="When it last fired; null before it has, and since its condition was changed."
    )
    created_by_id: strawberry.ID | None = column(
        "created_by",
        ids.writer(Kind.USER),
        graphql_type=strawberry.ID | None,
        description="The id of the user who made it; null when they are gone.",
    )
    created_at: datetime = strawberry.field(description="When it was made.")
    updated_at: datetime = strawberry.field(description="When it was last changed.")

    alerts: AlertConnection = batch(
        _alerts,
        reads=("id",),
        graphql_type=AlertConnection,
        description="What it has raised, the newest first, in pages of up to 100.",
    )


@strawberry.input(
    description="The part of each day in which messages wait. Alerts are raised all the same."
)
class QuietHoursInput:
    from_: str = strawberry.field(name="from", description="The first quiet minute: `22:00`.")
    to: str = strawberry.field(
        description="The first minute that is not quiet: `07:00`, also of the day after."
    )


@strawberry.input(description="What a rule goes by. What its kind has no use for is left out.")
class AlertConditionInput:
    kind: alert.Kind = strawberry.field(description="What it looks at.")
    metric: alert.Metric | None = strawberry.field(
        default=None,
        description="For AVERAGE: SCORE (the default) or RATING. For CHANGE: any, COUNT by default.",
    )
    share_of: list[SentimentLabel] | None = strawberry.field(
        default=None,
        description="For a SHARE: which sentiments, in percent of all that is scored; NEGATIVE where it is missing.",
    )
    filter: FeedbackFilter | None = strawberry.field(
        default=None,
        description="Which feedback it looks at, without times. SILENCE takes one source and nothing else, MATCH needs "
        "a condition, a SHARE has no sentiments.",
    )
    window_minutes: int = strawberry.field(
        default=60,
        description="How long the window is: a multiple of 5, up to 10,080 (a week). For SILENCE: how long a source "
        "must be silent at least.",
    )
    comparison: alert.Comparison = strawberry.field(
        default=alert.Comparison.AT_LEAST, description="On which side of the threshold it fires."
    )
    threshold: float | None = strawberry.field(
        default=None,
        description="Where it fires: a number of messages, percent, a score, a rating; for CHANGE how many percent "
        "off the baseline. For SILENCE, from 1 to 100: how many times the longest pause of its last four "
        "weeks a source must be silent; the window alone where it is missing.",
    )
    resolve_threshold: float | None = strawberry.field(
        default=None,
        description="While it fires this counts instead of the threshold, so that it does not flicker.",
    )
    minimum_sample: int = strawberry.field(
        default=1,
        description="Shares and averages of fewer that are scored or rated do not count.",
    )
    minimum_change: float = strawberry.field(
        default=0.0,
        description="For CHANGE: how large the difference must be at least, in the metric's unit, so that 1 that "
        "becomes 2 is no rise by 100 %.",
    )
    baseline_weeks: int = strawberry.field(
        default=4,
        description="For CHANGE: from 1 to 12. The baseline is the mean of at least half of the weeks.",
    )
    cool_down_minutes: int = strawberry.field(
        default=60,
        description="After it fired it does not fire again for so long: up to 10,080, for MATCH at least 1.",
    )
    quiet_hours: QuietHoursInput | None = strawberry.field(
        default=None, description="When messages wait."
    )
    time_zone: str = strawberry.field(default="UTC", description="An IANA time zone.")
    notify_resolved: bool = strawberry.field(
        default=True, description="Whether people are told when it is over."
    )

    def definition(self) -> Definition:
        quiet = self.quiet_hours
        given = Definition(
            kind=self.kind,
            where=where(self.filter),
            metric=self.metric,
            window_minutes=self.window_minutes,
            comparison=self.comparison,
            threshold=self.threshold,
            resolve_threshold=self.resolve_threshold,
            minimum_sample=self.minimum_sample,
            minimum_change=self.minimum_change,
            baseline_weeks=self.baseline_weeks,
            cool_down_minutes=self.cool_down_minutes,
            quiet_hours=None if quiet is None else alert.QuietHours(quiet.from_, quiet.to),
            time_zone=self.time_zone,
            notify_resolved=self.notify_resolved,
        )
        if self.share_of is None:
            return given
        return replace(given, share_of=tuple(label.value for label in self.share_of))


@strawberry.input(description="Whom a rule tells.")
class AlertChannelsInput:
    admins: bool = strawberry.field(
        default=False, description="Mail everybody who is ADMIN or OWNER when it fires."
    )
    member_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Mail these members, up to 50."
    )
    webhook_url: str | None = strawberry.field(
        default=None,
        description="Post JSON there. As it is shown, masked, it stands for the one that is kept.",
    )
    slack_url: str | None = strawberry.field(
        default=None,
        description="Post to this Slack-compatible incoming webhook (Mattermost, Rocket.Chat and others have them "
        "too). As it is shown, masked, it stands for the one that is kept.",
    )

    def wanted(self) -> alert.Wanted:
        return alert.Wanted(
            admins=self.admins,
            member_ids=read_ids(Kind.MEMBER, self.member_ids, "channels", "memberIds") or (),
            webhook=self.webhook_url,
            slack=self.slack_url,
        )
