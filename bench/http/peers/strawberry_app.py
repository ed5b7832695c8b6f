"""Strawberry as its documentation teaches: the async ORM, a DataLoader for each relation, its own ASGI view."""

import base64
import os
from datetime import UTC, datetime
from enum import Enum
from typing import Annotated, Any
from uuid import UUID

import strawberry
import uuid_utils.compat
from sqlalchemy import select, tuple_
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.dataloader import DataLoader
from strawberry.scalars import JSON
from strawberry.types import Info

from bench.http.peers.strawberry_stats import FeedbackStats, count
from bench.http.peers.strawberry_tables import (
    FeedbackRow,
    FeedbackTagRow,
    JobRow,
    MemberRow,
    SourceRow,
    TagRow,
    UserRow,
    WorkspaceRow,
)
from bench.http.peers.strawberry_tables import session as open_session

_VIEWER = UUID(hex=os.environ["VIEWER"])


def _uuid(text: str) -> UUID:
    return UUID(hex=text.rpartition("_")[2])


def _id(kind: str, value: UUID) -> strawberry.ID:
    return strawberry.ID(f"{kind}_{value.hex}")


async def _load_sources(keys: list[UUID]) -> list["Source"]:
    async with open_session() as session:
        rows = await session.scalars(select(SourceRow).where(SourceRow.id.in_(keys)))
        found = {row.id: Source.of(row) for row in rows}
    return [found[key] for key in keys]


async def _load_tags(keys: list[UUID]) -> list[list["Tag"]]:
    found: dict[UUID, list[Tag]] = {key: [] for key in keys}
    async with open_session() as session:
        rows = await session.execute(
            select(FeedbackTagRow.feedback_id, TagRow)
            .join(TagRow, TagRow.id == FeedbackTagRow.tag_id)
            .where(FeedbackTagRow.feedback_id.in_(keys))
            .order_by(TagRow.name, TagRow.id)
        )
        for feedback, row in rows:
            found[feedback].append(Tag.of(row))
    return [found[key] for key in keys]


@strawberry.enum
class SourceKind(Enum):
    WEBHOOK = "WEBHOOK"
    API = "API"
    FORM = "FORM"
    IMPORT = "IMPORT"


@strawberry.enum
class SentimentLabel(Enum):
    NEGATIVE = "NEGATIVE"
    NEUTRAL = "NEUTRAL"
    POSITIVE = "POSITIVE"


@strawberry.enum
class JobStatus(Enum):
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


@strawberry.enum
class Role(Enum):
    VIEWER = "VIEWER"
    ANALYST = "ANALYST"
    ADMIN = "ADMIN"
    OWNER = "OWNER"


@strawberry.enum
class Interval(Enum):
    DAY = "DAY"


@strawberry.interface
class Node:
    id: strawberry.ID


@strawberry.type
class Source(Node):
    name: str
    kind: SourceKind

    @classmethod
    def of(cls, row: SourceRow) -> "Source":
        return cls(id=_id("source", row.id), name=row.name, kind=SourceKind(row.kind))


@strawberry.type
class Tag(Node):
    name: str
    color: str

    @classmethod
    def of(cls, row: TagRow) -> "Tag":
        return cls(id=_id("tag", row.id), name=row.name, color=row.color)


@strawberry.type
class Author:
    name: str | None
    email: str | None
    external_id: str | None


@strawberry.type
class Sentiment:
    label: SentimentLabel
    score: float
    confidence: float
    model: str


