"""What a user leaves behind: places in workspaces, and workspaces where nobody is left."""

from uuid import UUID

from sqlalchemy import and_, bindparam, delete, exists, func, literal_column, select

from persistence.database import Reader, Record, Statement, UnitOfWork, table
from persistence.feedback import Feedback
from persistence.workspace import Member, Workspace


class PlaceRow(Record):
    """A workspace that the user belongs to, and how many others there are in it."""

    workspace_id: UUID
    member_id: UUID
    name: str
    others: int
    other_owners: int


_member = table(Member).c
_workspace = table(Workspace).c
_feedback = table(Feedback).c
_other = table(Member).alias("other").c

_WORKSPACES = Statement(
    select(_member.workspace_id)
    .where(_member.user_id == bindparam("user"))
    .order_by(_member.workspace_id),
    PlaceRow,
)
_LOCK = Statement(
    select(_workspace.id)
    .where(_workspace.id == bindparam("workspace"))
    .with_for_update(key_share=True),
    Record,
)
_is_other = and_(
    _other.workspace_id == _workspace.id,
    _other.user_id.is_not(None),
    _other.user_id != bindparam("user"),
)
_PLACE = Statement(
    select(
        _workspace.id.label("workspace_id"),
        select(_member.id)
        .where(_member.workspace_id == _workspace.id, _member.user_id == bindparam("user"))
        .scalar_subquery()
        .label("member_id"),
        _workspace.name,
        select(func.count()).where(_is_other).scalar_subquery().label("others"),
        select(func.count())
        .where(_is_other, _other.role == literal_column("'OWNER'"))
        .scalar_subquery()
        .label("other_owners"),
    ).where(_workspace.id == bindparam("workspace")),
    PlaceRow,
)
_batch = (
    select(_feedback.id)
    .where(_feedback.workspace_id == bindparam("workspace"))
    .limit(bindparam("most"))
    .scalar_subquery()
)
_DELETE_FEEDBACK = Statement(
    delete(table(Feedback)).where(
        _feedback.workspace_id == bindparam("workspace"), _feedback.id.in_(_batch)
    ),
    Record,
)
_is_left = ~exists().where(_member.workspace_id == _workspace.id, _member.user_id.is_not(None))
_IS_LEFT = Statement(
    select(_workspace.id).where(_workspace.id == bindparam("workspace"), _is_left), Record
)
_DELETE_WORKSPACE = Statement(
    delete(table(Workspace)).where(_workspace.id == bindparam("workspace"), _is_left), Record
)


async def lock_places(uow: UnitOfWork, user: UUID) -> list[PlaceRow]:
    """The workspaces that the user belongs to; nobody else changes their members meanwhile."""
    places: list[PlaceRow] = []
    # In one order for all, so that no two wait for each other.
    for row in await uow.fetch(_WORKSPACES, user=user):
        await uow.enter(row.workspace_id)
        await uow.execute(_LOCK, workspace=row.workspace_id)
        places += await uow.fetch(_PLACE, workspace=row.workspace_id, user=user)
    return places


async def is_left(reader: Reader, workspace: UUID) -> bool:
    """Whether there is such a workspace, and nobody belongs to it any more."""
    return bool(await reader.fetch(_IS_LEFT, workspace=workspace))


async def delete_some_feedback(uow: UnitOfWork, workspace: UUID, *, most: int) -> int:
    """Delete some of the entered workspace's feedback; answers how many."""
    return await uow.execute(_DELETE_FEEDBACK, workspace=workspace, most=most)


async def delete_workspace(uow: UnitOfWork, workspace: UUID) -> None:
    """Delete the entered workspace, if nobody belongs to it, with all that is in it."""
    await uow.execute(_DELETE_WORKSPACE, workspace=workspace)
