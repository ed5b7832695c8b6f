"""Only the columns that are asked for are read, and what is read is the same."""

import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain import ids
from domain.ids import Kind
from persistence import account, feedback, job, source, tag, workspace
from persistence.database import Columns, Database, Reader, Record, Statement
from persistence.feedback import Filter, Order, listing, paging
from tests.factories import NEGATIVE, NOON, POSITIVE, Factory, Tenant

Read = Callable[[Reader, Tenant, list[UUID], Columns | None], Awaitable[Any]]

LATER = datetime.now(UTC) + timedelta(hours=1)


def _feedback(order: Order) -> Read:
    return lambda reader, tenant, _, columns: feedback.pages(
        reader,
        tenant.owner.id,
        [tenant.id],
        where=Filter(),
        order=order,
        limit=10,
        after=feedback.After(NOON if order in BY_TIME else 0.0, UUID(int=0)),
        columns=columns,
    )


BY_TIME = (Order.NEWEST_FIRST, Order.OLDEST_FIRST)
READS: dict[str, tuple[Read, type[Record]]] = {
    "feedback.by_ids one": (
        lambda r, t, f, c: feedback.by_ids(r, t.owner.id, f[:1], columns=c),
        feedback.FeedbackRow,
    ),
    "feedback.by_ids many": (
        lambda r, t, f, c: feedback.by_ids(r, t.owner.id, f, columns=c),
        feedback.FeedbackRow,
    ),
    **{
        f"feedback.pages {order}": (_feedback(order), feedback.FeedbackRow)
        for order in Order
        if order is not Order.NEWEST_FIRST
    },
    "source.of_workspaces": (
        lambda r, t, _, c: source.of_workspaces(r, t.owner.id, [t.id], columns=c),
        source.SourceRow,
    ),
    "source.by_ids": (
        lambda r, t, _, c: source.by_ids(r, t.owner.id, [t.source_id], columns=c),
        source.SourceRow,
    ),
    "tag.of_workspaces": (
        lambda r, t, _, c: tag.of_workspaces(r, t.owner.id, [t.id], columns=c),
        tag.TagRow,
    ),
    "workspace.of_viewer": (
        lambda r, t, _, c: workspace.of_viewer(r, t.owner.id, columns=c),
        workspace.WorkspaceRow,
    ),
    "workspace.by_ids": (
        lambda r, t, _, c: workspace.by_ids(r, t.owner.id, [t.id], columns=c),
        workspace.WorkspaceRow,
    ),
    "workspace.members": (
        lambda r, t, _, c: workspace.members(r, t.owner.id, [t.id], columns=c),
        workspace.MemberRow,
    ),
    "workspace.fellows": (
        lambda r, t, _, c: workspace.fellows(r, t.owner.id, [t.owner.id], columns=c),
        account.UserRow,
    ),
    "account.users": (
        lambda r, t, _, c: account.users(r, [t.owner.id], columns=c),
        account.UserRow,
    ),
    "account.sessions": (
        lambda r, t, _, c: account.sessions(r, t.owner.id, NOON, columns=c),
        account.SessionRow,
    ),
    "account.sessions_by_ids": (
        lambda r, t, _, c: account.sessions_by_ids(r, t.owner.id, [t.owner.session_id], columns=c),
        account.SessionRow,
    ),
    "job.pages": (
        lambda r, t, _, c: job.pages(r, t.owner.id, [t.id], limit=5, after=None, columns=c),
        job.JobRow,
    ),
}


def _rows(answer: Any) -> list[Record]:
    """Those found by a key in the order of their keys: the database gives them in any."""
    return (
        [answer[key] for key in sorted(answer, key=str)]
        if isinstance(answer, Mapping)
        else list(answer)
    )


@pytest.mark.parametrize("name", READS)
async def test_a_row_has_the_columns_asked_for_and_no_other(
    name: str, database: Database, factory: Factory
) -> None:
    read, declared = READS[name]
    tenant = await factory.tenant()
    texts: dict[str, Any] = {
        "external_id": "a",
        "author_name": "Ann",
        "author_email": "ann@example.com",
        "author_external_id": "7",
        "rating": 3,
        "metadata": '{"plan": "pro"}',
    }
    written = [
        await factory.feedback(tenant, "Good.", score=POSITIVE, **texts),
        await factory.feedback(tenant, "Bad.", score=NEGATIVE, occurred_at=NOON - timedelta(1)),
        await factory.feedback(tenant, "So so.", occurred_at=NOON + timedelta(1)),
    ]
    await factory.tag(tenant, "late", *written)
    await factory.job(tenant)
    found = [id_ for one in written if (id_ := ids.read(Kind.FEEDBACK, one))]
    async with database.reader() as reader:
        whole = _rows(await read(reader, tenant, found, None))
        assert whole
        for column in declared.COLUMNS:
            few = _rows(await read(reader, tenant, found, frozenset({column})))

            assert [row[column] for row in few] == [row[column] for row in whole]
            assert [getattr(row, column) for row in few] == [row[column] for row in whole]
            assert isinstance(few[0], declared)
            keys = {"id", "workspace_id", "feedback_id", column}
            assert set(few[0].keys()) <= keys
            for lacking in declared.COLUMNS.difference(few[0].keys()):
                with pytest.raises(AttributeError, match=lacking):
                    getattr(few[0], lacking)


