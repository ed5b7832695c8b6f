"""Whoever signs in a way of its own: a bearer token or an HMAC, and a mapping of its body by JMESPath."""

import hmac
from collections.abc import Mapping, Sequence
from typing import Any

import jmespath
import orjson
from jmespath.exceptions import JMESPathError

from domain.checks import Checks
from domain.feedback import Author, Message
from domain.provider.delivery import (
    Entry,
    Heard,
    Problem,
    Provider,
    Reading,
    Request,
    Unheard,
    digest,
    fingerprint,
    from_base64,
    from_hex,
    of_json,
    require_match,
    require_recent,
)
from domain.provider.fields import moment
from domain.signatures import BadSignatureError

SCHEMES = ("BEARER", "HMAC")
ALGORITHMS = ("SHA1", "SHA256", "SHA512")
ENCODINGS = ("HEX", "BASE64")
FIELDS = (
    "items",
    "deliveryId",
    "body",
    "externalId",
    "rating",
    "authorName",
    "authorEmail",
    "authorExternalId",
    "occurredAt",
    "metadata",
)
_LONGEST_EXPRESSION = 500
# An expression may copy what it finds; these bounds keep copies of copies away.
_MOST_SELECTIONS = 2
_MOST_SELECTED = 24
MOST_ITEMS = 500


class _MisfitError(Exception):
    """The mapping found what its field does not take."""


def verify(request: Request, secrets: Sequence[str], settings: Mapping[str, Any]) -> str:
    header: str = settings["header"]
    (sent,) = request.required(header)
    if settings["scheme"] == "BEARER":
        if header == "authorization":
            scheme, _, sent = sent.partition(" ")
            if scheme.lower() != "bearer":
                raise BadSignatureError(f"{header} must be a bearer token")
        _require_token(sent, secrets, header)
        return fingerprint(request.body)
    prefix: str = settings["prefix"]
    decode = from_hex if settings["encoding"] == "HEX" else from_base64
    value = decode(sent.removeprefix(prefix)) if sent.startswith(prefix) else b""
    stamp_header: str | None = settings["timestampHeader"]
    signed = b""
    if stamp_header is not None:
        (stamp,) = request.required(stamp_header)
        signed = stamp.encode() + b"."
    algorithm = settings["algorithm"].lower()
    expected = [digest(each, signed, request.body, algorithm=algorithm) for each in secrets]
    require_match([value], expected, header)
    if stamp_header is not None:
        require_recent(stamp, request.now, stamp_header)
    return fingerprint(signed, request.body)


def _require_token(sent: str, secrets: Sequence[str], header: str) -> None:
    good = False
    for secret in secrets:
        good |= hmac.compare_digest(sent.encode(), secret.encode())
    if not good:
        raise BadSignatureError(f"{header} does not match")


def read(document: Any, settings: Mapping[str, Any]) -> Reading:
    mapping: Mapping[str, str] = settings["mapping"]
    try:
        found = jmespath.search(mapping["items"], document) if "items" in mapping else document
        delivery = (
            jmespath.search(mapping["deliveryId"], document) if "deliveryId" in mapping else None
        )
    except JMESPathError as error:
        return Reading((_refused("items", str(error)),))
    if not isinstance(found, list):
        entries = [_entry(found, mapping)]
    elif 0 < len(found) <= MOST_ITEMS:
        entries = [_entry(each, mapping, orjson.dumps(each)) for each in found]
    else:
        entries = [_refused("items", f"must find 1 to {MOST_ITEMS}, finds {len(found)}")]
    return Reading(entries, None if delivery in (None, "") else str(delivery)[:200])


def _read_part(document: Any, settings: Mapping[str, Any]) -> Reading:
    return Reading((_entry(document, settings["mapping"]),))


def check_mapping(mapping: Mapping[str, str], checks: Checks, *path: str) -> None:
    """Refuse expressions that cannot be used; `body` must be there."""
    if "body" not in mapping:
        checks.refuse([*path, "body"], "is required")
    for name, expression in mapping.items():
        if name not in FIELDS:
            checks.refuse([*path, name], f"is no field; there are {', '.join(FIELDS)}")
        elif (problem := problem_with(expression)) is not None:
            checks.refuse([*path, name], problem)


def problem_with(expression: str) -> str | None:
    """Why an expression cannot be used; None where it can."""
    if len(expression) > _LONGEST_EXPRESSION:
        return f"must have at most {_LONGEST_EXPRESSION} characters"
    try:
        tree = jmespath.compile(expression).parsed
    except (JMESPathError, RecursionError) as error:
        return f"is no JMESPath: {str(error).splitlines()[0] if str(error) else 'too deep'}"
    selections, selected = _selections(tree)
    if selections > _MOST_SELECTIONS or selected > _MOST_SELECTED:
        return f"may select {_MOST_SELECTIONS} times, and {_MOST_SELECTED} values in all, at most"
    return None


def _selections(node: Mapping[str, Any]) -> tuple[int, int]:
    """How many multi-selects there are, and how many values they select."""
    children = [child for child in node.get("children", ()) if isinstance(child, Mapping)]
    is_one = node["type"] in {"multi_select_list", "multi_select_dict"}
    below = [_selections(child) for child in children]
    return (
        is_one + sum(count for count, _ in below),
        (len(children) if is_one else 0) + sum(values for _, values in below),
    )


def _entry(element: Any, mapping: Mapping[str, str], part: bytes | None = None) -> Entry:
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for field, expression in mapping.items():
        if field in {"items", "deliveryId"}:
            continue
        try:
            value = _read(field, jmespath.search(expression, element))
        except (JMESPathError, _MisfitError) as error:
            problems.append(Problem((field,), str(error).splitlines()[0]))
        else:
            values[field] = value
    if values.get("body") is None and not problems:
        problems.append(Problem(("body",), f"`{mapping['body']}` finds nothing"))
    if problems:
        return Unheard("The mapping does not fit the body.", tuple(problems), part)
    people = [values.get(name) for name in ("authorName", "authorEmail", "authorExternalId")]
    message = Message(
        body=values["body"],
        external_id=values.get("externalId"),
        author=Author(*people) if any(people) else None,
        rating=values.get("rating"),
        occurred_at=values.get("occurredAt"),
        metadata=values.get("metadata"),
    )
    return Heard(message, message.external_id is not None, part)


def _read(field: str, value: Any) -> Any:
    """The value as the field takes it."""
    if value is None or field == "metadata":
        return value if value is None or isinstance(value, dict) else {"value": value}
    if field == "rating":
        if isinstance(value, str) and value.strip().lstrip("-").isdecimal():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
            raise _MisfitError(f"must be a whole number, is {_shown(value)}")
        return int(value)
    if field == "occurredAt":
        if (read_ := moment({"at": value}, "at")) is None:
            raise _MisfitError(
                f"must be ISO 8601 with a zone or seconds since 1970, is {_shown(value)}"
            )
        return read_
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise _MisfitError(f"must be a text, is {_shown(value)}")
    return str(value)


def _shown(value: Any) -> str:
    return repr(value)[:80]


def _refused(path: str, message: str) -> Unheard:
    return Unheard("The mapping does not fit the body.", (Problem((path,), message),))


GENERIC = Provider(verify, of_json(read), of_json(_read_part))
