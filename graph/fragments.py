"""Fragments of a document: in which order they can be followed."""

from collections.abc import Iterator, Mapping

from graphql import FragmentDefinitionNode, FragmentSpreadNode, SelectionSetNode

Fragments = Mapping[str, FragmentDefinitionNode]


class CircleError(Exception):
    """A fragment spreads itself, directly or by others; the text says which."""


def leaves_first(fragments: Fragments) -> list[FragmentDefinitionNode]:
    """Each after those that it spreads; CircleError where there is no such order."""
    found: list[FragmentDefinitionNode] = []
    is_done: dict[str, bool] = {}
    for first in fragments:
        if first in is_done:
            continue
        is_done[first] = False
        path = [(first, _spread(fragments[first].selection_set))]
        while path:
            name, spread = path[-1]
            following = next((each for each in spread if not is_done.get(each)), None)
            if following is None:
                is_done[name] = True
                found.append(fragments[name])
                path.pop()
            elif following in is_done:
                raise CircleError(f"Cannot spread fragment {following[:100]!r} within itself.")
            elif following in fragments:
                is_done[following] = False
                path.append((following, _spread(fragments[following].selection_set)))
    return found


def _spread(selection_set: SelectionSetNode) -> Iterator[str]:
    """The names of the fragments that are spread somewhere in there."""
    waiting = [selection_set]
    while waiting:
        for selection in waiting.pop().selections:
            if isinstance(selection, FragmentSpreadNode):
                yield selection.name.value
            elif (below := selection.selection_set) is not None:  # type: ignore[attr-defined]  # both others have one
                waiting.append(below)
