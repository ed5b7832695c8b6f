"""Storing feedback, once, and entering its workspace to change it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypedDict, Unpack
from uuid import UUID

from sqlalchemy import CTE, Select, Text, bindparam, exists, func, insert, literal_column, select
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.sql.elements import ColumnElement

from persistence.database import (
    Reader,
    Record,
    Statement,
    UnitOfWork,
    enter_workspace,
    given,
    one_of,
    table,
)
from persistence.delivery import Delivery
from persistence.feedback.original import keep_originals
from persistence.feedback.row import COLUMNS, Feedback, FeedbackRow
from persistence.outbox import OutboxEvent
from persistence.source import Source
from persistence.workspace import Member
from telemetry import trace


class Draft(TypedDict):
    """What is stored of a message; `metadata` is a JSON text, `sealed` what was masked of it, if that is kept."""

    id: UUID
    external_id: str | None
    author_name: str | None
    author_email: str | None
    author_external_id: str | None
    body: str
    rating: int | None
    metadata: str | None
    occurred_at: datetime
    sealed: bytes | None


class EnteredRow(Record):
    workspace_id: UUID
    role: str


_feedback = table(Feedback).c
_member = table(Member).c
_source = table(Source).c
_delivery = table(Delivery).c

_DRAFT: dict[str, ColumnElement[Any]] = {
    name: bindparam(name, type_=_feedback[name].type)
    for name in Draft.__annotations__
    if name not in {"metadata", "sealed"}
} | {
    "metadata": sql_cast(bindparam("metadata", type_=Text), JSONB),
    "received_at": bindparam("now", type_=_feedback.received_at.type),
}


ONCE: dict[str, Any] = {
    "index_elements": ["source_id", "external_id"],
    "index_where": _feedback.external_id.is_not(None),
}
_ADD = Statement(
    upsert(table(Feedback))
    .values(_DRAFT | given(workspace_id="workspace", source_id="source"))
    .on_conflict_do_nothing(**ONCE)
    .returning(*COLUMNS),
    FeedbackRow,
)


def _at_once(
    entered: CTE,
    *,
    delivery: ColumnElement[Any] | None = None,
    event_lacks_source: bool = False,
) -> Statement[FeedbackRow]:
    """Store the feedback, its event and the delivery that brought it in the one workspace that was entered, if any.

    Postgres computes the row of `entered`, and so opens row-level security, before it can insert what it selects
    from there. All of it or, where nobody entered or the external id is known, nothing.
    """
    values = _DRAFT | {"workspace_id": entered.c.workspace_id, "source_id": entered.c.source_id}
    added = (
        upsert(table(Feedback))
        .from_select(list(values), select(*values.values()))
        .on_conflict_do_nothing(**ONCE)
        .returning(*COLUMNS)
        .cte("added")
    )
    event: ColumnElement[Any] = sql_cast(bindparam("event", type_=Text), JSONB)
    if event_lacks_source:
        event = with_source(event, added)
    effects = [
        insert(table(OutboxEvent)).from_select(
            ["workspace_id", "kind", "payload", "trace"],
            select(
                added.c.workspace_id,
                bindparam("event_kind", type_=Text),
                event,
                bindparam("trace", type_=Text),
            ),
        )
    ]
    if delivery is not None:
        effects.append(
            # Without ON CONFLICT: the second of two at once fails, and takes its feedback with it.
            insert(table(Delivery)).from_select(
                ["source_id", "webhook_id", "workspace_id", "received_at"],
                select(added.c.source_id, delivery, added.c.workspace_id, added.c.received_at),
            )
        )
    statement = select(*added.c)
    for number, effect in enumerate(effects):
        statement = statement.add_cte(effect.cte(f"effect_{number}"))
    return Statement(statement, FeedbackRow)


def with_source(event: ColumnElement[Any], added: CTE) -> ColumnElement[Any]:
    """The event of what was added, which says to which source."""
    source = func.replace(
        sql_cast(added.c.source_id, Text), literal_column("'-'"), literal_column("''")
    )
    return event.op("||")(func.jsonb_build_object(literal_column("'source'"), source))


def _entered(of: Select[Any]) -> CTE:
    entry = of.where(_source.closed_at.is_(None)).with_only_columns(
        _source.id.label("source_id"), _source.workspace_id, enter_workspace(_source.workspace_id)
    )
    return entry.cte("entered").prefix_with("MATERIALIZED")


_member_source = (
    select(_source.id)
    .join_from(table(Member), table(Source), _source.workspace_id == _member.workspace_id)
    .where(
        _member.principal_id == bindparam("viewer"),
        _member.workspace_id == bindparam("workspace"),
        one_of(_member.role, "roles"),
    )
)
# What has to be masked goes the longer way, on which that is seen.
_as_it_is = _source.masking.is_(None)
AS_MEMBER = _entered(_member_source.where(_source.id == bindparam("source"), _as_it_is))
_SUBMIT = _at_once(AS_MEMBER)
_any_source = table(Source).alias("any_source")
_first_api = (
    select(_any_source.c.id)
    .where(
        _any_source.c.workspace_id == bindparam("workspace"),
        _any_source.c.kind == literal_column("'API'"),
        _any_source.c.closed_at.is_(None),
    )
    .order_by(_any_source.c.created_at, _any_source.c.id)
    .limit(literal_column("1"))
    .scalar_subquery()
)
TO_DEFAULT = _entered(_member_source.where(_source.id == _first_api, _as_it_is))
_SUBMIT_TO_DEFAULT = _at_once(TO_DEFAULT, event_lacks_source=True)
_webhook = bindparam("webhook", type_=Text)
_RECEIVE = _at_once(
    _entered(
        select(_source.id).where(
            _source.id == bindparam("source"),
            _as_it_is,
            ~exists().where(_delivery.source_id == _source.id, _delivery.webhook_id == _webhook),
        )
    ),
    delivery=_webhook,
)
_BY_EXTERNAL_ID = Statement(
    select(*COLUMNS).where(
        _feedback.source_id == bindparam("source"),
        _feedback.workspace_id == bindparam("workspace"),
        _feedback.external_id == bindparam("external_id"),
    ),
    FeedbackRow,
)
_ENTER = Statement(
    select(_feedback.workspace_id, _member.role, enter_workspace(_feedback.workspace_id))
    .join_from(table(Feedback), table(Member), _member.workspace_id == _feedback.workspace_id)
    .where(_feedback.id == bindparam("id"), _member.principal_id == bindparam("viewer")),
    EnteredRow,
)


# Row-level security hides a row from FOR UPDATE until its workspace is entered, hence a statement of its own.
_LOCK = Statement(
    select(*COLUMNS)
    .where(_feedback.id == bindparam("id"), _feedback.workspace_id == bindparam("workspace"))
    .with_for_update(),
    FeedbackRow,
)


async def submit(
    uow: UnitOfWork,
    viewer: UUID,
    roles: Sequence[str],
    *,
    workspace: UUID,
    source: UUID | None,
    event_kind: str,
    event: str,
    **draft: Unpack[Draft],
) -> FeedbackRow | None:
    """Store one message and its event by one statement, if nothing stands in the way; None when nothing was done.

    The viewer must have one of the roles. Without a source it goes to the workspace's first API source.
    `event` is a JSON text, in which then that source is set.
    """
    return await uow.sole(
        _SUBMIT_TO_DEFAULT if source is None else _SUBMIT,
        viewer=viewer,
        roles=roles,
        workspace=workspace,
        source=source,
        event_kind=event_kind,
        event=event,
        trace=trace.carried(),
        now=uow.now,
        **draft,
    )


async def receive(
    uow: UnitOfWork,
    *,
    source: UUID,
    webhook: str,
    event_kind: str,
    event: str,
    **draft: Unpack[Draft],
) -> FeedbackRow | None:
    """Store what a verified webhook brought, as `submit` does; None when nothing was done."""
    return await uow.sole(
        _RECEIVE,
        source=source,
        webhook=webhook,
        event_kind=event_kind,
        event=event,
        trace=trace.carried(),
        now=uow.now,
        **draft,
    )


async def add(
    uow: UnitOfWork, *, workspace: UUID, source: UUID, **draft: Unpack[Draft]
) -> FeedbackRow | None:
    """Insert one message; None when the source already sent one with this external id."""
    row = await uow.first(_ADD, workspace=workspace, source=source, now=uow.now, **draft)
    if row is not None:
        await keep_originals(uow, workspace, {row.id: draft["sealed"]})
    return row


async def by_external_id(
    reader: Reader, workspace: UUID, source: UUID, external_id: str
) -> FeedbackRow | None:
    """What the source sent under its own id, in a workspace that the caller has entered."""
    return await reader.first(
        _BY_EXTERNAL_ID, workspace=workspace, source=source, external_id=external_id
    )


async def enter(uow: UnitOfWork, viewer: UUID, feedback: UUID) -> tuple[UUID, str] | None:
    """The feedback's workspace and the viewer's role; then this transaction may write its rows."""
    row = await uow.first(_ENTER, viewer=viewer, id=feedback)
    return None if row is None else (row.workspace_id, row.role)


async def lock(uow: UnitOfWork, workspace: UUID, feedback: UUID) -> FeedbackRow | None:
    """The feedback as it is now; a second writer of it waits until this transaction ends."""
    return await uow.first(_LOCK, workspace=workspace, id=feedback)
