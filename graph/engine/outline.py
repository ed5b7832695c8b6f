"""What is selected of objects, as plain data: for who can have them written where they are kept.

A store that makes JSON can write whole objects, and nothing has to be read, built and written again here. A resolver
asks `info.outline(...)` what is selected of what it answers, and answers a `Fragment` in place of the object or list.
"""

from collections.abc import Hashable
from typing import NamedTuple

from orjson import Fragment

__all__ = ["Entry", "Fragment", "Outline"]


class Entry(NamedTuple):
    """A field: its key in the response, and what its SPELLING says; None for `__typename`.

    `below` is what is selected of it where it is an object or a list of objects.
    """

    key: str
    spelling: Hashable
    below: "Outline | None" = None


class Outline:
    """What is selected of objects of one type, in order. Equal ones ask for the same JSON."""

    __slots__ = ("_hash", "asked", "entries", "type_name", "weight")

    def __init__(self, type_name: str, weight: int, entries: tuple[Entry, ...]) -> None:
        self.type_name = type_name
        self.weight = weight
        """What each such object adds to the weight of the result."""
        self.entries = entries
        self.asked = 0
        """How often a resolver has asked for it: what is seldom asked for may not be worth making ready."""
        self._hash = hash((type_name, weight, entries))

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return (
            isinstance(other, Outline)
            and self._hash == other._hash
            and self.type_name == other.type_name
            and self.weight == other.weight
            and self.entries == other.entries
        )
