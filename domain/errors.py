"""The few kinds of refusal. Each is raised by the module that knows the rule, and carries facts."""

from collections.abc import Sequence
from dataclasses import dataclass


class DomainError(Exception):
    """A refusal that the caller may be told about."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one input field, addressed as the client wrote it: ("author", "email")."""

    path: tuple[str, ...]
    message: str


class InvalidInputError(DomainError):
    """The input breaks a rule; nothing was changed."""

    def __init__(self, message: str, fields: Sequence[FieldError] = ()) -> None:
        super().__init__(message)
        self.fields = tuple(fields)


class UnauthenticatedError(DomainError):
    """Nobody is signed in, or the token is not good any more."""


class InvalidCredentialsError(DomainError):
    """The e-mail address, the password or the token is wrong; it is not said which."""


class SecondFactorRequiredError(DomainError):
    """The password is right, and a code of the second factor is missing."""


class ForbiddenError(DomainError):
    """The caller may see this, but not do that."""


class NotFoundError(DomainError):
    """It does not exist or is not the caller's; the two look the same."""


class ConflictError(DomainError):
    """It collides with what is there."""


class RateLimitedError(DomainError):
    """Too much in too short a time."""

    def __init__(
        self, retry_after: float, message: str = "Too many requests. Try again later."
    ) -> None:
        super().__init__(message)
        self.retry_after = retry_after
