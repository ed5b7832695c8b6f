"""What a batch or call resolver is told about where it stands."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from graph.engine.plan import Field


class Info:
    """One field of one operation. It has no response path: it speaks for all objects of its level."""

    __slots__ = ("context", "field", "root_value", "variables")

    def __init__(
        self, field: "Field", context: Any, root_value: Any, variables: dict[str, Any]
    ) -> None:
        self.field = field
        self.context = context
        self.root_value = root_value
        self.variables = variables

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
