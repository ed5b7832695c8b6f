"""Imports: which feedback and tags came with which, the rows that were refused, and storing many rows at once."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypedDict
from uuid import UUID

from sqlalchemy import Index, Integer, Text, text
from sqlmodel import Field, SQLModel

from persistence.database import Reader, Record, Statement, UnitOfWork, new_id
from persistence.feedback import COLUMNS as FEEDBACK_COLUMNS
from persistence.feedback import FeedbackRow, keep_originals
from persistence.job import COLUMNS as JOB_COLUMNS
from persistence.job import JobRow
from telemetry import trace


class ImportFeedback(SQLModel, table=True):
    """This feedback was added by this import."""

    __tablename__ = "import_feedback"
    __table_args__ = (Index("import_feedback_job_id_idx", "job_id", "feedback_id"),)

    feedback_id: UUID = Field(primary_key=True, foreign_key="feedback.id", ondelete="CASCADE")
    workspace_id: UUID = Field(foreign_key="workspace.id", ondelete="CASCADE")
    job_id: UUID = Field(foreign_key="job.id", ondelete="CASCADE")


class ImportTag(SQLModel, table=True):
    """This tag was made by this import."""

    __tablename__ = "import_tag"
    __table_args__ = (Index("import_tag_job_id_idx", "job_id"),)

    tag_id: UUID = Field(primary_key=True, foreign_key="tag.id", ondelete="CASCADE")
    workspace_id: UUID = Field(foreign_key="workspace.id", ondelete="CASCADE")
    job_id: UUID = Field(foreign_key="job.id", ondelete="CASCADE")


class ImportRefusal(SQLModel, table=True):
    """A row that an import could not store, until the import has ended and its file tells."""

    __tablename__ = "import_refusal"

    job_id: UUID = Field(primary_key=True, foreign_key="job.id", ondelete="CASCADE")
    number: int = Field(primary_key=True, sa_type=Integer)
    workspace_id: UUID = Field(foreign_key="workspace.id", ondelete="CASCADE")
    columns: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    original: str = Field(sa_type=Text)


class Draft(TypedDict):
    """A row to store; `metadata` is a JSON text, and `event` that of what is told when it is added.

    `sealed` is what was masked of it, if that is kept.
    """

    id: UUID
    source_id: UUID
    external_id: str | None
    author_name: str | None
    author_email: str | None
    author_external_id: str | None
    body: str
    rating: int | None
    language: str | None
    metadata: str | None
    occurred_at: datetime
    event: str
    sealed: bytes | None


class IdRow(Record):
    id: UUID


class NamedRow(Record):
    """A tag or source by the name that was asked for."""

    name: str
    id: UUID


class RefusalRow(Record):
    number: int
    columns: str
    reason: str
    original: str


class MaskingRow(Record):
    """A source that masks, and how: a JSON text."""

    id: UUID
    masking: str


class CountRow(Record):
    total: int


class AskedRow(Record):
    kind: str
    status: str


_LOCK_WORKSPACE = Statement(
    text("SELECT id FROM workspace WHERE id = :workspace FOR NO KEY UPDATE"), IdRow
)
_SOURCE = Statement(
    text("""
    SELECT id FROM source
    WHERE workspace_id = :workspace AND kind = 'IMPORT' AND closed_at IS NULL
    ORDER BY created_at, id LIMIT 1"""),
    IdRow,
)
_job_columns = ", ".join(
    f"{column.name} ::text AS {column.name}"
    if column.name in {"arguments", "result"}
    else column.name
    for column in JOB_COLUMNS
)
_ACTIVE = Statement(
    text(f"""
    SELECT {_job_columns} FROM job
    WHERE workspace_id = :workspace AND kind = :kind AND key = :key
      AND status IN ('QUEUED', 'RUNNING')"""),  # noqa: S608 - names of columns
    JobRow,
)
_WAS_ASKED = Statement(
    text(
        "SELECT id FROM job WHERE workspace_id = :workspace AND kind = :kind AND key = :key LIMIT 1"
    ),
    IdRow,
)
_LOCK_JOB = Statement(
    text("""
    SELECT kind, status FROM job WHERE id = :job AND workspace_id = :workspace
    FOR NO KEY UPDATE"""),
    AskedRow,
)
# In one order for all, so that no two imports wait for each other.
_ADD_TAGS = Statement(
    text("""
    WITH added AS (
        INSERT INTO tag (id, workspace_id, name, color, created_at)
        SELECT id, :workspace ::uuid, name, :color, :now ::timestamptz
        FROM unnest(:ids ::uuid[], :names ::text[]) WITH ORDINALITY AS given(id, name, position)
        ORDER BY lower(name), position
        ON CONFLICT (workspace_id, lower(name)) DO NOTHING
        RETURNING id
    )
    INSERT INTO import_tag (tag_id, workspace_id, job_id)
    SELECT id, :workspace ::uuid, :job ::uuid FROM added"""),
    Record,
)
_TAGS = Statement(
    text("""
    SELECT given.name, tag.id FROM unnest(:names ::text[]) AS given(name)
    JOIN tag ON tag.workspace_id = :workspace AND lower(tag.name) = lower(given.name)"""),
    NamedRow,
)
# The oldest of each name. They stay until the transaction ends, whatever import is undone meanwhile.
_SOURCES = Statement(
    text("""
    WITH named AS (
        SELECT name, id, created_at FROM source
        WHERE workspace_id = :workspace AND name = ANY(:names ::text[]) AND closed_at IS NULL
        FOR KEY SHARE
    )
    SELECT DISTINCT ON (name) name, id FROM named ORDER BY name, created_at, id"""),
    NamedRow,
)
_MASKINGS = Statement(
    text("""
    SELECT id, masking ::text AS masking FROM source
    WHERE workspace_id = :workspace AND masking IS NOT NULL"""),
    MaskingRow,
)
_STORE = Statement(
    text("""
    WITH given AS (
        SELECT * FROM unnest(:ids ::uuid[], :source_ids ::uuid[], :external_ids ::text[],
            :author_names ::text[], :author_emails ::text[], :author_external_ids ::text[],
            :bodies ::text[], :ratings ::smallint[], :languages ::text[], :metadatas ::text[],
            :occurred_ats ::timestamptz[], :events ::text[])
            WITH ORDINALITY AS given(id, source_id, external_id, author_name, author_email,
                author_external_id, body, rating, language, metadata, occurred_at, event, position)
    ), added AS (
        INSERT INTO feedback (id, workspace_id, source_id, external_id, author_name, author_email,
            author_external_id, body, rating, language, metadata, occurred_at, received_at)
        SELECT id, :workspace ::uuid, source_id, external_id, author_name, author_email,
            author_external_id, body, rating, language, metadata ::jsonb, occurred_at,
            :now ::timestamptz
        FROM given ORDER BY source_id, external_id
        ON CONFLICT (source_id, external_id) WHERE external_id IS NOT NULL DO NOTHING
        RETURNING id
    ), noted AS (
        INSERT INTO import_feedback (feedback_id, workspace_id, job_id)
        SELECT id, :workspace ::uuid, :job ::uuid FROM added
    ), told AS (
        INSERT INTO outbox (workspace_id, kind, payload, trace)
        SELECT :workspace ::uuid, :event_kind, given.event ::jsonb, :trace
        FROM given JOIN added USING (id) ORDER BY given.position
    )
    SELECT count(*) AS total FROM added"""),
    CountRow,
)
# Of those that were added; of the others there is no feedback.
_LINK = Statement(
    text("""
    INSERT INTO feedback_tag (feedback_id, tag_id, workspace_id)
    SELECT feedback.id, given.tag, feedback.workspace_id
    FROM unnest(:feedback ::uuid[], :tags ::uuid[]) AS given(feedback, tag)
    JOIN feedback ON feedback.id = given.feedback AND feedback.workspace_id = :workspace"""),
    Record,
)
_REFUSE = Statement(
    text("""
    INSERT INTO import_refusal (job_id, number, workspace_id, columns, reason, original)
    SELECT :job ::uuid, number, :workspace ::uuid, columns, reason, original
    FROM unnest(:numbers ::int[], :columns ::text[], :reasons ::text[], :originals ::text[])
        AS given(number, columns, reason, original)"""),
    Record,
)
_REFUSALS = Statement(
    text("""
    SELECT number, columns, reason, original FROM import_refusal
    WHERE job_id = :job AND workspace_id = :workspace AND number > :after
    ORDER BY number LIMIT :most"""),
    RefusalRow,
)
_FORGET_REFUSALS = Statement(
    text("DELETE FROM import_refusal WHERE job_id = :job AND workspace_id = :workspace"), Record
)
# What is being written at this moment is left for later: two writers of many rows could wait for each other.
_OF_IMPORT = Statement(
    text("""
    SELECT feedback.id FROM import_feedback
    JOIN feedback ON feedback.id = import_feedback.feedback_id
    WHERE import_feedback.job_id = :job AND import_feedback.workspace_id = :workspace
    ORDER BY feedback.id LIMIT :most FOR UPDATE OF feedback SKIP LOCKED"""),
    IdRow,
)
_COUNT = Statement(
    text("""
    SELECT count(*) AS total FROM import_feedback
    WHERE job_id = :job AND workspace_id = :workspace"""),
    CountRow,
)
_feedback_columns = ", ".join(
    "metadata ::text AS metadata" if column.name == "metadata" else column.name
    for column in FEEDBACK_COLUMNS
)
_DELETE = Statement(
    text(f"""
    DELETE FROM feedback WHERE id = ANY(:ids ::uuid[]) AND workspace_id = :workspace
    RETURNING {_feedback_columns}"""),  # noqa: S608 - names of columns
    FeedbackRow,
)
# What an import has made others may have used whose undoing comes later.
_UNDONE = "SELECT key FROM job WHERE workspace_id = :workspace AND kind = :undo"
# Whoever gives one of them to a feedback now has the tag until then, and is seen by the next statement.
_LOCK_TAGS = Statement(
    text(f"""
    SELECT tag.id FROM import_tag JOIN tag ON tag.id = import_tag.tag_id
    WHERE import_tag.workspace_id = :workspace
      AND import_tag.job_id IN (SELECT key ::uuid FROM ({_UNDONE}) AS undone)
    ORDER BY tag.id FOR UPDATE OF tag"""),  # noqa: S608 - of constants
    IdRow,
)
_DELETE_TAGS = Statement(
    text("""
    DELETE FROM tag WHERE id = ANY(:ids ::uuid[]) AND workspace_id = :workspace
      AND NOT EXISTS (SELECT FROM feedback_tag WHERE feedback_tag.tag_id = tag.id)"""),
    Record,
)
# Their settings name the import; the end of its id is the UUID. Whoever has one of them locked brings feedback to it,
# and must not wait for us: we have the workspace.
_LOCK_SOURCES = Statement(
    text(f"""
    SELECT id FROM source
    WHERE workspace_id = :workspace AND kind = 'IMPORT'
      AND right(settings ->> 'import', 32) IN ({_UNDONE})
    ORDER BY id FOR UPDATE SKIP LOCKED"""),  # noqa: S608 - of constants
    IdRow,
)
_DELETE_SOURCES = Statement(
    text("""
    DELETE FROM source WHERE id = ANY(:ids ::uuid[]) AND workspace_id = :workspace
      AND NOT EXISTS (SELECT FROM feedback WHERE feedback.source_id = source.id)
      AND NOT EXISTS (
        SELECT FROM job WHERE job.workspace_id = :workspace AND job.status IN ('QUEUED', 'RUNNING')
          AND job.kind = :kind AND job.arguments ->> 'source' = replace(source.id ::text, '-', ''))"""),
    Record,
)


async def lock_workspace(uow: UnitOfWork, workspace: UUID) -> None:
    """Who asks for an import of the entered workspace at the same time waits until this transaction ends."""
    await uow.execute(_LOCK_WORKSPACE, workspace=workspace)


async def default_source(reader: Reader, workspace: UUID) -> UUID | None:
    """The workspace's first source of files."""
    row = await reader.first(_SOURCE, workspace=workspace)
    return None if row is None else row.id


