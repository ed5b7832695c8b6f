"""Executes operations: documents read and compiled once, answers as bytes, errors masked."""

import asyncio
import contextlib
import hashlib
import json
import re
from collections import OrderedDict
from collections.abc import AsyncGenerator, Mapping
from time import perf_counter
from typing import TYPE_CHECKING, Any, Literal

import orjson
from graphql import GraphQLError, GraphQLSchema
from graphql.execution import ExecutionResult

from domain import errors
from domain.errors import RateLimitedError
from graph import incremental
from graph.answer import Answer, body_of
from graph.asked import Operation
from graph.caching import Slot
from graph.context import Context
from graph.deadline import Deadline, Timers
from graph.documents import CURSOR_ARGUMENT, Document, Documents, RequestError, SharedText
from graph.engine import Engine, Plan, Result, VariableErrors
from graph.errors import bad_request, formatted, timed_out
from graph.outage import OUTAGE_PAUSES
from graph.requests import Outcome, Requests
from persistence.database import StoreUnavailableError
from persistence.persisted import LARGEST, PersistedQueries
from telemetry import lines, trace

MOST_POINTS = 25_000
_HASHES = 2_000
_CHARACTERS_A_POINT = 10
_LONGEST_NAME = 80
_SUGGESTION = re.compile(
    r"\. Did you mean (?:the enum value |to use an inline fragment on )?"
    r"'\w+'(?:,? (?:or )?'\w+')*\?( Found)?"
)

if TYPE_CHECKING:
    from telemetry.spans import Span

Audience = Literal["everybody", "signed_in", "nobody"]


