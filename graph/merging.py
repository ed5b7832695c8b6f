"""Whether all that is selected under one name in one place is the same: the rule Field Selection Merging.

graphql-core compares each two fields and each two fragments of a place. Here the fields of a place are grouped by
their names once, and looked at together, with all that is selected below them: the time that takes grows with what
is selected, and not with its square. Verdict and words are graphql-core's.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLNamedType,
    GraphQLSchema,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    StringValueNode,
    ValueNode,
    VariableNode,
    get_named_type,
    is_interface_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)


class TooMuchError(Exception):
    """More is selected than may be, fragments followed wherever they are spread."""


@dataclass(slots=True, eq=False)
class _Member:
    """A field of a place: its node, the type that it is selected of, its own type, and the field that it is below."""

    node: FieldNode
    parent: GraphQLNamedType | None
    type: Any
    above: "_Member | None"


@dataclass(slots=True)
class _Selected:
    """A selection set, the type that it is of, and the field that it is below."""

    node: SelectionSetNode
    parent: GraphQLNamedType | None
    above: _Member | None


def conflicts(
    schema: GraphQLSchema, document: DocumentNode, *, most: int, most_errors: int
) -> list[GraphQLError]:
    """Those that there are, but no more than `most_errors`. TooMuchError for more than `most` selections.

    The document is valid otherwise: no circle of fragments, and none that is not used.
    """
    merging = _Merging(schema, document, most, most_errors)
    operations = [
        node for node in document.definitions if isinstance(node, OperationDefinitionNode)
    ]
    for operation in operations:
        root = schema.get_root_type(operation.operation)
        merging.look([_Selected(operation.selection_set, root, None)])
    return merging.errors


class _Merging:
    """Through one document."""

    def __init__(
        self, schema: GraphQLSchema, document: DocumentNode, most: int, most_errors: int
    ) -> None:
        self._types = schema.type_map
        self._left = most
        self._most_errors = most_errors
        self._arguments: dict[int, Any] = {}
        self._fragments = {
            node.name.value: node
            for node in document.definitions
            if isinstance(node, FragmentDefinitionNode)
        }
        self.errors: list[GraphQLError] = []

    def _of_fragment(self, fragment: FragmentDefinitionNode, above: _Member | None) -> _Selected:
        condition = self._types.get(fragment.type_condition.name.value)
        return _Selected(fragment.selection_set, condition, above)

    def look(self, place: list[_Selected]) -> None:
        """At what is selected in one place and below it.

        Below fields of which no object is answered by two it may differ: only the types must fit. That these do is
        known of a part of what was looked at so.
        """
        waiting = [(place, False, False)]
        while waiting:
            sets, only_shapes, has_shapes = waiting.pop()
            for name, members in self._collected(sets).items():
                if len(self.errors) >= self._most_errors:
                    return
                together = [] if only_shapes else list(_together(members))
                if (
                    any(self._differ(name, group, _name, _names) for group in together)
                    or any(self._differ(name, group, self._given, _arguments) for group in together)
                    or (not has_shapes and self._differ(name, members, _shape, _types))
                ):
                    continue
                if only_shapes or (len(together) > 1 and not has_shapes):
                    waiting.append((_below(members), True, False))
                has_below = has_shapes or len(together) > 1
                waiting += [(_below(group), False, has_below) for group in together]

    def _collected(self, sets: list[_Selected]) -> dict[str, list[_Member]]:
        """The fields of a place by the names that they are answered under, fragments followed once each."""
        found: dict[str, list[_Member]] = {}
        spread: set[str] = set()
        # It grows by the fragments in it.
        for selected in sets:
            parent, above = selected.parent, selected.above
            fields: Any = (
                parent.fields if is_object_type(parent) or is_interface_type(parent) else {}
            )
            selections: Sequence[Any] = selected.node.selections
            self._left -= len(selections)
            if self._left < 0:
                raise TooMuchError
            for node in selections:
                if isinstance(node, FieldNode):
                    definition = fields.get(node.name.value)
                    type_ = None if definition is None else definition.type
                    member = _Member(node, parent, type_, above)
                    found.setdefault((node.alias or node.name).value, []).append(member)
                elif isinstance(node, FragmentSpreadNode):
                    name = node.name.value
                    if name not in spread and name in self._fragments:
                        spread.add(name)
                        sets.append(self._of_fragment(self._fragments[name], above))
                elif node.type_condition is None:
                    sets.append(_Selected(node.selection_set, parent, above))
                else:
                    condition = self._types.get(node.type_condition.name.value)
                    sets.append(_Selected(node.selection_set, condition, above))
        return found

    def _differ(self, name: str, members: list[_Member], key: Any, words: Any) -> bool:
        """Whether one is unlike the first; then that is an error."""
        if len(members) == 1:
            return False
        first, expected = members[0], None
        for member in members:
            found = key(member)
            if expected is None:
                first, expected = member, found
            elif found is not None and found != expected:
                self.errors.append(_error(name, words(first, member), first, member))
                return True
        return False

    def _given(self, member: _Member) -> Any:
        node = member.node
        if not node.arguments:
            return ()
        found = self._arguments.get(id(node))
        if found is None:
            found = sorted((given.name.value, _value(given.value)) for given in node.arguments)
            self._arguments[id(node)] = found
        return found


def _together(members: list[_Member]) -> Iterator[list[_Member]]:
    """Those that may be answered of one object; what is selected of an interface may be with each."""
    by_object: dict[str, list[_Member]] = {}
    general: list[_Member] = []
    for member in members:
        if is_object_type(member.parent):
            by_object.setdefault(member.parent.name, []).append(member)
        else:
            general.append(member)
    if not by_object:
        yield general
    for group in by_object.values():
        yield general + group


def _below(members: list[_Member]) -> list[_Selected]:
    return [
        _Selected(member.node.selection_set, get_named_type(member.type), member)
        for member in members
        if member.node.selection_set is not None
    ]


def _name(member: _Member) -> str:
    return member.node.name.value


def _shape(member: _Member) -> str | None:
    """What is the same for types whose values look alike; None where that is not known."""
    type_, wrapped = member.type, ""
    if type_ is None:
        return None
    while is_list_type(type_) or is_non_null_type(type_):
        wrapped += "[" if is_list_type(type_) else "!"
        type_ = type_.of_type
    return wrapped + (type_.name if is_leaf_type(type_) else "{")


def _value(node: ValueNode) -> str:
    """The same for values that are written alike, whatever the order of their fields."""
    if isinstance(node, VariableNode):
        return "$" + node.name.value
    if isinstance(node, ListValueNode):
        return f"[{','.join(map(_value, node.values))}]"
    if isinstance(node, ObjectValueNode):
        fields = sorted((field.name.value, _value(field.value)) for field in node.fields)
        return f"{{{','.join(f'{name}:{value}' for name, value in fields)}}}"
    if isinstance(node, StringValueNode):
        return f"{'block' if node.block else ''}{node.value!r}"
    if isinstance(node, NullValueNode):
        return "null"
    return f"{node.kind}:{node.value}"  # type: ignore[attr-defined]  # all others have one


def _names(one: _Member, other: _Member) -> str:
    return f"'{_name(one)}' and '{_name(other)}' are different fields"


def _arguments(_one: _Member, _other: _Member) -> str:
    return "they have differing arguments"


def _types(one: _Member, other: _Member) -> str:
    return f"they return conflicting types '{one.type}' and '{other.type}'"


def _error(name: str, reason: str, one: _Member, other: _Member) -> GraphQLError:
    """Told from where they meet: below two fields that are merged, or in one selection set."""
    nodes, others = [one.node], [other.node]
    while one.above is not None and other.above is not None and one.above is not other.above:
        reason = f"subfields '{name}' conflict because {reason}"
        one, other = one.above, other.above
        name = (one.node.alias or one.node.name).value
        nodes.insert(0, one.node)
        others.insert(0, other.node)
    return GraphQLError(
        f"Fields '{name}' conflict because {reason}. "
        "Use different aliases on the fields to fetch both if this was intentional.",
        nodes + others,
    )