async def active(reader: Reader, workspace: UUID, kind: str, key: str) -> JobRow | None:
    """The job of this key that waits or runs."""
    return await reader.first(_ACTIVE, workspace=workspace, kind=kind, key=key)


async def was_asked(reader: Reader, workspace: UUID, kind: str, key: str) -> bool:
    """Whether a job of this key was ever asked for."""
    return await reader.first(_WAS_ASKED, workspace=workspace, kind=kind, key=key) is not None


async def lock_job(uow: UnitOfWork, workspace: UUID, job: UUID) -> AskedRow | None:
    """The kind and the status of a job, which stays as it is until this transaction ends."""
    return await uow.first(_LOCK_JOB, workspace=workspace, job=job)


async def tags(
    uow: UnitOfWork, workspace: UUID, job: UUID, names: Sequence[str], color: str
) -> dict[str, UUID]:
    """The tags of these names; those that there are not yet are made."""
    await uow.execute(
        _ADD_TAGS,
        workspace=workspace,
        job=job,
        names=names,
        ids=[new_id() for _ in names],
        color=color,
        now=uow.now,
    )
    rows = await uow.fetch(_TAGS, workspace=workspace, names=names)
    return {row.name: row.id for row in rows}


async def sources(reader: Reader, workspace: UUID, names: Sequence[str]) -> dict[str, UUID]:
    """Those of the workspace's sources that have these names."""
    rows = await reader.fetch(_SOURCES, workspace=workspace, names=names)
    return {row.name: row.id for row in rows}


