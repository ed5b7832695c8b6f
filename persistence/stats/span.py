"""Which statistics the hours can tell, and which part of a time they cover."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from persistence.feedback import Filter
from persistence.stats.cell import EVERY

_HOUR = timedelta(hours=1)
_COUNTED = {"source_ids", "tag_ids", "sentiments", "occurred_after", "occurred_before"}


@dataclass(frozen=True, slots=True)
class Span:
    """A time that holds whole hours: they go from `first` to before `last`, what is before and after is counted raw."""

    start: datetime
    first: datetime
    last: datetime | None
    end: datetime | None

    @classmethod
    def of(cls, start: datetime, end: datetime | None) -> Self | None:
        """None where there is no whole hour from start to before end."""
        try:
            first = _floor(start)
            if first != start:
                first += _HOUR
            last = None if end is None else _floor(end)
        except OverflowError:
            return None
        return None if last is not None and last <= first else cls(start, first, last, end)

    @property
    def has_head(self) -> bool:
        return self.start != self.first

    @property
    def has_tail(self) -> bool:
        return self.last != self.end


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for: the names of the filter's parts that are set, and the values of a statement."""

    names: tuple[str, ...]
    values: dict[str, Any]
    span: Span | None
    is_bounded: bool

    @classmethod
    def of(
        cls,
        where: Filter,
        start: datetime,
        end: datetime | None,
        boundaries: Sequence[datetime] = (),
    ) -> Self:
        """`span` is None where every feedback has to be counted by itself."""
        start = max(start, where.occurred_after or start)
        ends = [moment for moment in (end, where.occurred_before) if moment is not None]
        end = min(ends, default=None)
        values = replace(where, occurred_after=None, occurred_before=None).values()
        names = tuple(values)
        span = Span.of(start, end) if is_counted(where, boundaries) else None
        values |= {"start": start, "end": end}
        if span is not None:
            (values["tag"],) = set(where.tag_ids) if where.tag_ids is not None else (EVERY,)
            values |= {"first": span.first, "last": span.last}
        return cls(names, values, span, end is not None)


def is_counted(where: Filter, boundaries: Sequence[datetime]) -> bool:
    """Whether the hours know what is asked for, and each hour is of one bucket; boundaries are in UTC.

    They know sources, sentiments and one tag: of several, some feedback bears two.
    """
    if not _COUNTED.issuperset(where.values()):
        return False
    if where.tag_ids is not None and (len(set(where.tag_ids)) != 1 or EVERY in where.tag_ids):
        return False
    if where.sentiments == () or EVERY in (where.source_ids or ()):
        return False
    return not any(each.minute or each.second or each.microsecond for each in boundaries)


def _floor(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
