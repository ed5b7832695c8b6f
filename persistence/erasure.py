"""What is known of an author, found, taken away or made nobody's; and receipts of that, which name nobody."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, Integer, Text, text
from sqlmodel import Field, SQLModel

from persistence.database import (
    TIMESTAMP,
    Reader,
    Record,
    Statement,
    UnitOfWork,
    new_id,
    table,
)
from persistence.feedback import COLUMNS as FEEDBACK_COLUMNS
from persistence.feedback import FeedbackRow, forget_originals
from persistence.managed import Managed


class ErasureReceipt(SQLModel, table=True):
    """That an author was erased or anonymised: when, by whom, and how much that was."""

    __tablename__ = "erasure_receipt"
    __table_args__ = (Index("erasure_receipt_at_idx", "workspace_id", "at", "id"),)

    id: UUID = Field(primary_key=True)
    workspace_id: UUID = Field(foreign_key="workspace.id", ondelete="CASCADE")
    at: datetime = Field(sa_type=TIMESTAMP)
    mode: str = Field(sa_type=Text)
    identified_by: str = Field(sa_type=Text)
    identifier_hash: str = Field(sa_type=Text)
    erased_by: UUID | None = Field(default=None)
    erased_by_name: str = Field(sa_type=Text)
    feedback: int = Field(sa_type=Integer)
    files: int = Field(sa_type=Integer)
    log_entries: int = Field(sa_type=Integer)


class ReceiptRow(Record):
    id: UUID
    workspace_id: UUID
    at: datetime
    mode: str
    identified_by: str
    identifier_hash: str
    erased_by: UUID | None
    erased_by_name: str
    feedback: int
    files: int
    log_entries: int


class IdRow(Record):
    id: UUID


class CountRow(Record):
    total: int


class ToldRow(Record):
    """A feedback with all that is known of it, as JSON."""

    id: UUID
    told: str


class DeliveryRow(Record):
    """To whom a feedback was sent on, as JSON."""

    feedback: str
    told: str


class FileRow(Record):
    id: UUID
    key: str
    name: str
    content_type: str
    feedback_id: UUID | None


@dataclass(frozen=True, slots=True)
class Author:
    """Who is meant: by an e-mail address, in any case, or by the id that a source has for them."""

    by: str  # EMAIL, EXTERNAL_ID
    value: str


_WRITTEN_BY = {
    "EMAIL": "lower(feedback.author_email) = lower(:value)",
    "EXTERNAL_ID": "feedback.author_external_id = :value",
}
_HEX = "replace(feedback.id::text, '-', '')"
_columns = ", ".join(
    f"{column.name} ::text AS {column.name}" if column.name == "metadata" else column.name
    for column in FEEDBACK_COLUMNS
)
_SOME = {
    by: Statement(
        text(f"""
        SELECT feedback.id FROM feedback
        WHERE feedback.workspace_id = :workspace AND {condition}
        ORDER BY feedback.id LIMIT :most"""),  # noqa: S608 - names of this file
        IdRow,
    )
    for by, condition in _WRITTEN_BY.items()
}
_TOLD = {
    by: Statement(
        text(f"""
        SELECT feedback.id, jsonb_build_object(
            'id', 'feedback_' || {_HEX}, 'source', source.name,
            'externalId', feedback.external_id, 'body', feedback.body,
            'author', jsonb_build_object('name', feedback.author_name,
                'email', feedback.author_email, 'externalId', feedback.author_external_id),
            'rating', feedback.rating, 'language', feedback.language,
            'metadata', feedback.metadata, 'occurredAt', feedback.occurred_at,
            'receivedAt', feedback.received_at, 'scoredAt', feedback.scored_at,
            'sentiment', jsonb_build_object('label', feedback.sentiment_label,
                'score', feedback.sentiment_score, 'model', feedback.sentiment_model,
                'spans', feedback.sentiment_spans, 'unscoredReason', feedback.unscored_reason),
            'tags', array(SELECT tag.name FROM feedback_tag
                JOIN tag ON tag.id = feedback_tag.tag_id
                WHERE feedback_tag.feedback_id = feedback.id ORDER BY tag.name),
            'revisions', array(SELECT jsonb_build_object('body', revision.body,
                    'authorName', revision.author_name, 'authorEmail', revision.author_email,
                    'rating', revision.rating, 'metadata', revision.metadata,
                    'replacedAt', revision.replaced_at)
                FROM feedback_revision AS revision
                WHERE revision.feedback_id = feedback.id ORDER BY revision.id),
            'status', feedback.status,
            'notes', array(SELECT jsonb_build_object('body', note.body, 'by', note.actor_name,
                    'createdAt', note.created_at, 'editedAt', note.edited_at)
                FROM feedback_note AS note
                WHERE note.feedback_id = feedback.id ORDER BY note.created_at, note.id),
            'import', (SELECT 'job_' || replace(job_id::text, '-', '') FROM import_feedback
                WHERE import_feedback.feedback_id = feedback.id))::text AS told
        FROM feedback JOIN source ON source.id = feedback.source_id
        WHERE feedback.workspace_id = :workspace AND {condition}
            AND (:after ::uuid IS NULL OR feedback.id > :after ::uuid)
        ORDER BY feedback.id LIMIT :most"""),  # noqa: S608 - names of this file
        ToldRow,
    )
    for by, condition in _WRITTEN_BY.items()
}
_DELIVERED = Statement(
    text("""
    SELECT webhook_delivery.payload ->> 'id' AS feedback, jsonb_build_object(
        'webhook', webhook.name, 'event', webhook_delivery.event_type,
        'status', webhook_delivery.status, 'at', webhook_delivery.created_at)::text AS told
    FROM webhook_delivery JOIN webhook ON webhook.id = webhook_delivery.webhook_id
    WHERE webhook_delivery.workspace_id = :workspace
        AND webhook_delivery.payload ->> 'id' = ANY(:feedback ::text[])
    ORDER BY webhook_delivery.created_at"""),
    DeliveryRow,
)
_ATTACHED = Statement(
    text("""
    SELECT id, key, name, content_type, feedback_id FROM file
    WHERE file.workspace_id = :workspace AND feedback_id = ANY(:feedback ::uuid[])
    ORDER BY id"""),
    FileRow,
)
_TABLES = Statement(
    text("""
    SELECT id, key, name, content_type, feedback_id FROM file
    WHERE file.workspace_id = :workspace AND purpose IN ('IMPORT', 'EXPORT') AND status = 'READY'
        AND created_at < :before
    ORDER BY id"""),
    FileRow,
)
_DELETE = Statement(
    text(f"""
    DELETE FROM feedback
    WHERE feedback.id = ANY(:ids ::uuid[]) AND feedback.workspace_id = :workspace
    RETURNING {_columns}"""),  # noqa: S608 - names of columns
    FeedbackRow,
)
# In a text an address is replaced where it stands. An external id may be any word or number, and is not.
_ANONYMISE = Statement(
    text(f"""
    UPDATE feedback SET author_name = NULL, author_email = NULL, author_external_id = NULL,
        metadata = NULL, body = CASE WHEN author_email IS NULL THEN body
            ELSE regexp_replace(body, '***=' || author_email, '[erased]', 'gi') END,
        sentiment_spans = CASE WHEN body ~* ('***=' || author_email) THEN NULL
            ELSE sentiment_spans END
    WHERE id = ANY(:ids ::uuid[]) AND workspace_id = :workspace
    RETURNING {_columns}"""),  # noqa: S608 - names of columns
    FeedbackRow,
)
_SENT = """
    webhook_attempt.workspace_id = :workspace AND webhook_attempt.delivery_id IN (
        SELECT id FROM webhook_delivery WHERE webhook_delivery.workspace_id = :workspace
        AND webhook_delivery.payload ->> 'id' = ANY(:feedback ::text[]))"""
_ATTEMPTS = Statement(
    text(f"SELECT count(*) AS total FROM webhook_attempt WHERE {_SENT}"),  # noqa: S608
    CountRow,
)
_REDACT = Statement(
    text(f"""
    UPDATE webhook_attempt SET request_body = '[erased]',
        response_body = CASE WHEN response_body IS NULL THEN NULL ELSE '[erased]' END
    WHERE {_SENT}"""),  # noqa: S608 - names of this file
    Record,
)
_LETTERS = "lower(encode(convert_to(:value, 'UTF8'), 'escape'))"
# Jobs of imports are what tells which feedback came with which; they hold ids.
_FORGET = Statement(
    text(f"""
    WITH refusals AS (
        DELETE FROM import_refusal WHERE import_refusal.workspace_id = :workspace
            AND position(lower(:value) in lower(original || reason)) > 0 RETURNING 1
    ), held AS (
        DELETE FROM quarantined WHERE quarantined.workspace_id = :workspace
            AND position({_LETTERS} in lower(encode(raw, 'escape'))) > 0 RETURNING 1
    ), revisions AS (
        DELETE FROM feedback_revision WHERE feedback_revision.workspace_id = :workspace
            AND lower(author_email) = lower(:value) RETURNING 1
    ), notes AS (
        UPDATE feedback_note SET body = regexp_replace(body, '***=' || :value, '[erased]', 'gi')
        WHERE feedback_note.workspace_id = :workspace AND position('@' in :value) > 0
            AND position(lower(:value) in lower(body)) > 0 RETURNING 1
    ), work AS (
        DELETE FROM job WHERE job.workspace_id = :workspace
            AND status IN ('SUCCEEDED', 'FAILED', 'CANCELLED')
            AND kind NOT IN ('import', 'undo_import')
            AND position(lower(to_json(:value ::text)::text) in lower(arguments::text)) > 0
        RETURNING 1
    )
    SELECT (SELECT count(*) FROM refusals) + (SELECT count(*) FROM held)
        + (SELECT count(*) FROM revisions) + (SELECT count(*) FROM notes)
        + (SELECT count(*) FROM work) AS total"""),  # noqa: S608 - names of this file
    CountRow,
)
_FORGET_REVISIONS = Statement(
    text("""
    DELETE FROM feedback_revision
    WHERE feedback_revision.feedback_id = ANY(:ids ::uuid[])
        AND feedback_revision.workspace_id = :workspace"""),
    Record,
)
_FORGET_NOTES = Statement(
    text("""
    DELETE FROM feedback_note
    WHERE feedback_note.feedback_id = ANY(:ids ::uuid[])
        AND feedback_note.workspace_id = :workspace"""),
    Record,
)
_EXPIRE = Statement(
    text("""
    UPDATE file SET feedback_id = NULL, expires_at = :past ::timestamptz
    WHERE id = ANY(:ids ::uuid[]) AND workspace_id = :workspace"""),
    Record,
)
_ADD = Statement(
    text("""
    INSERT INTO erasure_receipt (id, workspace_id, at, mode, identified_by, identifier_hash,
        erased_by, erased_by_name, feedback, files, log_entries)
    VALUES (:id, :workspace, :at ::timestamptz, :mode, :identified_by, :identifier_hash, :by ::uuid,
        coalesce((SELECT name FROM "user" WHERE id = :by ::uuid), ''), :feedback, :files,
        :log_entries)"""),
    Record,
)
_receipt = table(ErasureReceipt).c
_COLUMNS = tuple(_receipt[name] for name in ReceiptRow.__annotations__)
_managed = Managed(_receipt, _COLUMNS, ReceiptRow, _receipt.at.desc(), _receipt.id.desc())


async def some(reader: Reader, workspace: UUID, author: Author, *, most: int) -> list[UUID]:
    """Some of the feedback that the author has written."""
    found = _SOME[author.by]
    rows = await reader.fetch(found, workspace=workspace, value=author.value, most=most)
    return [row.id for row in rows]


async def told(
    reader: Reader, workspace: UUID, author: Author, *, after: UUID | None, most: int
) -> list[ToldRow]:
    """All that is known of the author's feedback behind that one, in the order of ids."""
    found = _TOLD[author.by]
    return await reader.fetch(
        found, workspace=workspace, value=author.value, after=after, most=most
    )


