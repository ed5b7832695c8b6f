"""Random valid documents for a schema."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    is_introspection_type,
    is_object_type,
)

from tests.graph.engine.inputs import InputField, Inputs


@dataclass
class Fragment:
    name: str
    type: Any
    text: str = ""
    variables: set[str] = field(default_factory=set)


class Documents:
    """Makes one document.

    A response key stands for the same field, arguments and type wherever it is in the document: then
    selections can always be merged.
    """

    def __init__(
        self,
        dice: Random,
        schema: GraphQLSchema,
        inputs: Inputs,
        size: int,
        *,
        may_null_conditions: bool = True,
    ) -> None:
        self._dice = dice
        self._schema = schema
        self._inputs = inputs
        self._fields_left = size
        self._may_null_conditions = may_null_conditions
        self.variables: dict[str, InputField] = {}
        self._used: set[str] = set()
        self._fragments: list[Fragment] = []
        self._signatures: dict[str, str] = {}

    def document(self) -> str:
        dice = self._dice
        kinds = dice.choices(
            ("query", "mutation", "subscription"), (6, 3, 1), k=dice.choice((1, 1, 1, 2, 3))
        )
        operations = []
        for i, kind in enumerate(kinds):
            with self._noting_variables() as used:
                type_: Any = getattr(self._schema, f"{kind}_type")
                body = (
                    f"{{ {self._field(type_, 4)} }}"
                    if kind == "subscription"
                    else self._selections(type_, 4)
                )
            name = f" Op{i}" if len(kinds) > 1 or dice.random() < 0.5 else ""
            declared = ", ".join(f"${name}: {self.variables[name]}" for name in sorted(used))
            operations.append(f"{kind}{name}{f'({declared})' if declared else ''} {body}")
        parts = [*operations, *(fragment.text for fragment in self._fragments)]
        dice.shuffle(parts)
        return "\n".join(parts)

    @contextmanager
    def _noting_variables(self) -> Iterator[set[str]]:
        outside, self._used = self._used, set()
        yield self._used
        self._used = outside

    def _selections(self, type_: Any, depth: int) -> str:
        dice = self._dice
        entries = []
        for _ in range(dice.choice((1, 2, 2, 3, 4))):
            way = dice.random()
            if way < 0.7 or depth == 0 or self._fields_left < 0:
                entries.append(self._field(type_, depth) + self._maybe_again(type_, depth))
            elif way < 0.85:
                entries.append(self._inline_fragment(type_, depth))
            else:
                entries.append(self._spread(type_, depth))
        return f"{{ {' '.join(entries)} }}"

    def _maybe_again(self, type_: Any, depth: int) -> str:
        """Now and then more of the fields that may be merged."""
        return f" {self._field(type_, depth)}" if self._dice.random() < 0.15 else ""

    def _field(self, type_: Any, depth: int) -> str:
        dice = self._dice
        self._fields_left -= 1
        choices = self._choices(type_, depth)
        is_subscription = type_ is self._schema.subscription_type
        if not choices or (dice.random() < 0.1 and not is_subscription):
            return self._keyed("__typename", "", "String!") + "__typename"
        name, definition = dice.choice(choices)
        arguments = self._arguments(definition)
        head = self._keyed(name, arguments, str(definition.type)) + name + arguments
        if not is_subscription:
            head += self._directives()
        named = get_named_type(definition.type)
        # Validation bounds the depth of introspection.
        depth = min(depth - 1, 2) if name.startswith("__") else depth - 1
        return head + (f" {self._selections(named, depth)}" if is_composite_type(named) else "")

    def _choices(self, type_: Any, depth: int) -> list[tuple[str, GraphQLField]]:
        fields = getattr(type_, "fields", {})
        choices = [
            (name, definition)
            for name, definition in fields.items()
            if (depth > 0 and self._fields_left > 0)
            or not is_composite_type(get_named_type(definition.type))
        ]
        if type_ is self._schema.query_type and self._dice.random() < 0.15 and depth > 0:
            name = self._dice.choice(("__schema", "__type"))
            query: Any = type_
            found: Any = self._schema.get_field(query, name)
            return [(name, found)]
        return choices

    def _keyed(self, name: str, arguments: str, type_: str) -> str:
        """The alias to write before the field, or nothing."""
        dice = self._dice
        signature = f"{name}{arguments}: {type_}"
        taken = self._signatures
        keys = [f"x{i}" for i in range(4)]
        if dice.random() < 0.75:
            keys = [name, *keys]
        else:
            dice.shuffle(keys)
        keys.append(f"x{len(taken) + 4}")
        key = next(key for key in keys if taken.get(key, signature) == signature)
        taken[key] = signature
        return "" if key == name else f"{key}: "

    def _arguments(self, definition: GraphQLField) -> str:
        dice = self._dice
        parts = []
        for name, argument in definition.args.items():
            place = InputField(str(argument.type), "set" if argument.default else None)
            if (
                name == "name"
                and str(argument.type) == "String!"
                and not is_object_type(definition.type)
            ):
                parts.append('name: "O0"')
            elif place.is_required or dice.random() < 0.6:
                parts.append(f"{name}: {self._inputs.argument(dice, place, self._variable)}")
        dice.shuffle(parts)
        return f"({', '.join(parts)})" if parts else ""

    def _variable(self, type_: str, has_default: bool, is_one_of: bool) -> str | None:
        """A variable that may be used in such a place; an old one where it fits."""
        dice = self._dice
        needs_more = is_one_of and not type_.endswith("!")
        fitting = [
            name
            for name, place in self.variables.items()
            if place.type == f"{type_}!" or (place.type == type_ and not needs_more)
        ]
        if fitting and dice.random() < 0.5:
            name = dice.choice(fitting)
        else:
            name = f"v{len(self.variables)}"
            self.variables[name] = self._new_variable(type_, has_default, needs_more)
        self._used.add(name)
        return f"${name}"

    def _new_variable(self, type_: str, has_default: bool, needs_more: bool) -> InputField:
        dice = self._dice
        if needs_more or (not type_.endswith("!") and dice.random() < 0.2):
            return InputField(f"{type_}!")
        if type_.endswith("!") and dice.random() < 0.3:
            default = self._inputs.literal(dice, type_)
            return InputField(type_[:-1], default if not has_default else None)
        return InputField(type_, self._inputs.literal(dice, type_) if dice.random() < 0.4 else None)

    def _directives(self) -> str:
        dice = self._dice
        if dice.random() > 0.15:
            return ""
        conditions = [
            f" @{name}(if: {self._condition()})"
            for name in dice.sample(("skip", "include"), dice.choice((1, 1, 2)))
        ]
        return "".join(conditions)

    def _condition(self) -> str:
        if self._dice.random() < 0.4:
            return self._dice.choice(("true", "false"))
        if self._may_null_conditions:
            return self._variable("Boolean!", False, False) or "true"
        name = self._dice.choice(("c0", "c1"))
        self.variables[name] = InputField("Boolean!")
        self._used.add(name)
        return f"${name}"

    def _overlapping(self, type_: Any) -> list[Any]:
        """The types that a fragment inside a selection of `type_` may be on."""
        if is_introspection_type(type_):
            return [type_]
        schema = self._schema
        possible = set(schema.get_possible_types(type_) if is_abstract_type(type_) else (type_,))
        return [
            other
            for other in schema.type_map.values()
            if is_composite_type(other)
            and not possible.isdisjoint(
                schema.get_possible_types(other) if is_abstract_type(other) else (other,)
            )
        ] or [type_]

    def _inline_fragment(self, type_: Any, depth: int) -> str:
        on = self._dice.choice([None, type_, *self._overlapping(type_)])
        condition = f" on {on.name}" if on else ""
        return f"...{condition}{self._directives()} {self._selections(on or type_, depth - 1)}"

    def _spread(self, type_: Any, depth: int) -> str:
        dice = self._dice
        possible = self._overlapping(type_)
        known = [fragment for fragment in self._fragments if fragment.type in possible]
        if known and dice.random() < 0.5:
            fragment = dice.choice(known)
        else:
            fragment = self._new_fragment(dice.choice(possible), depth)
        self._used |= fragment.variables
        return f"...{fragment.name}{self._directives()}"

    def _new_fragment(self, type_: Any, depth: int) -> Fragment:
        with self._noting_variables() as used:
            body = self._selections(type_, depth - 1)
        fragment = Fragment(f"Frag{len(self._fragments)}", type_, variables=used)
        fragment.text = f"fragment {fragment.name} on {type_.name} {body}"
        self._fragments.append(fragment)
        return fragment

    def raw_variables(self, wrong: float) -> dict[str, Any]:
        """Values for the variables, some left out."""
        dice = self._dice
        return {
            name: self._inputs.raw(dice, place.type, wrong)
            for name, place in self.variables.items()
            if dice.random() > (max(wrong, 0.02) if place.is_required else 0.25)
        }
