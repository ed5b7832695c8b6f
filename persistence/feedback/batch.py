"""Storing many feedback by one statement: each once, with its event and the delivery that brought it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CTE,
    Boolean,
    Select,
    SmallInteger,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    column,
    exists,
    func,
    insert,
    literal_column,
    not_,
    select,
    true,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by
from sqlalchemy.dialects.postgresql import insert as upsert

from persistence.database import (
    TIMESTAMP,
    Record,
    Statement,
    UnitOfWork,
    enter_workspace,
    table,
)
from persistence.delivery import NEVER, Delivery
from persistence.feedback.intake import AS_MEMBER, ONCE, TO_DEFAULT, Draft, with_source
from persistence.feedback.original import keep_originals
from persistence.feedback.row import COLUMNS, Feedback, FeedbackRow
from persistence.outbox import OutboxEvent
from persistence.source import Source


@dataclass(frozen=True, slots=True)
class Arrival:
    """A feedback on its way in, with the JSON text of its event, and of which delivery, where there is one.

    One that `edits` is left alone, with its delivery, where its external id is known.
    """

    draft: Draft
    event: str
    webhook: str | None
    edits: bool = False
    trace: str | None = None


@dataclass(frozen=True, slots=True)
class Arrived:
    """What became of one: `id` is what is stored now, None where that is still to be looked up.

    `is_known`: that was stored before. `is_repeated`: its delivery was, or it was left alone.
    """

    id: UUID | None
    is_known: bool
    is_repeated: bool


class _ManyRow(Record):
    workspace_id: Sequence[UUID]
    added: Sequence[UUID | None]
    known: Sequence[UUID | None]
    fresh: Sequence[str | None]


_source = table(Source).c
_feedback = table(Feedback).c
_delivery = table(Delivery).c
_TYPES: dict[str, Any] = {
    "id": Uuid,
    "external_id": Text,
    "author_name": Text,
    "author_email": Text,
    "author_external_id": Text,
    "body": Text,
    "rating": SmallInteger,
    "metadata": Text,
    "occurred_at": TIMESTAMP,
}
_EXTRA: dict[str, Any] = {"event": Text, "webhook_id": Text, "edits": Boolean, "trace": Text}


def _given() -> CTE:
    types = _TYPES | _EXTRA
    arrays = [bindparam(f"{name}_values", type_=ARRAY(type_)) for name, type_ in types.items()]
    rows = (
        func.unnest(*arrays)
        .table_valued(
            *(column(name, type_) for name, type_ in types.items()),
            with_ordinality="number",
            name="given_rows",
        )
        .render_derived()
    )
    return select(rows).cte("given").prefix_with("MATERIALIZED")


def _many(of: Select[Any], *, delivered: bool) -> Statement[_ManyRow]:
    """Into the one source that is selected, or nothing.

    Postgres computes the row of `entered`, and so opens row-level security, before it can insert what it selects
    from there.
    """
    entered = (
        of.where(_source.closed_at.is_(None))
        .with_only_columns(
            _source.id.label("source_id"),
            _source.workspace_id,
            enter_workspace(_source.workspace_id),
        )
        .cte("entered")
        .prefix_with("MATERIALIZED")
    )
    given = _given()
    now = bindparam("now", type_=TIMESTAMP)
    taken = select(*given.c).join_from(entered, given, true())
    effects: list[CTE] = []
    fresh: Any = None
    if delivered:
        is_known = (
            exists()
            .where(
                _feedback.source_id == entered.c.source_id,
                _feedback.workspace_id == entered.c.workspace_id,
                _feedback.external_id == given.c.external_id,
            )
            .correlate(entered, given)
        )
        remembering = upsert(table(Delivery)).from_select(
            ["source_id", "webhook_id", "workspace_id", "received_at"],
            select(entered.c.source_id, given.c.webhook_id, entered.c.workspace_id, now)
            .join_from(entered, given, true())
            .where(not_(and_(given.c.edits, is_known))),
        )
        # A second one at the same time waits, and finds that it is one too many.
        fresh = (
            remembering.on_conflict_do_update(
                index_elements=["source_id", "webhook_id"],
                set_={"received_at": remembering.excluded.received_at},
                where=_delivery.received_at < bindparam("forgotten", type_=TIMESTAMP),
            )
            .returning(_delivery.webhook_id)
            .cte("fresh")
        )
        taken = taken.join(fresh, fresh.c.webhook_id == given.c.webhook_id)
    values = _values(entered, given)
    added = (
        upsert(table(Feedback))
        .from_select(list(values), taken.with_only_columns(*values.values()))
        .on_conflict_do_nothing(**ONCE)
        .returning(_feedback.id, _feedback.workspace_id)
        .cte("added")
    )
    effects.append(
        insert(table(OutboxEvent))
        .from_select(
            ["workspace_id", "kind", "payload", "trace"],
            select(
                added.c.workspace_id,
                bindparam("event_kind", type_=Text),
                sql_cast(given.c.event, JSONB),
                given.c.trace,
            )
            .join_from(added, given, added.c.id == given.c.id)
            .order_by(given.c.number),
        )
        .cte("announced")
    )
    # By itself for each row: a join is planned before much is there, and would then go through all of a source.
    known = table(Feedback).alias("known")
    is_of_row = and_(
        known.c.source_id == entered.c.source_id,
        known.c.workspace_id == entered.c.workspace_id,
        known.c.external_id == given.c.external_id,
    )
    known_id = select(known.c.id).where(is_of_row).correlate(entered, given).scalar_subquery()
    outcome = (
        select(
            func.array_agg(entered.c.workspace_id).label("workspace_id"),
            _ordered(added.c.id, given.c.number).label("added"),
            _ordered(case((added.c.id.is_(None), known_id)), given.c.number).label("known"),
            _ordered(
                given.c.webhook_id if fresh is None else fresh.c.webhook_id, given.c.number
            ).label("fresh"),
        )
        .select_from(entered.join(given, true()))
        .outerjoin(added, added.c.id == given.c.id)
        .having(func.count() > literal_column("0"))
    )
    if fresh is not None:
        outcome = outcome.outerjoin(fresh, fresh.c.webhook_id == given.c.webhook_id)
    return Statement(outcome.add_cte(*effects), _ManyRow)


def _values(entered: CTE, given: CTE) -> dict[str, Any]:
    values: dict[str, Any] = {name: given.c[name] for name in _TYPES if name != "metadata"}
    return values | {
        "metadata": sql_cast(given.c.metadata, JSONB),
        "received_at": bindparam("now", type_=TIMESTAMP),
        "workspace_id": entered.c.workspace_id,
        "source_id": entered.c.source_id,
    }


def _together(entered: CTE, *, events_lack_source: bool) -> Statement[FeedbackRow]:
    """As one message is submitted, each of them with its event: those of which nothing stands in the way."""
    given = _given()
    values = _values(entered, given)
    # In one order for all, so that no two wait for each other.
    taken = select(*values.values()).join_from(entered, given, true()).order_by(given.c.external_id)
    added = (
        upsert(table(Feedback))
        .from_select(list(values), taken)
        .on_conflict_do_nothing(**ONCE)
        .returning(*COLUMNS)
        .cte("added")
    )
    event: Any = sql_cast(given.c.event, JSONB)
    if events_lack_source:
        event = with_source(event, added)
    announced = insert(table(OutboxEvent)).from_select(
        ["workspace_id", "kind", "payload", "trace"],
        select(added.c.workspace_id, bindparam("event_kind", type_=Text), event, given.c.trace)
        .join_from(added, given, added.c.id == given.c.id)
        .order_by(given.c.number),
    )
    return Statement(select(*added.c).add_cte(announced.cte("announced")), FeedbackRow)


def _ordered(value: Any, number: Any) -> Any:
    return func.array_agg(aggregate_order_by(value, number))


_RECEIVE_MANY = _many(select(_source.id).where(_source.id == bindparam("source")), delivered=True)
_SUBMIT_MANY = _many(
    select(_source.id).where(
        _source.id == bindparam("source"), _source.workspace_id == bindparam("workspace")
    ),
    delivered=False,
)

_SUBMIT_TOGETHER = _together(AS_MEMBER, events_lack_source=False)
_SUBMIT_TOGETHER_TO_DEFAULT = _together(TO_DEFAULT, events_lack_source=True)


async def receive_many(
    uow: UnitOfWork,
    source: UUID,
    arrivals: Sequence[Arrival],
    *,
    event_kind: str,
    forgotten: datetime = NEVER,
) -> list[Arrived] | None:
    """Store what verified webhooks brought, in the order given. None without such a source.

    It is a transaction by itself, unless originals are to be kept, which takes a second statement.
    No two may be of the same delivery, or have the same external id. Deliveries from before `forgotten` count as new.
    """
    keeping = {each.draft["id"]: each.draft["sealed"] for each in arrivals if each.draft["sealed"]}
    row = await (uow.first if keeping else uow.sole)(
        _RECEIVE_MANY,
        source=source,
        event_kind=event_kind,
        forgotten=forgotten,
        now=uow.now,
        **_arrays(arrivals),
    )
    if row is None:
        return None
    if keeping:
        await keep_originals(uow, row.workspace_id[0], keeping)
    return [
        Arrived(added or known, added is None, fresh is None)
        for added, known, fresh in zip(row.added, row.known, row.fresh, strict=True)
    ]


async def submit_many(
    uow: UnitOfWork,
    workspace: UUID,
    source: UUID,
    arrivals: Sequence[Arrival],
    *,
    event_kind: str,
) -> list[Arrived]:
    """Store messages in a source of a workspace that was entered; no two may have the same external id."""
    row = await uow.first(
        _SUBMIT_MANY,
        workspace=workspace,
        source=source,
        event_kind=event_kind,
        now=uow.now,
        **_arrays(arrivals),
    )
    if row is None:
        return []
    await keep_originals(
        uow, workspace, {each.draft["id"]: each.draft["sealed"] for each in arrivals}
    )
    return [
        Arrived(added or known, added is None, is_repeated=False)
        for added, known in zip(row.added, row.known, strict=True)
    ]


async def submit_together(
    uow: UnitOfWork,
    viewer: UUID,
    roles: Sequence[str],
    arrivals: Sequence[Arrival],
    *,
    workspace: UUID,
    source: UUID | None,
    event_kind: str,
) -> list[FeedbackRow]:
    """Store messages by one statement as `submit` does each; answers, in any order, what was stored."""
    return await uow.sole_rows(
        _SUBMIT_TOGETHER_TO_DEFAULT if source is None else _SUBMIT_TOGETHER,
        viewer=viewer,
        roles=roles,
        workspace=workspace,
        source=source,
        event_kind=event_kind,
        now=uow.now,
        **_arrays(arrivals),
    )


def _arrays(arrivals: Sequence[Arrival]) -> dict[str, Any]:
    columns: dict[str, Any] = {
        f"{name}_values": [each.draft[name] for each in arrivals]  # type: ignore[literal-required]
        for name in _TYPES
    }
    return columns | {
        "event_values": [each.event for each in arrivals],
        "webhook_id_values": [each.webhook for each in arrivals],
        "edits_values": [each.edits for each in arrivals],
        "trace_values": [each.trace for each in arrivals],
    }
