"""How two servers' answers are compared."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any


class DifferentAnswersError(Exception):
    """Two servers answer the same question differently."""


_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d(:?\d\d)?)")
# What an ignored field has to look like all the same.
_MADE = {
    "id": re.compile(r"feedback_[0-9a-f]{32}"),
    "externalId": re.compile(r"[0-9a-f]{12}-\d{8}"),
    "receivedAt": _TIME,
}


def decoded(answer: bytes) -> Any:
    """The answer's data; ValueError where it has errors."""
    whole = json.loads(answer)
    if whole.get("errors") or whole.get("data") is None:
        raise ValueError(answer[:1_000].decode(errors="replace"))
    return whole["data"]


def comparable(value: Any, ignored: frozenset[str]) -> Any:
    """Data with times as moments, numbers to nine digits, and ignored fields as their kinds."""
    match value:
        case dict():
            return {
                name: _kind(name, inner) if name in ignored else comparable(inner, ignored)
                for name, inner in value.items()
            }
        case list():
            return [comparable(inner, ignored) for inner in value]
        case str() if _TIME.fullmatch(value):
            return _moment(value)
        case float() | int() if not isinstance(value, bool):
            return float(f"{value:.9g}")
    return value


def _kind(name: str, value: Any) -> str:
    """What stands for an ignored value: the same for all that look as they have to."""
    right = isinstance(value, str) and value and (name not in _MADE or _MADE[name].fullmatch(value))
    return f"<{name}>" if right else f"<{name}, but {value!r}>"


def _moment(text: str) -> str:
    return datetime.fromisoformat(text).astimezone(UTC).isoformat()


def differences(ours: Any, theirs: Any, path: str = "data") -> Iterator[str]:
    """Where two comparable answers differ."""
    if isinstance(ours, dict) and isinstance(theirs, dict) and ours.keys() == theirs.keys():
        for name, value in ours.items():
            yield from differences(value, theirs[name], f"{path}.{name}")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for index, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            yield from differences(one, other, f"{path}[{index}]")
    elif ours != theirs:
        yield f"{path}: {json.dumps(ours)[:200]} is not {json.dumps(theirs)[:200]}"
