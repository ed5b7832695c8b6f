"""Walks through documents for visitors that only look: as graphql-core's `visit` does, in a fourth of the time.

There each node asks each visitor for what it does with nodes of its kind, also with names, with which none does
anything. Here that is known once for all documents, and a leaf that was found right is not looked at again.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from graphql import BREAK, SKIP, FieldNode, GraphQLError, Node, TypeInfo, Visitor
from graphql.language.ast import QUERY_DOCUMENT_KEYS

_NAMES = frozenset(("name", "alias", "description"))
"""Keys below which no visitor has anything to do."""
_Look = Callable[..., Any]
_Looks = tuple[tuple[int, _Look], ...]


class _Kind(NamedTuple):
    """What is done with the nodes of a kind: by the types' own record, and by visitors, each by its number."""

    enter_type: _Look | None
    enter: _Looks
    keys: tuple[str, ...]
    leave: _Looks
    leave_type: _Look | None


class Walking(dict[str, _Kind]):
    """What visitors of these classes do with each kind of nodes. None of them changes the document."""

    def __init__(self, visitors: Sequence[type[Visitor]]) -> None:
        super().__init__()
        self._visitors = visitors

    def __missing__(self, kind: str) -> _Kind:
        keys = QUERY_DOCUMENT_KEYS.get(kind, ())
        found = self[kind] = _Kind(
            getattr(TypeInfo, f"enter_{kind}", None),
            self._looks("enter", kind),
            tuple(key for key in keys if key not in _NAMES),
            self._looks("leave", kind),
            getattr(TypeInfo, f"leave_{kind}", None),
        )
        return found

    def _looks(self, what: str, kind: str) -> _Looks:
        # The one rule that looks at nodes of all kinds looks at their directives.
        has_directives = "directives" in QUERY_DOCUMENT_KEYS.get(kind, ("directives",))
        return tuple(
            (i, look)
            for i, visitor in enumerate(self._visitors)
            if (
                look := getattr(visitor, f"{what}_{kind}", None)
                or (getattr(visitor, what, None) if has_directives else None)
            )
        )

    def walk(
        self,
        node: Node,
        visitors: Sequence[Visitor],
        types: TypeInfo,
        errors: Sequence[GraphQLError] = (),
    ) -> None:
        """Through a node and all below it. The visitors are of our classes, in their order, and write to the errors."""
        _Walk(self, visitors, types, errors).through(node, None, None)


class _Walk:
    """Through one document."""

    def __init__(
        self,
        kinds: Walking,
        visitors: Sequence[Visitor],
        types: TypeInfo,
        errors: Sequence[GraphQLError],
    ) -> None:
        self._kinds = kinds
        self._visitors = visitors
        self._types = types
        self._errors = errors
        self._ancestors: list[Any] = []
        self._rests = [False] * len(visitors)
        """Whether each visitor skips the nodes here."""
        self._right: set[tuple[Any, str]] = set()

    def through(self, node: Node, key: str | int | None, parent: Any) -> None:
        """A node and all below it."""
        kind = self._kinds[node.kind]
        if kind.enter_type is not None:
            kind.enter_type(self._types, node)
        resting = self._looked(kind.enter, node, key, parent) if kind.enter else ()
        for i in resting:
            self._rests[i] = True
        if kind.keys:
            if parent is not None:
                self._ancestors.append(parent)
            self._below(node, kind.keys)
            if parent is not None:
                self._ancestors.pop()
        if kind.leave:
            self._looked(kind.leave, node, key, parent)
        for i in resting:
            self._rests[i] = False
        if kind.leave_type is not None:
            kind.leave_type(self._types)

    def _looked(
        self, looks: _Looks, node: Node, key: str | int | None, parent: Any
    ) -> Sequence[int]:
        """The numbers of those who skip what is below."""
        skipping: list[int] = []
        rests, visitors, ancestors = self._rests, self._visitors, self._ancestors
        for i, look in looks:
            if not rests[i]:
                said = look(visitors[i], node, key, parent, (), ancestors)
                if said is BREAK:
                    rests[i] = True
                elif said is SKIP:
                    skipping.append(i)
        return skipping

    def _below(self, node: Node, keys: tuple[str, ...]) -> None:
        for key in keys:
            below = getattr(node, key, None)
            if not below:
                continue
            if not isinstance(below, tuple):
                self.through(below, key, node)
                continue
            self._ancestors.append(node)
            for i, each in enumerate(below):
                if (
                    isinstance(each, FieldNode)
                    and each.selection_set is None
                    and not each.arguments
                    and not each.directives
                ):
                    self._through_leaf(each, i, below)
                else:
                    self.through(each, i, below)
            self._ancestors.pop()

    def _through_leaf(self, node: FieldNode, key: int, parent: Any) -> None:
        """One that is right or wrong by its name and the type that it is selected of alone."""
        leaf = (self._types.get_parent_type(), node.name.value)
        if leaf not in self._right:
            before = len(self._errors)
            self.through(node, key, parent)
            if len(self._errors) == before:
                self._right.add(leaf)
