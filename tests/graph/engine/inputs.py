"""Random values for input types: as literals in a document and as raw variables.

Types are given as they are written in SDL, such as `[I0!]`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

Variable = Callable[[str, bool, bool], str | None]
"""`variable(type, has_default, is_one_of)` is a variable for a place of that type, or None for no variable."""

_LITERALS: dict[str, tuple[str, ...]] = {
    "Int": ("0", "7", "-3", "2147483647"),
    "Float": ("1.5", "2", "-0.25", "1e3"),
    "String": ('"a"', '""', '"""a block"""', '"q\\"\\u00e9"'),
    "Boolean": ("true", "false"),
    "ID": ('"id"', "5"),
    "Odd": ("1", "3", "-5"),
    "Json": ("1", '"j"', "[1, {b: null}]", "{a: [true, X], c: 1.5}"),
}
_RAW: dict[str, tuple[Any, ...]] = {
    "Int": (0, 7, -3, 4.0),
    "Float": (1.5, 2, -0.25),
    "String": ("a", "", "é"),
    "Boolean": (True, False),
    "ID": ("id", 5),
    "Odd": (1, 3, -5),
    "Json": (1, "j", [1, {"b": None}], {"a": [True]}),
}
_WRONG: tuple[Any, ...] = (None, "wrong", 2, 2**40, 1.5, True, [], {}, {"nope": 1}, [[None]])


@dataclass
class InputField:
    type: str
    default: str | None = None

    @property
    def is_required(self) -> bool:
        return self.type.endswith("!") and self.default is None

    def __str__(self) -> str:
        return self.type if self.default is None else f"{self.type} = {self.default}"


@dataclass
class Inputs:
    """The enums and input objects of a schema."""

    enums: dict[str, tuple[str, ...]] = field(default_factory=dict)
    objects: dict[str, dict[str, InputField]] = field(default_factory=dict)
    one_of: set[str] = field(default_factory=set)

    def names(self) -> list[str]:
        return [*_LITERALS, *self.enums, *self.objects, *self.objects, *self.objects]

    def literal(
        self, dice: Random, type_: str, variable: Variable | None = None, depth: int = 3
    ) -> str:
        """A valid literal of the type, with variables in it where `variable` gives any."""
        return self._literal(dice, InputField(type_), variable, depth, is_one_of=False)

    def argument(self, dice: Random, place: InputField, variable: Variable) -> str:
        """As `literal`, for a place that may have a default."""
        return self._literal(dice, place, variable, 3, is_one_of=False)

    def _literal(
        self,
        dice: Random,
        place: InputField,
        variable: Variable | None,
        depth: int,
        is_one_of: bool,
    ) -> str:
        type_ = place.type
        if variable is not None and dice.random() < 0.3:
            found = variable(type_, place.default is not None, is_one_of)
            if found is not None:
                return found
        if not type_.endswith("!"):
            if not is_one_of and (dice.random() < 0.12 or (depth < 0 and type_ in self.objects)):
                return "null"
        else:
            type_ = type_[:-1]
        if type_.startswith("["):
            return self._list(dice, type_[1:-1], variable, depth)
        if type_ in self.objects:
            return self._object(dice, type_, variable, depth)
        return dice.choice(self.enums.get(type_) or _LITERALS[type_])

    def _list(self, dice: Random, item: str, variable: Variable | None, depth: int) -> str:
        if dice.random() < 0.15 and not item.startswith("["):
            # A single value stands for a list of it; a variable would not be of the right type.
            return self._literal(dice, InputField(item.rstrip("!") + "!"), None, depth - 1, False)
        count = dice.choice((0, 1, 2)) if depth > 0 else 0
        items = [
            self._literal(dice, InputField(item), variable, depth - 1, is_one_of=False)
            for _ in range(count)
        ]
        return f"[{', '.join(items)}]"

    def _object(self, dice: Random, name: str, variable: Variable | None, depth: int) -> str:
        is_one_of = name in self.one_of
        entries = [
            f"{key}: {self._literal(dice, place, variable, depth - 1, is_one_of)}"
            for key, place in self._chosen(dice, name, depth).items()
        ]
        return f"{{{', '.join(entries)}}}"

    def _chosen(self, dice: Random, name: str, depth: int) -> dict[str, InputField]:
        fields = self.objects[name]
        if name in self.one_of:
            leaves = [key for key, place in fields.items() if named(place.type) not in self.objects]
            key = dice.choice(list(fields) if depth > 0 else leaves)
            return {key: fields[key]}
        chosen = [
            key
            for key, place in fields.items()
            if place.is_required
            or (dice.random() < 0.7 and (depth > 0 or named(place.type) not in self.objects))
        ]
        dice.shuffle(chosen)
        return {key: fields[key] for key in chosen}

    def raw(self, dice: Random, type_: str, wrong: float, depth: int = 3) -> Any:
        """A value for a variable of the type; each part of it is wrong with that probability."""
        if dice.random() < wrong:
            return dice.choice(_WRONG)
        if not type_.endswith("!"):
            if dice.random() < 0.12 or (depth < 0 and type_ in self.objects):
                return None
        else:
            type_ = type_[:-1]
        if type_.startswith("["):
            count = dice.choice((0, 1, 2)) if depth > 0 else 0
            items = [self.raw(dice, type_[1:-1], wrong, depth - 1) for _ in range(count)]
            return items[0] if count == 1 and dice.random() < 0.2 else items
        if type_ in self.objects:
            chosen = self._chosen(dice, type_, depth)
            place = "!" if type_ in self.one_of else ""
            value = {
                key: self.raw(
                    dice, part.type.rstrip("!") + "!" if place else part.type, wrong, depth - 1
                )
                for key, part in chosen.items()
            }
            return value | ({"unknown": 1} if dice.random() < wrong / 2 else {})
        return dice.choice(self.enums.get(type_) or _RAW[type_])


def named(type_: str) -> str:
    """The name in a type."""
    return type_.strip("[]!")
