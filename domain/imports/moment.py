"""Dates as people and programs write them; what may mean two days is refused rather than guessed."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_ISO = re.compile(r"\d{4}-\d{2}-\d{2}(?:$|[T ])")
_NUMBERS = re.compile(r"(\d{1,4})([./-])(\d{1,2})\2(\d{1,4})(?:[T,\s]+(.+))?")
_DAY_FIRST = re.compile(r"(\d{1,2})\.?[\s-]([A-Za-z]{3,9})\.?,?[\s-](\d{4})(?:[T,\s]+(.+))?")
_MONTH_FIRST = re.compile(r"([A-Za-z]{3,9})\.?\s(\d{1,2}),?\s(\d{4})(?:[T,\s]+(.+))?")
_MAIL = re.compile(r"[A-Za-z]{3}, \d{1,2} [A-Za-z]{3} \d{4} .+")
_TIME = re.compile(
    r"(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d{1,9})?)?\s*([AaPp][Mm])?\s*(Z|UTC|GMT|[+-]\d{2}:?\d{2})?"
)
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()  # noqa: SIM905 - as a list it is six lines
_NAMES = (
    "january february march april may june july august september october november december".split()  # noqa: SIM905
)
_LONGEST = 64
_YEAR = 4
_TWELVE = 12
UNKNOWN = "must be a date, such as 2026-03-04 or 2026-03-04T15:30:00Z"
AMBIGUOUS = "may be read as two dates: write 2026-03-04 for the fourth of March"


def read(text: str) -> datetime:
    """The moment, in UTC where no offset is written; ValueError says what is wrong.

    ISO 8601; RFC 5322, as in mail; 4.3.2026 (day first); 2026/3/4; 4 March 2026; Mar 4, 2026; 13/3/2026 and 3/13/2026,
    but not 3/4/2026; each with a time or without.
    """
    text = text.strip()
    if len(text) > _LONGEST:
        raise ValueError(UNKNOWN)
    try:
        if _ISO.match(text):
            return _aware(datetime.fromisoformat(text.replace(" ", "T", 1).replace(" ", "")))
        if _MAIL.fullmatch(text):
            return _aware(parsedate_to_datetime(text))
        return _by_pattern(text)
    except (ValueError, OverflowError) as error:
        raise ValueError(AMBIGUOUS if str(error) == AMBIGUOUS else UNKNOWN) from None


def _by_pattern(text: str) -> datetime:
    if match := _NUMBERS.fullmatch(text):
        first, separator, second, third, clock = match.groups()
        return _moment(*_order(first, separator, second, third), clock)
    if match := _DAY_FIRST.fullmatch(text):
        day, month, year, clock = match.groups()
    elif match := _MONTH_FIRST.fullmatch(text):
        month, day, year, clock = match.groups()
    else:
        raise ValueError(UNKNOWN)
    return _moment(int(year), _month(month), int(day), clock)


def _order(first: str, separator: str, second: str, third: str) -> tuple[int, int, int]:
    """Year, month and day."""
    if len(first) == _YEAR:
        return int(first), int(second), int(third)
    if len(third) != _YEAR:
        raise ValueError(UNKNOWN)
    one, two, year = int(first), int(second), int(third)
    if separator == "." or one > _TWELVE or one == two:
        return year, two, one
    if two > _TWELVE:
        return year, one, two
    raise ValueError(AMBIGUOUS)


def _month(name: str) -> int:
    names = _MONTHS if len(name) == len(_MONTHS[0]) else _NAMES
    return names.index(name.lower()) + 1


def _moment(year: int, month: int, day: int, clock: str | None) -> datetime:
    if clock is None:
        return datetime(year, month, day, tzinfo=UTC)
    match = _TIME.fullmatch(clock.strip())
    if match is None:
        raise ValueError(UNKNOWN)
    hours, minutes, seconds, half, offset = match.groups()
    hour = int(hours)
    if half is not None:
        if not 1 <= hour <= _TWELVE:
            raise ValueError(UNKNOWN)
        hour = hour % _TWELVE + (_TWELVE if half.lower() == "pm" else 0)
    written = f"{year:04}-{month:02}-{day:02}T{hour:02}:{minutes}:{seconds or '00'}"
    zone = "" if offset in {None, "UTC", "GMT"} else offset
    return _aware(datetime.fromisoformat(written + (zone or "")))


def _aware(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
