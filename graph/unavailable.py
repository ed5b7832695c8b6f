"""What the schema promises and a later version will do: every call is refused clearly until then."""

from typing import NoReturn

from domain.errors import InvalidInputError


def refuse(what: str) -> NoReturn:
    """INVALID_INPUT, saying that it is not there yet."""
    raise InvalidInputError(f"{what} is not yet available in this version of Earful.")
