"""Generates the code that writes all objects of one level: a dict for each, its scalars serialised in place."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from types import CodeType
from typing import TYPE_CHECKING, Any

from graph.engine.leaf import Leaf
from graph.engine.resolution import Attribute, Computed

if TYPE_CHECKING:
    from graph.engine.plan import Selection

Build = Callable[
    [Sequence[Any], Callable[[Any], Any], Sequence[Sequence[Any]]], list[dict[str, Any]]
]
"""`build(parents, read, columns)`: `read` gets the inline attributes of a parent, `columns` are what the
selection's steps came to, a value for each parent. Raises where something is irregular."""


class _Code:
    """The parts of a function that goes through all parents once."""

    def __init__(self, selection: "Selection") -> None:
        self.namespace: dict[str, Any] = {}
        self.entries: list[str] = []
        self.lines: list[str] = []
        self._attributes: list[str] = []
        self._columns: list[tuple[str, str]] = []
        self._takes_parent = False
        for number, field in enumerate(selection.fields):
            if field.is_typename:
                self.entries.append(f"{field.key!r}: {selection.type.name!r}")
                continue
            variable = f"v{number}"
            self._read(field.resolution if field.is_inline else None, variable, f"f{number}")
            value = variable
            if field.is_leaf:
                leaf = Leaf(field.type, number)
                self.namespace |= leaf.namespace
                value = leaf.expression(variable)
            self.entries.append(f"{field.key!r}: {value}")

    def _read(self, resolution: Any, variable: str, function: str) -> None:
        """Give the variable the field's value."""
        if isinstance(resolution, Attribute):
            self._attributes.append(variable)
            if resolution.convert is not None:
                self.namespace[function] = resolution.convert
                self.lines.append(
                    f"{variable} = None if {variable} is None else {function}({variable})"
                )
        elif isinstance(resolution, Computed):
            self._takes_parent = True
            self.namespace[function] = resolution.function
            self.lines.append(f"{variable} = {function}(parent)")
        else:
            self._columns.append((variable, f"columns[{len(self._columns)}]"))

    def loop(self) -> str:
        """The head of the loop over the parents and what comes with each."""
        pairs = list(self._columns)
        if self._attributes:
            one = len(self._attributes) == 1
            names = self._attributes[0] if one else f"({', '.join(self._attributes)})"
            pairs.insert(0, (names, "map(read, parents)"))
        if self._takes_parent or not pairs:
            pairs.insert(0, ("parent", "parents"))
        targets, sources = zip(*pairs, strict=True)
        together = sources[0] if len(sources) == 1 else f"zip({', '.join(sources)})"
        return f"for {', '.join(targets)} in {together}:"


def builder(selection: "Selection") -> Build:
    """The code for a selection."""
    code = _Code(selection)
    body = "".join(f"        {line}\n" for line in code.lines)
    source = (
        "def build(parents, read, columns):\n"
        "    built = []\n"
        "    add = built.append\n"
        f"    {code.loop()}\n"
        f"{body}"
        f"        add({{{', '.join(code.entries)}}})\n"
        "    return built\n"
    )
    exec(_compiled(source), code.namespace)  # noqa: S102 - the document gives it names only, which GraphQL's grammar bounds
    build: Build = code.namespace["build"]
    return build


@lru_cache(maxsize=1_000)
def _compiled(source: str) -> CodeType:
    return compile(source, "<graph.engine>", "exec")
