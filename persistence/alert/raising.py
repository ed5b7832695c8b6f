"""Alerts: raised, resolved, listed; and what became of the messages about them."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Text,
    Uuid,
    bindparam,
    column,
    delete,
    func,
    literal_column,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.sql.elements import ColumnElement

from persistence.alert.row import ALERT_COLUMNS, Alert, AlertRow
from persistence.database import (
    TIMESTAMP,
    Columns,
    Reader,
    Record,
    Statement,
    UnitOfWork,
    given,
    new_id,
    one_of,
    only,
    table,
)
from persistence.workspace import Member, visible

Key = tuple[datetime, UUID]


class OwnerRow(Record):
    workspace_id: UUID


_alert = table(Alert).c
_member = table(Member).c
_FIRING: ColumnElement[str] = literal_column("'FIRING'")
_in_workspace = _alert.workspace_id == bindparam("workspace")


def _json(parameter: str) -> Any:
    return sql_cast(bindparam(parameter, type_=Text), JSONB)


_ADD = Statement(
    insert(table(Alert))
    .values(
        **given(
            "id",
            "name",
            "kind",
            "value",
            "threshold",
            "baseline",
            "window_start",
            "window_end",
            "sample_ids",
            workspace_id="workspace",
            rule_id="rule",
            fired_at="now",
        ),
        state=_FIRING,
        query=_json("query"),
        notified=literal_column("'{}'::jsonb"),
    )
    .on_conflict_do_nothing(index_elements=["rule_id"], index_where=_alert.state == _FIRING)
    .returning(*ALERT_COLUMNS),
    AlertRow,
)
_RESOLVE = Statement(
    update(table(Alert))
    .where(one_of(_alert.id, "ids"), _in_workspace, _alert.state == _FIRING)
    .values(state=literal_column("'RESOLVED'"), resolved_at=bindparam("now"))
    .returning(*ALERT_COLUMNS),
    AlertRow,
)
_FIRING_IN = Statement(
    select(*ALERT_COLUMNS).where(_in_workspace, _alert.state == _FIRING), AlertRow
)
_FIRING_OF = Statement(
    select(*ALERT_COLUMNS).where(
        _in_workspace, _alert.rule_id == bindparam("rule"), _alert.state == _FIRING
    ),
    AlertRow,
)
_IN_WORKSPACE = Statement(
    select(*ALERT_COLUMNS).where(_alert.id == bindparam("id"), _in_workspace), AlertRow
)
_TOLD = Statement(
    select(func.unnest(_alert.sample_ids).label("id")).where(
        _in_workspace,
        _alert.rule_id == bindparam("rule"),
        _alert.sample_ids.op("&&")(bindparam("ids", type_=ARRAY(Uuid))),
    ),
    Record,
)
_NOTE = Statement(
    update(table(Alert))
    .where(_alert.id == bindparam("alert"), _in_workspace)
    .values(notified=_alert.notified.op("||")(_json("notes"))),
    Record,
)
_BY_IDS = Statement(
    select(*ALERT_COLUMNS).where(one_of(_alert.id, "ids"), visible(_alert.workspace_id)), AlertRow
)
_WITH_OLD = Statement(
    select(_alert.workspace_id).where(_alert.resolved_at < bindparam("before")).distinct(),
    OwnerRow,
)
_FORGET = Statement(
    delete(table(Alert)).where(_in_workspace, _alert.resolved_at < bindparam("before")), Record
)


@lru_cache(maxsize=128)
def _page(
    of: str, limit: int, columns: Columns | None, *, continued: bool, state: bool
) -> Statement[AlertRow]:
    """One page for each of any number of workspaces or rules."""
    parent = _alert[of]
    keys = ("id", "fired_at", of)
    wanted = (
        func.unnest(bindparam("parents", type_=ARRAY(Uuid)))
        .table_valued(column("id", Uuid), name="parent")
        .render_derived()
    )
    rows = (
        select(*only(columns, ALERT_COLUMNS, keys=keys))
        .where(parent == wanted.c.id, visible(_alert.workspace_id))
        .order_by(_alert.fired_at.desc(), _alert.id.desc())
        .limit(literal_column(str(limit)))
        .correlate(wanted)
    )
    if continued:
        key = tuple_(bindparam("after_time", type_=TIMESTAMP), bindparam("after_id", type_=Uuid))
        rows = rows.where(tuple_(_alert.fired_at, _alert.id) < key)
    if state:
        rows = rows.where(_alert.state == bindparam("state"))
    page = rows.lateral("page")
    return Statement(
        select(*page.c)
        .join_from(wanted, page, true())
        .order_by(page.c[of], page.c.fired_at.desc(), page.c.id.desc()),
        AlertRow,
        keys=keys,
    )


async def add(
    uow: UnitOfWork,
    *,
    workspace: UUID,
    rule: UUID,
    name: str,
    kind: str,
    value: float | None,
    threshold: float | None,
    baseline: float | None,
    window: tuple[datetime, datetime],
    query: str,
    sample_ids: Sequence[UUID],
) -> AlertRow | None:
    """A firing alert of the rule; None when there is one already."""
    return await uow.first(
        _ADD,
        id=new_id(),
        workspace=workspace,
        rule=rule,
        name=name,
        kind=kind,
        value=value,
        threshold=threshold,
        baseline=baseline,
        window_start=window[0],
        window_end=window[1],
        query=query,
        sample_ids=sample_ids,
        now=uow.now,
    )


async def resolve(uow: UnitOfWork, workspace: UUID, alerts: Sequence[UUID]) -> list[AlertRow]:
    """Those that were firing, and are not any more."""
    return await uow.fetch(_RESOLVE, workspace=workspace, ids=alerts, now=uow.now)


async def firing(reader: Reader, workspace: UUID) -> list[AlertRow]:
    """All that are firing in a workspace."""
    return await reader.fetch(_FIRING_IN, workspace=workspace)


async def firing_of(reader: Reader, workspace: UUID, rule: UUID) -> AlertRow | None:
    return await reader.first(_FIRING_OF, workspace=workspace, rule=rule)


async def in_workspace(reader: Reader, workspace: UUID, alert: UUID) -> AlertRow | None:
    return await reader.first(_IN_WORKSPACE, workspace=workspace, id=alert)


async def told(reader: Reader, workspace: UUID, rule: UUID, ids: Sequence[UUID]) -> set[UUID]:
    """Which feedback the alerts that have any of these were about."""
    rows = await reader.fetch(_TOLD, workspace=workspace, rule=rule, ids=ids)
    return {row["id"] for row in rows}


async def note(uow: UnitOfWork, workspace: UUID, alert: UUID, notes: str) -> None:
    """Keep what became of messages: `notes` is a JSON object with an entry for each."""
    await uow.execute(_NOTE, workspace=workspace, alert=alert, notes=notes)


async def by_ids(
    reader: Reader, viewer: UUID, ids: Sequence[UUID], *, columns: Columns | None = None
) -> list[AlertRow]:
    return await reader.fetch(_BY_IDS.of(columns), viewer=viewer, ids=ids)


async def pages(
    reader: Reader,
    viewer: UUID,
    *,
    of: str,
    parents: Sequence[UUID],
    limit: int,
    after: Key | None,
    state: str | None,
    columns: Columns | None = None,
) -> list[AlertRow]:
    """The newest `limit` older than `after` of each workspace (`of` is workspace_id) or rule (rule_id)."""
    statement = _page(of, limit, columns, continued=after is not None, state=state is not None)
    keyset = {} if after is None else {"after_time": after[0], "after_id": after[1]}
    return await reader.fetch(statement, viewer=viewer, parents=parents, state=state, **keyset)


async def with_old(reader: Reader, before: datetime) -> list[UUID]:
    """The workspaces, of all tenants, that have alerts resolved before that time."""
    return [row.workspace_id for row in await reader.fetch(_WITH_OLD, before=before)]


async def forget(uow: UnitOfWork, workspace: UUID, before: datetime) -> int:
    """Take away the workspace's alerts resolved before that time; it must have been entered."""
    return await uow.execute(_FORGET, workspace=workspace, before=before)
