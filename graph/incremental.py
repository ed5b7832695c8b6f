"""The payloads of an operation with @defer, as graphql-js 17 and its clients have them, errors masked.

First the data with what is `pending`, then payloads of `incremental` parts, each merged at the path of its
pending id and its `subPath`, and of `completed` ids; `hasNext` is false in the last one.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Iterable
from typing import Any

from graphql import GraphQLError
from graphql.execution import (
    CompletedResult,
    ExperimentalIncrementalExecutionResults,
    PendingResult,
    SubsequentIncrementalExecutionResult,
)

from graph.errors import formatted
from graph.scalars import write_json

UNACCEPTED = (
    "An answer with @defer comes in parts, over HTTP only: send `Accept: multipart/mixed;"
    "incrementalSpec=v0.2, application/graphql-response+json`, or leave @defer out."
)


class Payloads:
    """What is sent, one after the other, until the deadline; then what is still pending fails with `late`."""

    def __init__(
        self,
        results: ExperimentalIncrementalExecutionResults,
        deadline: float,
        late: dict[str, Any],
    ) -> None:
        initial = results.initial_result
        self._results = results.subsequent_results
        self._deadline = deadline
        self._late = late
        self._open: dict[str, None] = {}
        body: dict[str, Any] = {}
        if initial.errors:
            body["errors"] = [formatted(error) for error in initial.errors]
        body |= {"data": initial.data, "pending": self._pending(initial.pending), "hasNext": True}
        self.first = write_json(body)

    async def rest(self) -> AsyncGenerator[bytes]:
        """All payloads but the first. Close it to end the operation."""
        async with contextlib.aclosing(self._results) as results:
            try:
                while True:
                    async with asyncio.timeout_at(self._deadline):
                        result = await anext(results)
                    yield write_json(self._payload(result))
                    if not result.has_next:
                        return
            except TimeoutError:
                error = self._late
            except Exception as bug:  # noqa: BLE001 - masked
                error = formatted(GraphQLError("", original_error=bug))
        failed = [{"id": id_, "errors": [error]} for id_ in self._open]
        yield write_json({"completed": failed, "hasNext": False})

    def _payload(self, result: SubsequentIncrementalExecutionResult) -> dict[str, Any]:
        payload: dict[str, Any] = {}
        if result.pending:
            payload["pending"] = self._pending(result.pending)
        if result.incremental:
            payload["incremental"] = [_incremental(part) for part in result.incremental]
        if result.completed:
            payload["completed"] = [self._completed(end) for end in result.completed]
        payload["hasNext"] = result.has_next
        return payload

    def _pending(self, results: Iterable[PendingResult]) -> list[dict[str, Any]]:
        pending = []
        for result in results:
            self._open[result.id] = None
            part: dict[str, Any] = {"id": result.id, "path": result.path}
            pending.append(part if result.label is None else part | {"label": result.label})
        return pending

    def _completed(self, result: CompletedResult) -> dict[str, Any]:
        del self._open[result.id]
        completed: dict[str, Any] = {"id": result.id}
        if result.errors:
            completed["errors"] = [formatted(error) for error in result.errors]
        return completed


def _incremental(result: Any) -> dict[str, Any]:
    """A part of a deferred fragment: streamed items, which graphql-core knows too, do not occur."""
    part: dict[str, Any] = {"id": result.id}
    if result.sub_path:
        part["subPath"] = result.sub_path
    part["data"] = result.data
    if result.errors:
        part["errors"] = [formatted(error) for error in result.errors]
    return part
