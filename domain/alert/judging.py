"""Whether a rule fires: plain functions over what its windows hold, the same for live checks and for previews."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from itertools import pairwise
from math import inf

from domain.alert.rule import Comparison, Definition, Kind, Metric
from domain.stats import zone
from persistence.alert import SumsRow

# How far a source's habit is looked at, and how many hours of it there must be.
HABIT = timedelta(weeks=4)
LEAST_HABIT = 24
_BILLION = 1_000_000_000
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Sums:
    """What a window holds; `score` is the sum of the scores in billionths."""

    total: int = 0
    negative: int = 0
    neutral: int = 0
    positive: int = 0
    score: int = 0
    rated: int = 0
    rating: int = 0

    @classmethod
    def of(cls, row: SumsRow) -> "Sums":
        return cls(
            row.total, row.negative, row.neutral, row.positive, row.score, row.rated, row.rating
        )

    def __add__(self, other: "Sums") -> "Sums":
        return self._with(other, 1)

    def __sub__(self, other: "Sums") -> "Sums":
        return self._with(other, -1)

    def _with(self, other: "Sums", sign: int) -> "Sums":
        return Sums(*(getattr(self, name) + sign * getattr(other, name) for name in Sums.__slots__))

    def labelled(self, labels: Sequence[str]) -> int:
        return sum(int(getattr(self, label.lower())) for label in labels)


_LABELS = ("NEGATIVE", "NEUTRAL", "POSITIVE")


@dataclass(frozen=True, slots=True)
class Reading:
    """A rule's number at a moment, in the metric's unit; None where too little was said to have one.

    `level` is what the threshold is compared with: the number itself, or by how many percent it is off its baseline.
    """

    value: float | None = None
    baseline: float | None = None
    level: float | None = None


UNKNOWN = Reading()


@dataclass(frozen=True, slots=True)
class Spans:
    """The windows that a rule looks at: the one that ends now and, for CHANGE, those of the weeks before."""

    now: tuple[datetime, datetime]
    before: Sequence[tuple[datetime, datetime]] = ()


def spans(definition: Definition, at: datetime) -> Spans:
    """The same time of the day on the same weekday is by the clock on the wall, whenever that was changed."""
    window = definition.window
    if definition.kind is not Kind.CHANGE:
        return Spans((at - window, at))
    local = at.astimezone(zone(definition.time_zone))
    ends = [
        (local - timedelta(weeks=week)).astimezone(UTC)
        for week in range(1, definition.baseline_weeks + 1)
    ]
    return Spans((at - window, at), [(end - window, end) for end in ends])


def measure(definition: Definition, sums: Sums) -> float | None:
    """The metric of a window; None where its sample is too small. A count is never too small."""
    scored = sums.labelled(_LABELS)
    match definition.metric:
        case Metric.SHARE:
            part, sample, unit = 100 * sums.labelled(definition.share_of), scored, 1
        case Metric.SCORE:
            part, sample, unit = sums.score, scored, _BILLION
        case Metric.RATING:
            part, sample, unit = sums.rating, sums.rated, 1
        case _:
            return float(sums.total)
    # One division of integers: what is at the threshold is not a little below it.
    return part / (sample * unit) if sample >= definition.minimum_sample else None


def read(definition: Definition, now: Sums, before: Sequence[Sums | None] = ()) -> Reading:
    """The rule's number; of the weeks before those are None that were before anything was said at all.

    A baseline is the mean of at least half of the weeks that are asked for.
    """
    value = measure(definition, now)
    if definition.kind is not Kind.CHANGE:
        return Reading(value, None, value)
    numbers = [measure(definition, sums) for sums in before if sums is not None]
    known = [number for number in numbers if number is not None]
    if 2 * len(known) < definition.baseline_weeks:
        return Reading(value)
    baseline = sum(known) / len(known)
    if value is None:
        return Reading(None, baseline)
    return Reading(value, baseline, _percent(value - baseline, baseline))


def _percent(difference: float, baseline: float) -> float:
    if baseline == 0:
        return 0.0 if difference == 0 else inf if difference > 0 else -inf
    return 100 * difference / abs(baseline)


def longest_pause(hours: Sequence[datetime]) -> timedelta | None:
    """The longest time without a word that the hours leave room for; None where they are too few for a habit."""
    if len(hours) < LEAST_HABIT:
        return None
    return max(later - earlier for earlier, later in pairwise(hours)) + _HOUR


def read_silence(
    definition: Definition, at: datetime, last: datetime | None, usual: timedelta | None
) -> Reading:
    """How many minutes a source has been silent; its baseline is its longest usual pause.

    It must have been so for the window's length and, with a threshold, for so many times its usual pause. One that
    has never brought anything, or whose habit is not known, is not silent.
    """
    if last is None:
        return UNKNOWN
    silent = (at - last) / timedelta(minutes=1)
    if definition.threshold is None:
        return Reading(silent, None, silent)
    if usual is None:
        return Reading(silent)
    return Reading(silent, usual / timedelta(minutes=1), silent)


def silence_limit(definition: Definition, reading: Reading) -> float:
    """From how many minutes on a silence counts."""
    least = float(definition.window_minutes)
    if definition.threshold is None or reading.baseline is None:
        return least
    return max(least, definition.threshold * reading.baseline)


def is_met(definition: Definition, reading: Reading, *, firing: bool) -> bool:
    """Whether the rule's condition holds; while it fires, whether it is not over yet."""
    level = reading.level
    if level is None:
        return False
    if definition.kind is Kind.SILENCE:
        return level >= silence_limit(definition, reading)
    threshold = definition.threshold
    if firing and definition.resolve_threshold is not None:
        threshold = definition.resolve_threshold
    assert threshold is not None  # noqa: S101 - rules over windows have one
    is_up = definition.comparison is Comparison.AT_LEAST
    if definition.kind is not Kind.CHANGE:
        return level >= threshold if is_up else level <= threshold
    assert reading.value is not None  # noqa: S101 - there is a level
    assert reading.baseline is not None  # noqa: S101
    change = reading.value - reading.baseline
    risen, by = (level, change) if is_up else (-level, -change)
    is_large = by >= definition.minimum_change or firing
    return by > 0 and risen >= threshold and is_large


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a rule stands: since when it fires, and when it last began to."""

    firing_since: datetime | None = None
    last_fired_at: datetime | None = None


class Step(Enum):
    """What a check makes of it."""

    STAY = auto()
    FIRE = auto()
    RESOLVE = auto()


def step(definition: Definition, reading: Reading, standing: Standing, at: datetime) -> Step:
    """Fire once, stay, resolve when the condition is over; not again within the cool-down."""
    since = standing.firing_since
    if since is not None and at < since:
        # This check was asked for before another one that has already found it.
        return Step.STAY
    if definition.kind is Kind.MATCH:
        # A match is an instant: its alert stands for as long as no other may follow.
        return Step.RESOLVE if is_over(definition, standing, at) else Step.STAY
    firing = since is not None
    if is_met(definition, reading, firing=firing):
        return Step.STAY if firing or is_cooling(definition, standing, at) else Step.FIRE
    return Step.RESOLVE if firing else Step.STAY


def is_over(definition: Definition, standing: Standing, at: datetime) -> bool:
    """Whether the alert of a match has stood for long enough."""
    since = standing.firing_since
    return since is not None and at >= since + definition.cool_down


def is_cooling(definition: Definition, standing: Standing, at: datetime) -> bool:
    last = standing.last_fired_at
    return last is not None and at < last + definition.cool_down


def moved(standing: Standing, taken: Step, at: datetime) -> Standing:
    """Where the rule stands after the step."""
    match taken:
        case Step.FIRE:
            return Standing(at, at)
        case Step.RESOLVE:
            return replace(standing, firing_since=None)
        case Step.STAY:
            return standing
