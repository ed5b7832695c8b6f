"""What an alert rule says: what is to be noticed, and when people want to hear of it."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import orjson

from domain.checks import Checks
from domain.errors import InvalidInputError
from domain.stats import zone
from persistence.feedback import Filter

MOST_BASELINE_WEEKS = 12
MOST_NAMED = 100
STEP = 5
LONGEST_WINDOW = 7 * 24 * 60
LONGEST_COOL_DOWN = 7 * 24 * 60
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


class Kind(StrEnum):
    """What a rule looks at; the first four at windows of time, SILENCE at a source, MATCH at single feedback."""

    COUNT = "COUNT"
    SHARE = "SHARE"
    AVERAGE = "AVERAGE"
    CHANGE = "CHANGE"
    SILENCE = "SILENCE"
    MATCH = "MATCH"


class Metric(StrEnum):
    """What a window's number is: how many, which share of the scored in percent, the mean score, the mean rating."""

    COUNT = "COUNT"
    SHARE = "SHARE"
    SCORE = "SCORE"
    RATING = "RATING"


class Comparison(StrEnum):
    AT_LEAST = "AT_LEAST"
    AT_MOST = "AT_MOST"


_METRICS: Mapping[Kind, tuple[Metric, ...]] = {
    Kind.COUNT: (Metric.COUNT,),
    Kind.SHARE: (Metric.SHARE,),
    Kind.AVERAGE: (Metric.SCORE, Metric.RATING),
    Kind.CHANGE: (Metric.COUNT, Metric.SHARE, Metric.SCORE, Metric.RATING),
}
_MOST_PERCENT = 1_000_000.0
# From, to.
_RANGES: Mapping[Metric, tuple[float, float]] = {
    Metric.COUNT: (0, 1_000_000_000),
    Metric.SHARE: (0, 100),
    Metric.SCORE: (-1, 1),
    Metric.RATING: (0, 10),
}


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From one time of the day to another, "22:00" to "07:00", each day; at `end` it is not quiet any more."""

    start: str
    end: str

    def minutes(self) -> tuple[int, int]:
        """The two times in minutes since midnight."""
        (start, end) = (
            int(hour) * 60 + int(minute)
            for hour, _, minute in (each.partition(":") for each in (self.start, self.end))
        )
        return start, end


@dataclass(frozen=True, slots=True)
class Definition:
    """All of a rule but its name and whom it tells.

    `threshold` is in the metric's unit, or for CHANGE in percent; of SILENCE it is how many times its longest usual
    pause a source must be silent, or None. A firing rule is over when `resolve_threshold` is not reached any more.
    """

    kind: Kind
    where: Filter = field(default_factory=Filter)
    metric: Metric | None = None
    share_of: tuple[str, ...] = ("NEGATIVE",)
    window_minutes: int = 60
    comparison: Comparison = Comparison.AT_LEAST
    threshold: float | None = None
    resolve_threshold: float | None = None
    minimum_sample: int = 1
    minimum_change: float = 0
    baseline_weeks: int = 4
    cool_down_minutes: int = 60
    quiet_hours: QuietHours | None = None
    time_zone: str = "UTC"
    notify_resolved: bool = True

    @property
    def window(self) -> timedelta:
        return timedelta(minutes=self.window_minutes)

    @property
    def cool_down(self) -> timedelta:
        return timedelta(minutes=self.cool_down_minutes)

    def asks_the_same_as(self, other: "Definition") -> bool:
        """Whether they differ in nothing but when people want to hear of it."""
        return self == replace(
            other,
            cool_down_minutes=self.cool_down_minutes,
            quiet_hours=self.quiet_hours,
            notify_resolved=self.notify_resolved,
        )

    def to_json(self) -> str:
        where = self.where.values()
        quiet = self.quiet_hours
        return orjson.dumps(
            {
                "kind": self.kind,
                "filter": where,
                "metric": self.metric,
                "share_of": self.share_of,
                "window_minutes": self.window_minutes,
                "comparison": self.comparison,
                "threshold": self.threshold,
                "resolve_threshold": self.resolve_threshold,
                "minimum_sample": self.minimum_sample,
                "minimum_change": self.minimum_change,
                "baseline_weeks": self.baseline_weeks,
                "cool_down_minutes": self.cool_down_minutes,
                "quiet_hours": None if quiet is None else [quiet.start, quiet.end],
                "time_zone": self.time_zone,
                "notify_resolved": self.notify_resolved,
            },
            default=str,
        ).decode()

    @classmethod
    def from_json(cls, text: str) -> "Definition":
        data: dict[str, Any] = orjson.loads(text)
        where: dict[str, Any] = data.pop("filter")
        for name in ("source_ids", "tag_ids"):
            if name in where:
                where[name] = tuple(UUID(each) for each in where[name])
        if "sentiments" in where:
            where["sentiments"] = tuple(where["sentiments"])
        metric, quiet = data["metric"], data["quiet_hours"]
        data |= {
            "kind": Kind(data["kind"]),
            "metric": None if metric is None else Metric(metric),
            "comparison": Comparison(data["comparison"]),
            "share_of": tuple(data["share_of"]),
            "quiet_hours": None if quiet is None else QuietHours(*quiet),
        }
        return cls(where=Filter(**where), **data)


def checked(definition: Definition, checks: Checks, *path: str) -> Definition:
    """The definition with what follows from its kind; `checks` learns what is wrong with it."""
    rules = _Rules(definition, checks, path)
    rules.filter()
    rules.numbers()
    rules.times()
    if definition.kind in _METRICS:
        return rules.of_windows(_METRICS[definition.kind])
    return rules.of_silence() if definition.kind is Kind.SILENCE else rules.of_matches()


class _Rules:
    """The rules of input for one definition."""

    def __init__(self, definition: Definition, checks: Checks, path: Sequence[str]) -> None:
        self._of = definition
        self._checks = checks
        self._path = path

    def filter(self) -> None:
        where = self._of.where
        for name, value in (
            ("occurredAfter", where.occurred_after),
            ("occurredBefore", where.occurred_before),
        ):
            if value is not None:
                self._refuse("filter", name, message="is for lists: a rule looks at its window")
        for name, given in (
            ("statuses", where.statuses),
            ("assigneeIds", where.assignee_ids),
        ):
            if given is not None:
                self._refuse("filter", name, message="is for lists: a rule looks at what is said")
        for name, ids in (("sourceIds", where.source_ids), ("tagIds", where.tag_ids)):
            if ids is not None and not 1 <= len(ids) <= MOST_NAMED:
                self._refuse("filter", name, message=f"must be 1 to {MOST_NAMED} ids")
        if where.sentiments == ():
            self._refuse("filter", "sentiments", message="must not be empty")

    def numbers(self) -> None:
        of, number = self._of, self._number
        number(of.window_minutes, "windowMinutes", least=STEP, most=LONGEST_WINDOW)
        if of.window_minutes % STEP:
            self._refuse("windowMinutes", message=f"must be a multiple of {STEP}")
        number(of.minimum_sample, "minimumSample", least=1, most=1_000_000)
        number(of.baseline_weeks, "baselineWeeks", least=1, most=MOST_BASELINE_WEEKS)
        least = 1 if of.kind is Kind.MATCH else 0
        number(of.cool_down_minutes, "coolDownMinutes", least=least, most=LONGEST_COOL_DOWN)
        self._bounded(of.minimum_change, "minimumChange", 0, 1_000_000_000)

    def times(self) -> None:
        try:
            zone(self._of.time_zone)
        except InvalidInputError as error:
            self._refuse("timeZone", message=error.fields[0].message)
        quiet = self._of.quiet_hours
        if quiet is None:
            return
        for name, value in (("from", quiet.start), ("to", quiet.end)):
            if _TIME.fullmatch(value) is None:
                self._refuse("quietHours", name, message="must be a time of the day such as 22:00")
        if quiet.start == quiet.end:
            self._refuse("quietHours", "to", message="must be another time than `from`")

    def of_windows(self, metrics: Sequence[Metric]) -> Definition:
        of = self._of
        metric = of.metric or metrics[0]
        if metric not in metrics:
            self._refuse("metric", message=f"must be {' or '.join(metrics)} for {of.kind}")
        if metric is Metric.SHARE:
            if not of.share_of:
                self._refuse("shareOf", message="must not be empty")
            if of.where.sentiments is not None:
                self._refuse("filter", "sentiments", message="must be left out for a share")
        least, most = (0.0, _MOST_PERCENT) if of.kind is Kind.CHANGE else _RANGES[metric]
        if of.threshold is None:
            self._refuse("threshold", message="is required")
        self._bounded(of.threshold, "threshold", least, most)
        self._bounded(of.resolve_threshold, "resolveThreshold", least, most)
        # What every window fulfils would fire at once, and for ever.
        is_up = of.kind is Kind.CHANGE or of.comparison is Comparison.AT_LEAST
        if of.threshold == 0 and is_up and least == 0:
            self._refuse("threshold", message="must be more than 0")
        self._resolves_later()
        return replace(of, metric=metric)

    def of_silence(self) -> Definition:
        of = self._of
        sources = of.where.source_ids or ()
        if len(sources) != 1 or of.where != Filter(source_ids=sources):
            self._refuse("filter", message="must name one source and nothing else for SILENCE")
        self._bounded(of.threshold, "threshold", 1, 100)
        self._unused(("metric", of.metric), ("resolveThreshold", of.resolve_threshold))
        return of

    def of_matches(self) -> Definition:
        of = self._of
        if not of.where.values():
            self._refuse("filter", message="must have a condition for MATCH")
        self._unused(
            ("metric", of.metric),
            ("threshold", of.threshold),
            ("resolveThreshold", of.resolve_threshold),
        )
        return of

    def _resolves_later(self) -> None:
        """What is over must not be what fires: the second threshold lies on the quiet side of the first."""
        of = self._of
        if of.threshold is None or of.resolve_threshold is None:
            return
        if of.kind is Kind.CHANGE or of.comparison is Comparison.AT_LEAST:
            if of.resolve_threshold > of.threshold:
                self._refuse("resolveThreshold", message="must be at most the threshold")
        elif of.resolve_threshold < of.threshold:
            self._refuse("resolveThreshold", message="must be at least the threshold")

    def _number(self, value: int, name: str, *, least: int, most: int) -> None:
        self._checks.number(value, *self._path, name, least=least, most=most)

    def _bounded(self, value: float | None, name: str, least: float, most: float) -> None:
        if value is not None and not least <= value <= most:
            self._refuse(name, message=f"must be from {least:g} to {most:g}")

    def _unused(self, *given: tuple[str, object]) -> None:
        for name, value in given:
            if value is not None:
                self._refuse(name, message=f"must be left out for {self._of.kind}")

    def _refuse(self, *path: str, message: str) -> None:
        self._checks.refuse((*self._path, *path), message)


UrlCheck = Callable[[str], str | None]
"""What is wrong with a URL that is to be called; None for nothing."""


def quiet_until(definition: Definition, moment: datetime) -> datetime | None:
    """When the quiet hours end that the moment lies in, by the clock on the wall; None outside of them."""
    if definition.quiet_hours is None:
        return None
    start, end = definition.quiet_hours.minutes()
    local = moment.astimezone(zone(definition.time_zone))
    minute = local.hour * 60 + local.minute
    is_quiet = start <= minute < end if start < end else minute >= start or minute < end
    if not is_quiet:
        return None
    day = local.replace(hour=end // 60, minute=end % 60, second=0, microsecond=0, fold=0)
    return day if minute < end else day + timedelta(days=1)
