"""Scalars and enums on their way out: code that serialises the usual value in place, and calls for the rest."""

from collections.abc import Callable
from typing import Any

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLString,
    Undefined,
    is_list_type,
    is_non_null_type,
)

from graph.engine.resolution import UNCHANGED, Unchanged

# What tells that a value may be written as it is. `{v}` is the value.
_AS_IT_IS = {
    GraphQLString: "{v}.__class__ is str",
    GraphQLID: "{v}.__class__ is str",
    GraphQLBoolean: "{v}.__class__ is bool",
    GraphQLInt: "{v}.__class__ is int and -2147483648 <= {v} <= 2147483647",
    GraphQLFloat: "{v}.__class__ is float and {v} - {v} == 0.0",
}
_MOST_KNOWN = 1_000


class Irregular(Exception):  # noqa: N818 - not an error of anybody
    """The quick way met a value that it does not write: the careful way shall say what is to be done."""


class Leaf:
    """How values of one leaf type, or of lists of it, are written.

    `namespace` are the names that `expression` uses beside the value's own; they end in `number`.
    """

    def __init__(self, type_: Any, number: int) -> None:
        self._nullable = not is_non_null_type(type_)
        self._type = type_ if self._nullable else type_.of_type
        self._function, self._known = f"s{number}", f"k{number}"
        known: dict[str, str] = {}
        self.namespace: dict[str, Any] = {self._function: _serializer(type_, known)}
        self._names = isinstance(self._type, GraphQLEnumType)
        if self._names:
            self.namespace[self._known] = known
        self._test = _AS_IT_IS.get(self._type)
        unchanged: Unchanged | None = getattr(self._type, "extensions", {}).get(UNCHANGED)
        if unchanged is not None:
            of, value = f"c{number}", f"u{number}"
            self.namespace |= {of: unchanged.cls, value: unchanged.value}
            self._test = f"{{v}}.__class__ is {of} and {{v}}.{unchanged.attribute} is {value}"

    def expression(self, value: str) -> str:
        """Python code that serialises the variable `value`, or raises."""
        call = f"{self._function}({value})"
        if self._names:
            call = f"({self._known}.get({value}) if {value}.__class__ is str else None) or {call}"
        test = self._test
        if test is None:
            return f"(None if {value} is None else {call})" if self._nullable else f"({call})"
        test = test.format(v=value)
        if self._nullable:
            test = f"{value} is None or ({test})"
        return f"({value} if {test} else {call})"


def _serializer(type_: Any, known: dict[str, str]) -> Callable[[Any], Any]:
    """Serialises a value that is not None; raises for what may not be there, in a list at any depth, too.

    What it makes of strings is kept in `known` where the type is an enum.
    """
    if is_non_null_type(type_):
        type_ = type_.of_type
    if is_list_type(type_):
        return _list_serializer(type_.of_type)
    coerce = type_.coerce_output_value
    is_enum = isinstance(type_, GraphQLEnumType)
    plain: set[type] = set()

    def serialize(value: Any) -> Any:
        cls = value.__class__
        if cls not in plain:
            if not is_plain(cls):
                raise Irregular
            plain.add(cls)
        coerced = coerce(value)
        if coerced is None or coerced is Undefined:
            raise Irregular
        if is_enum and cls is str and len(known) < _MOST_KNOWN:
            known[value] = coerced
        return coerced

    return serialize


def _list_serializer(item_type: Any) -> Callable[[Any], Any]:
    nullable = not is_non_null_type(item_type)
    serialize = _serializer(item_type, {})

    def serialize_items(values: Any) -> Any:
        if values.__class__ is not list and values.__class__ is not tuple:
            raise Irregular
        if nullable:
            return [None if value is None else serialize(value) for value in values]
        return [serialize(value) for value in values]

    return serialize_items


def is_plain(cls: type) -> bool:
    """Whether instances are values: not None, an error, or something to be awaited."""
    return (
        cls is not type(None)
        and cls is not type(Undefined)
        and not issubclass(cls, Exception)
        and not hasattr(cls, "__await__")
        and cls.__name__ not in {"coroutine", "generator"}
    )
