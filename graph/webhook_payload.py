"""Payloads as receivers select them: a GraphQL selection on an event, compiled once, answered by our own engine.

The selection is a document for a schema whose query type is the event: nothing else can be reached from there.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import cast

import structlog
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    parse,
    specified_directives,
)

from domain.errors import FieldError, InvalidInputError
from domain.seals import Seals
from domain.viewer import Viewer
from domain.webhook import Event, PayloadError
from graph import validation
from graph.engine import Engine, Plan
from graph.merging import TooMuchError
from graph.scalars import write_json
from persistence.database import Database, Reader, StoreUnavailableError
from persistence.objects import Objects

log = structlog.get_logger(__name__)

DEFAULT = """{
  feedbackId
  feedback {
    id externalId body rating language metadata occurredAt receivedAt
    author { name email externalId }
    sentiment { label score confidence model }
    source { id name kind }
    tags { id name }
  }
}"""
"""What an endpoint gets of feedback that selects nothing itself."""
_DEFAULTS = {
    "alert": """{
  alertId
  alert {
    id name kind state firedAt resolvedAt value threshold baseline windowStart windowEnd query
    rule { id name }
    samples { id body rating sentiment { label score } source { id name } }
  }
}""",
    "job": """{
  jobId
  job { id kind status error attempts result resultUrl createdById createdAt startedAt finishedAt }
}""",
}
"""The same of other events, by the first word of their types."""
LONGEST = 8_000
MOST_FIELDS = 200
DEEPEST = 8
LARGEST = 1_048_576
_MOST_TOKENS = 2_000
_MOST_ERRORS = 5
_MOST_SELECTIONS = 10_000
_TOO_MANY_FIELDS = f"must have at most {MOST_FIELDS} fields, fragments included"
_COMPILED = 500


@dataclass(frozen=True, slots=True)
class _Services:
    """Of a process's services what the resolvers of payloads use."""

    base_url: str
    objects: Objects
    seals: Seals
    clock: Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class _Context:
    """What the resolvers of a payload may use: a part of Context."""

    services: _Services
    viewer: Viewer
    database: Database

    @property
    def viewer_or_none(self) -> Viewer:
        return self.viewer

    def reader(self) -> AbstractAsyncContextManager[Reader]:
        return self.database.reader()


class Payloads:
    """Answers selections, and says what is wrong with one."""

    def __init__(
        self,
        schema: GraphQLSchema,
        database: Database,
        objects: Objects,
        *,
        base_url: str,
        seals: Seals,
        clock: Callable[[], datetime],
        seconds: float,
    ) -> None:
        event = cast("GraphQLObjectType", schema.type_map["WebhookEvent"])
        # Without @defer: a body is sent as a whole.
        self._engine = Engine(GraphQLSchema(event, directives=specified_directives))
        self._database = database
        self._services = _Services(base_url, objects, seals, clock)
        self._seconds = seconds
        self._compiled = lru_cache(_COMPILED)(self._compile)

    def problem(self, selection: str) -> str | None:
        """What is wrong with a selection, with line and column; None for nothing."""
        try:
            self._compiled(selection)
        except PayloadError as error:
            return str(error)
        return None

    async def preview(self, selection: str | None, event: Event, viewer: Viewer) -> bytes:
        """As `render`; InvalidInputError naming the selection for what is wrong."""
        try:
            return await self.render(selection, event, viewer)
        except PayloadError as error:
            message = str(error)
            raise InvalidInputError(
                f"`selection`: {message}", [FieldError(("selection",), message)]
            ) from None

    async def render(self, selection: str | None, event: Event, viewer: Viewer) -> bytes:
        """The body for an event, as that viewer may see it; PayloadError when there is none.

        What happened may have changed since, or be gone: it is answered as it is now.
        """
        if selection is None:
            selection = _DEFAULTS.get(event.type.partition(".")[0], DEFAULT)
        plan = self._compiled(selection)
        context = _Context(self._services, viewer, self._database)
        try:
            async with asyncio.timeout(self._seconds):
                result = await plan.run(event, context, {}, {})
        except TimeoutError:
            raise PayloadError(f"The payload took longer than {self._seconds:g} s.") from None
        if result.errors:
            raise _unanswered(result.errors)
        body = write_json({"type": event.type, "timestamp": event.occurred_at, "data": result.data})
        if len(body) > LARGEST:
            raise PayloadError(f"The payload has more than {LARGEST:,} bytes: select less.")
        return body

    def _compile(self, selection: str) -> Plan:
        if len(selection) > LONGEST:
            raise PayloadError(f"must have at most {LONGEST:,} characters")
        try:
            document = parse(selection, max_tokens=_MOST_TOKENS)
            errors = validation.errors(
                self._engine.schema,
                document,
                most_errors=_MOST_ERRORS,
                most_selections=_MOST_SELECTIONS,
            )
        except TooMuchError:
            raise PayloadError(_TOO_MANY_FIELDS) from None
        except GraphQLError as error:
            raise PayloadError(_located(error)) from None
        except RecursionError:
            raise PayloadError("is nested too deeply") from None
        if errors:
            raise PayloadError("; ".join(map(_located, errors)))
        _require_modest(document)
        return self._engine.plan(document)


def _require_modest(document: DocumentNode) -> None:
    """PayloadError unless it is one query, without variables, of bounded size."""
    operations = [n for n in document.definitions if isinstance(n, OperationDefinitionNode)]
    if len(operations) != 1 or operations[0].operation is not OperationType.QUERY:
        raise PayloadError("must be one selection, such as { type feedback { id body } }")
    operation = operations[0]
    if operation.variable_definitions:
        raise PayloadError("must not have variables")
    fragments = {
        node.name.value: node
        for node in document.definitions
        if isinstance(node, FragmentDefinitionNode)
    }
    if any(fragment.variable_definitions for fragment in fragments.values()):
        raise PayloadError("must not have variables")
    for number, (field, depth) in enumerate(
        _fields(operation.selection_set.selections, fragments, 1), start=1
    ):
        if number > MOST_FIELDS:
            raise PayloadError(_TOO_MANY_FIELDS)
        if depth > DEEPEST:
            raise PayloadError(f"must be at most {DEEPEST} levels deep")
        if field.name.value in ("__schema", "__type"):
            raise PayloadError(f"must not ask for {field.name.value}")


def _fields(
    selections: Iterable[SelectionNode],
    fragments: Mapping[str, FragmentDefinitionNode],
    depth: int,
) -> Iterator[tuple[FieldNode, int]]:
    """Each field as often as it is reached, and how deep it lies."""
    for node in selections:
        if isinstance(node, FieldNode):
            yield node, depth
            if node.selection_set:
                yield from _fields(node.selection_set.selections, fragments, depth + 1)
        elif isinstance(node, FragmentSpreadNode):
            fragment = fragments[node.name.value]
            yield from _fields(fragment.selection_set.selections, fragments, depth)
        elif isinstance(node, InlineFragmentNode):
            yield from _fields(node.selection_set.selections, fragments, depth)


def _located(error: GraphQLError) -> str:
    if not error.locations:
        return error.message
    at = error.locations[0]
    return f"line {at.line}, column {at.column}: {error.message}"


def _unanswered(errors: list[GraphQLError]) -> Exception:
    """What to raise for errors in an answer: that the store is away, which is nobody's fault, or a bug of ours."""
    for error in errors:
        if isinstance(error.original_error, StoreUnavailableError):
            return error.original_error
    log.error("payload failed", exc_info=errors[0].original_error or errors[0])
    return PayloadError("Something went wrong on our side while the payload was made.")
