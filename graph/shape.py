"""What a document may look like at most, whatever it costs: looked at before anything else is done with it."""

from collections.abc import Callable
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

MOST_CHARACTERS = 100_000
"""Looked at before it is parsed: a comment or a string of a megabyte is one token or none."""
MOST_TOKENS = 8_000
MOST_DEPTH = 20
MOST_ALIASES = 200
MOST_ROOT_FIELDS = 50
MOST_DIRECTIVES = 200
MOST_SCHEMA_ALIASES = 2
"""Where the schema is asked for: by aliases it could be asked for again and again."""
_SCHEMA = frozenset(("__schema", "__type"))


def excess(document: DocumentNode) -> str | None:
    """Why the document is refused; None where its shape is within the limits. It need not be valid."""
    aliases = directives = 0
    introspects = False
    waiting: list[Any] = list(document.definitions)
    while waiting:
        node = waiting.pop()
        directives += len(getattr(node, "directives", None) or ())
        aliases += getattr(node, "alias", None) is not None
        introspects |= isinstance(node, FieldNode) and node.name.value in _SCHEMA
        if (selection_set := getattr(node, "selection_set", None)) is not None:
            waiting += selection_set.selections
    if aliases > MOST_ALIASES:
        return f"The document has {aliases} aliases; {MOST_ALIASES} are the most."
    if introspects and aliases > MOST_SCHEMA_ALIASES:
        return f"A document that asks for the schema has {aliases} aliases; {MOST_SCHEMA_ALIASES} are the most."
    if directives > MOST_DIRECTIVES:
        return f"The document has {directives} directives; {MOST_DIRECTIVES} are the most."
    walk = _Walk(document)
    for operation in document.definitions:
        if isinstance(operation, OperationDefinitionNode):
            roots = walk.roots(operation.selection_set)
            if roots > MOST_ROOT_FIELDS:
                return f"An operation has {roots} root fields; {MOST_ROOT_FIELDS} are the most."
            depth = walk.depth(operation.selection_set)
            if depth > MOST_DEPTH:
                return f"An operation is {depth} levels deep; {MOST_DEPTH} are the most."
    return None


class _Walk:
    """Through selections, fragments followed; each is looked at once."""

    def __init__(self, document: DocumentNode) -> None:
        self._fragments = {
            node.name.value: node.selection_set
            for node in document.definitions
            if isinstance(node, FragmentDefinitionNode)
        }
        self._known: dict[tuple[str, int], int] = {}

    def depth(self, selection_set: SelectionSetNode) -> int:
        """How many fields lie below each other."""

        def of(selection: Any) -> int:
            if not isinstance(selection, FieldNode):
                return self._within(selection, self.depth)
            below = selection.selection_set
            return 1 + (self.depth(below) if below is not None else 0)

        return self._once("depth", selection_set, lambda: max(map(of, selection_set.selections)))

    def roots(self, selection_set: SelectionSetNode) -> int:
        """How many fields there are, those below not counted."""

        def of(selection: Any) -> int:
            is_field = isinstance(selection, FieldNode)
            return 1 if is_field else self._within(selection, self.roots)

        return self._once("roots", selection_set, lambda: sum(map(of, selection_set.selections)))

    def _within(self, selection: Any, count: Callable[[SelectionSetNode], int]) -> int:
        if isinstance(selection, FragmentSpreadNode):
            fragment = self._fragments.get(selection.name.value)
            return 0 if fragment is None else count(fragment)
        return count(selection.selection_set)

    def _once(self, what: str, selection_set: SelectionSetNode, count: Callable[[], int]) -> int:
        key = (what, id(selection_set))
        if key not in self._known:
            # For a fragment that spreads itself, which validation will refuse.
            self._known[key] = 0
            self._known[key] = count()
        return self._known[key]
