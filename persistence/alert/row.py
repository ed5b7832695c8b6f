"""The tables of alerts: rules, and what they have raised."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Column,
    Double,
    Index,
    LargeBinary,
    Text,
    Uuid,
    text,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import Field, SQLModel

from persistence.database import TIMESTAMP, Record, table

_KIND = "kind IN ('COUNT', 'SHARE', 'AVERAGE', 'CHANGE', 'SILENCE', 'MATCH')"


class AlertRule(SQLModel, table=True):
    """What is to be noticed, and who is told. The URLs among its channels are sealed; `channels` has them masked."""

    __tablename__ = "alert_rule"
    __table_args__ = (
        CheckConstraint(_KIND, name="kind"),
        Index("alert_rule_workspace_id_idx", "workspace_id", "created_at"),
    )

    id: UUID = Field(primary_key=True)
    workspace_id: UUID = Field(foreign_key="workspace.id", ondelete="CASCADE")
    name: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    definition: dict[str, Any] = Field(sa_type=JSONB)
    channels: dict[str, Any] = Field(sa_type=JSONB)
    sealed_urls: bytes | None = Field(default=None, sa_type=LargeBinary)
    enabled: bool
    created_by: UUID | None = Field(default=None, foreign_key="user.id", ondelete="SET NULL")
    created_at: datetime = Field(sa_type=TIMESTAMP)
    updated_at: datetime = Field(sa_type=TIMESTAMP)
    last_fired_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)


class Alert(SQLModel, table=True):
    """Something was noticed: all that the rule went by then, whatever has become of the rule."""

    __tablename__ = "alert"
    __table_args__ = (
        CheckConstraint(_KIND, name="kind"),
        CheckConstraint("state IN ('FIRING', 'RESOLVED')", name="state"),
        CheckConstraint("(state = 'RESOLVED') = (resolved_at IS NOT NULL)", name="resolved"),
        Index("alert_newest_idx", "workspace_id", text("fired_at DESC"), text("id DESC")),
        Index("alert_of_rule_idx", "rule_id", text("fired_at DESC"), text("id DESC")),
        Index(
            "alert_firing_idx", "rule_id", unique=True, postgresql_where=text("state = 'FIRING'")
        ),
    )

    id: UUID = Field(primary_key=True)
    workspace_id: UUID = Field(foreign_key="workspace.id", ondelete="CASCADE")
    rule_id: UUID | None = Field(default=None, foreign_key="alert_rule.id", ondelete="SET NULL")
    name: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    fired_at: datetime = Field(sa_type=TIMESTAMP)
    resolved_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    value: float | None = Field(default=None, sa_type=Double)
    threshold: float | None = Field(default=None, sa_type=Double)
    baseline: float | None = Field(default=None, sa_type=Double)
    window_start: datetime = Field(sa_type=TIMESTAMP)
    window_end: datetime = Field(sa_type=TIMESTAMP)
    query: dict[str, Any] = Field(sa_type=JSONB)
    sample_ids: list[UUID] = Field(sa_column=Column(ARRAY(Uuid), nullable=False))
    notified: dict[str, Any] = Field(sa_type=JSONB)


class AlertRuleRow(Record):
    id: UUID
    workspace_id: UUID
    name: str
    kind: str
    definition: str  # JSON text
    channels: str  # JSON text
    enabled: bool
    created_by: UUID | None
    created_at: datetime
    updated_at: datetime
    last_fired_at: datetime | None


class SecretRow(AlertRuleRow):
    sealed_urls: bytes | None


class AlertRow(Record):
    id: UUID
    workspace_id: UUID
    rule_id: UUID | None
    name: str
    kind: str
    state: str
    fired_at: datetime
    resolved_at: datetime | None
    value: float | None
    threshold: float | None
    baseline: float | None
    window_start: datetime
    window_end: datetime
    query: str  # JSON text
    sample_ids: Sequence[UUID]
    notified: str  # JSON text


_rule = table(AlertRule).c
_alert = table(Alert).c

RULE_COLUMNS: tuple[ColumnElement[Any], ...] = (
    _rule.id,
    _rule.workspace_id,
    _rule.name,
    _rule.kind,
    sql_cast(_rule.definition, Text).label("definition"),
    sql_cast(_rule.channels, Text).label("channels"),
    _rule.enabled,
    _rule.created_by,
    _rule.created_at,
    _rule.updated_at,
    _rule.last_fired_at,
)
ALERT_COLUMNS: tuple[ColumnElement[Any], ...] = (
    _alert.id,
    _alert.workspace_id,
    _alert.rule_id,
    _alert.name,
    _alert.kind,
    _alert.state,
    _alert.fired_at,
    _alert.resolved_at,
    _alert.value,
    _alert.threshold,
    _alert.baseline,
    _alert.window_start,
    _alert.window_end,
    sql_cast(_alert.query, Text).label("query"),
    _alert.sample_ids,
    sql_cast(_alert.notified, Text).label("notified"),
)
