"""Working through feedback: whose it is, how far it has come, and its tags, of many at once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from domain import feedback, history, roles
from domain.checks import Checks
from domain.errors import NotFoundError
from domain.feedback import Feedback
from domain.history import Change
from domain.roles import Action
from domain.tag import MOST_TAGS
from domain.viewer import Viewer
from persistence import feedback as store
from persistence import tag as tag_store
from persistence.database import Reader, UnitOfWork

Assignee = store.AssigneeRow
MOST_AT_ONCE = 500


class Status(StrEnum):
    """How far it has come."""

    OPEN = "OPEN"
    IN_PROGRESS = "IN_PROGRESS"
    CLOSED = "CLOSED"


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateFeedback:
    """What is to become of these: a status or assignee that is not given stays."""

    ids: Sequence[UUID]
    status: Status | None = None
    assigns: bool = False
    assignee_id: UUID | None = None
    add_tag_ids: Sequence[UUID] = ()
    remove_tag_ids: Sequence[UUID] = ()

    def actions(self) -> Iterator[Action]:
        """What one must be allowed for that."""
        tags = self.add_tag_ids or self.remove_tag_ids
        if tags:
            yield Action.TAG_FEEDBACK
        if self.status is not None or self.assigns or not tags:
            yield Action.TRIAGE_FEEDBACK


@dataclass(frozen=True, slots=True)
class Updated:
    """All that there are of those that were meant, as they are now; how many became another; and what is not there."""

    feedback: Sequence[Feedback]
    changed: int
    missing: Sequence[UUID]


@dataclass(frozen=True, slots=True)
class _Tags:
    """The names of the tags that were taken away from and added to each feedback."""

    removed: Mapping[UUID, Sequence[str]]
    added: Mapping[UUID, Sequence[str]]


async def update(uow: UnitOfWork, viewer: Viewer, command: UpdateFeedback) -> Updated:
    """Change many by one transaction, and announce each that became another. What is not there is left out.

    All of them must be of one workspace.
    """
    wanted = list(dict.fromkeys(command.ids))
    _check(command, wanted)
    workspace = await _enter(uow, viewer, command, wanted)
    before = {row.id: row for row in await store.lock_many(uow, workspace, wanted)}
    if not before:
        raise NotFoundError("There is no such feedback.")
    found = list(before)
    assignees = await _assignees(uow, workspace, command, before)
    tags = await _tag(uow, workspace, found, command)
    triaged = await _triage(uow, workspace, found, command)
    after = before | {row.id: row for row in triaged}
    changes = [
        change for id_ in found for change in _changes(before[id_], after[id_], assignees, tags)
    ]
    await history.record(uow, viewer, workspace, changes)
    changed = {change.feedback_id for change in changes}
    await _announce(uow, workspace, [after[id_] for id_ in found if id_ in changed])
    ordered = [after[id_] for id_ in wanted if id_ in after]
    return Updated(ordered, len(changed), [id_ for id_ in wanted if id_ not in after])


async def assignees(reader: Reader, viewer: Viewer, ids: Sequence[UUID]) -> Mapping[UUID, Assignee]:
    """Who they are; who does not belong to the workspace any more is missing."""
    return await store.assignees(reader, viewer.id, ids) if ids else {}


def _check(command: UpdateFeedback, ids: Sequence[UUID]) -> None:
    checks = Checks()
    if not 1 <= len(ids) <= MOST_AT_ONCE:
        checks.refuse(["ids"], f"must be 1 to {MOST_AT_ONCE} feedback")
    for name, tags in (
        ("addTagIds", command.add_tag_ids),
        ("removeTagIds", command.remove_tag_ids),
    ):
        if len(tags) > MOST_TAGS:
            checks.refuse([name], f"must be at most {MOST_TAGS} tags")
    if not set(command.add_tag_ids).isdisjoint(command.remove_tag_ids):
        checks.refuse(["removeTagIds"], "must not be among addTagIds")
    checks.done()


async def _enter(
    uow: UnitOfWork, viewer: Viewer, command: UpdateFeedback, ids: Sequence[UUID]
) -> UUID:
    """The workspace of the feedback, if the viewer may do that there."""
    entered = await store.enter_many(uow, viewer.id, ids)
    if not entered:
        raise NotFoundError("There is no such feedback.")
    if len(entered) > 1:
        checks = Checks()
        checks.refuse(["ids"], "must be of one workspace")
        checks.done()
    for action in command.actions():
        roles.require(entered[0].role, action)
    return entered[0].workspace_id


async def _assignees(
    uow: UnitOfWork, workspace: UUID, command: UpdateFeedback, before: Mapping[UUID, Feedback]
) -> Mapping[UUID, Assignee]:
    """Whom it was and is to be assigned to; NotFoundError unless who it is to be belongs to the workspace."""
    if not command.assigns:
        return {}
    known = {row.assignee_id for row in before.values()} | {command.assignee_id}
    found = await store.members_of(uow, workspace, [id_ for id_ in known if id_ is not None])
    if command.assignee_id is not None and command.assignee_id not in found:
        raise NotFoundError("There is no such member in this workspace.")
    return found


async def _tag(
    uow: UnitOfWork, workspace: UUID, ids: Sequence[UUID], command: UpdateFeedback
) -> _Tags:
    named = {*command.add_tag_ids, *command.remove_tag_ids}
    if not named:
        return _Tags({}, {})
    known = await tag_store.in_workspace(uow, workspace, list(named))
    if len(known) < len(named):
        raise NotFoundError("There is no such tag in this workspace.")
    removed = added = list[tag_store.LinkRow]()
    if command.remove_tag_ids:
        removed = await store.unlink_many(uow, workspace, ids, command.remove_tag_ids)
    if command.add_tag_ids:
        added = await store.link_many(uow, workspace, ids, command.add_tag_ids)
    names = {row.id: row.name for row in known}
    return _Tags(_names_by_feedback(removed, names), _names_by_feedback(added, names))


def _names_by_feedback(
    links: Sequence[tag_store.LinkRow], names: Mapping[UUID, str]
) -> Mapping[UUID, Sequence[str]]:
    found: dict[UUID, list[str]] = {}
    for link in links:
        found.setdefault(link.feedback_id, []).append(names[link.tag_id])
    return {id_: sorted(of) for id_, of in found.items()}


async def _triage(
    uow: UnitOfWork, workspace: UUID, ids: Sequence[UUID], command: UpdateFeedback
) -> Sequence[Feedback]:
    if command.status is None and not command.assigns:
        return ()
    return await store.change_many(
        uow,
        workspace,
        ids,
        status=command.status,
        assigns=command.assigns,
        assignee=command.assignee_id,
    )


def _changes(
    before: Feedback, after: Feedback, assignees: Mapping[UUID, Assignee], tags: _Tags
) -> Iterator[Change]:
    """What became another of one feedback."""
    id_ = before.id
    if before.status != after.status:
        yield Change(id_, "STATUS", [before.status], [after.status])
    if before.assignee_id != after.assignee_id:
        was, is_ = (
            [] if row.assignee_id is None else [assignees[row.assignee_id].name]
            for row in (before, after)
        )
        yield Change(id_, "ASSIGNEE", was, is_)
    removed, added = tags.removed.get(id_, ()), tags.added.get(id_, ())
    if removed or added:
        yield Change(id_, "TAGS", removed, added)


async def _announce(uow: UnitOfWork, workspace: UUID, rows: Sequence[Feedback]) -> None:
    if not rows:
        return
    tags: dict[UUID, list[UUID]] = {}
    for link in await tag_store.links(uow, workspace, [row.id for row in rows]):
        tags.setdefault(link.feedback_id, []).append(link.tag_id)
    if any(len(borne) > MOST_TAGS for borne in tags.values()):
        checks = Checks()
        checks.refuse(["addTagIds"], f"must leave each feedback with at most {MOST_TAGS} tags")
        checks.done()
    for row in rows:
        feedback.announce(uow, "UPDATED", row, tuple(tags.get(row.id, ())))
