"""Several operations in one request, where a server takes them: one after the other, answered as a list."""

import math
from collections.abc import Sequence
from typing import Any

import orjson
from graphql import OperationType

from graph.asked import MalformedError, Operation, operation_of
from graph.context import Context
from graph.documents import RequestError
from graph.errors import bad_request
from graph.execution import Operations

_NO_SUBSCRIPTIONS = [bad_request("A subscription cannot be part of a batch.")]


def batch_of(parameters: list[Any], most: int) -> list[Operation]:
    """The operations that a body asks for; MalformedError where it is no batch, or none that is taken."""
    if not most:
        raise MalformedError("Send one operation a request: batches are not accepted.")
    if not 0 < len(parameters) <= most:
        raise MalformedError(f"A batch has one to {most} operations.")
    if not all(isinstance(each, dict) for each in parameters):
        raise MalformedError("Each operation of a batch must be a JSON object.")
    return [operation_of(each) for each in parameters]


async def answered(
    operations: Operations, batch: Sequence[Operation], context: Context
) -> tuple[bytes, int | None]:
    """The answers in the order of the operations, and in how many seconds there are points again if none were left."""
    parts, wait = [], 0.0
    for operation in batch:
        try:
            document = await operations.document(operation, context)
            if document.type_of(operation.operation_name) is OperationType.SUBSCRIPTION:
                raise RequestError(_NO_SUBSCRIPTIONS)
            answer = await operations.execute(document, operation, context, tells_cost=True)
        except RequestError as refused:
            parts.append(orjson.dumps({"errors": refused.errors}))
            wait = max(wait, refused.retry_after or 0)
        else:
            parts.append(answer.body)
            wait = max(wait, answer.retry_after or 0)
    return b"[%b]" % b",".join(parts), math.ceil(wait) or None