@strawberry.type
class Feedback(Node):
    row: strawberry.Private[FeedbackRow]
    external_id: str | None
    body: str
    rating: int | None
    language: str | None
    metadata: JSON | None
    occurred_at: datetime
    received_at: datetime

    @strawberry.field
    def author(self) -> Author | None:
        row = self.row
        if row.author_name is row.author_email is row.author_external_id is None:
            return None
        return Author(
            name=row.author_name, email=row.author_email, external_id=row.author_external_id
        )

    @strawberry.field
    def sentiment(self) -> Sentiment | None:
        row = self.row
        if row.sentiment_label is None:
            return None
        return Sentiment(
            label=SentimentLabel(row.sentiment_label),
            score=row.sentiment_score or 0.0,
            confidence=row.sentiment_confidence or 0.0,
            model=row.sentiment_model or "",
        )

    @strawberry.field
    async def source(self, info: Info) -> Source:
        loader: DataLoader[UUID, Source] = info.context["sources"]
        return await loader.load(self.row.source_id)

    @strawberry.field
    async def tags(self, info: Info) -> list[Tag]:
        loader: DataLoader[UUID, list[Tag]] = info.context["tags"]
        return await loader.load(self.row.id)

    @classmethod
    def of(cls, row: FeedbackRow) -> "Feedback":
        return cls(
            id=_id("feedback", row.id),
            row=row,
            external_id=row.external_id,
            body=row.body,
            rating=row.rating,
            language=row.language,
            metadata=None if row.meta is None else JSON(row.meta),
            occurred_at=row.occurred_at,
            received_at=row.received_at,
        )


@strawberry.type
class PageInfo:
    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@strawberry.type
class FeedbackEdge:
    cursor: str
    node: Feedback


@strawberry.type
class FeedbackConnection:
    edges: list[FeedbackEdge]
    page_info: PageInfo

    @strawberry.field
    def nodes(self) -> list[Feedback]:
        return [edge.node for edge in self.edges]


@strawberry.type
class Job(Node):
    kind: str
    status: JobStatus
    progress: float | None
    attempts: int
    error: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @classmethod
    def of(cls, row: JobRow) -> "Job":
        return cls(
            id=_id("job", row.id),
            kind=row.kind,
            status=JobStatus(row.status),
            progress=row.progress,
            attempts=row.attempts,
            error=row.error,
            created_at=row.created_at,
            started_at=row.started_at,
            finished_at=row.finished_at,
        )


@strawberry.type
class JobConnection:
    nodes: list[Job]


def _cursor(row: FeedbackRow) -> str:
    return base64.urlsafe_b64encode(f"{row.occurred_at.isoformat()}|{row.id.hex}".encode()).decode()


@strawberry.type
class Workspace(Node):
    key: strawberry.Private[UUID]
    name: str
    slug: str
    viewer_role: Role
    created_at: datetime

    @strawberry.field
    async def feedback(self, first: int = 20, after: str | None = None) -> FeedbackConnection:
        newest = (FeedbackRow.occurred_at.desc(), FeedbackRow.id.desc())
        asked = select(FeedbackRow).where(FeedbackRow.workspace_id == self.key).order_by(*newest)
        if after is not None:
            moment, _, key = base64.urlsafe_b64decode(after).decode().partition("|")
            asked = asked.where(
                tuple_(FeedbackRow.occurred_at, FeedbackRow.id)
                < (datetime.fromisoformat(moment), UUID(hex=key))
            )
        async with open_session() as session:
            rows = list(await session.scalars(asked.limit(first + 1)))
        edges = [FeedbackEdge(cursor=_cursor(row), node=Feedback.of(row)) for row in rows[:first]]
        return FeedbackConnection(
            edges=edges,
            page_info=PageInfo(
                has_next_page=len(rows) > first,
                has_previous_page=after is not None,
                start_cursor=edges[0].cursor if edges else None,
                end_cursor=edges[-1].cursor if edges else None,
            ),
        )

    @strawberry.field
    async def stats(
        self,
        from_: Annotated[datetime, strawberry.argument(name="from")],
        to: datetime,
        interval: Interval = Interval.DAY,  # noqa: ARG002 - the only one here
    ) -> FeedbackStats:
        return await count(self.key, from_, to)

    @strawberry.field
    async def sources(self) -> list[Source]:
        async with open_session() as session:
            rows = await session.scalars(
                select(SourceRow)
                .where(SourceRow.workspace_id == self.key)
                .order_by(SourceRow.created_at, SourceRow.id)
            )
            return [Source.of(row) for row in rows]

    @strawberry.field
    async def tags(self) -> list[Tag]:
        async with open_session() as session:
            rows = await session.scalars(
                select(TagRow)
                .where(TagRow.workspace_id == self.key)
                .order_by(TagRow.name, TagRow.id)
            )
            return [Tag.of(row) for row in rows]

    @strawberry.field
    async def jobs(self, first: int = 20) -> JobConnection:
        async with open_session() as session:
            rows = await session.scalars(
                select(JobRow)
                .where(JobRow.workspace_id == self.key)
                .order_by(JobRow.created_at.desc(), JobRow.id.desc())
                .limit(first)
            )
            return JobConnection(nodes=[Job.of(row) for row in rows])

    @classmethod
    def of(cls, row: WorkspaceRow, role: str) -> "Workspace":
        return cls(
            id=_id("workspace", row.id),
            key=row.id,
            name=row.name,
            slug=row.slug,
            viewer_role=Role(role),
            created_at=row.created_at,
        )


