"""Random data and resolvers behind a random schema: once for graphql-core, once for the engine.

What a field of an object is depends on nothing but the seed, the object's key, the field and its arguments,
so that both get the same answers in whatever order they ask. graphql-core gets a schema whose resolvers are all
synchronous: the engine has to order its errors as graphql-core does for those. A batch that fails as a whole
gives every parent the exception it raised, or, where it answered for too many or too few, a RuntimeError that
says so ("load answered 2 for 3", the counts left out of the comparison).
"""

import asyncio
import re
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    IntValueNode,
    build_schema,
    is_abstract_type,
    is_enum_type,
    is_input_object_type,
    is_object_type,
)

from graph.engine import (
    RESOLUTION,
    SOURCES,
    UNCHANGED,
    Attribute,
    Batch,
    Call,
    Computed,
    Source,
    Unchanged,
)
from tests.graph.engine.schemas import Schema
from tests.graph.engine.values import NO_OUTPUT, BoomError, Later, Values, dice_of

Log = list[tuple[str, str, str]]


class Node:
    """An object, its attributes made when they are asked for."""

    def __init__(self, world: "World", key: str, type_name: str, is_later: bool) -> None:
        self.world = world
        self.key = key
        self.type_name = type_name
        self.is_later = is_later
        """Whether what can be asynchronous is."""
        self.claims: Any = type_name

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "_Liar__typename":
            raise AttributeError(name)
        return self.world.attribute(self, name)

    def __repr__(self) -> str:
        return f"<{self.type_name} {self.key}>"

    @property
    def claimed(self) -> Any:
        """The name of the type that it says it is of."""
        if self.claims == "raise":
            raise BoomError(f"no type for {self.key}")
        return self.claims


class Liar(Node):
    """An object that is not of the type it says, or says nonsense; of no Source."""

    @property
    def __typename(self) -> Any:
        return self.claimed if self.world.has_typenames else None


class Row(dict[str, Any]):
    """As Node, with items."""

    def __init__(self, node: Node) -> None:
        super().__init__()
        self.node = node

    def __getitem__(self, name: str) -> Any:
        if name == "__typename":
            return self.node.claimed if self.node.world.has_typenames else None
        return self.node.world.attribute(self.node, name)

    def get(self, name: str, default: Any = None) -> Any:
        try:
            return self[name]
        except AttributeError:
            return default

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return repr(self.node)


def _node_of(parent: Any) -> Any:
    return parent.node if isinstance(parent, Row) else parent


