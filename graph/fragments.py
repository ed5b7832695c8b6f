"""Fragments of a document: in which order they can be followed, and what following them adds up to."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from graphql import FieldNode, FragmentDefinitionNode, FragmentSpreadNode, SelectionSetNode

MOST_SELECTIONS = 10_000
MOST_PAIRS = 2_000
"""Validation compares each two fields of one name in one place, and all that is selected below them."""

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


class Sum:
    """What following all spreads adds up to: counted until it is too much, and so in bounded time."""

    def __init__(self, fragments: Fragments) -> None:
        self._fragments = fragments
        self.selections = self.pairs = 0
        self.followed: set[str] = set()

    @property
    def is_too_much(self) -> bool:
        return self.selections > MOST_SELECTIONS or self.pairs > MOST_PAIRS

    def add(self, selection_set: SelectionSetNode) -> None:
        """Count what is selected there and below, as if no other part of the document selected it too."""
        waiting: list[Sequence[SelectionSetNode]] = [[selection_set]]
        while waiting and not self.is_too_much:
            waiting += self._merged(waiting.pop())

    def _merged(self, together: Sequence[SelectionSetNode]) -> list[list[SelectionSetNode]]:
        """Count what is selected in one place; answers what is selected below each of its fields."""
        below: dict[str, list[SelectionSetNode]] = {}
        met: dict[str, int] = {}
        spread: set[str] = set()
        here: list[SelectionSetNode] = list(together)
        while here and not self.is_too_much:
            selections: Sequence[Any] = here.pop().selections
            self.selections += len(selections)
            for selection in selections:
                if isinstance(selection, FieldNode):
                    name = (selection.alias or selection.name).value
                    before = met.get(name, 0)
                    met[name] = before + 1
                    self.pairs += before
                    if selection.selection_set is not None:
                        below.setdefault(name, []).append(selection.selection_set)
                elif not isinstance(selection, FragmentSpreadNode):
                    here.append(selection.selection_set)
                elif (name := selection.name.value) in self._fragments and name not in spread:
                    # Each two fragments of one place are compared as well.
                    self.pairs += len(spread)
                    spread.add(name)
                    self.followed.add(name)
                    here.append(self._fragments[name].selection_set)
        return list(below.values())
