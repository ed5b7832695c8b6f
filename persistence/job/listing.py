"""Reading jobs: a workspace's, by id, and those that have failed for good."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Uuid,
    bindparam,
    column,
    func,
    literal_column,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.elements import ColumnElement

from persistence.database import TIMESTAMP, Columns, Reader, Statement, one_of, only, table
from persistence.job.row import COLUMNS, Job, JobRow
from persistence.workspace import managed, visible

Key = tuple[datetime, UUID]

_job = table(Job).c
_PAGE_KEYS = ("id", "workspace_id")
_BY_IDS = Statement(
    select(*COLUMNS).where(one_of(_job.id, "ids"), or_(visible(_job.workspace_id), _job.open)),
    JobRow,
)


def _before(moment: ColumnElement[Any]) -> ColumnElement[bool]:
    return tuple_(moment, _job.id) < tuple_(
        bindparam("after_time", type_=TIMESTAMP), bindparam("after_id", type_=Uuid)
    )


def _keyset(after: Key | None) -> dict[str, Any]:
    return {} if after is None else {"after_time": after[0], "after_id": after[1]}


@lru_cache(maxsize=256)
def _page(
    limit: int,
    *,
    continued: bool,
    of_kind: bool = False,
    status: str | None = None,
    columns: Columns | None = None,
) -> Statement[JobRow]:
    parent = (
        func.unnest(bindparam("workspaces", type_=ARRAY(Uuid)))
        .table_valued(column("id", Uuid), with_ordinality="position", name="parent")
        .render_derived()
    )
    page = (
        select(*only(columns, COLUMNS, keys=(*_PAGE_KEYS, "created_at")))
        .where(_job.workspace_id == parent.c.id, visible(_job.workspace_id))
        .order_by(_job.created_at.desc(), _job.id.desc())
        .limit(literal_column(str(limit)))
    )
    if continued:
        page = page.where(_before(_job.created_at))
    if of_kind:
        page = page.where(_job.kind == bindparam("kind"))
    if status is not None:
        # Written out, one statement for each: what is rare has an index of its own, and is found by that.
        page = page.where(_job.status == literal_column(f"'{status}'"))
    rows = page.lateral("page")
    return Statement(
        select(*only(columns, rows.c, keys=_PAGE_KEYS))
        .join_from(parent, rows, true())
        .order_by(parent.c.position, rows.c.created_at.desc(), rows.c.id.desc()),
        JobRow,
    )


@lru_cache(maxsize=64)
def _dead(*, of_all: bool, of_one: bool, of_kind: bool, continued: bool) -> Statement[JobRow]:
    found = (
        select(*COLUMNS)
        .where(_job.status == literal_column("'FAILED'"))
        .order_by(_job.finished_at.desc(), _job.id.desc())
        .limit(bindparam("limit"))
    )
    if not of_all:
        found = found.where(managed(_job.workspace_id))
    if of_one:
        found = found.where(_job.workspace_id == bindparam("workspace"))
    if of_kind:
        found = found.where(_job.kind == bindparam("kind"))
    if continued:
        found = found.where(_before(_job.finished_at))
    return Statement(found, JobRow)


async def pages(
    reader: Reader,
    viewer: UUID,
    workspaces: Sequence[UUID],
    *,
    limit: int,
    after: Key | None,
    kind: str | None = None,
    status: str | None = None,
    columns: Columns | None = None,
) -> list[JobRow]:
    """The newest `limit` jobs older than `after` of each workspace, in the workspaces' order.

    `status` becomes a part of the statement's text: it must be one that there is.
    """
    return await reader.fetch(
        _page(
            limit,
            continued=after is not None,
            of_kind=kind is not None,
            status=status,
            columns=columns,
        ),
        viewer=viewer,
        workspaces=workspaces,
        kind=kind,
        **_keyset(after),
    )


async def by_ids(
    reader: Reader, viewer: UUID | None, ids: Sequence[UUID], *, columns: Columns | None = None
) -> list[JobRow]:
    """Those of the viewer's workspaces, and the open ones."""
    return await reader.fetch(_BY_IDS.of(columns), viewer=viewer, ids=ids)


async def dead(
    reader: Reader,
    viewer: UUID,
    managers: Sequence[str],
    *,
    of_all: bool,
    workspace: UUID | None,
    kind: str | None,
    limit: int,
    after: Key | None,
) -> list[JobRow]:
    """Jobs that have failed for good, the latest first: `of_all`, or where the viewer has a role of `managers`."""
    return await reader.fetch(
        _dead(
            of_all=of_all,
            of_one=workspace is not None,
            of_kind=kind is not None,
            continued=after is not None,
        ),
        viewer=viewer,
        managers=managers,
        workspace=workspace,
        kind=kind,
        limit=limit,
        **_keyset(after),
    )
