"""The tables as SQLAlchemy models, and the sessions, of the Strawberry server."""

import os
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit, urlunsplit
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import DateTime

_URL = urlsplit(os.environ["DATABASE_URL"])
_ENGINE = create_async_engine(
    urlunsplit(_URL._replace(scheme="postgresql+asyncpg", query="")),
    pool_size=10,
    connect_args={
        "server_settings": {"timezone": "UTC", "options": parse_qs(_URL.query)["options"][0]}
    },
)
session = async_sessionmaker(_ENGINE, expire_on_commit=False)


class Base(DeclarativeBase):
    type_annotation_map = {datetime: DateTime(timezone=True), dict[str, Any]: JSONB}  # noqa: RUF012


class UserRow(Base):
    __tablename__ = "user"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    email: Mapped[str]


class WorkspaceRow(Base):
    __tablename__ = "workspace"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    slug: Mapped[str]
    created_at: Mapped[datetime]


class MemberRow(Base):
    __tablename__ = "member"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspace.id"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    role: Mapped[str]


class SourceRow(Base):
    __tablename__ = "source"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspace.id"))
    name: Mapped[str]
    kind: Mapped[str]
    created_at: Mapped[datetime]


class TagRow(Base):
    __tablename__ = "tag"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspace.id"))
    name: Mapped[str]
    color: Mapped[str]


class FeedbackTagRow(Base):
    __tablename__ = "feedback_tag"
    feedback_id: Mapped[UUID] = mapped_column(ForeignKey("feedback.id"), primary_key=True)
    tag_id: Mapped[UUID] = mapped_column(ForeignKey("tag.id"), primary_key=True)


class FeedbackRow(Base):
    __tablename__ = "feedback"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspace.id"))
    source_id: Mapped[UUID] = mapped_column(ForeignKey("source.id"))
    external_id: Mapped[str | None]
    author_name: Mapped[str | None]
    author_email: Mapped[str | None]
    author_external_id: Mapped[str | None]
    body: Mapped[str]
    rating: Mapped[int | None]
    language: Mapped[str | None]
    meta: Mapped[dict[str, Any] | None] = mapped_column("metadata")
    occurred_at: Mapped[datetime]
    received_at: Mapped[datetime]
    sentiment_label: Mapped[str | None]
    sentiment_score: Mapped[float | None]
    sentiment_confidence: Mapped[float | None]
    sentiment_model: Mapped[str | None]


class JobRow(Base):
    __tablename__ = "job"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspace.id"))
    kind: Mapped[str]
    status: Mapped[str]
    progress: Mapped[float | None]
    attempts: Mapped[int]
    error: Mapped[str | None]
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
