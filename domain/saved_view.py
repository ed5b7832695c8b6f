"""Views of a workspace's feedback that people save: for themselves, or for all who belong to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import orjson

from domain import audit, roles
from domain import workspace as workspaces
from domain.checks import Checks
from domain.errors import ConflictError, NotFoundError
from domain.export.asking import check_filter, filter_of
from domain.feedback import Filter, Order
from domain.roles import Action
from domain.viewer import Viewer
from persistence import saved_view as store
from persistence import workspace as workspace_store
from persistence.database import Columns, Reader, UnitOfWork

SavedView = store.SavedViewRow

MOST_VIEWS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All that is asked for; what is None stays as it is."""

    name: str | None = None
    where: Filter | None = None
    order: Order | None = None
    is_shared: bool | None = None


async def create(uow: UnitOfWork, viewer: Viewer, workspace: UUID, settings: Settings) -> SavedView:
    """A new one; ConflictError where there are 100 of its sort."""
    viewer.require_person()
    await workspaces.enter(uow, viewer, workspace, Action.READ)
    place = await store.place(uow, viewer.user_id, workspace)
    if place is None:
        raise NotFoundError("There is no such workspace.")
    if settings.is_shared:
        roles.require(place.role, Action.SHARE_VIEWS)
    where = settings.where or Filter()
    await _check(uow, workspace, settings.name, where)
    private_to = None if settings.is_shared else place.id
    await _make_room(uow, workspace, private_to)
    row = await store.add(
        uow,
        workspace=workspace,
        name=settings.name or "",
        filter=_written(where),
        order_by=settings.order or Order.NEWEST_FIRST,
        private_to=private_to,
        created_by=place.id,
    )
    if private_to is None:
        await audit.record(
            uow, viewer, audit.Action.SAVED_VIEW_CREATED, workspace, row.id, after=row
        )
    return row


async def update(uow: UnitOfWork, viewer: Viewer, id_: UUID, settings: Settings) -> SavedView:
    """Change one: whoever has saved it, and of shared ones ADMINs. Only who has saved it makes it private."""
    place, row = await _lock(uow, viewer, id_)
    where = filter_of(orjson.loads(row.filter)) if settings.where is None else settings.where
    name = row.name if settings.name is None else settings.name
    await _check(uow, row.workspace_id, name, where)
    private_to = row.private_to
    if settings.is_shared not in {None, private_to is None}:
        roles.require(place.role, Action.SHARE_VIEWS)
        if row.created_by != place.id:
            raise ConflictError("Only whoever has saved a view can make it private.")
        private_to = None if settings.is_shared else place.id
        await _make_room(uow, row.workspace_id, private_to)
    changed = await store.change(
        uow,
        row.workspace_id,
        id_,
        name=name,
        filter=_written(where),
        order_by=settings.order or row.order_by,
        private_to=private_to,
    )
    if row.private_to is None or private_to is None:
        what = audit.Action.SAVED_VIEW_UPDATED
        await audit.record(uow, viewer, what, row.workspace_id, id_, before=row, after=changed)
    return changed


async def remove(uow: UnitOfWork, viewer: Viewer, id_: UUID) -> SavedView:
    """Take one away: whoever has saved it, and of shared ones ADMINs. Answers what was there."""
    _, row = await _lock(uow, viewer, id_)
    await store.remove(uow, row.workspace_id, id_)
    if row.private_to is None:
        what = audit.Action.SAVED_VIEW_DELETED
        await audit.record(uow, viewer, what, row.workspace_id, id_, before=row)
    return row


async def of_workspaces(
    reader: Reader, viewer: Viewer, ids: Sequence[UUID], *, columns: Columns | None = None
) -> list[SavedView]:
    """Those of all these workspaces that are for the viewer, by name."""
    return await store.of_workspaces(reader, viewer.user_id, ids, columns=columns)


async def by_ids(
    reader: Reader, viewer: Viewer, ids: Sequence[UUID], *, columns: Columns | None = None
) -> list[SavedView]:
    return await store.by_ids(reader, viewer.user_id, ids, columns=columns)


def where_of(row: SavedView) -> Filter:
    """Its filter."""
    return filter_of(orjson.loads(row.filter))


async def _lock(uow: UnitOfWork, viewer: Viewer, id_: UUID) -> tuple[store.PlaceRow, SavedView]:
    """The viewer's place and the view, if the viewer may change it, in its workspace that is entered then."""
    place = await store.place_by_view(uow, viewer.user_id, id_)
    row = None if place is None else await store.lock(uow, place.workspace_id, id_)
    if place is None or row is None or row.private_to not in {None, place.id}:
        raise NotFoundError("There is no such saved view.")
    if row.private_to is None:
        is_own = row.created_by == place.id
        roles.require(place.role, Action.SHARE_VIEWS if is_own else Action.MANAGE_VIEWS)
    return place, row


async def _check(uow: UnitOfWork, workspace: UUID, name: str | None, where: Filter) -> None:
    checks = Checks()
    checks.line(name, "name", longest=100, required=True)
    checks.done()
    await check_filter(uow, workspace, where)


async def _make_room(uow: UnitOfWork, workspace: UUID, private_to: UUID | None) -> None:
    """ConflictError where there are as many as there may be; nobody else adds one meanwhile."""
    await workspace_store.lock(uow, workspace)
    if await store.number(uow, workspace, private_to) >= MOST_VIEWS:
        whose = "A workspace has" if private_to is None else "You have"
        raise ConflictError(f"{whose} at most {MOST_VIEWS} {_SORT[private_to is None]} views.")


_SORT = {True: "shared", False: "private"}


def _written(where: Filter) -> str:
    return orjson.dumps(where.values()).decode()