async def maskings(reader: Reader, workspace: UUID) -> dict[UUID, str]:
    """How those of an entered workspace's sources mask that do."""
    return {row.id: row.masking for row in await reader.fetch(_MASKINGS, workspace=workspace)}


async def store(
    uow: UnitOfWork,
    *,
    workspace: UUID,
    job: UUID,
    event_kind: str,
    drafts: Sequence[Draft],
    links: Sequence[tuple[UUID, UUID]],
) -> int:
    """Add those of the rows whose external ids their sources have not sent before, with their tags.

    Answers how many.
    """
    (row,) = await uow.fetch(
        _STORE,
        workspace=workspace,
        job=job,
        event_kind=event_kind,
        trace=trace.carried(),
        now=uow.now,
        ids=[draft["id"] for draft in drafts],
        source_ids=[draft["source_id"] for draft in drafts],
        external_ids=[draft["external_id"] for draft in drafts],
        author_names=[draft["author_name"] for draft in drafts],
        author_emails=[draft["author_email"] for draft in drafts],
        author_external_ids=[draft["author_external_id"] for draft in drafts],
        bodies=[draft["body"] for draft in drafts],
        ratings=[draft["rating"] for draft in drafts],
        languages=[draft["language"] for draft in drafts],
        metadatas=[draft["metadata"] for draft in drafts],
        occurred_ats=[draft["occurred_at"] for draft in drafts],
        events=[draft["event"] for draft in drafts],
    )
    if row.total:
        await keep_originals(uow, workspace, {draft["id"]: draft["sealed"] for draft in drafts})
    if links and row.total:
        await uow.execute(
            _LINK,
            workspace=workspace,
            feedback=[feedback for feedback, _ in links],
            tags=[tag for _, tag in links],
        )
    return row.total


