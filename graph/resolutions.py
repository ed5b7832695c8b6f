"""Tells the engine how the fields of our Strawberry schema are resolved.

The same functions with the same arguments, behind the same access rules, with the same refusals as problems:
what is left out is Strawberry's own way to them. A field that uses what is not known here (another extension,
a permission class) is left to Strawberry.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import MISSING, replace
from typing import Any

import strawberry
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLUnionType,
    get_nullable_type,
)
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.base import (
    StrawberryList,
    StrawberryMaybe,
    StrawberryObjectDefinition,
    StrawberryOptional,
)
from strawberry.types.field import StrawberryField
from strawberry.types.lazy_type import LazyType
from strawberry.types.maybe import Some

from graph.access import Access
from graph.engine import (
    EVENTS,
    RESOLUTION,
    SOURCES,
    SPELLING,
    UNCHANGED,
    Attribute,
    Batch,
    Call,
    Computed,
    Resolution,
    Source,
)
from graph.fields import ROWS
from graph.scalars import TIME_AS_IT_IS
from persistence.database import Record
from persistence.spelling import Decimal, Moment, Number, Said

Convert = Callable[[dict[str, Any]], dict[str, Any]]

_DEFINITION = "strawberry-definition"
_SPELLED: dict[str, Callable[[str], Hashable]] = {
    "String": Said,
    "Int": Number,
    "Float": Decimal,
    "Boolean": Number,
    "DateTime": Moment,
}


class _UnknownError(Exception):
    """Strawberry has a way to make this input that is not known here."""


def declare(schema: strawberry.Schema) -> strawberry.Schema:
    """Write the resolution of every field, the sources of every type and what is written as it is into the schema."""
    types = schema._schema.type_map.values()  # noqa: SLF001
    unions = [type_ for type_ in types if isinstance(type_, GraphQLUnionType)]
    in_unions = {member.name for union in unions for member in union.types}
    for type_ in types:
        if type_.name == "DateTime":
            type_.extensions[UNCHANGED] = TIME_AS_IT_IS
        definition = type_.extensions.get(_DEFINITION)
        if not isinstance(type_, GraphQLObjectType) or definition is None:
            continue
        if type_.is_type_of is not None or type_.name in in_unions:
            type_.extensions[SOURCES] = _sources(definition)
        for field in type_.fields.values():
            resolution = _resolution(schema, field)
            ours: StrawberryField = field.extensions[_DEFINITION]
            if resolution is not None:
                field.extensions[RESOLUTION] = resolution
                if not _checks(ours):
                    field.extensions[SPELLING] = _spelling(field, ours, resolution)
            if ours.is_subscription:
                convert = _converter(schema, ours.arguments)
                field.extensions[EVENTS] = Call(_resolver(ours, convert))
    return schema


def _sources(definition: StrawberryObjectDefinition) -> tuple[Source, ...]:
    """What tells a type's objects: the rows that it declares, and its own class."""
    classes: tuple[type, ...] = getattr(definition.origin, ROWS, ())
    rows = [Source(cls, items=issubclass(cls, Record)) for cls in classes]
    return (*rows, Source(definition.origin))


def _resolution(schema: strawberry.Schema, field: GraphQLField) -> Resolution | None:
    ours: StrawberryField = field.extensions[_DEFINITION]
    if ours.is_subscription:
        return Call(lambda event, _info, **_: event)
    if ours.permission_classes or not all(isinstance(e, Access) for e in ours.extensions):
        return None
    if ours.base_resolver is None:
        return _attribute(ours)
    declared = ours.metadata.get(RESOLUTION)
    if not _checks(ours) and (
        isinstance(declared, Attribute)
        or (isinstance(declared, Computed) and ours.base_resolver.info_parameter is None)
    ):
        return declared
    try:
        return _called(schema, ours, declared)
    except _UnknownError:
        return None


def _called(schema: strawberry.Schema, field: StrawberryField, declared: Any) -> Resolution:
    convert = _converter(schema, field.arguments)
    if isinstance(declared, Batch):
        load = declared.load if convert is None else _converting(declared.load, convert)
        return replace(declared, load=_checking(load, field))
    reads = declared.reads if isinstance(declared, Computed) else None
    if isinstance(declared, Attribute):
        reads = (declared.name,)
    return Call(_guarded(schema, field, _resolver(field, convert)), reads)


def _spelling(field: GraphQLField, ours: StrawberryField, resolution: Resolution) -> Hashable:
    """How Postgres may write the field: as is declared, or as its column's type tells."""
    declared: Hashable = ours.metadata.get(SPELLING)
    if declared is not None or not isinstance(resolution, Attribute):
        return declared
    type_ = get_nullable_type(field.type)
    if isinstance(type_, GraphQLEnumType):
        is_named_alike = all(name == each.value for name, each in type_.values.items())
        return Said(resolution.name) if is_named_alike else None
    spelled = _SPELLED.get(type_.name) if isinstance(type_, GraphQLScalarType) else None
    return None if spelled is None or resolution.convert is not None else spelled(resolution.name)


def _checks(field: StrawberryField) -> list[Callable[[Any], None]]:
    """What says who may use the field; nothing where anybody may."""
    rules = [extension for extension in field.extensions if isinstance(extension, Access)]
    return [rule.check for rule in rules if type(rule) is not Access]


