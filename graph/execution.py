"""Executes operations: documents read and compiled once, answers as bytes, errors masked."""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Mapping
from typing import Any, NamedTuple

import orjson
from graphql import GraphQLError, GraphQLSchema
from graphql.execution import ExecutionResult

from domain.errors import RateLimitedError
from graph import incremental
from graph.context import Context
from graph.deadline import Deadline
from graph.documents import CURSOR_ARGUMENT, Document, Documents, RequestError, SharedText
from graph.engine import Engine, Plan, Result, VariableErrors
from graph.errors import bad_request, formatted, timed_out
from graph.outage import OUTAGE_PAUSES
from graph.scalars import write_json
from persistence.database import StoreUnavailableError


class Operation(NamedTuple):
    """What a client asks for."""

    query: str
    variables: dict[str, Any] | None = None
    operation_name: str | None = None
    document_id: str | None = None


MOST_POINTS = 25_000


class Answer(NamedTuple):
    """The response body, and whether execution began (then HTTP says 200 in every case).

    Where the operation defers, the body is the first of several payloads; close the rest to end the operation.
    `retry_after`: the caller has spent all points, and has enough again after so many seconds.
    """

    body: bytes
    executed: bool
    rest: AsyncGenerator[bytes] | None = None
    retry_after: float | None = None


class Operations:
    """Executes operations of one schema."""

    def __init__(
        self,
        schema: GraphQLSchema,
        *,
        seconds: float,
        most_points: int = MOST_POINTS,
        engine: type[Engine] = Engine,
    ) -> None:
        """An operation may take so many `seconds` and cost `most_points`."""
        self.engine = engine(schema)
        self._seconds = seconds
        self._most_points = most_points
        self._documents = Documents(self.engine)

    def trust(self, texts: Mapping[str, str]) -> None:
        """Compile these documents now and keep them, by their ids; RequestError for one that is not valid."""
        self._documents.trust(texts)

    def document(self, operation: Operation) -> Document:
        """The operation's document; RequestError when it is not valid or not known."""
        if operation.document_id is not None:
            return self._documents.by_id(operation.document_id)
        return self._documents.by_text(operation.query)

    async def execute(
        self,
        document: Document,
        operation: Operation,
        context: Context,
        *,
        incrementally: bool = False,
        tells_cost: bool = False,
    ) -> Answer:
        """Run a query or mutation, within the deadline; when it passes, running statements are cancelled.

        An operation with @defer is refused unless the client takes its answer `incrementally`. What it cost is in the
        answer's extensions if that `tells_cost`.
        """
        plan = document.plan(operation.operation_name)
        raw = operation.variables or {}
        try:
            coerced = _coerced(plan, raw)
            defers = plan.is_deferring(coerced)
            if defers and not incrementally:
                raise RequestError([bad_request(incremental.UNACCEPTED)])
            points = await self._charge(document, operation, context, coerced)
        except RequestError as refused:
            refusal = orjson.dumps({"errors": refused.errors})
            return Answer(refusal, executed=False, retry_after=refused.retry_after)
        run = plan.deliver if defers else plan.run
        began = asyncio.get_running_loop().time()
        try:
            with Deadline(self._seconds):
                result = await run(None, context, coerced, raw)
        except TimeoutError:
            body = {"data": None, "errors": [timed_out(self._seconds)]}
            return Answer(orjson.dumps(body), executed=True)
        if isinstance(result, ExecutionResult):
            cost = self._cost(points, result) if tells_cost else None
            return Answer(body_of(result, cost), executed=True)
        payloads = incremental.Payloads(result, began + self._seconds, timed_out(self._seconds))
        return Answer(payloads.first, executed=True, rest=payloads.rest())

    async def charge(self, document: Document, operation: Operation, context: Context) -> None:
        """Count a subscription's points once, as it begins; RequestError where these are too many."""
        coerced = _coerced(document.plan(operation.operation_name), operation.variables or {})
        await self._charge(document, operation, context, coerced)

    async def _charge(
        self,
        document: Document,
        operation: Operation,
        context: Context,
        coerced: Mapping[str, Any],
    ) -> int:
        """What the operation costs at most; RequestError where that is too much, for it or for its caller."""
        points = document.price(operation.operation_name).of(coerced)
        if points > self._most_points:
            message = f"The operation may cost {points:,} points; {self._most_points:,} are the most. Ask for less."
            cost = {"requested": points, "limit": self._most_points}
            error = bad_request(message)
            error["extensions"] |= {"cost": cost}
            raise RequestError([error])
        try:
            await context.spend_points(points)
        except RateLimitedError as limited:
            error = formatted(GraphQLError("", original_error=limited))
            raise RequestError([error], retry_after=limited.retry_after) from None
        return points

    def _cost(self, points: int, result: ExecutionResult) -> dict[str, int]:
        actual = 1 + result.weight if isinstance(result, Result) else points
        return {"requested": points, "actual": actual, "limit": self._most_points}

    def subscription(self, document: Document, operation: Operation) -> "SubscriptionPlan":
        """How a subscription's events are made and answered; RequestError where its variables do not fit."""
        plan = document.plan(operation.operation_name)
        raw = operation.variables or {}
        coerced = _coerced(plan, raw)
        if plan.is_deferring(coerced):
            raise RequestError([bad_request("The events of a subscription cannot be deferred.")])
        shared = document.shared(operation.operation_name)
        return SubscriptionPlan(plan, coerced, raw, shared, self._seconds)