async def refuse(
    uow: UnitOfWork, workspace: UUID, job: UUID, refusals: Sequence[tuple[int, str, str, str]]
) -> None:
    """Keep which rows were not stored: number, columns, reason and what was written."""
    numbers, columns, reasons, originals = zip(*refusals, strict=True)
    await uow.execute(
        _REFUSE,
        workspace=workspace,
        job=job,
        numbers=numbers,
        columns=columns,
        reasons=reasons,
        originals=originals,
    )


async def refusals(
    reader: Reader, workspace: UUID, job: UUID, *, after: int, most: int
) -> list[RefusalRow]:
    """The next rows that were not stored, in their order."""
    return await reader.fetch(_REFUSALS, workspace=workspace, job=job, after=after, most=most)


async def forget_refusals(uow: UnitOfWork, workspace: UUID, job: UUID) -> None:
    await uow.execute(_FORGET_REFUSALS, workspace=workspace, job=job)


async def count(reader: Reader, workspace: UUID, job: UUID) -> int:
    """How much feedback of an import there is."""
    (row,) = await reader.fetch(_COUNT, workspace=workspace, job=job)
    return row.total


async def lock_some(uow: UnitOfWork, workspace: UUID, job: UUID, *, most: int) -> list[UUID]:
    """Some of the feedback of an import, none that somebody else writes at this moment."""
    return [row.id for row in await uow.fetch(_OF_IMPORT, workspace=workspace, job=job, most=most)]


async def delete(uow: UnitOfWork, workspace: UUID, ids: Sequence[UUID]) -> list[FeedbackRow]:
    """Delete feedback of the entered workspace; answers the rows that there were."""
    return await uow.fetch(_DELETE, workspace=workspace, ids=ids)


async def delete_tags(uow: UnitOfWork, workspace: UUID, undo: str) -> None:
    """Delete those of the tags that undone imports made which no feedback bears."""
    rows = await uow.fetch(_LOCK_TAGS, workspace=workspace, undo=undo)
    await uow.execute(_DELETE_TAGS, workspace=workspace, ids=[row.id for row in rows])


async def delete_sources(uow: UnitOfWork, workspace: UUID, *, undo: str, kind: str) -> None:
    """Delete those of the sources that undone imports made which are empty, and which no import is to fill.

    `undo` and `kind` are those of the jobs. The caller has the workspace locked.
    """
    rows = await uow.fetch(_LOCK_SOURCES, workspace=workspace, undo=undo)
    await uow.execute(_DELETE_SOURCES, workspace=workspace, ids=[row.id for row in rows], kind=kind)
