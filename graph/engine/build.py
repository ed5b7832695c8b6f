"""Generates the code that writes all objects of one level: a dict for each, its scalars serialised in place."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from types import CodeType
from typing import TYPE_CHECKING, Any

from graph.engine.leaf import expression, serializer
from graph.engine.resolution import Attribute, Computed

if TYPE_CHECKING:
    from graph.engine.plan import Selection

Build = Callable[
    [Sequence[Any], Callable[[Any], Any], Sequence[Sequence[Any]]], list[dict[str, Any]]
]
"""`build(parents, read, columns)`: `read` gets the inline attributes of a parent, `columns` are what the
selection's steps came to, a value for each parent. Raises where something is irregular."""


def builder(selection: "Selection") -> Build:
    """The code for a selection."""
    namespace: dict[str, Any] = {}
    entries: list[str] = []
    computed: list[str] = []
    loop: list[tuple[str, str]] = []
    attributes: list[str] = []
    steps = 0
    for i, field in enumerate(selection.fields):
        if field.is_typename:
            entries.append(f"{field.key!r}: {selection.type.name!r}")
            continue
        variable, function = f"v{i}", f"s{i}"
        if not field.is_inline:
            loop.append((variable, f"columns[{steps}]"))
            steps += 1
        elif isinstance(field.resolution, Attribute):
            attributes.append(variable)
        elif isinstance(field.resolution, Computed):
            namespace[f"f{i}"] = field.resolution.function
            computed.append(f"        {variable} = f{i}(parent)\n")
        if field.is_leaf:
            namespace[function] = serializer(field.type)
            entries.append(f"{field.key!r}: {expression(field.type, variable, function)}")
        else:
            entries.append(f"{field.key!r}: {variable}")
    if attributes:
        together = attributes[0] if len(attributes) == 1 else f"({', '.join(attributes)})"
        loop.insert(0, (together, "map(read, parents)"))
    if computed or not loop:
        loop.insert(0, ("parent", "parents"))
    targets, sources = zip(*loop, strict=True)
    together = sources[0] if len(sources) == 1 else f"zip({', '.join(sources)})"
    source = (
        "def build(parents, read, columns):\n"
        "    built = []\n"
        "    add = built.append\n"
        f"    for {', '.join(targets)} in {together}:\n"
        f"{''.join(computed)}"
        f"        add({{{', '.join(entries)}}})\n"
        "    return built\n"
    )
    exec(_compiled(source), namespace)  # noqa: S102 - names of the schema and of the document's grammar only
    build: Build = namespace["build"]
    return build


@lru_cache(maxsize=1_000)
def _compiled(source: str) -> CodeType:
    return compile(source, "<graph.engine>", "exec")
