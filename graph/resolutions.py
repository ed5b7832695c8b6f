"""Tells the engine how the fields of our Strawberry schema are resolved.

The same functions with the same arguments, behind the same access rules, with the same refusals as problems:
what is left out is Strawberry's own way to them. A field that uses what is not known here (another extension,
a permission class) is left to Strawberry.
"""

from collections.abc import Callable, Sequence
from typing import Any

import strawberry
from graphql import GraphQLField, GraphQLObjectType, GraphQLUnionType
from strawberry.types.arguments import StrawberryArgument, convert_argument
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField

from graph.access import Access
from graph.engine import (
    RESOLUTION,
    SOURCES,
    Attribute,
    Batch,
    Call,
    Computed,
    Resolution,
    Source,
)
from graph.fields import ROWS
from persistence.database import Record

Convert = Callable[[dict[str, Any]], dict[str, Any]]

_DEFINITION = "strawberry-definition"


def declare(schema: strawberry.Schema) -> strawberry.Schema:
    """Write the resolution of every field and the sources of every type into the schema."""
    types = schema._schema.type_map.values()  # noqa: SLF001
    unions = [type_ for type_ in types if isinstance(type_, GraphQLUnionType)]
    in_unions = {member.name for union in unions for member in union.types}
    for type_ in types:
        definition = type_.extensions.get(_DEFINITION)
        if not isinstance(type_, GraphQLObjectType) or definition is None:
            continue
        if type_.is_type_of is not None or type_.name in in_unions:
            type_.extensions[SOURCES] = _sources(definition)
        for field in type_.fields.values():
            resolution = _resolution(schema, field)
            if resolution is not None:
                field.extensions[RESOLUTION] = resolution
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
        return Attribute(ours.python_name)
    declared = ours.metadata.get(RESOLUTION)
    if isinstance(declared, Computed):
        return declared
    convert = _converter(schema, ours.arguments)
    if isinstance(declared, Batch):
        return (
            declared
            if convert is None
            else Batch(_converting(declared.load, convert), declared.reads)
        )
    return Call(_guarded(schema, ours, _resolver(ours, convert)))


def _converter(
    schema: strawberry.Schema, arguments: Sequence[StrawberryArgument]
) -> Convert | None:
    """Makes keyword arguments of a resolver from GraphQL's, or None where they are the same."""
    converter = schema.schema_converter
    config, registry = schema.config, converter.scalar_registry
    names = [(config.name_converter.from_argument(argument), argument) for argument in arguments]
    if not names:
        return None

    def convert(given: dict[str, Any]) -> dict[str, Any]:
        return {
            argument.python_name: convert_argument(
                given[name], argument.type, registry, config, path=(name,)
            )
            for name, argument in names
            if name in given
        }

    return convert


def _converting(load: Callable[..., Any], convert: Convert) -> Callable[..., Any]:
    def converted(parents: Sequence[Any], info: Any, **given: Any) -> Any:
        return load(parents, info, **convert(given))

    converted.__qualname__ = load.__qualname__
    return converted


def _resolver(field: StrawberryField, convert: Convert | None) -> Callable[..., Any]:
    """The field's own function, called with what it asks for."""
    resolver = field.base_resolver
    assert resolver is not None  # noqa: S101 - a field without one is an attribute
    function: Any = resolver.wrapped_func
    takes_self = resolver.self_parameter is not None
    parent = resolver.parent_parameter or resolver.root_parameter
    parent_name = parent.name if parent is not None else None
    info_name = resolver.info_parameter.name if resolver.info_parameter is not None else None

    def call(source: Any, info: Any, **given: Any) -> Any:
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
    """The function behind the field's access rules, its refusals turned into the problems of its union."""
    checks = [extension.check for extension in field.extensions if isinstance(extension, Access)]
    handlers = schema.schema_converter._get_field_exception_handlers(field)  # noqa: SLF001

    def checked(source: Any, info: Any, **given: Any) -> Any:
        for check in checks:
            check(info.context)
        return call(source, info, **given)

    if not handlers:
        return checked if checks else call

    def problem(error: Exception, info: Any) -> Any:
        for kinds, handler in handlers:
            if isinstance(error, kinds):
                return handler.handle(error, field=field, info=info)
        raise error

    return _refusing_later(checked, problem) if field.is_async else _refusing(checked, problem)


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
