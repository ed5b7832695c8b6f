"""The scalars DateTime and JSON."""

from datetime import UTC, datetime
from typing import Any, NewType

import orjson
import strawberry
from graphql import GraphQLError
from strawberry.types.scalar import ScalarDefinition

from graph.engine import Unchanged

JSON = NewType("JSON", object)


def write_time(value: datetime) -> datetime:
    """In UTC, for the JSON writer to make RFC 3339 of: 2026-11-22T18:30:00.123456Z."""
    return value if value.tzinfo is UTC else value.astimezone(UTC)


TIME_AS_IT_IS = Unchanged(datetime, "tzinfo", UTC)
"""What `write_time` leaves alone: times as Postgres gives them."""


def write_json(value: Any) -> bytes:
    """A response body, or a part of one."""
    return orjson.dumps(value, option=orjson.OPT_UTC_Z)


def read_time(value: Any) -> datetime:
    """A time with its offset; one without is refused rather than guessed."""
    if not isinstance(value, str) or len(value) > 64:  # noqa: PLR2004
        raise GraphQLError("DateTime must be a string such as 2026-11-22T18:30:00Z.")
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise GraphQLError(
        f"DateTime cannot be {value!r}: it must be RFC 3339 with an offset, such as 2026-11-22T18:30:00Z."
    )


def json_text(text: str) -> JSON:
    """JSON that Postgres wrote, passed through to the response without parsing it."""
    return JSON(orjson.Fragment(text))


SCALARS: dict[object, ScalarDefinition] = {
    datetime: strawberry.scalar(
        name="DateTime",
        description="A moment: RFC 3339 in UTC, such as `2026-11-22T18:30:00.123456Z`. "
        "Input may have any offset, but must have one.",
        serialize=write_time,
        parse_value=read_time,
        specified_by_url="https://datatracker.ietf.org/doc/html/rfc3339",
    ),
    JSON: strawberry.scalar(
        name="JSON",
        description="Any JSON value (ECMA-404).",
        serialize=lambda value: value,
        parse_value=lambda value: value,
        specified_by_url="https://ecma-international.org/publications-and-standards/standards/ecma-404/",
    ),
}