class SubscriptionPlan:
    """One subscription's plan and variables."""

    __slots__ = ("_coerced", "_plan", "_raw", "_seconds", "key")

    def __init__(
        self,
        plan: Plan,
        coerced: dict[str, Any],
        raw: dict[str, Any],
        shared: SharedText,
        seconds: float,
    ) -> None:
        self._plan = plan
        self._coerced = coerced
        self._raw = raw
        self._seconds = seconds
        given = {name: raw[name] for name in shared.variables if name in raw}
        # orjson would answer a kilobyte, most of it air.
        self.key: tuple[str, str] = shared.text, json.dumps(given, sort_keys=True)
        """Equal for subscriptions whose answers to the same events are the same bytes, rights aside."""

    async def source(self, context: Context, after: str | None) -> Any:
        """Where the events come from: a stream, or an async generator; RequestError when it cannot begin.

        `after` counts in place of the field's own argument, where it has one.
        """
        try:
            instead = {}
            if (
                after is not None
                and CURSOR_ARGUMENT in self._plan.subscribed(self._coerced).definition.args
            ):
                instead[CURSOR_ARGUMENT] = after
            with Deadline(self._seconds):
                return await self._plan.events(None, context, self._coerced, self._raw, **instead)
        except TimeoutError:
            raise RequestError([timed_out(self._seconds)]) from None
        except GraphQLError as error:
            raise RequestError([formatted(error)]) from error

    async def run(self, event: Any, context: Context) -> ExecutionResult:
        """The answer to an event, tried again while the store is away; RequestError when it takes too long."""
        for pause in (*OUTAGE_PAUSES, None):
            try:
                with Deadline(self._seconds):
                    result = await self._plan.run(
                        event, context.renewed(), self._coerced, self._raw
                    )
            except TimeoutError:
                raise RequestError([timed_out(self._seconds)]) from None
            if pause is None or not _met_an_outage(result):
                break
            await asyncio.sleep(pause)
        return result

    async def answers(self, events: AsyncGenerator[Any], context: Context) -> AsyncGenerator[bytes]:
        """The answers to the events of a generator."""
        async with contextlib.aclosing(events):
            async for event in events:
                yield body_of(await self.run(event, context))


def _coerced(plan: Plan, raw: dict[str, Any]) -> dict[str, Any]:
    try:
        return plan.coerce(raw)
    except VariableErrors as refused:
        raise RequestError([formatted(error) for error in refused.errors]) from None
    except RecursionError:
        raise RequestError([bad_request("The variables are nested too deeply.")]) from None


def _met_an_outage(result: ExecutionResult) -> bool:
    return any(
        isinstance(error.original_error, StoreUnavailableError) for error in result.errors or ()
    )


def body_of(result: ExecutionResult, cost: Mapping[str, int] | None = None) -> bytes:
    """The response as bytes, with what it cost where that is to be told."""
    body: dict[str, Any] = {}
    if result.errors:
        body["errors"] = [formatted(error) for error in result.errors]
    body["data"] = result.data
    if cost is not None:
        body["extensions"] = {"cost": cost}
    return write_json(body)
