"""What has happened, as it travels through the outbox. Payloads are small; readers load the rows."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Self
from uuid import UUID

import orjson

# The workspace of events that concern the whole instance.
INSTANCE = UUID(int=0)

FEEDBACK_TOPIC = "feedback"
JOBS_TOPIC = "jobs"
ALERTS_TOPIC = "alerts"
INSTANCE_TOPIC = "instance"

FEEDBACK_ADDED = "feedback.added"
_TOPICS = {
    "alert": ALERTS_TOPIC,
    "api_key": INSTANCE_TOPIC,
    "feedback": FEEDBACK_TOPIC,
    "job": JOBS_TOPIC,
    "member": INSTANCE_TOPIC,
    "session": INSTANCE_TOPIC,
}


def topic(workspace: UUID, name: str) -> str:
    """The name of a workspace's topic on the bus."""
    return f"{workspace.hex}:{name}"


def topic_of(kind: str) -> str:
    """Which of a workspace's topics an event of this kind goes to."""
    return _TOPICS[kind.partition(".")[0]]


@dataclass(frozen=True, slots=True)
class Facets:
    """What subscribers filter feedback by, as it was when the event happened."""

    source_id: UUID
    rating: int | None
    label: str | None
    occurred_at: datetime
    tag_ids: tuple[UUID, ...] = ()
    status: str = "OPEN"
    assignee_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class FeedbackEvent:
    """A feedback was added, updated, scored or deleted. One that is `patient` is scored when there is time for it."""

    kind_prefix: ClassVar[str] = "feedback."

    type: str  # ADDED, UPDATED, SCORED, DELETED
    feedback_id: UUID
    facets: Facets
    patient: bool = False

    @property
    def kind(self) -> str:
        return self.kind_prefix + self.type.lower()

    def to_json(self) -> str:
        facets = self.facets
        return orjson.dumps(
            {
                "type": self.type,
                "id": self.feedback_id.hex,
                "source": facets.source_id.hex,
                "rating": facets.rating,
                "label": facets.label,
                "occurred": facets.occurred_at,
                "tags": [tag.hex for tag in facets.tag_ids],
            }
            | ({} if facets.status == "OPEN" else {"status": facets.status})
            | ({} if facets.assignee_id is None else {"assignee": facets.assignee_id.hex})
            | ({"patient": True} if self.patient else {})
        ).decode()

    @classmethod
    def from_json(cls, payload: bytes | str) -> Self:
        data: dict[str, Any] = orjson.loads(payload)
        assignee = data.get("assignee")
        return cls(
            data["type"],
            UUID(hex=data["id"]),
            Facets(
                UUID(hex=data["source"]),
                data["rating"],
                data["label"],
                datetime.fromisoformat(data["occurred"]),
                tuple(UUID(hex=tag) for tag in data["tags"]),
                data.get("status", "OPEN"),
                None if assignee is None else UUID(hex=assignee),
            ),
            patient=data.get("patient", False),
        )


@dataclass(frozen=True, slots=True)
class AlertEvent:
    """An alert fired or was resolved; `state` is FIRING or RESOLVED."""

    kind_prefix: ClassVar[str] = "alert."

    type: str  # FIRED, RESOLVED
    alert_id: UUID
    rule_id: UUID | None
    state: str

    @property
    def kind(self) -> str:
        return self.kind_prefix + self.type.lower()

    def to_json(self) -> str:
        return orjson.dumps(
            {
                "type": self.type,
                "id": self.alert_id.hex,
                "rule": None if self.rule_id is None else self.rule_id.hex,
                "state": self.state,
            }
        ).decode()

    @classmethod
    def from_json(cls, payload: bytes | str) -> Self:
        data: dict[str, Any] = orjson.loads(payload)
        rule = data["rule"]
        return cls(
            data["type"],
            UUID(hex=data["id"]),
            None if rule is None else UUID(hex=rule),
            data["state"],
        )


@dataclass(frozen=True, slots=True)
class JobsUpdated:
    """The rows of jobs changed; what works on jobs writes such events too (persistence/job/working.py)."""

    kind: ClassVar[str] = "job.updated"

    job_ids: tuple[UUID, ...]

    def to_json(self) -> str:
        return orjson.dumps({"ids": [id_.hex for id_ in self.job_ids]}).decode()

    @classmethod
    def from_json(cls, payload: bytes | str) -> Self:
        return cls(tuple(UUID(hex=id_) for id_ in orjson.loads(payload)["ids"]))


@dataclass(frozen=True, slots=True)
class SessionRevoked:
    """A session ended before its time."""

    kind: ClassVar[str] = "session.revoked"

    session_id: UUID

    def to_json(self) -> str:
        return orjson.dumps({"id": self.session_id.hex}).decode()

    @classmethod
    def from_json(cls, payload: bytes | str) -> Self:
        return cls(UUID(hex=orjson.loads(payload)["id"]))


@dataclass(frozen=True, slots=True)
class MemberChanged:
    """A user's role in a workspace is another one, or none any more."""

    kind: ClassVar[str] = "member.changed"

    workspace_id: UUID
    user_id: UUID

    def to_json(self) -> str:
        return orjson.dumps({"workspace": self.workspace_id.hex, "user": self.user_id.hex}).decode()

    @classmethod
    def from_json(cls, payload: bytes | str) -> Self:
        data: dict[str, str] = orjson.loads(payload)
        return cls(UUID(hex=data["workspace"]), UUID(hex=data["user"]))


@dataclass(frozen=True, slots=True)
class ApiKeyChanged:
    """An API key was revoked, or what it may do, from where or for how long is another matter."""

    kind: ClassVar[str] = "api_key.changed"

    api_key_id: UUID

    def to_json(self) -> str:
        return orjson.dumps({"api_key": self.api_key_id.hex}).decode()

    @classmethod
    def from_json(cls, payload: bytes | str) -> Self:
        return cls(UUID(hex=orjson.loads(payload)["api_key"]))


def of_instance(payload: bytes | str) -> SessionRevoked | MemberChanged | ApiKeyChanged:
    """An event of the instance's topic."""
    data = orjson.loads(payload)
    if "api_key" in data:
        return ApiKeyChanged.from_json(payload)
    return MemberChanged.from_json(payload) if "user" in data else SessionRevoked.from_json(payload)
