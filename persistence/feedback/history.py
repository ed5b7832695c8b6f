"""Who has changed what of a feedback since it came: its status, its assignee and its tags."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import orjson
from sqlalchemy import ARRAY, CheckConstraint, Column, Index, Text, text
from sqlmodel import Field, SQLModel

from persistence.database import (
    TIMESTAMP,
    Reader,
    Record,
    Statement,
    UnitOfWork,
    new_id,
)

MOST_CHANGES = 100


class FeedbackChange(SQLModel, table=True):
    """Something that became another, in words as they were then."""

    __tablename__ = "feedback_change"
    __table_args__ = (
        CheckConstraint("kind IN ('STATUS', 'ASSIGNEE', 'TAGS')", name="kind"),
        Index("feedback_change_feedback_id_idx", "feedback_id", "id"),
    )

    id: UUID = Field(primary_key=True)
    feedback_id: UUID = Field(foreign_key="feedback.id", ondelete="CASCADE")
    workspace_id: UUID = Field(foreign_key="workspace.id", ondelete="CASCADE")
    at: datetime = Field(sa_type=TIMESTAMP)
    kind: str = Field(sa_type=Text)
    removed: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    added: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    actor_kind: str = Field(sa_type=Text)
    actor_id: UUID | None = Field(default=None)
    actor_name: str = Field(sa_type=Text)


class ChangeRow(Record):
    feedback_id: UUID
    at: datetime
    kind: str
    removed: list[str]
    added: list[str]
    actor_kind: str | None
    actor_id: UUID | None
    actor_name: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """Of one feedback: what is not any more, and what is since then."""

    feedback_id: UUID
    kind: str  # STATUS, ASSIGNEE, TAGS
    removed: Sequence[str]
    added: Sequence[str]


NAME_OF_ACTOR = """coalesce(
        (SELECT name FROM "user" WHERE "user".id = :actor ::uuid),
        (SELECT name FROM api_key WHERE api_key.id = :actor ::uuid
            AND api_key.workspace_id = :workspace ::uuid),
        'Earful')"""
"""What whoever does something is called."""

# Arrays of arrays are of one length each: what was removed and added comes as JSON.
_ADD: Statement[Record] = Statement(
    text(f"""
    INSERT INTO feedback_change (id, feedback_id, workspace_id, at, kind, removed, added,
        actor_kind, actor_id, actor_name)
    SELECT given.id, given.feedback_id, :workspace ::uuid, :now ::timestamptz, given.kind,
        array(SELECT jsonb_array_elements_text(given.removed)),
        array(SELECT jsonb_array_elements_text(given.added)),
        :actor_kind, :actor ::uuid, {NAME_OF_ACTOR}
    FROM jsonb_to_recordset(:changes ::text ::jsonb) AS given(
        id uuid, feedback_id uuid, kind text, removed jsonb, added jsonb)"""),  # noqa: S608 - of constants
    Record,
)
# What its source has changed is where it was before that.
_OF = Statement(
    text(f"""
    SELECT of.id AS feedback_id, happened.at, happened.kind, happened.removed, happened.added,
        happened.actor_kind, happened.actor_id, happened.actor_name
    FROM unnest(:feedback ::uuid[]) WITH ORDINALITY AS of(id, place) CROSS JOIN LATERAL (
        (SELECT id, at, kind, removed, added, actor_kind, actor_id, actor_name
        FROM feedback_change
        WHERE feedback_change.feedback_id = of.id AND feedback_change.workspace_id IN (
            SELECT member.workspace_id FROM member WHERE member.principal_id = :viewer ::uuid)
        ORDER BY id DESC LIMIT {MOST_CHANGES})
        UNION ALL
        (SELECT id, replaced_at, 'MESSAGE', '{{}}', '{{}}', NULL, NULL, NULL
        FROM feedback_revision
        WHERE feedback_revision.feedback_id = of.id AND feedback_revision.workspace_id IN (
            SELECT member.workspace_id FROM member WHERE member.principal_id = :viewer ::uuid)
        ORDER BY id DESC LIMIT {MOST_CHANGES})
        ORDER BY at DESC, id DESC LIMIT {MOST_CHANGES}
    ) AS happened ORDER BY of.place, happened.at DESC, happened.id DESC"""),  # noqa: S608 - of constants
    ChangeRow,
)


async def add_changes(
    uow: UnitOfWork, workspace: UUID, changes: Sequence[Change], *, actor_kind: str, actor: UUID
) -> None:
    """Write down what somebody has changed in the entered workspace."""
    given = [
        {
            "id": str(new_id()),
            "feedback_id": str(each.feedback_id),
            "kind": each.kind,
            "removed": each.removed,
            "added": each.added,
        }
        for each in changes
    ]
    await uow.execute(
        _ADD,
        workspace=workspace,
        changes=orjson.dumps(given).decode(),
        now=uow.now,
        actor_kind=actor_kind,
        actor=actor,
    )


async def changes(reader: Reader, viewer: UUID, feedback: Sequence[UUID]) -> list[ChangeRow]:
    """What has changed of each of the feedback, its own message too, the latest first: at most 100 of each."""
    return await reader.fetch(_OF, viewer=viewer, feedback=feedback)