def _selects(statement: Statement[Any], column: str) -> bool:
    return re.search(rf"\b{column}\b", statement.text) is not None


def test_the_text_lacks_what_nobody_asked_for() -> None:
    few = frozenset({"rating"})
    page = paging._page((), Order.MOST_NEGATIVE, 21, "value", few).statement
    statements = [listing._BY_ID.of(few), listing._BY_IDS.of(few), page]

    assert all(_selects(statement, "rating") for statement in statements)
    for lacking in ("body", "metadata", "author_name", "external_id", "occurred_at"):
        assert not any(_selects(statement, lacking) for statement in statements)


def test_the_same_columns_are_the_same_statement() -> None:
    few, again = (listing._BY_IDS.of(frozenset({name, "body"})) for name in ("rating", "rating"))

    assert few is again
    assert listing._BY_IDS.of(None) is listing._BY_IDS


def test_entering_is_never_left_out() -> None:
    assert "set_config" in workspace._ENTER.of(frozenset({"name"})).text


def test_a_column_that_does_not_exist_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="no such columns: boddy"):
        listing._BY_IDS.of(frozenset({"boddy"}))


async def _page(reader: Reader, tenant: Tenant, along: feedback.Along) -> list[Any]:
    return await feedback.pages(
        reader,
        tenant.owner.id,
        [tenant.id],
        where=Filter(),
        order=Order.OLDEST_FIRST,
        limit=3,
        after=None,
        columns=frozenset({"body"}),
        along=along,
    )


async def test_a_page_brings_along_what_would_be_read_without_it(
    database: Database, factory: Factory
) -> None:
    tenant = await factory.tenant()
    written = [
        await factory.feedback(tenant, body, occurred_at=NOON + timedelta(number))
        for number, body in enumerate(("First.", "Second.", "Third.", "On the next page."))
    ]
    await factory.tag(tenant, "slow", *written[:2])
    await factory.tag(tenant, "late", *written[1:])
    async with database.reader() as reader:
        rows = await _page(reader, tenant, feedback.Along(source.SourceRow.COLUMNS, ALL_OF_TAGS))
        sources = await source.by_ids(reader, tenant.owner.id, [tenant.source_id])
        borne = await tag.borne(reader, tenant.owner.id, [row.id for row in rows])

    assert [row.body for row in rows] == ["First.", "Second.", "Third."]
    assert [[one.name for one in row.tags] for row in rows] == [
        ["slow"],
        ["late", "slow"],
        ["late"],
    ]
    for row in rows:
        assert dict(row.source.items()) == dict(sources[tenant.source_id].items())
        assert [dict(one.items()) for one in row.tags] == [
            dict(one.items()) for one in borne[row.id]
        ]
        assert isinstance(row.source, source.SourceRow)
        assert {isinstance(one, tag.TagRow) for one in row.tags} == {True}


ALL_OF_TAGS = tag.TagRow.COLUMNS


async def test_what_comes_along_has_the_columns_asked_for_and_no_other(
    database: Database, factory: Factory
) -> None:
    tenant = await factory.tenant()
    await factory.tag(tenant, "late", await factory.feedback(tenant, "Late again."))
    async with database.reader() as reader:
        (row,) = await _page(reader, tenant, feedback.Along(frozenset({"kind"}), NAME))
        (tags_only,) = await _page(reader, tenant, feedback.Along(tags=NAME))
        (alone,) = await _page(reader, tenant, feedback.Along())

    assert dict(row.source.items()) == {"id": tenant.source_id, "kind": "WEBHOOK"}
    assert [set(one.keys()) for one in row.tags] == [{"id", "name", "feedback"}]
    assert [one.name for one in tags_only.tags] == ["late"]
    with pytest.raises(AttributeError, match="name"):
        _ = row.source.name
    with pytest.raises(AttributeError, match="color"):
        _ = row.tags[0].color
    assert (tags_only.source, alone.source, alone.tags) == (None, None, None)


NAME = frozenset({"name"})


async def test_the_tags_of_many_are_the_tags_of_each(database: Database, factory: Factory) -> None:
    tenant, other = await factory.tenant(), await factory.tenant()
    written = [await factory.feedback(tenant, f"It works {number}.") for number in range(3)]
    await factory.tag(tenant, "slow", *written[:2])
    await factory.tag(tenant, "late", *written[1:2])
    first, second, third = (ids.read(Kind.FEEDBACK, one) for one in written)
    assert first
    assert second
    assert third
    async with database.reader() as reader:
        borne = await tag.borne(reader, tenant.owner.id, [first, second, third])
        hidden = await tag.borne(reader, other.owner.id, [first, second, third])

    names = {bearer: [one.name for one in tags] for bearer, tags in borne.items()}
    assert names == {first: ["slow"], second: ["late", "slow"]}
    assert hidden == {}
