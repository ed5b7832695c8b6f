"""What a client asks for, in whichever of the ways there are: by its text, by an id, or by a hash."""

import re
from typing import Any, NamedTuple

_SHA256 = re.compile(r"[0-9a-f]{64}")
_ALIASES = ("id", "doc_id")
"""What Relay's users and some gateways call `documentId`."""

MOST_VALUES = 20_000
"""In variables, at all levels: 500 messages have a tenth of it, and to look at each takes longer than to read it."""

NAMES = frozenset(("query", "documentId", *_ALIASES, "variables", "operationName", "extensions"))


class MalformedError(Exception):
    """A parameter is of the wrong type; carries what is expected."""


class Operation(NamedTuple):
    """What a client asks for. With a `sha256` the document may be registered: by the text, if that came too.

    On a socket, which has no headers for each, the extensions may say what would be one: the `idempotency_key` and, as
    `traceparent`, what trace it is part of.
    """

    query: str
    variables: dict[str, Any] | None = None
    operation_name: str | None = None
    document_id: str | None = None
    sha256: str | None = None
    traceparent: str | None = None
    idempotency_key: str | None = None


def operation_of(parameters: dict[str, Any]) -> Operation:
    """The operation in a request's parameters; MalformedError naming the one that is of the wrong type."""
    query = parameters.get("query")
    variables = _variables(parameters)
    name = parameters.get("operationName")
    extensions = parameters.get("extensions")
    document_id = _document_id(parameters)
    if document_id is not None:
        if not isinstance(document_id, str) or query is not None:
            raise MalformedError("`documentId` must be a string, and `query` left out.")
    elif not isinstance(query, str | None):
        raise MalformedError("`query` must be a GraphQL document.")
    if not isinstance(name, str | None):
        raise MalformedError("`operationName` must be a string.")
    if not isinstance(extensions, dict | None):
        raise MalformedError("`extensions` must be a JSON object.")
    sha256 = None
    if document_id is None and extensions and "persistedQuery" in extensions:
        sha256 = _hash(extensions["persistedQuery"])
        if query is None:
            document_id = sha256
    if document_id is None and query is None:
        raise MalformedError("`query` must be a GraphQL document.")
    key = extensions.get("idempotencyKey") if extensions else None
    if not isinstance(key, str | None):
        raise MalformedError("`extensions.idempotencyKey` must be a string.")
    return Operation(
        query or "",
        variables,
        name or None,
        document_id,
        sha256,
        _traceparent(extensions or {}),
        key,
    )


def _variables(parameters: dict[str, Any]) -> dict[str, Any] | None:
    variables = parameters.get("variables")
    if not isinstance(variables, dict | None):
        raise MalformedError("`variables` must be a JSON object.")
    if variables and _has_too_many(variables):
        raise MalformedError(f"`variables` must have at most {MOST_VALUES:,} values.")
    return variables


def _has_too_many(variables: dict[str, Any]) -> bool:
    left = MOST_VALUES
    waiting: list[Any] = [variables]
    while waiting:
        found = waiting.pop()
        left -= len(found)
        if left < 0:
            return True
        values = found.values() if isinstance(found, dict) else found
        waiting += [value for value in values if isinstance(value, dict | list)]
    return False


def _traceparent(extensions: dict[str, Any]) -> str | None:
    """What is none is no reason to refuse anything."""
    traceparent = extensions.get("traceparent")
    return traceparent if isinstance(traceparent, str) else None


def _document_id(parameters: dict[str, Any]) -> Any:
    """The id that is to be looked up; by other names it counts where there is no text."""
    document_id = parameters.get("documentId")
    if document_id is None and parameters.get("query") is None:
        return next(
            (parameters[name] for name in _ALIASES if parameters.get(name) is not None), None
        )
    return document_id


def _hash(persisted: Any) -> str | None:
    if persisted is None:
        return None
    sha256 = persisted.get("sha256Hash") if isinstance(persisted, dict) else None
    if (
        not isinstance(sha256, str)
        or not _SHA256.fullmatch(sha256)
        or persisted.get("version") != 1
    ):
        raise MalformedError(
            "`extensions.persistedQuery` must have `version` 1 and a `sha256Hash` in lower case."
        )
    return sha256
