"""Reading the log: an endpoint's deliveries in pages, by id, and the attempts at each."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, bindparam, column, func, literal_column, select, true, tuple_

from persistence.database import TIMESTAMP, Columns, Reader, Statement, one_of, only, table
from persistence.webhook.row import (
    ATTEMPT,
    DELIVERY,
    AttemptRow,
    DeliveryRow,
    WebhookAttempt,
    WebhookDelivery,
    attempt,
    delivery,
)
from persistence.workspace import managed

Key = tuple[datetime, UUID]

_PAGE_KEYS = ("id", "webhook_id")
_BY_IDS = Statement(
    select(*DELIVERY).where(one_of(delivery.id, "ids"), managed(delivery.workspace_id)),
    DeliveryRow,
)
_ATTEMPTS = Statement(
    select(*ATTEMPT)
    .join_from(table(WebhookAttempt), table(WebhookDelivery), delivery.id == attempt.delivery_id)
    .where(one_of(attempt.delivery_id, "deliveries"), managed(delivery.workspace_id))
    .order_by(attempt.delivery_id, attempt.number),
    AttemptRow,
    keys=("delivery_id",),
)


@lru_cache(maxsize=256)
def _page(
    limit: int, *, continued: bool, of_status: bool, columns: Columns | None = None
) -> Statement[DeliveryRow]:
    parent = (
        func.unnest(bindparam("webhooks", type_=ARRAY(Uuid)))
        .table_valued(column("id", Uuid), with_ordinality="position", name="parent")
        .render_derived()
    )
    page = (
        select(*only(columns, DELIVERY, keys=(*_PAGE_KEYS, "created_at")))
        .where(delivery.webhook_id == parent.c.id, managed(delivery.workspace_id))
        .order_by(delivery.created_at.desc(), delivery.id.desc())
        .limit(literal_column(str(limit)))
    )
    if continued:
        page = page.where(
            tuple_(delivery.created_at, delivery.id)
            < tuple_(bindparam("after_time", type_=TIMESTAMP), bindparam("after_id", type_=Uuid))
        )
    if of_status:
        page = page.where(delivery.status == bindparam("status"))
    rows = page.lateral("page")
    return Statement(
        select(*only(columns, rows.c, keys=_PAGE_KEYS))
        .join_from(parent, rows, true())
        .order_by(parent.c.position, rows.c.created_at.desc(), rows.c.id.desc()),
        DeliveryRow,
    )


async def pages(
    reader: Reader,
    viewer: UUID,
    managers: Sequence[str],
    webhooks: Sequence[UUID],
    *,
    status: str | None,
    limit: int,
    after: Key | None,
    columns: Columns | None = None,
) -> list[DeliveryRow]:
    """The newest `limit` deliveries older than `after` to each endpoint, in the endpoints' order."""
    keyset = {} if after is None else {"after_time": after[0], "after_id": after[1]}
    statement = _page(
        limit, continued=after is not None, of_status=status is not None, columns=columns
    )
    return await reader.fetch(
        statement, viewer=viewer, managers=managers, webhooks=webhooks, status=status, **keyset
    )


async def deliveries(
    reader: Reader,
    viewer: UUID,
    managers: Sequence[str],
    ids: Sequence[UUID],
    *,
    columns: Columns | None = None,
) -> list[DeliveryRow]:
    return await reader.fetch(_BY_IDS.of(columns), viewer=viewer, managers=managers, ids=ids)


async def attempts(
    reader: Reader,
    viewer: UUID,
    managers: Sequence[str],
    deliveries: Sequence[UUID],
    *,
    columns: Columns | None = None,
) -> list[AttemptRow]:
    """The attempts at each of these deliveries, in their order."""
    return await reader.fetch(
        _ATTEMPTS.of(columns), viewer=viewer, managers=managers, deliveries=deliveries
    )
