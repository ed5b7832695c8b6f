"""What an operation may cost at most, in points, known before it is executed.

A field that answers objects costs a point for each of them, more where it says so (`@cost`); lists count with the
size that their arguments ask for, or with an assumed one (`@listSize`). Leaves are free. The rules are those of the
GraphQL Cost Directives specification (IBM), so that gateways and clients come to the same figure.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import strawberry
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_composite_type,
    is_introspection_type,
    is_list_type,
)
from strawberry.schema_directive import Location

from graph.engine import WEIGHT

RULE = "cost"
"""The key of a field's rule in its extensions."""
_ASSUMED = 10
_PAGE = 20
# Whatever is asked for, a page has no more.
_LARGEST_PAGE = 100
_MOST = 10**12
_INTROSPECTION = 100
_MUTATION = 10
_MOST_NAMES = 10
_TEXTS = frozenset(("String", "JSON"))
_AGAIN = 10
"""Points of each name beyond so many that one leaf is asked for by, in each object: its value may be long."""


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="cost",
    description="What each answer of the field costs, in points; else 1 for an object and 0 for a leaf.",
)
class Cost:
    weight: str


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="listSize",
    description="How many items a list has: what a slicing argument says, the longest of several, or else the assumed "
    "size. With `sizedFields` those fields of the object are the list.",
)
class ListSize:
    assumed_size: int | None = strawberry.directive_field("assumedSize", default=strawberry.UNSET)
    slicing_arguments: list[str] | None = strawberry.directive_field(
        "slicingArguments", default=strawberry.UNSET
    )
    sized_fields: list[str] | None = strawberry.directive_field(
        "sizedFields", default=strawberry.UNSET
    )


@dataclass(frozen=True, slots=True)
class Rule:
    """What a field costs: `weight` for each answer; how many there are, and of which fields below it that is said."""

    weight: int
    is_list: bool
    slicing: tuple[str, ...] = ()
    assumed: int = _ASSUMED
    sized: frozenset[str] = frozenset()


def declare(schema: strawberry.Schema) -> strawberry.Schema:
    """Write the rule of every field into the schema, and the directives of those where one would not guess it.

    Connections go by `first`; mutations cost ten points; other lists have ten items unless they say so.
    """
    core = schema._schema  # noqa: SLF001
    for type_ in core.type_map.values():
        if isinstance(type_, GraphQLObjectType) and not is_introspection_type(type_):
            for field in type_.fields.values():
                ours = field.extensions["strawberry-definition"]
                given = {type(directive): directive for directive in ours.directives}
                if type_ is core.mutation_type and Cost not in given:
                    given[Cost] = Cost(weight=str(_MUTATION))
                if _is_connection(field) and ListSize not in given:
                    given[ListSize] = ListSize(
                        assumed_size=_PAGE,
                        slicing_arguments=["first"],
                        sized_fields=["edges", "nodes"],
                    )
                ours.directives = list(given.values())
                rule = _rule(field, given.get(Cost), given.get(ListSize))
                field.extensions |= {RULE: rule, WEIGHT: rule.weight}
    return schema


def _is_connection(field: GraphQLField) -> bool:
    fields = getattr(get_named_type(field.type), "fields", {})
    return "first" in field.args and "nodes" in fields


def _rule(field: GraphQLField, cost: Any, size: Any) -> Rule:
    is_object = is_composite_type(get_named_type(field.type))
    return Rule(
        weight=int(cost.weight) if cost else int(is_object),
        is_list=is_list_type(get_nullable_type(field.type)),
        slicing=tuple((size and size.slicing_arguments) or ()),
        assumed=(size and size.assumed_size) or _ASSUMED,
        sized=frozenset((size and size.sized_fields) or ()),
    )


@dataclass(frozen=True, slots=True)
class _Size:
    """How many items: the most that one of the values says, a number or the name of a variable."""

    values: tuple[int | str, ...]
    assumed: int

    def of(self, variables: Mapping[str, Any]) -> int:
        found = [
            count
            for value in self.values
            if (count := _count(variables.get(value) if isinstance(value, str) else value))
            is not None
        ]
        return max(found, default=self.assumed)


_ONE = _Size((1,), 1)


@dataclass(frozen=True, slots=True, eq=False)
class _Priced:
    """A field of the response: its weight, how often it is answered, and what is below, by the type of the object."""

    weight: int
    size: _Size
    below: tuple[tuple["_Priced", ...], ...]


class Price:
    """What one operation costs at most, by its variables."""

    __slots__ = ("_fields", "_known", "_variables", "names")

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, name: str | None) -> None:
        pricing = _Pricing(schema, document)
        operation = _operation(document, name)
        self._fields = pricing.fields(operation)
        self._variables = sorted(pricing.variables)
        self.names = pricing.names
        """By how many names it asks for one text of one object, at most."""
        self._known: dict[tuple[int | None, ...], int] = {}

    def of(self, variables: Mapping[str, Any]) -> int:
        """The points for these coerced variables: one for the operation itself, and those of all that it may answer."""
        key = tuple([_count(variables.get(name)) for name in self._variables])
        found = self._known.get(key)
        if found is None:
            sizes = dict(zip(self._variables, key, strict=True))
            found = 1 + _total(self._fields, sizes, {})
            if len(self._known) >= _LARGEST_PAGE:
                self._known.clear()
            self._known[key] = found
        return found


def _count(value: Any) -> int | None:
    """How many items a slicing argument asks for; None where it does not say."""
    if isinstance(value, list):
        return len(value)
    if isinstance(value, int):
        return max(0, min(value, _LARGEST_PAGE))
    return None