async def delivered(reader: Reader, workspace: UUID, feedback: Sequence[UUID]) -> list[DeliveryRow]:
    """To whom these were sent on, the oldest first; `feedback` of a row is in hex."""
    return await reader.fetch(
        _DELIVERED, workspace=workspace, feedback=[each.hex for each in feedback]
    )


async def attached(reader: Reader, workspace: UUID, feedback: Sequence[UUID]) -> list[FileRow]:
    """The files of these feedback."""
    return await reader.fetch(_ATTACHED, workspace=workspace, feedback=feedback)


async def tables(reader: Reader, workspace: UUID, before: datetime) -> list[FileRow]:
    """What was imported and exported before then, and is still there."""
    return await reader.fetch(_TABLES, workspace=workspace, before=before)


async def delete(uow: UnitOfWork, workspace: UUID, ids: Sequence[UUID]) -> list[FeedbackRow]:
    """Delete feedback of the entered workspace; answers the rows that there were."""
    return await uow.fetch(_DELETE, workspace=workspace, ids=ids)


async def anonymise(uow: UnitOfWork, workspace: UUID, ids: Sequence[UUID]) -> list[FeedbackRow]:
    """Let feedback of the entered workspace be nobody's; answers the rows as they are then.

    What they were goes, and what people have noted on them.
    """
    await uow.execute(_FORGET_REVISIONS, workspace=workspace, ids=ids)
    await uow.execute(_FORGET_NOTES, workspace=workspace, ids=ids)
    await forget_originals(uow, workspace, ids)
    return await uow.fetch(_ANONYMISE, workspace=workspace, ids=ids)


