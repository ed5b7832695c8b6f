"""Executes operations: documents read and compiled once, answers as bytes, errors masked."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Any, NamedTuple, cast

import orjson
from graphql import GraphQLError, GraphQLSchema
from graphql.execution import ExecutionResult, Executor, create_source_event_stream

from graph import incremental
from graph.context import Context
from graph.deadline import Deadline
from graph.documents import Document, Documents, RequestError
from graph.engine import Engine, Plan, VariableErrors
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


class Answer(NamedTuple):
    """The response body, and whether execution began (then HTTP says 200 in every case).

    Where the operation defers, the body is the first of several payloads; close the rest to end the operation.
    """

    body: bytes
    executed: bool
    rest: AsyncGenerator[bytes] | None = None


class Operations:
    """Executes operations of one schema."""

    def __init__(
        self, schema: GraphQLSchema, *, seconds: float, engine: type[Engine] = Engine
    ) -> None:
        self.engine = engine(schema)
        self._seconds = seconds
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
    ) -> Answer:
        """Run a query or mutation, within the deadline; when it passes, running statements are cancelled.

        An operation with @defer is refused unless the client takes its answer `incrementally`.
        """
        plan = document.plan(operation.operation_name)
        raw = operation.variables or {}
        try:
            coerced = _coerced(plan, raw)
            defers = plan.is_deferring(coerced)
            if defers and not incrementally:
                raise RequestError([bad_request(incremental.UNACCEPTED)])
        except RequestError as refused:
            return Answer(orjson.dumps({"errors": refused.errors}), executed=False)
        run = plan.deliver if defers else plan.run
        began = asyncio.get_running_loop().time()
        try:
            with Deadline(self._seconds):
                result = await run(None, context, coerced, raw)
        except TimeoutError:
            body = {"data": None, "errors": [timed_out(self._seconds)]}
            return Answer(orjson.dumps(body), executed=True)
        if isinstance(result, ExecutionResult):
            return Answer(_body(result), executed=True)
        payloads = incremental.Payloads(result, began + self._seconds, timed_out(self._seconds))
        return Answer(payloads.first, executed=True, rest=payloads.rest())

    async def subscribe(
        self, document: Document, operation: Operation, context: Context
    ) -> AsyncIterator[bytes]:
        """The answers to a subscription's events; RequestError when it cannot begin.

        Close the iterator to end the subscription.
        """
        plan = document.plan(operation.operation_name)
        raw = operation.variables or {}
        coerced = _coerced(plan, raw)
        if plan.is_deferring(coerced):
            raise RequestError([bad_request("The events of a subscription cannot be deferred.")])
        try:
            with Deadline(self._seconds):
                source = await self._events(document, operation, context)
        except TimeoutError:
            raise RequestError([timed_out(self._seconds)]) from None
        if isinstance(source, ExecutionResult):
            raise RequestError([formatted(error) for error in source.errors or ()])
        return self._answers(plan, coerced, raw, context, cast("AsyncGenerator[Any]", source))

    async def _events(self, document: Document, operation: Operation, context: Context) -> Any:
        """The events that the subscription's field makes, or the result that says why there are none."""
        executor = Executor.build(
            self.engine.schema,
            document.node,
            context_value=context,
            raw_variable_values=operation.variables,
            operation_name=operation.operation_name,
        )
        if isinstance(executor, list):
            raise RequestError([formatted(error) for error in executor])
        source: Any = create_source_event_stream(executor)
        return await source if executor.is_awaitable(source) else source

    async def _answers(
        self,
        plan: Plan,
        coerced: dict[str, Any],
        raw: dict[str, Any],
        context: Context,
        events: AsyncGenerator[Any],
    ) -> AsyncGenerator[bytes]:
        try:
            async for event in events:
                for pause in (*OUTAGE_PAUSES, None):
                    with Deadline(self._seconds):
                        result = await self._run(plan, event, context.renewed(), coerced, raw)
                    if pause is None or not _met_an_outage(result):
                        break
                    await asyncio.sleep(pause)
                yield _body(result)
        except TimeoutError:
            raise RequestError([timed_out(self._seconds)]) from None
        except GraphQLError as error:
            raise RequestError([formatted(error)]) from error
        except Exception as error:
            raise RequestError([formatted(GraphQLError("", original_error=error))]) from error
        finally:
            await events.aclose()

    async def _run(
        self,
        plan: Plan,
        root: Any,
        context: Context,
        coerced: dict[str, Any],
        raw: dict[str, Any],
    ) -> ExecutionResult:
        return await plan.run(root, context, coerced, raw)


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


def _body(result: ExecutionResult) -> bytes:
    body: dict[str, Any] = {}
    if result.errors:
        body["errors"] = [formatted(error) for error in result.errors]
    body["data"] = result.data
    return write_json(body)
