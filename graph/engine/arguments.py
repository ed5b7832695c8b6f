"""Arguments and variables, coerced as far as possible once per document and not per request.

The quick way is taken only where it is sure to give what graphql-core gives. Where it is not, or where it
finds a fault, graphql-core itself coerces and words the error.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from graphql import (
    FieldNode,
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLError,
    GraphQLField,
    GraphQLID,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInt,
    GraphQLSchema,
    GraphQLString,
    ListValueNode,
    ObjectValueNode,
    Undefined,
    ValueNode,
    VariableDefinitionNode,
    VariableNode,
    is_list_type,
    is_non_null_type,
    is_required_argument,
    is_required_input_field,
    type_from_ast,
)
from graphql.execution import VariableValues, get_argument_values, get_variable_values
from graphql.utilities.coerce_input_value import coerce_default_value, coerce_input_literal

Coerce = Callable[[Any], Any]

_NO_VARIABLES = VariableValues({}, {})
_SMALLEST, _LARGEST = -(2**31), 2**31 - 1
_UNCHANGED = {GraphQLString: str, GraphQLID: str, GraphQLBoolean: bool}


class VariableErrors(Exception):  # noqa: N818 - it carries errors
    """The variables do not fit the operation; nothing was executed."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        super().__init__(errors[0].message)
        self.errors = errors


class _Unsure(Exception):  # noqa: N818 - not an error of anybody
    """graphql-core shall look at this value."""


class Variables:
    """The variables of one operation."""

    __slots__ = ("_coercers", "_defaults", "_nodes", "_schema")

    def __init__(self, schema: GraphQLSchema, nodes: Sequence[VariableDefinitionNode]) -> None:
        self._schema = schema
        self._nodes = nodes
        self._coercers: list[tuple[str, Coerce, bool]] | None = []
        self._defaults: dict[str, Any] = {}
        for node in nodes:
            type_: Any = type_from_ast(schema, node.type)
            default = Undefined
            if type_ is not None and node.default_value is not None:
                default = coerce_input_literal(node.default_value, type_)
            if type_ is None or (node.default_value is not None and default is Undefined):
                self._coercers = None
                return
            name = node.variable.name.value
            if default is not Undefined:
                self._defaults[name] = default
            required = default is Undefined and is_non_null_type(type_)
            self._coercers.append((name, _coercer(type_, frozenset()), required))

    def coerced(self, raw: dict[str, Any]) -> dict[str, Any]:
        """The values by name, without those that are neither given nor have a default; or VariableErrors."""
        if self._coercers is not None:
            try:
                values = dict(self._defaults)
                for name, coerce, required in self._coercers:
                    value = raw.get(name, Undefined)
                    if value is not Undefined:
                        values[name] = coerce(value)
                    elif required:
                        raise _Unsure
            except Exception:  # noqa: BLE001, S110 - whatever a scalar raised, graphql-core says it better
                pass
            else:
                return values
        return self.sourced(raw).coerced

    def sourced(self, raw: dict[str, Any]) -> VariableValues:
        """As graphql-core passes them around."""
        if not self._nodes:
            return _NO_VARIABLES
        values = get_variable_values(self._schema, self._nodes, raw, max_errors=50)
        if isinstance(values, list):
            raise VariableErrors(values)
        return values


def _coercer(type_: GraphQLInputType, inside: frozenset[str]) -> Coerce:
    """A function that coerces a value of the type or raises; `inside` are the input objects around it."""
    if is_non_null_type(type_):
        inner = _inner_coercer(type_.of_type, inside)

        def non_null(value: Any) -> Any:
            if value is None:
                raise _Unsure
            return inner(value)

        return non_null
    inner = _inner_coercer(type_, inside)
    return lambda value: None if value is None else inner(value)


def _inner_coercer(type_: Any, inside: frozenset[str]) -> Coerce:
    if is_list_type(type_):
        return _list_coercer(_coercer(type_.of_type, inside))
    if isinstance(type_, GraphQLInputObjectType):
        return _object_coercer(type_, inside)
    if type_ is GraphQLInt:
        return _int
    if type_ in _UNCHANGED:
        return _unchanged(_UNCHANGED[type_])
    coerce = type_.coerce_input_value

    def leaf(value: Any) -> Any:
        coerced = coerce(value)
        if coerced is Undefined:
            raise _Unsure
        return coerced

    return leaf


def _list_coercer(item: Coerce) -> Coerce:
    def items(value: Any) -> Any:
        if value.__class__ is not list:
            raise _Unsure
        return [item(each) for each in value]

    return items