def _attribute(field: StrawberryField) -> Resolution:
    name, checks = field.python_name, _checks(field)
    if not checks:
        return Attribute(name)

    def read(source: Any, info: Any) -> Any:
        for check in checks:
            check(info.context)
        return getattr(source, name)

    return Call(read, (name,))


def _checking(load: Callable[..., Any], field: StrawberryField) -> Callable[..., Any]:
    checks = _checks(field)
    if not checks:
        return load

    def checked(parents: Sequence[Any], info: Any, **given: Any) -> Any:
        for check in checks:
            check(info.context)
        return load(parents, info, **given)

    checked.__qualname__ = load.__qualname__
    return checked


def _converter(
    schema: strawberry.Schema, arguments: Sequence[StrawberryArgument]
) -> Convert | None:
    """Makes keyword arguments of a resolver from GraphQL's, or None where they are the same."""
    names = schema.config.name_converter
    renamed = [
        (names.from_argument(argument), argument.python_name, _input(schema, argument.type))
        for argument in arguments
    ]
    if all(name == python_name and make is None for name, python_name, make in renamed):
        return None

    def convert(given: dict[str, Any]) -> dict[str, Any]:
        return {
            python_name: given[name] if make is None else make(given[name])
            for name, python_name, make in renamed
            if name in given
        }

    return convert


def _input(schema: strawberry.Schema, type_: Any) -> Callable[[Any], Any] | None:
    """Makes what a resolver gets of a coerced input value; None where it is the same."""
    if isinstance(type_, StrawberryMaybe):
        inner = _input(schema, type_.of_type)
        return Some if inner is None else lambda value: Some(inner(value))
    while isinstance(type_, StrawberryOptional | LazyType):
        type_ = type_.of_type if isinstance(type_, StrawberryOptional) else type_.resolve_type()
    if isinstance(type_, StrawberryList):
        item = _input(schema, type_.of_type)
        return (
            None
            if item is None
            else lambda values: None if values is None else list(map(item, values))
        )
    definition = getattr(type_, "__strawberry_definition__", None)
    if not isinstance(definition, StrawberryObjectDefinition):
        return None
    if definition.from_input is not None:
        raise _UnknownError
    names = schema.config.name_converter
    fields = [
        (names.from_field(field), field.python_name, _input(schema, field.resolve_type()))
        for field in definition.fields
    ]
    # A nullable field without a default is None, as Strawberry has it.
    missing = {
        field.python_name: None
        for field in definition.fields
        if field.default_value is MISSING and field.default_factory is MISSING
    }

    def make(value: Any) -> Any:
        if value is None:
            return None
        given = {
            python_name: value[name] if part is None else part(value[name])
            for name, python_name, part in fields
            if name in value
        }
        return type_(**(missing | given))

    return make


def _converting(load: Callable[..., Any], convert: Convert) -> Callable[..., Any]:
    def converted(parents: Sequence[Any], info: Any, **given: Any) -> Any:
        return load(parents, info, **convert(given))

    converted.__qualname__ = load.__qualname__
    return converted


def _resolver(field: StrawberryField, convert: Convert | None) -> Callable[..., Any]:
    """The field's own function behind its access rules, called with what it asks for."""
    resolver = field.base_resolver
    assert resolver is not None  # noqa: S101 - a field without one is an attribute
    function: Any = resolver.wrapped_func
    checks = _checks(field)
    takes_self = resolver.self_parameter is not None
    parent = resolver.parent_parameter or resolver.root_parameter
    parent_name = parent.name if parent is not None else None
    info_name = resolver.info_parameter.name if resolver.info_parameter is not None else None

    def call(source: Any, info: Any, **given: Any) -> Any:
        for check in checks:
            check(info.context)
        arguments = given if convert is None else convert(given)
        if parent_name is not None:
            arguments[parent_name] = source
        if info_name is not None:
            arguments[info_name] = info
        return function(source, **arguments) if takes_self else function(**arguments)

    return call


def _guarded(
    schema: strawberry.Schema, field: StrawberryField, call: Callable[..., Any]
) -> Callable[..., Any]:
    """The function, its refusals turned into the problems of the field's union."""
    handlers = schema.schema_converter._get_field_exception_handlers(field)  # noqa: SLF001

    if not handlers:
        return call

    def problem(error: Exception, info: Any) -> Any:
        for kinds, handler in handlers:
            if isinstance(error, kinds):
                return handler.handle(error, field=field, info=info)
        raise error

    return _refusing_later(call, problem) if field.is_async else _refusing(call, problem)


def _refusing(call: Callable[..., Any], problem: Callable[..., Any]) -> Callable[..., Any]:
    def refusing(source: Any, info: Any, **given: Any) -> Any:
        try:
            return call(source, info, **given)
        except Exception as error:  # noqa: BLE001 - what is no refusal is raised again
            return problem(error, info)

    return refusing


def _refusing_later(call: Callable[..., Any], problem: Callable[..., Any]) -> Callable[..., Any]:
    async def refusing(source: Any, info: Any, **given: Any) -> Any:
        try:
            return await call(source, info, **given)
        except Exception as error:  # noqa: BLE001 - what is no refusal is raised again
            return problem(error, info)

    return refusing