class Operations:
    """Executes operations of one schema."""

    def __init__(
        self,
        schema: GraphQLSchema,
        *,
        seconds: float,
        most_points: int = MOST_POINTS,
        engine: type[Engine] = Engine,
        introspection: Audience = "everybody",
        only_trusted: bool = False,
        persisted: PersistedQueries | None = None,
        traces_events: bool = False,
    ) -> None:
        """An operation may take so many `seconds` and cost `most_points`.

        `introspection`: who may ask for the schema, and is told what a misspelt name may have meant. `only_trusted`:
        no other documents are executed. `persisted`: those that clients register, if they may. `traces_events`: the
        answers to events say in which trace they are.
        """
        self.engine = engine(schema)
        self.requests = Requests()
        self.traces_events = traces_events
        self._deadlines = Timers(seconds)
        self._most_points = most_points
        self._introspection = introspection
        self._persisted = None if only_trusted else persisted
        self._hashes: OrderedDict[str, str] = OrderedDict()
        """Texts that are registered, by their hashes, as far as this process has met them."""
        self._documents = Documents(self.engine, only_trusted=only_trusted)

    @property
    def documents(self) -> Documents:
        return self._documents

    def trust(self, texts: Mapping[str, str]) -> None:
        """Compile these documents now and keep them, by their ids; RequestError for one that is not valid."""
        self._documents.trust(texts)

    async def document(self, operation: Operation, context: Context) -> Document:
        """The operation's document; RequestError when it is not valid, not known, or not for this caller.

        To read a long one takes long: one that is not known here costs a point for every ten characters, and whoever
        has none left is refused without a look.
        """
        is_known = self._documents.knows(operation.query)
        if not is_known and context.is_spent:
            raise _spent(RateLimitedError(1))
        try:
            if operation.sha256 is not None:
                document = await self._hashed(operation, operation.sha256)
            elif operation.document_id is not None:
                document = self._documents.by_id(operation.document_id)
            else:
                document = self._documents.by_text(operation.query)
            if document.introspects and not self._shows_schema(context):
                raise RequestError([self._unshown()])
        except RequestError as refused:
            self.requests.invalid += 1
            lines.note(outcome="invalid", caller=context.caller_kind)
            with contextlib.suppress(RateLimitedError):
                await context.spend_points(1 + len(operation.query) // _CHARACTERS_A_POINT)
            if not self._shows_schema(context):
                _withhold(refused.errors)
            raise
        points = 0 if is_known else len(operation.query) // _CHARACTERS_A_POINT
        if points and not context.purse.spend(points):
            with contextlib.suppress(RateLimitedError):
                await context.spend_points(points)
        return document

    async def _hashed(self, operation: Operation, sha256: str) -> Document:
        """By Apollo's protocol: the hash alone, and where that is not known the text with it."""
        trusted = self._documents.by_hash(sha256)
        if operation.document_id is None:
            if hashlib.sha256(operation.query.encode()).hexdigest() != sha256:
                raise RequestError([bad_request("provided sha does not match query")])
            document = self._documents.by_text(operation.query)
            if trusted is None and self._persisted is not None and sha256 not in self._hashes:
                await self._persisted.keep(sha256, operation.query)
                self._remember(sha256, operation.query)
            return document
        if trusted is not None:
            return trusted
        if self._persisted is None:
            raise RequestError([_NO_HASHES])
        text = self._hashes.get(sha256) or await self._persisted.find(sha256)
        if text is None:
            raise RequestError([_NO_SUCH_HASH])
        self._remember(sha256, text)
        return self._documents.by_text(text)

    def _remember(self, sha256: str, text: str) -> None:
        if len(text) <= LARGEST:
            self._hashes[sha256] = text
            self._hashes.move_to_end(sha256)
            if len(self._hashes) > _HASHES:
                self._hashes.popitem(last=False)

    def _shows_schema(self, context: Context) -> bool:
        return self._introspection == "everybody" or (
            self._introspection == "signed_in" and context.viewer_or_none is not None
        )

    def _unshown(self) -> dict[str, Any]:
        error: errors.DomainError = errors.UnauthenticatedError("Sign in to see the schema.")
        if self._introspection == "nobody":
            error = errors.ForbiddenError("This server does not show its schema.")
        return formatted(GraphQLError("", original_error=error))

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
        kind, began = document.type_of(operation.operation_name), perf_counter()
        outcome, points = Outcome.ABANDONED, 0
        with trace.part("graphql") as span:
            try:
                answer = await self._answer(document, operation, context, incrementally, tells_cost)
                outcome, points = answer.outcome, answer.points
            finally:
                name = document.name_of(operation.operation_name)
                self.requests.note(
                    kind,
                    outcome,
                    perf_counter() - began,
                    points,
                    name if document.is_trusted else None,
                )
                if span is not None or lines.are_on():
                    said(document, name, kind.value, outcome, points, context, span)
        return answer

    async def _answer(
        self,
        document: Document,
        operation: Operation,
        context: Context,
        incrementally: bool,
        tells_cost: bool,
    ) -> Answer:
        plan = document.plan(operation.operation_name)
        raw = operation.variables or {}
        try:
            coerced = self._coerced(plan, raw, context)
            defers = plan.is_deferring(coerced)
            if defers and not incrementally:
                raise RequestError([bad_request(incremental.UNACCEPTED)])
            points = await self._charge(document, operation, context, coerced)
        except RequestError as refused:
            refusal = orjson.dumps({"errors": refused.errors})
            outcome = Outcome.REFUSED if refused.retry_after is None else Outcome.LIMITED
            return Answer(refusal, executed=False, retry_after=refused.retry_after, outcome=outcome)
        run = plan.deliver if defers else plan.run
        began = asyncio.get_running_loop().time()
        is_aside = context.reads_aside
        only_reads = is_aside and document.only_reads(operation.operation_name)
        slot: Slot | None = None
        if only_reads and not defers:
            slot = await self._slot(document, operation, context, coerced, tells_cost)
            if slot is not None and slot.body is not None:
                return Answer(slot.body, executed=True, points=points)
        # What is kept is to be as new as its topic is, and so the primary's.
        if only_reads and slot is None:
            await context.read_replica()
        try:
            with Deadline(self._deadlines):
                result = await run(None, context, coerced, raw)
        except TimeoutError:
            late = orjson.dumps({"data": None, "errors": [timed_out(self._deadlines.seconds)]})
            return Answer(late, executed=True, outcome=Outcome.TIMEOUT, points=points)
        finally:
            if is_aside and not only_reads:
                await context.see_no_older()
        if isinstance(result, ExecutionResult):
            cost = self._cost(points, result)
            outcome = Outcome.ERRORS if result.errors else Outcome.OK
            body = body_of(result, cost if tells_cost else None)
            if slot is not None and not result.errors:
                await slot.fill(body)
            return Answer(body, executed=True, outcome=outcome, points=cost["actual"])
        payloads = incremental.Payloads(
            result, began + self._deadlines.seconds, timed_out(self._deadlines.seconds)
        )
        return Answer(payloads.first, executed=True, rest=payloads.rest(), points=points)

    async def _slot(
        self,
        document: Document,
        operation: Operation,
        context: Context,
        coerced: Mapping[str, Any],
        tells_cost: bool,
    ) -> Slot | None:
        """Where the answer is or may be kept."""
        if context.services.cache is None or not document.longest:
            return None
        question = {
            "document": document.sha256,
            "operation": operation.operation_name,
            "variables": coerced,
            "cost": tells_cost,
        }
        return await context.kept(question, document.longest)

    def _coerced(self, plan: Plan, raw: dict[str, Any], context: Context) -> dict[str, Any]:
        try:
            return plan.coerce(raw)
        except (VariableErrors, RecursionError) as error:
            refused = _misfit(error)
            if not self._shows_schema(context):
                _withhold(refused.errors)
            raise refused from None

    async def charge(self, document: Document, operation: Operation, context: Context) -> int:
        """Count a subscription's points once, as it begins, and say how many; RequestError where these are too many."""
        plan = document.plan(operation.operation_name)
        coerced = self._coerced(plan, operation.variables or {}, context)
        return await self._charge(document, operation, context, coerced)

    async def _charge(
        self,
        document: Document,
        operation: Operation,
        context: Context,
        coerced: Mapping[str, Any],
    ) -> int:
        """What the operation costs at most; RequestError where that is too much, for it or for its caller."""
        price = document.price(operation.operation_name)
        points = price.of(coerced)
        context.meter.times = price.names
        if points > self._most_points:
            message = f"The operation may cost {points:,} points; {self._most_points:,} are the most. Ask for less."
            cost = {"requested": points, "limit": self._most_points}
            error = bad_request(message)
            error["extensions"] |= {"cost": cost}
            raise RequestError([error])
        try:
            if not context.purse.spend(points):
                await context.spend_points(points)
        except RateLimitedError as limited:
            raise _spent(limited) from None
        return points

    def _cost(self, points: int, result: ExecutionResult) -> dict[str, int]:
        actual = 1 + result.weight if isinstance(result, Result) else points
        return {"requested": points, "actual": actual, "limit": self._most_points}

    def subscription(self, document: Document, operation: Operation) -> "SubscriptionPlan":
        """How a subscription's events are made and answered; RequestError where its variables do not fit."""
        plan = document.plan(operation.operation_name)
        raw = operation.variables or {}
        try:
            coerced = plan.coerce(raw)
        except (VariableErrors, RecursionError) as error:
            raise _misfit(error) from None
        if plan.is_deferring(coerced):
            raise RequestError([bad_request("The events of a subscription cannot be deferred.")])
        shared = document.shared(operation.operation_name)
        told = self.traces_events
        return SubscriptionPlan(plan, coerced, raw, shared, self._deadlines, tells_trace=told)


class SubscriptionPlan:
    """One subscription's plan and variables."""

    __slots__ = ("_coerced", "_deadlines", "_plan", "_raw", "_tells_trace", "key")

    def __init__(
        self,
        plan: Plan,
        coerced: dict[str, Any],
        raw: dict[str, Any],
        shared: SharedText,
        deadlines: Timers,
        *,
        tells_trace: bool = False,
    ) -> None:
        self._plan = plan
        self._tells_trace = tells_trace
        self._coerced = coerced
        self._raw = raw
        self._deadlines = deadlines
        given = {name: raw[name] for name in shared.variables if name in raw}
        # orjson would answer a kilobyte, most of it air.
        self.key: tuple[str, str] = shared.text, json.dumps(given, sort_keys=True)
        """Equal for subscriptions whose answers to the same events are the same bytes, rights aside."""

    @property
    def traceparent(self) -> str | None:
        """What the answer to an event is to say of its trace."""
        return trace.carried() if self._tells_trace else None

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
            with Deadline(self._deadlines):
                return await self._plan.events(None, context, self._coerced, self._raw, **instead)
        except TimeoutError:
            raise RequestError([timed_out(self._deadlines.seconds)]) from None
        except GraphQLError as error:
            raise RequestError([formatted(error)]) from error

    async def run(self, event: Any, context: Context) -> ExecutionResult:
        """The answer to an event, tried again while the store is away; RequestError when it takes too long."""
        for pause in (*OUTAGE_PAUSES, None):
            try:
                with Deadline(self._deadlines):
                    result = await self._plan.run(
                        event, context.renewed(), self._coerced, self._raw
                    )
            except TimeoutError:
                raise RequestError([timed_out(self._deadlines.seconds)]) from None
            if pause is None or not _met_an_outage(result):
                break
            await asyncio.sleep(pause)
        return result

    async def answers(self, events: AsyncGenerator[Any], context: Context) -> AsyncGenerator[bytes]:
        """The answers to the events of a generator."""
        async with contextlib.aclosing(events):
            async for event in events:
                yield body_of(await self.run(event, context))


def said(
    document: Document,
    name: str | None,
    kind: str,
    outcome: Outcome,
    points: int,
    context: Context,
    span: "Span | None",
) -> None:
    """Tell the log and the trace what was done: of the document its hash, and no variables."""
    line = lines.current()
    if line is None and span is None:
        return
    named = None if name is None else name[:_LONGEST_NAME]
    if line is not None:
        line.note(
            kind=kind,
            operation=named,
            document=document.sha256,
            cost=points,
            outcome=outcome.value,
            caller=context.caller_kind,
        )
    if span is not None:
        span.rename(kind if named is None else f"{kind} {named}")
        span.note(
            graphql__operation__type=kind,
            graphql__operation__name=named,
            graphql__document__hash=document.sha256,
            earful__cost=points,
            earful__outcome=outcome.value,
            earful__caller=context.caller_kind,
        )


_NO_SUCH_HASH = {
    "message": "PersistedQueryNotFound",
    "extensions": {"code": "PERSISTED_QUERY_NOT_FOUND"},
}
_NO_HASHES = {
    "message": "PersistedQueryNotSupported",
    "extensions": {"code": "PERSISTED_QUERY_NOT_SUPPORTED"},
}


def _spent(limited: RateLimitedError) -> RequestError:
    error = formatted(GraphQLError("", original_error=limited))
    return RequestError([error], retry_after=limited.retry_after)


def _withhold(found: list[dict[str, Any]]) -> None:
    """Take away what would tell names of the schema, and that there was something to take away."""
    for error in found:
        error["message"] = _SUGGESTION.sub(
            lambda told: ", found" if told[1] else ".", error["message"]
        )


def _misfit(error: VariableErrors | RecursionError) -> RequestError:
    """What is said of variables that do not fit."""
    if isinstance(error, VariableErrors):
        return RequestError([formatted(each) for each in error.errors])
    return RequestError([bad_request("The variables are nested too deeply.")])


def _met_an_outage(result: ExecutionResult) -> bool:
    return any(
        isinstance(error.original_error, StoreUnavailableError) for error in result.errors or ()
    )