def _unchanged(cls: type) -> Coerce:
    def same(value: Any) -> Any:
        if value.__class__ is not cls:
            raise _Unsure
        return value

    return same


def _int(value: Any) -> Any:
    if value.__class__ is int and _SMALLEST <= value <= _LARGEST:
        return value
    raise _Unsure


def _unsure(_: Any) -> Any:
    raise _Unsure


def _object_coercer(type_: GraphQLInputObjectType, inside: frozenset[str]) -> Coerce:
    # How deep a value may nest in a type that contains itself is for graphql-core to say.
    if type_.is_one_of or type_.name in inside:
        return _unsure
    inside |= {type_.name}
    fields: list[tuple[str, str, Coerce, Any, bool]] = []
    for name, field in type_.fields.items():
        default = coerce_default_value(field)
        required = is_required_input_field(field)
        fields.append(
            (name, field.out_name or name, _coercer(field.type, inside), default, required)
        )
    names = frozenset(type_.fields)
    out_type = type_.out_type

    def fill(value: Any) -> Any:
        if value.__class__ is not dict or not value.keys() <= names:
            raise _Unsure
        filled: dict[str, Any] = {}
        for name, out_name, coerce, default, required in fields:
            given = value.get(name, Undefined)
            if given is not Undefined:
                filled[out_name] = coerce(given)
            elif default is not Undefined:
                filled[out_name] = default
            elif required:
                raise _Unsure
        return out_type(filled)

    return fill


class _Argument(NamedTuple):
    """One argument: a constant, or what a variable is given, else the constant. Undefined is left out."""

    out_name: str
    constant: Any
    variable: str | None = None
    non_null: bool = False
    required: bool = False


class Arguments:
    """The arguments of one field of a document."""

    __slots__ = ("_arguments", "_field", "_is_sure", "_node", "can_fail", "fixed")

    def __init__(self, field: GraphQLField, node: FieldNode) -> None:
        self._field = field
        self._node = node
        self._is_sure = True
        given = {argument.name.value: argument.value for argument in node.arguments or ()}
        self._arguments = [
            self._compiled(name, argument, given.get(name)) for name, argument in field.args.items()
        ]
        self.fixed: dict[str, Any] | None = None
        """The arguments by Python name, where they do not depend on variables."""
        if self._is_sure and all(argument.variable is None for argument in self._arguments):
            self.fixed = {
                argument.out_name: argument.constant
                for argument in self._arguments
                if argument.constant is not Undefined
            }
        self.can_fail = not self._is_sure or any(
            argument.non_null for argument in self._arguments if argument.variable is not None
        )
        """Whether variables that fit the operation may still not fit here."""

    def _compiled(self, name: str, argument: GraphQLArgument, value: ValueNode | None) -> _Argument:
        out_name = argument.out_name or name
        if not isinstance(value, VariableNode):
            return _Argument(out_name, self._constant(name, argument, value))
        required = is_required_argument(argument)
        default = Undefined if required else self._constant(name, argument, None)
        non_null = is_non_null_type(argument.type)
        return _Argument(out_name, default, value.name.value, non_null, required)

    def _constant(self, name: str, argument: GraphQLArgument, value: ValueNode | None) -> Any:
        if value is not None and _mentions_variables(value):
            self._is_sure = False
            return Undefined
        alone = GraphQLField(self._field.type, args={name: argument})
        node = self._node if value is not None else FieldNode(name=self._node.name, arguments=())
        try:
            return next(iter(get_argument_values(alone, node).values()), Undefined)
        except GraphQLError:
            self._is_sure = False
            return Undefined

    def values(
        self, coerced: dict[str, Any], sourced: Callable[[], VariableValues]
    ) -> dict[str, Any]:
        """The arguments by Python name; GraphQLError where they do not fit."""
        if self.fixed is not None:
            return self.fixed
        if not self._is_sure:
            return get_argument_values(self._field, self._node, sourced())
        values: dict[str, Any] = {}
        for out_name, constant, variable, non_null, required in self._arguments:
            value = Undefined if variable is None else coerced.get(variable, Undefined)
            if (value is None and non_null) or (value is Undefined and required):
                return get_argument_values(self._field, self._node, sourced())
            if value is Undefined:
                value = constant
            if value is not Undefined:
                values[out_name] = value
        return values


def _mentions_variables(value: ValueNode) -> bool:
    if isinstance(value, VariableNode):
        return True
    if isinstance(value, ListValueNode):
        return any(_mentions_variables(item) for item in value.values)
    if isinstance(value, ObjectValueNode):
        return any(_mentions_variables(field.value) for field in value.fields)
    return False
