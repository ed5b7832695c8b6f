"""Executes operations: documents parsed and validated once, answers as bytes, errors masked.

The only place that touches graphql-core's executor. Each event of a subscription gets an executor of its
own: graphql-core 3.3's shared per-event executors grow with every event of a stream.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable
from dataclasses import dataclass
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
from graphql.execution import (
    ExecutionResult,
    Executor,
    create_source_event_stream,
    execute_root_selection_set,
    execute_subscription_event,
)

from graph.context import Context
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
    """A document that is valid for the schema."""

    node: DocumentNode
    operations: dict[str | None, OperationType]

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
        self._schema = schema
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
            errors = validate(self._schema, node, max_errors=MOST_ERRORS)
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
        try:
            executor = self._executor(document, operation, context)
        except RequestError as refused:
            return Answer(orjson.dumps({"errors": refused.errors}), executed=False)
        try:
            async with asyncio.timeout(self._seconds):
                result = await _finished(execute_root_selection_set(executor))
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
        executor = self._executor(document, operation, context)
        try:
            async with asyncio.timeout(self._seconds):
                source: Any = create_source_event_stream(executor)
                if executor.is_awaitable(source):
                    source = await source
        except TimeoutError:
            raise RequestError([timed_out(self._seconds)]) from None
        if isinstance(source, ExecutionResult):
            raise RequestError([formatted(error) for error in source.errors or ()])
        return self._answers(document, operation, context, cast("AsyncGenerator[Any]", source))

    async def _answers(
        self,
        document: Document,
        operation: Operation,
        context: Context,
        events: AsyncGenerator[Any],
    ) -> AsyncGenerator[bytes]:
        try:
            async for event in events:
                for pause in (*OUTAGE_PAUSES, None):
                    executor = self._executor(document, operation, context.renewed(), event)
                    async with asyncio.timeout(self._seconds):
                        result = await _finished(execute_subscription_event(executor))
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

    def _executor(
        self, document: Document, operation: Operation, context: Context, root: Any = None
    ) -> Executor[Any]:
        try:
            built = Executor.build(
                self._schema,
                document.node,
                root_value=root,
                context_value=context,
                raw_variable_values=operation.variables,
                operation_name=operation.operation_name,
            )
        except RecursionError:
            raise RequestError([bad_request("The variables are nested too deeply.")]) from None
        if isinstance(built, list):
            raise RequestError([formatted(error) for error in built])
        return built


async def _finished(result: ExecutionResult | Awaitable[ExecutionResult]) -> ExecutionResult:
    return result if isinstance(result, ExecutionResult) else await result


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
