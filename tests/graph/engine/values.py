"""Random answers of a type, with everything that can be wrong with them."""

from collections.abc import AsyncIterator, Callable, Generator, Iterator
from random import Random
from typing import TYPE_CHECKING, Any
from zlib import crc32

from graphql import (
    GraphQLError,
    Undefined,
    is_abstract_type,
    is_enum_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)

if TYPE_CHECKING:
    from tests.graph.engine.world import World


def dice_of(*parts: str) -> Random:
    """Always the same dice for the same words."""
    return Random(crc32("\0".join(parts).encode()))  # noqa: S311 - they only have to be many


class BoomError(Exception):
    """What resolvers raise."""


class Junk:
    """A value that is nothing GraphQL knows."""

    def __repr__(self) -> str:
        return "<junk>"


class Text(str):
    """A string of another class."""

    __slots__ = ()


class Later:
    """An awaitable of what a function gives, that nobody has to await."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self._function = function

    def __await__(self) -> Generator[None, None, Any]:
        yield
        return self._function()


NO_OUTPUT = 55
"""What the scalar Odd makes nothing of."""

_RIGHT: dict[str, tuple[Any, ...]] = {
    "Int": (0, 1, -7, 2**31 - 1),
    "Float": (1.5, 2, -0.25),
    "Boolean": (True, False),
    "Odd": (1, 3, 99),
    "Json": ({"a": [1, None, {"b": "c"}]}, [], 0, "text", False),
}
_ODD_BUT_RIGHT: dict[str, tuple[Any, ...]] = {
    "Int": ("12", 3.0, True),
    "Float": ("2.5", True, 10**20),
    "String": (5, 1.5, True, Text("t"), ""),
    "Boolean": (1, 0, 1.5),
    "ID": (7, Text("i"), ""),
    "Odd": (True, NO_OUTPUT),
    "Json": (1.5,),
}
_WRONG: tuple[Any, ...] = (
    "wrong", 2**31, 1.5, float("inf"), Junk(), b"bytes", {}, [1], ("x",), Undefined, 2, "",
)  # fmt: skip


class Values:
    def __init__(self, world: "World") -> None:
        self._world = world

    def answer(self, dice: Random, type_: Any, label: str, is_later: bool) -> Any:
        """A field's answer; it may raise."""
        value = self._value(dice, type_, label, is_later)
        if isinstance(value, BoomError) and dice.random() < 0.6:
            raise value
        return value

    def _value(self, dice: Random, type_: Any, label: str, is_later: bool) -> Any:
        """A value of the type, or an exception in its place."""
        trouble = self._world.trouble
        is_required = is_non_null_type(type_)
        type_ = type_.of_type if is_required else type_
        if dice.random() < trouble:
            return self._error(dice, label)
        if dice.random() < (trouble / 3 if is_required else 0.1):
            return dice.choice((None, Undefined)) if trouble else None
        if is_list_type(type_):
            return self._list(dice, type_.of_type, label, is_later)
        if is_abstract_type(type_):
            possible = self._world.reference.get_possible_types(
                self._world.reference.type_map[type_.name]  # type: ignore[arg-type]  # it is abstract there, too
            )
            name = dice.choice(possible).name if possible else "Query"
            return self._object(dice, name, label, is_later, may_lie=True)
        if is_object_type(type_):
            return self._object(dice, type_.name, label, is_later, bool(type_.is_type_of))
        return self._leaf(dice, type_, label)

    def _error(self, dice: Random, label: str) -> Exception:
        message = f"boom {label}"
        return dice.choice(
            (
                BoomError(message),
                BoomError(message),
                ValueError(message),
                GraphQLError(message, extensions={"code": label}),
            )
        )

    def _leaf(self, dice: Random, type_: Any, label: str) -> Any:
        trouble = self._world.trouble
        if dice.random() < trouble:
            return dice.choice(_WRONG)
        if is_enum_type(type_):
            return self._world.enum_value(type_.name, dice.randrange(len(type_.values)))
        if dice.random() < trouble:
            return dice.choice(_ODD_BUT_RIGHT[type_.name])
        return dice.choice(_RIGHT.get(type_.name, (label,)))

    def _object(self, dice: Random, name: str, label: str, is_later: bool, may_lie: bool) -> Any:
        key = f"{label}:{dice.randrange(6)}"
        if may_lie and dice.random() < self._world.trouble:
            claims = ("raise", "Nope", "Int", "Query", "O0", "O1", 5, None)
            return self._world.liar(key, name, dice.choice(claims), is_later)
        if dice.random() < 0.35:
            return self._world.shared(label, name, is_later)
        return self._world.object(key, name, is_later)

    def _list(self, dice: Random, item_type: Any, label: str, is_later: bool) -> Any:
        if dice.random() < self._world.trouble / 2:
            return dice.choice(("text", 5, Junk()))
        count = dice.choice((0, 1, 2, 3, 4))
        values = [self._item(dice, item_type, f"{label}{i}", is_later) for i in range(count)]
        breaks = dice.random() < self._world.trouble / 2
        if not self._world.trouble:
            return dice.choice((values, tuple(values)))
        return _listed(dice, values, breaks, label, is_later)

    def _item(self, dice: Random, type_: Any, label: str, is_later: bool) -> Any:
        value = self._value(dice, type_, label, is_later)
        if self._world.trouble and dice.random() < 0.1 and is_later:
            return Later(lambda: _raised(value))
        return value


def _listed(dice: Random, values: list[Any], breaks: bool, label: str, is_later: bool) -> Any:
    """The values as one of the many things that are lists, which may break after them."""
    kind = dice.randrange(12)
    if breaks or kind == 0:
        return _generated(values, label if breaks else None)
    if kind == 1:
        return tuple(values)
    if kind == 2:
        return dict(enumerate(values)).values()
    if kind == 3 and is_later:
        return _streamed(values)
    return values


def _generated(values: list[Any], breaks: str | None) -> Iterator[Any]:
    yield from values
    if breaks is not None:
        raise BoomError(f"broken {breaks}")


async def _streamed(values: list[Any]) -> AsyncIterator[Any]:
    for value in values:
        yield value


def _raised(value: Any) -> Any:
    if isinstance(value, BoomError):
        raise value
    return value