@strawberry.type
class User(Node):
    name: str
    email: str


_mine = (
    select(WorkspaceRow, MemberRow.role)
    .join(MemberRow, MemberRow.workspace_id == WorkspaceRow.id)
    .where(MemberRow.user_id == _VIEWER)
    .order_by(WorkspaceRow.created_at, WorkspaceRow.id)
)


@strawberry.type
class Viewer:
    @strawberry.field
    async def user(self) -> User | None:
        async with open_session() as session:
            row = await session.get(UserRow, _VIEWER)
        return None if row is None else User(id=_id("user", row.id), name=row.name, email=row.email)

    @strawberry.field
    async def workspaces(self) -> list[Workspace]:
        async with open_session() as session:
            return [Workspace.of(*row) for row in (await session.execute(_mine)).tuples()]


@strawberry.type
class Query:
    @strawberry.field
    def viewer(self) -> Viewer | None:
        return Viewer()

    @strawberry.field
    async def node(self, id: strawberry.ID) -> Node | None:
        async with open_session() as session:
            row = await session.get(FeedbackRow, _uuid(id))
        return None if row is None else Feedback.of(row)

    @strawberry.field
    async def workspace(self, slug: str) -> Workspace | None:
        async with open_session() as session:
            found = (await session.execute(_mine.where(WorkspaceRow.slug == slug))).tuples().first()
        return found and Workspace.of(*found)


@strawberry.input
class SubmitFeedbackInput:
    workspace_id: strawberry.ID
    source_id: strawberry.ID
    body: str
    occurred_at: datetime
    external_id: str | None = None
    rating: int | None = None


@strawberry.interface
class Problem:
    message: str


@strawberry.type
class InvalidInput(Problem):
    pass


@strawberry.type
class SubmitFeedbackSuccess:
    feedback: Feedback
    duplicate: bool


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def submit_feedback(
        self, input: SubmitFeedbackInput
    ) -> Annotated[SubmitFeedbackSuccess | InvalidInput, strawberry.union("SubmitFeedbackResult")]:
        row = FeedbackRow(
            id=uuid_utils.compat.uuid7(),
            workspace_id=_uuid(input.workspace_id),
            source_id=_uuid(input.source_id),
            external_id=input.external_id,
            body=input.body,
            rating=input.rating,
            occurred_at=input.occurred_at,
            received_at=datetime.now(UTC),
        )
        async with open_session() as session:
            session.add(row)
            await session.commit()
        return SubmitFeedbackSuccess(feedback=Feedback.of(row), duplicate=False)


class App(GraphQL[dict[str, Any], None]):
    async def get_context(
        self, request: Request | WebSocket, response: Response | WebSocket
    ) -> dict[str, Any]:
        """New loaders for each request."""
        return {
            "request": request,
            "response": response,
            "sources": DataLoader(load_fn=_load_sources),
            "tags": DataLoader(load_fn=_load_tags),
        }


schema = strawberry.Schema(query=Query, mutation=Mutation, types=[Feedback])
app = App(schema)
