"""What became another of a feedback, and whose it is, in the schema."""

from datetime import datetime
from enum import StrEnum

import strawberry

from domain import history, ids, triage
from domain.ids import Kind
from graph.audit import AuditActor
from graph.fields import column, computed, rows
from persistence.spelling import Identifier


@strawberry.type(description="The member whom a feedback is assigned to.")
@rows(triage.Assignee)
class FeedbackAssignee:
    member_id: strawberry.ID = column(
        "id",
        ids.writer(Kind.MEMBER),
        graphql_type=strawberry.ID,
        spelling=Identifier("id", f"{Kind.MEMBER}_"),
        description="The member, as `Workspace.members` lists them.",
    )
    user_id: strawberry.ID = column(
        "user_id",
        ids.writer(Kind.USER),
        graphql_type=strawberry.ID,
        spelling=Identifier("user_id", f"{Kind.USER}_"),
        description="The user.",
    )
    name: str = strawberry.field(description="As people call them.")


@strawberry.enum(
    description="What became another: the MESSAGE itself was changed by its source, and `revisions` has it as it was."
)
class FeedbackChangeKind(StrEnum):
    STATUS = "STATUS"
    ASSIGNEE = "ASSIGNEE"
    TAGS = "TAGS"
    MESSAGE = "MESSAGE"


def _actor(root: strawberry.Parent[history.Changed]) -> history.Changed | None:
    return None if root.actor_kind is None else root


@strawberry.type(
    description="Something that became another of a feedback, in words as they were then."
)
@rows(history.Changed)
class FeedbackChange:
    at: datetime = strawberry.field(description="When it became another.")
    kind: FeedbackChangeKind = column(
        "kind",
        FeedbackChangeKind,
        graphql_type=FeedbackChangeKind,
        description="What became another.",
    )
    removed: list[str] = strawberry.field(
        description="What was there and is not any more: the status, the assignee's name, or names of tags."
    )
    added: list[str] = strawberry.field(
        description="What is there since then: the status, the assignee's name, or names of tags."
    )
    actor: AuditActor | None = computed(
        _actor,
        reads=("actor_kind", "actor_id", "actor_name"),
        graphql_type=AuditActor | None,
        description="Who did it; null where its source did.",
    )
