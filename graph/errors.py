"""Refusals as data (Problems), error codes, and the mask over everything else."""

import math
from typing import Any

import strawberry
import structlog
from graphql import GraphQLError

from domain import errors
from persistence.bus import BusUnavailableError
from persistence.database import StoreUnavailableError
from persistence.metering import MOST_READ, TooMuchHeldError, TooMuchReadError
from persistence.objects import ObjectsUnavailableError
from telemetry import trace

log = structlog.get_logger(__name__)


@strawberry.interface(
    description="A refusal that a mutation answers as data. Select `... on Problem { message }` to survive new kinds."
)
class Problem:
    message: str = strawberry.field(description="What is wrong, for the person who reads it.")


@strawberry.type(description="What is wrong with one input field.")
class FieldProblem:
    path: list[str] = strawberry.field(
        description='The way to the field from the input object: `["author", "email"]`.'
    )
    message: str = strawberry.field(description="What is expected there.")


@strawberry.type(description="The input breaks a rule. Nothing was changed.")
class InvalidInput(Problem):
    fields: list[FieldProblem] = strawberry.field(description="Each field that is wrong.")


@strawberry.type(description="It does not exist or is not the caller's; the two look the same.")
class NotFound(Problem):
    pass


@strawberry.type(description="The caller may see this, but not do that.")
class Forbidden(Problem):
    pass


@strawberry.type(description="It collides with what is there already. Nothing was changed.")
class Conflict(Problem):
    pass


@strawberry.type(description="Too much in too short a time. Nothing was changed.")
class RateLimited(Problem):
    retry_after_seconds: int = strawberry.field(description="Wait so many seconds, then try again.")


@strawberry.type(
    description="The address, the password or the token is wrong; it is not said which."
)
class InvalidCredentials(Problem):
    pass


@strawberry.type(
    description="The password is right, and this account takes a code too: ask for one, and send both."
)
class SecondFactorRequired(Problem):
    pass


class _OnInvalidInput(strawberry.ExceptionHandler[errors.InvalidInputError, InvalidInput]):
    def handle(self, exception: errors.InvalidInputError, *, field: Any, info: Any) -> InvalidInput:  # noqa: ARG002
        return InvalidInput(
            message=str(exception),
            fields=[FieldProblem(path=list(e.path), message=e.message) for e in exception.fields],
        )


class _OnNotFound(strawberry.ExceptionHandler[errors.NotFoundError, NotFound]):
    def handle(self, exception: errors.NotFoundError, *, field: Any, info: Any) -> NotFound:  # noqa: ARG002
        return NotFound(message=str(exception))


class _OnForbidden(strawberry.ExceptionHandler[errors.ForbiddenError, Forbidden]):
    def handle(self, exception: errors.ForbiddenError, *, field: Any, info: Any) -> Forbidden:  # noqa: ARG002
        return Forbidden(message=str(exception))


class _OnConflict(strawberry.ExceptionHandler[errors.ConflictError, Conflict]):
    def handle(self, exception: errors.ConflictError, *, field: Any, info: Any) -> Conflict:  # noqa: ARG002
        return Conflict(message=str(exception))


class _OnRateLimited(strawberry.ExceptionHandler[errors.RateLimitedError, RateLimited]):
    def handle(self, exception: errors.RateLimitedError, *, field: Any, info: Any) -> RateLimited:  # noqa: ARG002
        return RateLimited(
            message=str(exception), retry_after_seconds=math.ceil(exception.retry_after)
        )


class _OnInvalidCredentials(
    strawberry.ExceptionHandler[errors.InvalidCredentialsError, InvalidCredentials]
):
    def handle(
        self,
        exception: errors.InvalidCredentialsError,
        *,
        field: Any,  # noqa: ARG002
        info: Any,  # noqa: ARG002
    ) -> InvalidCredentials:
        return InvalidCredentials(message=str(exception))


class _OnSecondFactorRequired(
    strawberry.ExceptionHandler[errors.SecondFactorRequiredError, SecondFactorRequired]
):
    def handle(
        self,
        exception: errors.SecondFactorRequiredError,
        *,
        field: Any,  # noqa: ARG002
        info: Any,  # noqa: ARG002
    ) -> SecondFactorRequired:
        return SecondFactorRequired(message=str(exception))


HANDLERS = (
    _OnInvalidInput(),
    _OnNotFound(),
    _OnForbidden(),
    _OnConflict(),
    _OnRateLimited(),
    _OnInvalidCredentials(),
    _OnSecondFactorRequired(),
)

_CODES = {
    errors.UnauthenticatedError: "UNAUTHENTICATED",
    errors.InvalidCredentialsError: "UNAUTHENTICATED",
    errors.SecondFactorRequiredError: "UNAUTHENTICATED",
    errors.ForbiddenError: "FORBIDDEN",
    errors.NotFoundError: "NOT_FOUND",
    errors.InvalidInputError: "INVALID_INPUT",
    errors.ConflictError: "CONFLICT",
    errors.RateLimitedError: "RATE_LIMITED",
}


_MOST_LOCATIONS = 10
_LONGEST_MESSAGE = 1_000
"""What is wrong with a document repeats names of it, and all places where they are: to be no longer than it helps."""


def bad_request(message: str) -> dict[str, Any]:
    """An error of the request itself: nothing was executed."""
    return {"message": message, "extensions": {"code": "BAD_REQUEST"}}


def timed_out(seconds: float) -> dict[str, Any]:
    return {
        "message": f"The operation took longer than {seconds:g} s and was stopped.",
        "extensions": {"code": "TIMEOUT"},
    }


def formatted(error: GraphQLError) -> dict[str, Any]:
    """The error as the client may see it: refusals and its own mistakes in full, our bugs masked."""
    cause = error.original_error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    answer: dict[str, Any] = {"message": error.message}
    if error.locations:
        answer["locations"] = [
            {"line": at.line, "column": at.column} for at in error.locations[:_MOST_LOCATIONS]
        ]
    if error.path is not None:
        answer["path"] = error.path
    if cause is None:
        answer["message"] = error.message[:_LONGEST_MESSAGE]
        answer["extensions"] = {"code": "BAD_REQUEST"}
    elif isinstance(cause, TooMuchReadError | TooMuchHeldError):
        answer |= _too_large(cause)
    elif (code := _CODES.get(type(cause))) is not None:
        answer["message"] = str(cause)
        answer["extensions"] = {"code": code}
        if isinstance(cause, errors.RateLimitedError):
            answer["extensions"]["retryAfterSeconds"] = math.ceil(cause.retry_after)
    else:
        answer["message"], answer["extensions"] = _masked(cause)
    return answer


def _too_large(cause: BaseException) -> dict[str, Any]:
    if isinstance(cause, TooMuchReadError):
        message = f"The answer is longer than {MOST_READ:,} bytes. Ask for fewer objects, or for less of each."
        return bad_request(message)
    message = "The server has too much to answer at once. Try again."
    return {"message": message, "extensions": {"code": "RATE_LIMITED", "retryAfterSeconds": 1}}


def _masked(cause: BaseException) -> tuple[str, dict[str, Any]]:
    found = trace.current()
    if isinstance(cause, StoreUnavailableError | BusUnavailableError | ObjectsUnavailableError):
        log.warning("store unavailable", trace_id=found, error=str(cause))
        message = "A part of the server is away for the moment. Try again."
    else:
        log.error("operation failed", trace_id=found, exc_info=cause)
        message = "Something went wrong on our side."
    return message, {"code": "INTERNAL", "traceId": found}
