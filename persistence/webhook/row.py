"""The tables of webhooks that leave: endpoints, their secrets, what is delivered to them, and each attempt at it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from persistence.database import TIMESTAMP, Record, table


class Webhook(SQLModel, table=True):
    """An endpoint: where a workspace's events are posted to, which of them, and how that has gone lately.

    `failing` are the deliveries that have failed since the last success, a few of them; before `resume_at` nothing
    is sent; in the second that began at `second_at` so many requests were.
    """

    __tablename__ = "webhook"
    __table_args__ = (
        CheckConstraint("algorithm IN ('HMAC', 'ED25519')", name="algorithm"),
        CheckConstraint("disabled_reason IN ('MANUAL', 'GONE', 'FAILING')", name="disabled_reason"),
        CheckConstraint("rate_per_second > 0", name="rate_per_second"),
    )

    id: UUID = Field(primary_key=True)
    workspace_id: UUID = Field(foreign_key="workspace.id", ondelete="CASCADE", index=True)
    name: str = Field(sa_type=Text)
    url: str = Field(sa_type=Text)
    event_types: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    source_ids: list[UUID] | None = Field(default=None, sa_column=Column(ARRAY(Uuid)))
    tag_ids: list[UUID] | None = Field(default=None, sa_column=Column(ARRAY(Uuid)))
    sentiments: list[str] | None = Field(default=None, sa_column=Column(ARRAY(Text)))
    selection: str | None = Field(default=None, sa_type=Text)
    algorithm: str = Field(sa_type=Text)
    rate_per_second: int = Field(sa_type=Integer)
    created_by: UUID | None = Field(default=None, foreign_key="user.id", ondelete="SET NULL")
    created_at: datetime = Field(sa_type=TIMESTAMP)
    disabled_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    disabled_reason: str | None = Field(default=None, sa_type=Text)
    failing_since: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    failed_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    failing: list[UUID] = Field(
        sa_column=Column(ARRAY(Uuid), server_default=text("'{}'"), nullable=False)
    )
    probes: int = Field(sa_type=Integer, sa_column_kwargs={"server_default": "0"})
    resume_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    second_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    sent: int = Field(sa_type=Integer, sa_column_kwargs={"server_default": "0"})


class WebhookSecret(SQLModel, table=True):
    """What an endpoint's deliveries are signed with, sealed with SECRET_KEY; one that was replaced until it expires."""

    __tablename__ = "webhook_secret"

    id: UUID = Field(primary_key=True)
    # It goes with its endpoint, and so with the workspace.
    workspace_id: UUID
    webhook_id: UUID = Field(foreign_key="webhook.id", ondelete="CASCADE", index=True)
    sealed: bytes = Field(sa_type=LargeBinary)
    created_at: datetime = Field(sa_type=TIMESTAMP)
    expires_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)


class WebhookDelivery(SQLModel, table=True):
    """An event that an endpoint is to get, once for an event. `tries` are the attempts since it was asked for last."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        CheckConstraint("status IN ('PENDING', 'SUCCEEDED', 'FAILED', 'DROPPED')", name="status"),
        CheckConstraint("(status = 'PENDING') = (next_attempt_at IS NOT NULL)", name="due"),
        UniqueConstraint("webhook_id", "event_id"),
        Index(
            "webhook_delivery_newest_idx",
            "webhook_id",
            text("created_at DESC"),
            text("id DESC"),
        ),
        Index(
            "webhook_delivery_due_idx",
            "webhook_id",
            "next_attempt_at",
            "id",
            postgresql_where=text("status = 'PENDING'"),
        ),
        Index("webhook_delivery_oldest_idx", "workspace_id", "created_at"),
    )

    id: UUID = Field(primary_key=True)
    workspace_id: UUID = Field(foreign_key="workspace.id", ondelete="CASCADE")
    webhook_id: UUID = Field(foreign_key="webhook.id", ondelete="CASCADE")
    event_id: UUID
    event_type: str = Field(sa_type=Text)
    payload: dict[str, Any] = Field(sa_type=JSONB)
    occurred_at: datetime = Field(sa_type=TIMESTAMP)
    status: str = Field(sa_type=Text)
    attempts: int = Field(sa_type=Integer, sa_column_kwargs={"server_default": "0"})
    tries: int = Field(sa_type=Integer, sa_column_kwargs={"server_default": "0"})
    next_attempt_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    created_at: datetime = Field(sa_type=TIMESTAMP)
    finished_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)


class WebhookAttempt(SQLModel, table=True):
    """One request to an endpoint, what came back, and how long it took."""

    __tablename__ = "webhook_attempt"

    delivery_id: UUID = Field(
        primary_key=True, foreign_key="webhook_delivery.id", ondelete="CASCADE"
    )
    number: int = Field(primary_key=True, sa_type=Integer)
    # It goes with its delivery, and so with the workspace.
    workspace_id: UUID
    at: datetime = Field(sa_type=TIMESTAMP)
    duration_ms: int = Field(sa_type=Integer)
    request_headers: dict[str, str] = Field(sa_type=JSONB)
    request_body: str = Field(sa_type=Text)
    status: int | None = Field(default=None, sa_type=SmallInteger)
    response_headers: dict[str, str] | None = Field(default=None, sa_type=JSONB)
    response_body: str | None = Field(default=None, sa_type=Text)
    error: str | None = Field(default=None, sa_type=Text)


class WebhookRow(Record):
    id: UUID
    workspace_id: UUID
    name: str
    url: str
    event_types: list[str]
    source_ids: list[UUID] | None
    tag_ids: list[UUID] | None
    sentiments: list[str] | None
    selection: str | None
    algorithm: str
    rate_per_second: int
    created_by: UUID | None
    created_at: datetime
    disabled_at: datetime | None
    disabled_reason: str | None
    failing_since: datetime | None
    failed_at: datetime | None
    failing: list[UUID]
    probes: int
    resume_at: datetime | None
    second_at: datetime | None
    sent: int


class DeliveryRow(Record):
    id: UUID
    workspace_id: UUID
    webhook_id: UUID
    event_id: UUID
    event_type: str
    payload: str  # JSON text
    occurred_at: datetime
    status: str
    attempts: int
    tries: int
    next_attempt_at: datetime | None
    created_at: datetime
    finished_at: datetime | None


class AttemptRow(Record):
    delivery_id: UUID
    number: int
    at: datetime
    duration_ms: int
    request_headers: str  # JSON text
    request_body: str
    status: int | None
    response_headers: str | None  # JSON text
    response_body: str | None
    error: str | None


class EnteredRow(Record):
    """What somebody who asked for an endpoint or a delivery is where it belongs."""

    workspace_id: UUID
    webhook_id: UUID
    role: str


webhook = table(Webhook).c
delivery = table(WebhookDelivery).c
attempt = table(WebhookAttempt).c

WEBHOOK = tuple(webhook[name] for name in WebhookRow.__annotations__)
DELIVERY = tuple(
    sql_cast(delivery.payload, Text).label("payload") if name == "payload" else delivery[name]
    for name in DeliveryRow.__annotations__
)
ATTEMPT = tuple(
    sql_cast(attempt[name], Text).label(name) if name.endswith("_headers") else attempt[name]
    for name in AttemptRow.__annotations__
)
