"""Answers as they leave: bytes, with what HTTP has to know of them."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, NamedTuple

from graphql import GraphQLError
from graphql.execution import ExecutionResult

from graph.errors import formatted
from graph.requests import Outcome
from graph.scalars import write_json


class Answer(NamedTuple):
    """The response body, and whether execution began (then HTTP says 200 in every case).

    Where the operation defers, the body is the first of several payloads; close the rest to end the operation.
    `retry_after`: the caller has spent all points, and has enough again after so many seconds. `points`: what it cost.
    """

    body: bytes
    executed: bool
    rest: AsyncGenerator[bytes] | None = None
    retry_after: float | None = None
    outcome: Outcome = Outcome.OK
    points: int = 0


def _let_go(found: Sequence[GraphQLError]) -> None:
    """Forget where errors were raised: the frames hold on to the request and to the errors.

    Such a circle only the garbage collector takes apart, which comes after thousands of requests of a megabyte each.
    """
    for error in found:
        each: BaseException | None = error
        while each is not None:
            each.__traceback__ = None
            each = each.original_error if isinstance(each, GraphQLError) else each.__cause__


def body_of(
    result: ExecutionResult,
    cost: Mapping[str, int] | None = None,
    *,
    traceparent: str | None = None,
) -> bytes:
    """The response as bytes, with what it cost, or in which trace it is, where that is to be told."""
    body: dict[str, Any] = {}
    if result.errors:
        body["errors"] = [formatted(error) for error in result.errors]
        _let_go(result.errors)
    body["data"] = result.data
    if cost is not None:
        body["extensions"] = {"cost": cost}
    elif traceparent is not None:
        body["extensions"] = {"traceparent": traceparent}
    return write_json(body)
