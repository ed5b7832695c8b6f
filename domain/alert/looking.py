"""What rules go by at a moment: read for all of a workspace's rules at once."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from domain.alert.judging import (
    HABIT,
    UNKNOWN,
    Reading,
    Spans,
    Sums,
    longest_pause,
    read,
    read_silence,
    spans,
)
from domain.alert.rule import Definition, Kind, Metric
from persistence.alert import Moment, Window, counting
from persistence.database import Reader
from persistence.feedback import Filter

MOST_SAMPLES = 5


async def look(
    reader: Reader, workspace: UUID, definitions: Sequence[Definition], at: datetime
) -> list[Reading]:
    """The number of each rule, in their order, in two statements and as many for silences; MATCH has none."""
    readings = [UNKNOWN] * len(definitions)
    places = [i for i, each in enumerate(definitions) if each.kind not in _WITHOUT_WINDOW]
    looked = [definitions[place] for place in places]
    for place, reading in zip(
        places, await _over_windows(reader, workspace, looked, at), strict=True
    ):
        readings[place] = reading
    places = [i for i, each in enumerate(definitions) if each.kind is Kind.SILENCE]
    looked = [definitions[place] for place in places]
    for place, reading in zip(places, await _silences(reader, workspace, looked, at), strict=True):
        readings[place] = reading
    return readings


_WITHOUT_WINDOW = {Kind.SILENCE, Kind.MATCH}


async def _over_windows(
    reader: Reader, workspace: UUID, definitions: Sequence[Definition], at: datetime
) -> list[Reading]:
    asked = [spans(each, at) for each in definitions]
    windows = [
        Window(each.where, *span)
        for each, of in zip(definitions, asked, strict=True)
        for span in (of.now, *of.before)
    ]
    rows = iter(await counting.sums(reader, workspace, windows))
    starts = await begins(reader, workspace, definitions)
    readings = []
    for each, of, start in zip(definitions, asked, starts, strict=True):
        now, *before = (Sums.of(next(rows)) for _ in (of.now, *of.before))
        readings.append(read(each, now, since(of, start, before)))
    return readings


async def begins(
    reader: Reader, workspace: UUID, definitions: Sequence[Definition]
) -> list[datetime | None]:
    """Since when there is something to compare with; None for what is not compared."""
    compared = [each for each in definitions if each.kind is Kind.CHANGE]
    if not compared:
        return [None] * len(definitions)
    found = iter(await counting.began(reader, workspace, [each.where for each in compared]))
    return [next(found) if each.kind is Kind.CHANGE else None for each in definitions]


def since(of: Spans, start: datetime | None, before: Sequence[Sums]) -> list[Sums | None]:
    """The weeks before; None for those that began before anything was said."""
    return [
        sums if start is not None and span[0] >= start else None
        for span, sums in zip(of.before, before, strict=True)
    ]


async def _silences(
    reader: Reader, workspace: UUID, definitions: Sequence[Definition], at: datetime
) -> list[Reading]:
    if not definitions:
        return []
    moments = [Moment(source_of(each), at) for each in definitions]
    lasts = await counting.last_received(reader, workspace, moments)
    # A habit is looked for only where there is a silence to compare with it.
    curious = {
        source_of(each)
        for each, last in zip(definitions, lasts, strict=True)
        if each.threshold is not None and last is not None and at - last >= each.window
    }
    hours: dict[UUID, list[datetime]] = {}
    if curious:
        hours = await counting.active_hours(reader, workspace, list(curious), at - HABIT, at)
    return [
        read_silence(each, at, last, longest_pause(hours.get(source_of(each), ())))
        for each, last in zip(definitions, lasts, strict=True)
    ]


def source_of(definition: Definition) -> UUID:
    """The source that a rule for silence listens to."""
    assert definition.where.source_ids is not None  # noqa: S101 - it was checked when it was saved
    return definition.where.source_ids[0]


def window_of(definition: Definition, reading: Reading, at: datetime) -> tuple[datetime, datetime]:
    """What an alert that fires now is about: for a silence, since the last word."""
    if definition.kind is Kind.SILENCE and reading.value is not None:
        return at - timedelta(minutes=reading.value), at
    return (at, at) if definition.kind is Kind.MATCH else (at - definition.window, at)


async def samples(
    reader: Reader, workspace: UUID, windows: Sequence[tuple[Definition, tuple[datetime, datetime]]]
) -> list[list[UUID]]:
    """The newest feedback in each of the windows: of a share, of that which it counts."""
    asked = [Window(_counted(definition), *window) for definition, window in windows]
    return await counting.newest(reader, workspace, asked, MOST_SAMPLES)


def _counted(definition: Definition) -> Filter:
    if definition.metric is Metric.SHARE:
        return replace(definition.where, sentiments=definition.share_of)
    return definition.where
