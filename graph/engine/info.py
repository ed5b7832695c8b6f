"""What a batch or call resolver is told about where it stands."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from graph.engine.outline import Outline
    from graph.engine.plan import Field
    from graph.engine.run import Run


class Info:
    """One field of one operation. It has no response path: it speaks for all objects of its level."""

    __slots__ = ("_run", "context", "field", "root_value", "variables")

    def __init__(self, field: "Field", run: "Run") -> None:
        self.field = field
        self.context: Any = run.context
        self.root_value: Any = run.root_value
        self.variables = run.coerced
        self._run = run

    @property
    def field_name(self) -> str:
        return self.field.name

    def columns(self, type_name: str, *path: str) -> frozenset[str] | None:
        """Which attributes of the objects of that type the operation looks at, or None when it may be any.

        The objects are those that this field answers, or with `path` those reached from there by these field
        names: `info.columns("Feedback", "edges", "node")`.
        """
        return self.field.columns(type_name, path)

    def columns_at_once(self, type_name: str, *path: str) -> frozenset[str] | None:
        """As `columns`, but None too where some of it is deferred: what is read for it need not be read yet."""
        return self.field.columns(type_name, path, at_once=True)

    def outline(self, *names: str) -> "Outline | None":
        """What is selected of the objects of this field or, with names, of that one of their fields which is selected.

        None where several are or none is, and where something in it is deferred, not spelled, or has arguments.
        """
        outline = self.field.outline(names)
        if outline is not None:
            outline.asked += 1
        return outline

    def weigh(self, weight: int) -> None:
        """Count objects that are answered as a Fragment, and those within them."""
        self._run.weight += weight