async def attempts(reader: Reader, workspace: UUID, feedback: Sequence[UUID]) -> int:
    """How often these feedback were sent on to webhooks."""
    hexes = [each.hex for each in feedback]
    (row,) = await reader.fetch(_ATTEMPTS, workspace=workspace, feedback=hexes)
    return row.total


async def redact(uow: UnitOfWork, workspace: UUID, feedback: Sequence[UUID]) -> None:
    """Take out of the log of webhooks what was sent of these feedback, and what was answered."""
    hexes = [each.hex for each in feedback]
    await uow.execute(_REDACT, workspace=workspace, feedback=hexes)


async def forget(uow: UnitOfWork, workspace: UUID, value: str) -> int:
    """Take away what an import or a source could not take, and jobs that have ended, where this is in it."""
    (row,) = await uow.fetch(_FORGET, workspace=workspace, value=value)
    return row.total


async def expire(uow: UnitOfWork, workspace: UUID, ids: Sequence[UUID], past: datetime) -> None:
    """Let files be attached to nothing, and have run out."""
    await uow.execute(_EXPIRE, workspace=workspace, ids=ids, past=past)


async def add(
    uow: UnitOfWork,
    *,
    workspace: UUID,
    mode: str,
    author: Author,
    identifier_hash: str,
    by: UUID | None,
    feedback: int,
    files: int,
    log_entries: int,
) -> UUID:
    """Write a receipt, in a workspace that was entered; answers its id."""
    id_ = new_id()
    await uow.execute(
        _ADD,
        id=id_,
        workspace=workspace,
        at=uow.now,
        mode=mode,
        identified_by=author.by,
        identifier_hash=identifier_hash,
        by=by,
        feedback=feedback,
        files=files,
        log_entries=log_entries,
    )
    return id_


of_workspaces = _managed.of_workspaces
by_ids = _managed.by_ids
