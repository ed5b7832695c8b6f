"""What is known before a document runs: which fields each level has, and how they are resolved and written."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any

from graphql import (
    FieldNode,
    GraphQLObjectType,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)
from graphql.execution import VariableValues
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet

from graph.engine.arguments import Arguments
from graph.engine.build import Build, builder
from graph.engine.defer import Part, Scope
from graph.engine.leaf import is_plain
from graph.engine.outline import Entry, Outline
from graph.engine.resolution import (
    RESOLUTION,
    SOURCES,
    SPELLING,
    WEIGHT,
    Attribute,
    Batch,
    Computed,
    Source,
)

if TYPE_CHECKING:
    from graph.engine.document import Operation

Getter = Callable[[Any], Any]

MOST_WARM = 1_000
"""Selections of one operation that are compiled before they are met."""


class Field:
    """One field of a selection: aliases and fragments are merged into it."""

    __slots__ = (
        "_columns",
        "_level",
        "_outlines",
        "accepted",
        "arguments",
        "definition",
        "details",
        "is_inline",
        "is_leaf",
        "is_typename",
        "key",
        "name",
        "named_type",
        "nodes",
        "parent_type",
        "resolution",
        "selections",
        "shape",
        "type",
        "types",
        "weight",
    )

    def __init__(
        self, level: "Selection", key: str, details: FieldDetailsList, definition: Any
    ) -> None:
        self._level = level
        self.details = details
        self._columns: dict[tuple[Any, ...], frozenset[str] | None] = {}
        self._outlines: dict[tuple[str, ...], Outline | None] = {}
        self.key = key
        self.name: str = details[0].node.name.value
        self.nodes: list[FieldNode] = [detail.node for detail in details]
        self.definition = definition
        self.parent_type: GraphQLObjectType = level.type
        self.type = definition.type
        self.named_type: Any = get_named_type(definition.type)
        self.resolution = definition.extensions.get(RESOLUTION)
        self.weight: int = definition.extensions.get(WEIGHT, 1)
        self.arguments = Arguments(definition, self.nodes[0])
        self.shape = Shape(definition.type)
        self.is_leaf = is_leaf_type(self.named_type)
        self.is_typename = self.name == "__typename"
        self.is_inline = self.is_typename or (
            self.is_leaf
            and isinstance(self.resolution, Attribute | Computed)
            and not self.arguments.can_fail
        )
        """Whether its value is read and written in one go with the object around it."""
        self.selections: dict[GraphQLObjectType, Selection] = {}
        self.accepted: set[type] = set()
        """Classes whose instances are objects of `type` or null, known from those met so far."""
        self.types: dict[type, GraphQLObjectType] = {}
        """What the instances of accepted classes are objects of, where the type is abstract."""

    def selection(self, type_: GraphQLObjectType) -> "Selection":
        """What is selected of an answer that is of this object type."""
        found = self.selections.get(type_)
        if found is None:
            level = self._level
            fields, new = level.operation.subfields(type_, self.details, level.variables)
            scope = level.scope.below(1 + self.shape.depth, new)
            found = Selection(level.operation, type_, fields, level.variables, scope)
            self.selections[type_] = found
        return found

    def accepts(self, classes: set[type]) -> bool:
        """Whether instances of these classes are known to be regular answers, without asking each."""
        new = classes - self.accepted
        if all(self._accepts(cls) for cls in new):
            self.accepted |= new
            return True
        return False

    def _accepts(self, cls: type) -> bool:
        if cls is type(None):
            return not self.shape.innermost_required
        if is_abstract_type(self.named_type):
            possible = self._level.operation.schema.get_possible_types(self.named_type)
            matching = [type_ for type_ in possible if source_for(sources_of(type_), cls)]
            if len(matching) == 1:
                self.types[cls] = matching[0]
            return len(matching) == 1
        sources = sources_of(self.named_type)
        if sources:
            return source_for(sources, cls) is not None
        return self.named_type.is_type_of is None and is_plain(cls)

    def columns(
        self, type_name: str, path: tuple[str, ...], *, at_once: bool = False
    ) -> frozenset[str] | None:
        """See Info.columns and Info.columns_at_once."""
        key = (at_once, type_name, *path)
        if key not in self._columns:
            self._columns[key] = self._find_columns(type_name, path, at_once)
        return self._columns[key]

    def _find_columns(
        self, type_name: str, path: tuple[str, ...], at_once: bool
    ) -> frozenset[str] | None:
        if path:
            selection = self.selection(self.named_type)
            inner = [field for field in selection.all_fields() if field.name == path[0]]
            if at_once and not set(inner).issubset(selection.fields):
                return None
            parts = [field._find_columns(type_name, path[1:], at_once) for field in inner]  # noqa: SLF001
        else:
            type_: Any = self._level.operation.schema.type_map[type_name]
            parts = [self.selection(type_).columns()]
        return _union(parts)

    def outline(self, names: tuple[str, ...]) -> Outline | None:
        """See Info.outline."""
        if names not in self._outlines:
            self._outlines[names] = self._find_outline(names)
        return self._outlines[names]

    def _find_outline(self, names: tuple[str, ...]) -> Outline | None:
        if not isinstance(self.named_type, GraphQLObjectType):
            return None
        selection = self.selection(self.named_type)
        if not names:
            return selection.outline(self.weight)
        found = [field for field in selection.all_fields() if field.name in names]
        if len(found) != 1 or found[0] not in selection.fields:
            return None
        return found[0].outline(())

    def entry(self) -> Entry | None:
        """The field in an outline; None where a store cannot write it."""
        if self.is_typename:
            return Entry(self.key, None)
        spelling = self.definition.extensions.get(SPELLING)
        if spelling is None or self.definition.args:
            return None
        if self.is_leaf:
            return Entry(self.key, spelling)
        below = self.outline(())
        return None if below is None else Entry(self.key, spelling, below)


def _union(parts: Iterable[frozenset[str] | None]) -> frozenset[str] | None:
    found: frozenset[str] = frozenset()
    for part in parts:
        if part is None:
            return None
        found |= part
    return found


class Shape:
    """The lists and non-nulls around a named type."""

    __slots__ = ("depth", "innermost_required", "item", "required")

    def __init__(self, type_: Any) -> None:
        self.required = is_non_null_type(type_)
        inner = type_.of_type if self.required else type_
        self.item: Shape | None = Shape(inner.of_type) if is_list_type(inner) else None
        self.depth: int = 0 if self.item is None else self.item.depth + 1
        self.innermost_required: bool = (
            self.required if self.item is None else self.item.innermost_required
        )


class Selection:
    """What is selected of objects of one type at one place of the response."""

    __slots__ = (
        "_readers",
        "build",
        "fields",
        "is_parted",
        "names",
        "operation",
        "parts",
        "scope",
        "steps",
        "turns",
        "type",
        "variables",
    )

    def __init__(
        self,
        operation: "Operation",
        type_: GraphQLObjectType,
        fields: GroupedFieldSet,
        variables: VariableValues,
        scope: Scope,
    ) -> None:
        self.operation = operation
        self.type = type_
        self.variables = variables
        self.scope = scope
        fields, deferred = scope.split(fields)
        self.parts = [
            Part(
                scope.fragments(usages),
                Selection(operation, type_, left, variables, scope.within(usages)),
            )
            for usages, left in deferred
        ]
        """What is delivered later."""
        self.is_parted = bool(self.parts or scope.new)
        found = (
            (key, details, operation.schema.get_field(type_, details[0].node.name.value))
            for key, details in fields.items()
        )
        # A field that the type does not have is not valid, and left out as graphql-core does.
        self.fields = [Field(self, key, details, field) for key, details, field in found if field]
        self.steps = [field for field in self.fields if not field.is_inline]
        """What is resolved before objects are written."""
        first = [i for i, field in enumerate(self.steps) if _is_first(field)]
        rest = [i for i in range(len(self.steps)) if i not in first]
        self.turns = (first, rest) if first and rest else (first or rest,)
        """The steps that are begun together."""
        self.names = tuple(
            field.resolution.name
            for field in self.fields
            if field.is_inline and isinstance(field.resolution, Attribute)
        )
        self.build: Build = builder(self)
        self._readers: dict[type, Getter] = {}

    def warm(self, most: int) -> int:
        """Compile what is below, too, the upper first, but no more than `most` selections; answers how many."""
        waiting = deque([self])
        count = 0
        while waiting and count < most:
            for below in waiting.popleft().below():
                waiting.append(below)
                count += 1
                if count >= most:
                    break
        return count

    def below(self) -> Iterator["Selection"]:
        """What is selected of each type that an answer may be of."""
        for field in self.fields:
            if field.is_leaf:
                continue
            named_type = field.named_type
            for type_ in (
                self.operation.schema.get_possible_types(named_type)
                if is_abstract_type(named_type)
                else (named_type,)
            ):
                yield field.selection(type_)
        for part in self.parts:
            yield part.selection

    def alone(self) -> Iterator["Selection"]:
        """A selection of each field by itself, for what has to happen one after the other."""
        for field in self.fields:
            fields = {field.key: field.details}
            yield Selection(self.operation, self.type, fields, self.variables, self.scope)

    def reader(self, parents: Sequence[Any]) -> Getter:
        """Reads all inline attributes of a parent at once; a bare value where it is one."""
        classes = set(map(type, parents))
        if len(classes) > 1:
            return self._reader(self.names, parents)
        (cls,) = classes
        found = self._readers.get(cls)
        if found is None:
            found = self._reader(self.names, parents)
            self._readers[cls] = found
        return found

    def reader_of(self, attribute: Attribute, parents: Sequence[Any]) -> Getter:
        """Reads one attribute of a parent."""
        read = self._reader((attribute.name,), parents)
        convert = attribute.convert
        if convert is None:
            return read

        def converted(parent: Any) -> Any:
            value = read(parent)
            return None if value is None else convert(value)

        return converted

    def _reader(self, names: tuple[str, ...], parents: Sequence[Any]) -> Getter:
        if not names:
            return _nothing
        ways = {has_items(self.type, cls) for cls in set(map(type, parents))}
        if len(ways) == 1:
            return itemgetter(*names) if ways.pop() else attrgetter(*names)
        by_item, by_attribute = itemgetter(*names), attrgetter(*names)
        return lambda parent: (
            by_item(parent) if has_items(self.type, parent.__class__) else by_attribute(parent)
        )

    def columns(self) -> frozenset[str] | None:
        """The attributes that are looked at, or None when it may be any."""
        return _union(map(_reads, self.all_fields()))

    def outline(self, weight: int) -> Outline | None:
        """All of it, or None where a store cannot write that."""
        entries = [field.entry() for field in self.fields]
        if self.is_parted or None in entries:
            return None
        known = tuple(entry for entry in entries if entry is not None)
        return Outline(self.type.name, weight, known)

    def all_fields(self) -> Iterator[Field]:
        """With those that are delivered later."""
        yield from self.fields
        for part in self.parts:
            yield from part.selection.fields


def _is_first(field: Field) -> bool:
    return isinstance(field.resolution, Batch) and field.resolution.first


def _nothing(_: Any) -> None:
    return None


def _reads(field: Field) -> frozenset[str] | None:
    resolution = field.resolution
    if isinstance(resolution, Attribute):
        return frozenset((resolution.name,))
    if field.is_typename:
        return frozenset()
    if resolution is None or resolution.reads is None:
        return None
    return frozenset(resolution.reads)


def sources_of(type_: GraphQLObjectType) -> tuple[Source, ...]:
    found: tuple[Source, ...] = type_.extensions.get(SOURCES, ())
    return found


def source_for(sources: tuple[Source, ...], cls: type) -> Source | None:
    return next((source for source in sources if issubclass(cls, source.cls)), None)


@lru_cache(maxsize=10_000)
def has_items(type_: GraphQLObjectType, cls: type) -> bool:
    """Whether attributes of an instance are read as its items."""
    source = source_for(sources_of(type_), cls)
    return issubclass(cls, dict) if source is None else source.items