class World:
    """A schema with data behind it; `trouble` is how often something is wrong, and without any all is plain."""

    def __init__(self, schema: Schema, seed: int, *, is_async: bool, trouble: float) -> None:
        self.seed = seed
        self.sdl = schema.sdl
        self.is_async = is_async
        self.trouble = trouble
        dice = dice_of(str(seed))
        self.has_typenames = dice.random() < 0.4
        self._asks_types = not self.has_typenames and dice.random() < 0.5
        self._declared = dice.choice((0, 0.5, 1))
        self.kinds: dict[str, str] = {}
        self.reference = build_schema(schema.sdl)
        self.schema = build_schema(schema.sdl)
        self._classes: dict[str, type] = {}
        self._rows: set[str] = set()
        self._shared: dict[tuple[str, str, bool], Any] = {}
        self._values = Values(self)
        for type_ in self.reference.type_map.values():
            if is_object_type(type_) and not type_.name.startswith("__"):
                self._make_class(type_.name)
        for made, is_later in ((self.reference, False), (self.schema, self.is_async)):
            self._furnish(made, is_later)

    def _make_class(self, name: str) -> None:
        def typename(node: Node) -> Any:
            return node.claimed if self.has_typenames else None

        self._classes[name] = type(name, (Node,), {f"_{name}__typename": property(typename)})
        if self._dice(name, "row").random() < 0.3:
            self._rows.add(name)
            self._classes[f"{name}Row"] = type(f"{name}Row", (Row,), {})

    def root(self, operation: str, number: int, is_later: bool) -> Any:
        """A root value; each number is of other data."""
        return self.object(f"{number}", operation.capitalize(), is_later)

    def object(self, key: str, type_name: str, is_later: bool) -> Any:
        """The object of that key, of the type's own class."""
        node: Any = self._classes[type_name](self, key, type_name, is_later)
        return self._classes[f"{type_name}Row"](node) if type_name in self._rows else node

    def shared(self, label: str, type_name: str, is_later: bool) -> Any:
        """The one object of the type that many point at, below the same root field."""
        root_field = re.match(r"\d+\.\w+", label)
        key = f"{root_field[0] if root_field else ''}.shared:1"
        kept = (key, type_name, is_later)
        if kept not in self._shared:
            self._shared[kept] = self.object(key, type_name, is_later)
        return self._shared[kept]

    def liar(self, key: str, type_name: str, claims: Any, is_later: bool) -> Liar:
        liar = Liar(self, key, type_name, is_later)
        liar.claims = claims
        return liar

    def _dice(self, *parts: str) -> Random:
        return dice_of(str(self.seed), *parts)

    def attribute(self, node: Node, name: str) -> Any:
        """What `py_<field>` of an object is, and what `<field>` is for the default resolver."""
        type_: Any = self.reference.type_map[node.type_name]
        field = type_.fields.get(name.removeprefix("py_"))
        if field is None:
            raise AttributeError(f"no {name} in {node!r}")
        if not name.startswith("py_") and (field.args or node.key.endswith("0")):
            return lambda info, **arguments: self._logged(
                node, name, field.type, arguments, info.context
            )
        return self._answer(node, name.removeprefix("py_"), field.type, {})

    def _answer(self, parent: Any, name: str, type_: Any, arguments: dict[str, Any]) -> Any:
        """The field's answer for a parent, made anew each time; it may raise."""
        node = _node_of(parent)
        key = node.key if isinstance(node, Node) else repr(node)
        is_later = node.is_later if isinstance(node, Node) else False
        label = f"{key}.{name}{_ordered(arguments) if arguments else ''}"
        return self._values.answer(self._dice(label), type_, label, is_later)

    def _logged(
        self, parent: Any, name: str, type_: Any, arguments: dict[str, Any], log: Log
    ) -> Any:
        log.append((repr(parent), name, _ordered(arguments)))
        return self._answer(parent, name, type_, arguments)

    def _furnish(self, schema: GraphQLSchema, is_later: bool) -> None:
        """Give types and fields their functions."""
        for type_ in schema.type_map.values():
            if type_.name.startswith("__"):
                continue
            if is_enum_type(type_):
                for i, value in enumerate(type_.values.values()):
                    value.value = self.enum_value(type_.name, i)
            elif is_abstract_type(type_) and self._asks_types:
                type_.resolve_type = _resolves_type(is_later)
            elif is_object_type(type_):
                self._furnish_object(type_, is_later)
        self._furnish_inputs(schema)

    def _furnish_inputs(self, schema: GraphQLSchema) -> None:
        """Let what resolvers get differ from what is sent."""
        odd: Any = schema.type_map["Odd"]
        odd.coerce_output_value = _odd_output
        odd.coerce_input_value = _odd
        odd.coerce_input_literal = _odd_literal
        # Its values are written as they are, whatever they are.
        schema.type_map["Json"].extensions[UNCHANGED] = Unchanged(str, "__class__", str)
        for name, type_ in schema.type_map.items():
            if is_input_object_type(type_) and self._dice(name).random() < 0.3:
                made: Any = type_
                made.out_type = _made
                made.fields["n0"].out_name = "py_n0"
        for root in (schema.query_type, schema.mutation_type):
            for field in root.fields.values() if root else ():
                for i, argument in enumerate(field.args.values()):
                    argument.out_name = f"py_a{i}" if i % 2 else None

    def enum_value(self, name: str, i: int) -> Any:
        return (f"{name} {i}", 100 + i, i == 0)[self.seed % 3]

    def _furnish_object(self, type_: GraphQLObjectType, is_later: bool) -> None:
        name = type_.name
        dice = self._dice(name)
        is_declared = dice.random() < self._declared
        if dice.random() < 0.5 or not (self.has_typenames or self._asks_types):
            type_.is_type_of = _is_type_of(name, is_later)
        if is_declared:
            row = self._classes.get(f"{name}Row")
            source = Source(row, items=True) if row else Source(self._classes[name])
            type_.extensions = {SOURCES: (source,)}
        for key, field in type_.fields.items():
            self._furnish_field(f"{name}.{key}", key, field, is_later)

    def _furnish_field(self, place: str, key: str, field: GraphQLField, is_later: bool) -> None:
        kinds = ["resolve", "call"]
        if self.is_async:
            kinds += ["async", "call later", "batch", "batch"]
        if not place.startswith("Mutation."):
            # The fields of mutations are of kinds whose calls are logged.
            kinds += ["default", "attribute", "convert", "computed"]
        kind = self.kinds[place] = self._dice(place).choice(kinds)
        if kind == "default":
            return
        type_ = field.type
        resolve, resolution = getattr(self, f"_{kind.replace(' ', '_')}")(key, type_, is_later)
        field.resolve = resolve
        if resolution is not None:
            field.extensions = {RESOLUTION: resolution}

    def _attribute(self, key: str, _type: Any, _is_later: bool) -> Any:
        def resolve(parent: Any, _info: Any, **_: Any) -> Any:
            name = f"py_{key}"
            return parent[name] if isinstance(parent, dict) else getattr(parent, name)

        return resolve, Attribute(f"py_{key}")

    def _convert(self, key: str, type_: Any, is_later: bool) -> Any:
        read, _ = self._attribute(key, type_, is_later)

        def resolve(parent: Any, info: Any, **_: Any) -> Any:
            value = read(parent, info)
            return None if value is None else _converted(value)

        return resolve, Attribute(f"py_{key}", _converted)

    def _computed(self, key: str, type_: Any, _is_later: bool) -> Any:
        def function(parent: Any) -> Any:
            return self._answer(parent, key, type_, {})

        return (lambda parent, _info, **_: function(parent)), Computed(function)

    def _resolve(self, key: str, type_: Any, _is_later: bool) -> Any:
        def resolve(parent: Any, info: Any, **arguments: Any) -> Any:
            return self._logged(parent, key, type_, arguments, info.context)

        return resolve, None

    def _async(self, key: str, type_: Any, is_later: bool) -> Any:
        now, _ = self._resolve(key, type_, is_later)
        return (_postponed(now) if is_later else now), None

    def _call(self, key: str, type_: Any, is_later: bool) -> Any:
        now, _ = self._resolve(key, type_, is_later)
        return now, Call(now)

    def _call_later(self, key: str, type_: Any, is_later: bool) -> Any:
        later, _ = self._async(key, type_, is_later)
        return later, Call(later)

    def _batch(self, key: str, type_: Any, _is_later: bool) -> Any:
        def fails(arguments: dict[str, Any]) -> float:
            return self._dice(key, _ordered(arguments)).random() / (self.trouble or 1e-9)

        def resolve(parent: Any, info: Any, **arguments: Any) -> Any:
            info.context.append((repr(parent), key, _ordered(arguments)))
            if fails(arguments) < 0.25:
                raise BoomError(f"all of {key}")
            if fails(arguments) < 0.5:
                raise RuntimeError("load answered 0 for 0")
            return self._answer(parent, key, type_, arguments)

        def settled(parent: Any, arguments: dict[str, Any]) -> Any:
            try:
                return self._answer(parent, key, type_, arguments)
            except Exception as error:  # noqa: BLE001 - as a batch gives it back
                return error

        async def load(parents: Sequence[Any], info: Any, **arguments: Any) -> Sequence[Any]:
            info.context.extend((repr(parent), key, _ordered(arguments)) for parent in parents)
            await _pause(self._dice(key))
            if fails(arguments) < 0.25:
                raise BoomError(f"all of {key}")
            answers = [settled(parent, arguments) for parent in parents]
            return [*answers, None] if 0.25 <= fails(arguments) < 0.5 else answers

        load.__qualname__ = "load"
        return resolve, Batch(load, first=len(key) % 2 == 0)


