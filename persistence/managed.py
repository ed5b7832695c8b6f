"""What workspaces have that only some of their members see: listed for those with one of certain roles."""

from collections.abc import Iterable, Sequence
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.sql.elements import ColumnElement

from persistence.database import Columns, Reader, Record, Statement, one_of
from persistence.workspace import managed

R = TypeVar("R", bound=Record)


class Managed(Generic[R]):
    """The rows of a table with an `id` and a `workspace_id`, in an order."""

    def __init__(
        self, table: Any, columns: Iterable[Any], row: type[R], *order: ColumnElement[Any]
    ) -> None:
        """`table`: its columns by name; `columns`: those that are read."""
        mine = select(*columns).where(managed(table.workspace_id))
        self._of_workspaces = Statement(
            mine.where(one_of(table.workspace_id, "workspaces")).order_by(*order),
            row,
            keys=("id", "workspace_id"),
        )
        self._by_ids = Statement(mine.where(one_of(table.id, "ids")), row)

    async def of_workspaces(
        self,
        reader: Reader,
        viewer: UUID,
        managers: Sequence[str],
        workspaces: Sequence[UUID],
        *,
        columns: Columns | None = None,
    ) -> list[R]:
        """Those of the workspaces where the viewer has one of the roles `managers`, in order."""
        return await reader.fetch(
            self._of_workspaces.of(columns), viewer=viewer, managers=managers, workspaces=workspaces
        )

    async def by_ids(
        self,
        reader: Reader,
        viewer: UUID,
        managers: Sequence[str],
        ids: Sequence[UUID],
        *,
        columns: Columns | None = None,
    ) -> list[R]:
        """Those with these ids, where the viewer has one of the roles."""
        return await reader.fetch(
            self._by_ids.of(columns), viewer=viewer, managers=managers, ids=ids
        )