def _total(fields: tuple[_Priced, ...], sizes: Mapping[str, Any], known: dict[int, int]) -> int:
    total = known.get(id(fields))
    if total is None:
        total = 0
        for field in fields:
            each = field.weight + max(
                (_total(below, sizes, known) for below in field.below), default=0
            )
            total = min(total + field.size.of(sizes) * each, _MOST)
        known[id(fields)] = total
    return total


Sets = tuple[SelectionSetNode, ...]


class _Pricing:
    """Prices the selections of one document; equal ones once, so that the work is bounded by the document's length."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        self._schema = schema
        self._fragments = {
            node.name.value: node
            for node in document.definitions
            if isinstance(node, FragmentDefinitionNode)
        }
        self._priced: dict[tuple[Any, ...], tuple[_Priced, ...]] = {}
        self.variables: set[str] = set()
        self.names = 1

    def fields(self, operation: OperationDefinitionNode) -> tuple[_Priced, ...]:
        root = self._schema.get_root_type(operation.operation)
        assert root is not None  # noqa: S101 - the document is valid
        return self._of(root, (operation.selection_set,), frozenset(), _ONE)

    def _of(
        self, type_: GraphQLObjectType, sets: Sets, sized: frozenset[str], size: _Size
    ) -> tuple[_Priced, ...]:
        key = (type_.name, sized, size, *map(id, sets))
        found = self._priced.get(key)
        if found is None:
            nodes: dict[str, list[FieldNode]] = {}
            for selection_set in sets:
                self._collect(type_, selection_set, nodes)
            found = tuple(
                priced
                for same in nodes.values()
                if (priced := self._field(type_, same, sized, size)) is not None
            )
            if again := self._again(type_, nodes.values()):
                found += (_Priced(_AGAIN * again, _ONE, ()),)
            self._priced[key] = found
        return found

    def _again(self, type_: GraphQLObjectType, fields: Iterable[list[FieldNode]]) -> int:
        """How many names there are beyond _MOST_NAMES for the same leaf."""
        nodes = [same[0] for same in fields]
        leaves = Counter(
            node.name.value for node in nodes if not node.arguments and node.selection_set is None
        )
        for name, names in leaves.items():
            field = type_.fields.get(name)
            if names > self.names and field is not None and _is_text(field):
                self.names = names
        return sum(max(0, names - _MOST_NAMES) for names in leaves.values())

    def _collect(
        self,
        type_: GraphQLObjectType,
        selection_set: SelectionSetNode,
        nodes: dict[str, list[FieldNode]],
    ) -> None:
        for selection in selection_set.selections:
            if isinstance(selection, FieldNode):
                key = (selection.alias or selection.name).value
                nodes.setdefault(key, []).append(selection)
                continue
            inner: Any = selection
            if isinstance(selection, FragmentSpreadNode):
                inner = self._fragments[selection.name.value]
            if inner.type_condition is None or self._applies(
                type_, inner.type_condition.name.value
            ):
                self._collect(type_, inner.selection_set, nodes)

    def _applies(self, type_: GraphQLObjectType, condition: str) -> bool:
        wanted = self._schema.type_map[condition]
        return wanted is type_ or (
            is_abstract_type(wanted) and self._schema.is_sub_type(wanted, type_)
        )

    def _field(
        self, type_: GraphQLObjectType, same: list[FieldNode], sized: frozenset[str], size: _Size
    ) -> _Priced | None:
        node = same[0]
        if node.name.value in ("__schema", "__type"):
            return _Priced(_INTROSPECTION, _ONE, ())
        definition = type_.fields.get(node.name.value)
        if definition is None:
            return None
        rule: Rule = definition.extensions.get(RULE) or _rule(definition, None, None)
        sets = tuple(each.selection_set for each in same if each.selection_set is not None)
        said = self._size(rule, definition, node)
        own = said if rule.is_list else _ONE
        here = size if node.name.value in sized else own
        below = tuple(
            self._of(possible, sets, rule.sized, said)
            for possible in self._possible(get_named_type(definition.type))
            if sets
        )
        if not rule.weight and not below:
            return None
        return _Priced(rule.weight, here, below)

    def _possible(self, type_: Any) -> Sequence[GraphQLObjectType]:
        if isinstance(type_, GraphQLObjectType):
            return (type_,)
        return self._schema.get_possible_types(type_) if is_abstract_type(type_) else ()

    def _size(self, rule: Rule, definition: GraphQLField, node: FieldNode) -> _Size:
        given = {argument.name.value: argument.value for argument in node.arguments or ()}
        values: list[int | str] = []
        for name in rule.slicing:
            value = given.get(name)
            if isinstance(value, VariableNode):
                self.variables.add(value.name.value)
                values.append(value.name.value)
            elif value is None:
                default = definition.args[name].default_value
                if isinstance(default, int):
                    values.append(default)
            else:
                values += _literal(value)
        return _Size(tuple(values), rule.assumed)


def _is_text(field: GraphQLField) -> bool:
    return get_named_type(field.type).name in _TEXTS


def _literal(value: ValueNode) -> list[int | str]:
    if isinstance(value, IntValueNode):
        return [int(value.value)]
    if isinstance(value, ListValueNode):
        return [len(value.values)]
    return []


def _operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    return next(
        node
        for node in document.definitions
        if isinstance(node, OperationDefinitionNode)
        and (name is None or (node.name is not None and node.name.value == name))
    )
