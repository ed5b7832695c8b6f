"""Executes operations: documents read and compiled once, answers as bytes, errors masked."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field
from typing import Any, cast

import orjson
from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    parse,
    validate,
)
from graphql.execution import ExecutionResult, Executor, create_source_event_stream

from graph.context import Context
from graph.engine import Engine, Plan, VariableErrors
from graph.errors import bad_request, formatted, timed_out
from graph.outage import OUTAGE_PAUSES
from persistence.database import StoreUnavailableError

MOST_TOKENS = 8_000
MOST_ERRORS = 50
_CACHED_DOCUMENTS = 1_000
_CACHED_CHARACTERS = 2_000_000


@dataclass(frozen=True, slots=True)
class Operation:
    """What a client asks for."""

    query: str
    variables: dict[str, Any] | None = None
    operation_name: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The response body, and whether execution began (then HTTP says 200 in every case)."""

    body: bytes
    executed: bool


class RequestError(Exception):
    """The request cannot be executed; carries the errors for the client."""

    def __init__(self, errors: list[dict[str, Any]]) -> None:
        super().__init__(errors[0]["message"])
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Document:
    """A document that is valid for the schema, and its operations' plans as far as they were asked for."""

    node: DocumentNode
    operations: dict[str | None, OperationType]
    plans: dict[str | None, Plan] = field(default_factory=dict)

    def type_of(self, operation_name: str | None) -> OperationType:
        """What the chosen operation does; RequestError when none or more than one is meant."""
        if operation_name is None:
            if len(self.operations) == 1:
                return next(iter(self.operations.values()))
            raise RequestError(
                [bad_request("The document has several operations: name one in operationName.")]
            )
        try:
            return self.operations[operation_name]
        except KeyError:
            raise RequestError(
                [bad_request(f"The document has no operation named {operation_name[:100]!r}.")]
            ) from None


class Operations:
    """Executes operations of one schema."""

    def __init__(self, schema: GraphQLSchema, *, seconds: float) -> None:
        self._engine = Engine(schema)
        self._seconds = seconds
        self._documents: OrderedDict[str, Document] = OrderedDict()
        self._characters = 0

    def document(self, query: str) -> Document:
        """The document, parsed and validated now or before; RequestError when it is not valid."""
        known = self._documents.get(query)
        if known is not None:
            self._documents.move_to_end(query)
            return known
        document = self._read(query)
        self._documents[query] = document
        self._characters += len(query)
        while len(self._documents) > _CACHED_DOCUMENTS or self._characters > _CACHED_CHARACTERS:
            self._characters -= len(self._documents.popitem(last=False)[0])
        return document

    def _read(self, query: str) -> Document:
        try:
            node = parse(query, max_tokens=MOST_TOKENS)
        except GraphQLError as error:
            raise RequestError([formatted(error)]) from None
        except RecursionError:
            raise RequestError([bad_request("The document is nested too deeply.")]) from None
        try:
            errors = validate(self._engine.schema, node, max_errors=MOST_ERRORS)
        except RecursionError:
            raise RequestError([bad_request("The document is nested too deeply.")]) from None
        if errors:
            raise RequestError([formatted(error) for error in errors])
        operations = {
            definition.name.value if definition.name else None: definition.operation
            for definition in node.definitions
            if isinstance(definition, OperationDefinitionNode)
        }
        return Document(node, operations)

    async def execute(self, document: Document, operation: Operation, context: Context) -> Answer:
        """Run a query or mutation, within the deadline; when it passes, running statements are cancelled."""
        plan = self._plan(document, operation)
        raw = operation.variables or {}
        try:
            coerced = _coerced(plan, raw)
        except RequestError as refused:
            return Answer(orjson.dumps({"errors": refused.errors}), executed=False)
        try:
            async with asyncio.timeout(self._seconds):
                result = await self._run(plan, None, context, coerced, raw)
        except TimeoutError:
            body = {"data": None, "errors": [timed_out(self._seconds)]}
            return Answer(orjson.dumps(body), executed=True)
        return Answer(_body(result), executed=True)

    async def subscribe(
        self, document: Document, operation: Operation, context: Context
    ) -> AsyncIterator[bytes]:
        """The answers to a subscription's events; RequestError when it cannot begin.

        Close the iterator to end the subscription.
        """
        plan = self._plan(document, operation)
        raw = operation.variables or {}
        coerced = _coerced(plan, raw)
        try:
            async with asyncio.timeout(self._seconds):
                source = await self._events(document, operation, context)
        except TimeoutError:
            raise RequestError([timed_out(self._seconds)]) from None
        if isinstance(source, ExecutionResult):
            raise RequestError([formatted(error) for error in source.errors or ()])
        return self._answers(plan, coerced, raw, context, cast("AsyncGenerator[Any]", source))

    async def _events(self, document: Document, operation: Operation, context: Context) -> Any:
        """The events that the subscription's field makes, or the result that says why there are none."""
        executor = Executor.build(
            self._engine.schema,
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
                    async with asyncio.timeout(self._seconds):
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

    def _plan(self, document: Document, operation: Operation) -> Plan:
        name = operation.operation_name
        plan = document.plans.get(name)
        if plan is None:
            plan = document.plans[name] = self._engine.plan(document.node, name)
        return plan

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
    return orjson.dumps(body)
