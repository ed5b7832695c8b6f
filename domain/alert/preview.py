"""What a rule would have done: its checks replayed over history, by the same functions as live ones."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from math import gcd
from uuid import UUID

from domain.alert.judging import (
    HABIT,
    Reading,
    Standing,
    Step,
    Sums,
    is_cooling,
    longest_pause,
    moved,
    read,
    read_silence,
    spans,
    step,
)
from domain.alert.looking import begins, since, source_of
from domain.alert.rule import Definition, Kind
from domain.errors import FieldError, InvalidInputError
from persistence.alert import Moment, Window, counting
from persistence.database import Reader

USUAL = timedelta(days=30)
MOST_CHECKS = 10_000
MOST_MATCHES = 50_000
_HOUR_MINUTES = 60
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Firing:
    """When the rule would have fired, what it would have seen, and when it would have been over."""

    fired_at: datetime
    resolved_at: datetime | None
    value: float | None
    baseline: float | None


@dataclass(frozen=True, slots=True)
class Preview:
    """What would have happened; `step_minutes` lie between two of its checks."""

    start: datetime
    end: datetime
    step_minutes: int
    checks: int
    firings: Sequence[Firing]


async def replayed(
    reader: Reader, workspace: UUID, definition: Definition, start: datetime, end: datetime
) -> Preview:
    """The rule's checks from start to end, as if it had been enabled at `start`; InvalidInputError for too many."""
    minutes = gcd(definition.window_minutes, _HOUR_MINUTES)
    if definition.kind is Kind.MATCH:
        firings = await _matches(reader, workspace, definition, start, end)
        return Preview(start, end, minutes, 0, firings)
    moments = checks(start, end, timedelta(minutes=minutes))
    if definition.kind is Kind.SILENCE:
        readings = await _silences(reader, workspace, definition, moments)
    else:
        readings = await _windows(reader, workspace, definition, moments)
    firings = replay(definition, zip(moments, readings, strict=True))
    return Preview(start, end, minutes, len(moments), firings)


def checks(start: datetime, end: datetime, every: timedelta) -> list[datetime]:
    """The moments from start to end that are whole steps since 1970, in UTC."""
    first = -((_EPOCH - start) // every)
    last = (end - _EPOCH) // every
    if last - first >= MOST_CHECKS:
        message = f"makes more than {MOST_CHECKS:,} checks; choose a shorter time"
        raise InvalidInputError(f"`from` {message}.", [FieldError(("from",), message)])
    return [_EPOCH + number * every for number in range(first, last + 1)]


def replay(definition: Definition, readings: Iterable[tuple[datetime, Reading]]) -> list[Firing]:
    """What checks at these moments make of what they read."""
    standing, firings = Standing(), list[Firing]()
    for at, reading in readings:
        taken = step(definition, reading, standing, at)
        standing = moved(standing, taken, at)
        match taken:
            case Step.FIRE:
                firings.append(Firing(at, None, reading.value, reading.baseline))
            case Step.RESOLVE:
                firings[-1] = replace(firings[-1], resolved_at=at)
            case Step.STAY:
                pass
    return firings


async def _windows(
    reader: Reader, workspace: UUID, definition: Definition, moments: Sequence[datetime]
) -> list[Reading]:
    """Each stretch between two ends of windows is counted once; windows are put together from them."""
    asked = [spans(definition, at) for at in moments]
    windows = [span for of in asked for span in (of.now, *of.before)]
    ends = sorted({moment for span in windows for moment in span})
    place = {moment: number for number, moment in enumerate(ends)}
    # Of stretches that no window covers nothing is counted.
    opened = [0] * len(ends)
    for begin, end in windows:
        opened[place[begin]] += 1
        opened[place[end]] -= 1
    covered = [
        Window(definition.where, ends[number], ends[number + 1])
        for number, depth in enumerate(accumulate(opened))
        if depth
    ]
    rows = await counting.sums(reader, workspace, covered)
    held = {each.start: Sums.of(row) for each, row in zip(covered, rows, strict=True)}
    nothing = Sums()
    before = list(accumulate((held.get(moment, nothing) for moment in ends), initial=nothing))
    (start,) = await begins(reader, workspace, [definition])

    def within(span: tuple[datetime, datetime]) -> Sums:
        return before[place[span[1]]] - before[place[span[0]]]

    return [
        read(definition, within(of.now), since(of, start, list(map(within, of.before))))
        for of in asked
    ]


async def _silences(
    reader: Reader, workspace: UUID, definition: Definition, moments: Sequence[datetime]
) -> list[Reading]:
    if not moments:
        return []
    source = source_of(definition)
    lasts = await counting.last_received(reader, workspace, [Moment(source, at) for at in moments])
    hours: list[datetime] = []
    if definition.threshold is not None:
        found = await counting.active_hours(
            reader, workspace, [source], moments[0] - HABIT, moments[-1]
        )
        hours = found.get(source, [])
    readings = []
    for at, last in zip(moments, lasts, strict=True):
        usual = None
        if last is not None and at - last >= definition.window:
            usual = longest_pause(hours[bisect_left(hours, at - HABIT) : bisect_left(hours, at)])
        readings.append(read_silence(definition, at, last, usual))
    return readings


async def _matches(
    reader: Reader, workspace: UUID, definition: Definition, start: datetime, end: datetime
) -> list[Firing]:
    window = Window(definition.where, start, end)
    moments = await counting.said(reader, workspace, window, MOST_MATCHES + 1)
    if len(moments) > MOST_MATCHES:
        message = f"has more than {MOST_MATCHES:,} matches; choose a shorter time"
        raise InvalidInputError(f"`from` {message}.", [FieldError(("from",), message)])
    return replay_matches(definition, moments, end)


def replay_matches(
    definition: Definition, moments: Iterable[datetime], end: datetime
) -> list[Firing]:
    """What matches at these moments raise: each that comes when the cool-down of the one before is over."""
    standing, firings = Standing(), list[Firing]()
    for at in moments:
        if not is_cooling(definition, standing, at):
            standing = moved(standing, Step.FIRE, at)
            over = at + definition.cool_down
            firings.append(Firing(at, over if over <= end else None, None, None))
    return firings
