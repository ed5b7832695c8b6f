"""Mutations with an Idempotency-Key: carried out once, answered the same as often as they are sent."""

import asyncio
import hashlib
import json
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

from graphql import (
    FieldNode,
    GraphQLError,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    OperationDefinitionNode,
    get_named_type,
)

from domain import idempotency
from domain.errors import ConflictError, DomainError, RateLimitedError
from domain.idempotency import Claim, InProgressError
from graph.answer import Answer
from graph.asked import Operation
from graph.context import Context
from graph.documents import Document
from graph.errors import bad_request, formatted
from graph.execution import Operations
from graph.requests import Outcome
from persistence.database import StoreUnavailableError

# Beyond the deadline of an operation: by then its transaction is committed or rolled back.
_GRACE = timedelta(seconds=10)


class KeyRefusedError(Exception):
    """The request is not carried out: an HTTP status, the error, and after how many seconds it may come again."""

    def __init__(
        self, status: int, error: dict[str, Any], retry_after: float | None = None
    ) -> None:
        super().__init__(error["message"])
        self.status = status
        self.error = error
        self.retry_after = retry_after


class Once:
    """Carries out keyed mutations."""

    def __init__(self, operations: Operations, *, seconds: float) -> None:
        """An operation takes so many seconds at most."""
        self._operations = operations
        self._lasts = timedelta(seconds=seconds) + _GRACE
        self._running: set[asyncio.Task[Answer]] = set()
        self._unkeyed = answering_tokens(operations.engine.schema)

    async def answer(
        self, key: str, document: Document, operation: Operation, context: Context
    ) -> Answer:
        """What the mutation is answered, now or before; KeyRefusedError where it cannot be carried out.

        It is carried out to its end even if the client leaves: who comes back is to find the answer.
        """
        _check(self._unkeyed, document, operation)
        claim = await self._claim(key, operation, context)
        if isinstance(claim, bytes):
            return Answer(claim, executed=True)
        task = asyncio.ensure_future(self._carry_out(claim, document, operation, context))
        self._running.add(task)
        task.add_done_callback(self._end)
        return await asyncio.shield(task)

    async def _claim(self, key: str, operation: Operation, context: Context) -> Claim | bytes:
        if context.viewer_or_none is None:
            if context.refused is not None:
                raise _refused(400, context.refused)
            raise KeyRefusedError(
                400, bad_request("Sign in: an idempotency key is kept for its caller.")
            )
        services, caller = context.services, context.viewer_or_none.id
        try:
            idempotency.check(key)
            # What was answered before is not executed, and costs this alone.
            await context.spend_points(1)
            return await idempotency.claim(
                services.database,
                services.seals,
                caller,
                key,
                _fingerprint(operation),
                lasts=self._lasts,
            )
        except RateLimitedError as limited:
            raise _refused(429, limited, limited.retry_after) from None
        except InProgressError as error:
            raise _refused(409, ConflictError(str(error)), 1) from None
        except StoreUnavailableError as error:
            raise _refused(503, error, 1) from None
        except ConflictError as error:
            raise _refused(409, error) from None
        except DomainError as error:
            raise _refused(400, error) from None

    async def _carry_out(
        self, claim: Claim, document: Document, operation: Operation, context: Context
    ) -> Answer:
        worth_keeping = None
        context.services = replace(context.services, database=claim.marked())
        try:
            answer = await self._operations.execute(document, operation, context, tells_cost=True)
            # One with errors does not say whether all was done; that it was, the key does.
            if answer.executed and answer.outcome is Outcome.OK:
                worth_keeping = answer.body
        finally:
            # Without that the key says, once its time is up, whether something was done.
            with suppress(StoreUnavailableError):
                await claim.settle(worth_keeping)
        return answer

    def _end(self, task: asyncio.Task[Answer]) -> None:
        self._running.discard(task)
        # Whoever asked may have gone.
        if not task.cancelled():
            task.exception()


def _check(unkeyed: frozenset[str], document: Document, operation: Operation) -> None:
    """KeyRefusedError for operations that take no key."""
    definition = next(
        node
        for node in document.node.definitions
        if isinstance(node, OperationDefinitionNode)
        and operation.operation_name in {None, node.name and node.name.value}
    )
    fields = definition.selection_set.selections
    field = fields[0]
    if len(fields) > 1 or not isinstance(field, FieldNode):
        message = "With an idempotency key an operation has one mutation, outside of fragments."
        raise KeyRefusedError(400, bad_request(message))
    if field.name.value in unkeyed:
        message = (
            f"{field.name.value} takes no idempotency key: its answer is a secret that is not kept."
        )
        raise KeyRefusedError(400, bad_request(message))


def answering_tokens(schema: GraphQLSchema) -> frozenset[str]:
    """The mutations that answer tokens: what lets somebody in is not kept."""
    fields = {} if schema.mutation_type is None else schema.mutation_type.fields
    return frozenset(
        name
        for name, field in fields.items()
        if isinstance(union := get_named_type(field.type), GraphQLUnionType)
        and any(_has_tokens(answer) for answer in union.types)
    )


def _has_tokens(answer: GraphQLObjectType) -> bool:
    return any(get_named_type(field.type).name == "AuthTokens" for field in answer.fields.values())


def _refused(status: int, cause: Exception, retry_after: float | None = None) -> KeyRefusedError:
    return KeyRefusedError(status, formatted(GraphQLError("", original_error=cause)), retry_after)


def _fingerprint(operation: Operation) -> bytes:
    """The same for the same document with the same variables."""
    # A document that is persisted may come by its hash, and has come with its text before.
    by_text = hashlib.sha256(operation.query.encode("utf-8", "surrogatepass")).hexdigest
    document = operation.sha256 or operation.document_id or by_text()
    asked = [document, operation.operation_name, operation.variables or {}]
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).digest()