def _made(values: dict[str, Any]) -> Any:
    """What an input object becomes."""
    return ("made", values)


def _ordered(arguments: dict[str, Any]) -> str:
    """Keyword arguments have no order, but what is in them has."""
    return repr(dict(sorted(arguments.items())))


def _converted(value: Any) -> Any:
    return f"{value}!" if isinstance(value, str) else value


async def _pause(dice: Random) -> None:
    for _ in range(dice.choice((0, 0, 1, 2))):
        await asyncio.sleep(0)


def _postponed(resolve: Callable[..., Any]) -> Callable[..., Any]:
    async def later(parent: Any, info: Any, **arguments: Any) -> Any:
        await _pause(dice_of(repr(parent)))
        return resolve(parent, info, **arguments)

    return later


def _resolves_type(is_later: bool) -> Any:
    def resolve_type(value: Any, _info: Any, _type: Any) -> Any:
        node = _node_of(value)
        if is_later and node.key.endswith(("1", "3", "5")):
            return Later(lambda: node.claimed)
        return node.claimed

    return resolve_type


def _is_type_of(name: str, is_later: bool) -> Any:
    def is_type_of(value: Any, _info: Any) -> Any:
        node = _node_of(value)
        if not isinstance(node, Node):
            return False
        if is_later and node.key.endswith(("1", "2", "4")):
            return Later(lambda: node.claimed == name)
        return node.claimed == name

    return is_type_of


def _odd(value: Any) -> int:
    if not isinstance(value, int) or value % 2 == 0:
        raise ValueError(f"{value!r} is not odd")
    return value


def _odd_output(value: Any) -> int | None:
    return None if value == NO_OUTPUT else _odd(value)


def _odd_literal(node: Any) -> int:
    if not isinstance(node, IntValueNode):
        raise ValueError("not even a number")  # noqa: TRY004 - a bad value, as scalars report it
    return _odd(int(node.value))
