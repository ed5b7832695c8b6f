"""Statements that go together: what each asker gets, and what becomes of the others when one fails or is gone."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest
from sqlalchemy import ARRAY, Integer, Text, bindparam, func, select
from sqlalchemy import cast as sql_cast

from persistence.database import TIMESTAMP, Database, Record, Statement
from persistence.joint import MOST_TOGETHER, Joint


class NumberRow(Record):
    number: int
    most: int


class TextRow(Record):
    text: str


_most = bindparam("most", type_=Integer)
_text = bindparam("text", type_=Text)
_texts = bindparam("texts", type_=ARRAY(Text))
_moment = bindparam("moment", type_=TIMESTAMP)
NUMBERS: Statement[NumberRow] = Statement(
    select(
        func.generate_series(1, _most, type_=Integer).label("number"),
        _most.label("most"),
    ),
    NumberRow,
)
TEXT: Statement[TextRow] = Statement(select(sql_cast(_text, Text).label("text")), TextRow)
LASTING: Statement[TextRow] = Statement(
    select(sql_cast(_text, Text).label("text")), TextRow, lasting=True
)
TEXTS: Statement[TextRow] = Statement(select(sql_cast(_texts, ARRAY(Text)).label("text")), TextRow)
TIMES: Statement[TextRow] = Statement(
    select(
        sql_cast(_text, Text).label("text"),
        func.array(select(sql_cast(_moment, TIMESTAMP)).scalar_subquery()).label("times"),
    ),
    TextRow,
)
ROWS: Statement[TextRow] = Statement(
    select(
        sql_cast(_text, Text).label("text"),
        func.array(select(func.row(sql_cast(_moment, TIMESTAMP))).scalar_subquery()).label("rows"),
    ),
    TextRow,
)
REST: Statement[TextRow] = Statement(
    select(sql_cast(func.mod(7, bindparam("by", type_=Integer)), Text).label("text")), TextRow
)
SLEEP: Statement[TextRow] = Statement(
    select(
        sql_cast(func.pg_sleep(bindparam("seconds", type_=Integer)), Text).label("text"),
    ),
    TextRow,
)


class Watched:
    """A joint whose round trips are seen."""

    def __init__(self, database: Database) -> None:
        self.ran: list[Any] = []
        self.cancelled = 0
        self._database = database
        self._joint = Joint(self._run)

    async def _run(self, statement: Any, arguments: tuple[Any, ...]) -> list[Any]:
        self.ran.append(statement)
        try:
            return await self._database._fetch(statement, arguments)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise

    async def ask(self, operation: object, statement: Statement[Any], **values: Any) -> list[Any]:
        rows = await self._joint.fetch(operation, statement, statement.arguments(values))
        return [[row[name] for name in statement.names] for row in rows]


@pytest.fixture
def watched(database: Database) -> Watched:
    return Watched(database)


async def test_what_one_operation_asks_at_once_goes_as_one(watched: Watched) -> None:
    answers = await asyncio.gather(
        watched.ask(1, NUMBERS, most=3),
        watched.ask(1, TEXT, text="a $1 'b'"),
        watched.ask(1, NUMBERS, most=0),
    )

    assert list(answers) == [[[1, 3], [2, 3], [3, 3]], [["a $1 'b'"]], []]
    assert len(watched.ran) == 1


async def test_what_several_operations_ask_alike_goes_as_one(watched: Watched) -> None:
    answers = await asyncio.gather(
        *(watched.ask(n, TEXT, text=str(n)) for n in range(4)),
        watched.ask(4, NUMBERS, most=1),
    )

    assert answers == [[["0"]], [["1"]], [["2"]], [["3"]], [[1, 1]]]
    assert len(watched.ran) == 2


async def test_no_more_go_together_than_may_and_in_few_sizes(watched: Watched) -> None:
    count = MOST_TOGETHER + 3

    answers = await asyncio.gather(*(watched.ask(n, TEXT, text=str(n)) for n in range(count)))

    assert answers == [[[str(n)]] for n in range(count)]
    assert len(watched.ran) == 3  # 16, 2 and 1


async def test_rows_are_as_they_are_when_read_alone(watched: Watched) -> None:
    alone = await watched.ask(1, NUMBERS, most=2)

    together = await asyncio.gather(
        watched.ask(1, NUMBERS, most=2), watched.ask(1, TEXT, text="beside")
    )

    assert together[0] == alone


@pytest.mark.parametrize(
    ("statement", "values"),
    [(LASTING, {"text": "all of them"}), (TEXTS, {"texts": ["a", "b"]})],
    ids=["lasting", "of a type that asyncpg has to ask for"],
)
async def test_what_others_should_not_wait_for_goes_alone(
    watched: Watched, statement: Statement[Any], values: dict[str, Any]
) -> None:
    answers = await asyncio.gather(
        watched.ask(1, statement, **values), watched.ask(1, TEXT, text="quick")
    )

    assert answers[0] == [list(values.values())]
    assert watched.ran == [statement, TEXT]


async def test_of_arrays_those_of_rows_go_together_and_those_of_values_do_not(
    watched: Watched,
) -> None:
    noon = datetime(2026, 5, 1, 12, tzinfo=UTC)
    answers = await asyncio.gather(
        watched.ask(1, TIMES, text="times", moment=noon),
        watched.ask(1, ROWS, text="rows", moment=noon),
        watched.ask(1, TEXT, text="beside"),
    )

    assert list(answers) == [[["times", [noon]]], [["rows", [(noon,)]]], [["beside"]]]
    assert len(watched.ran) == 2
    assert TIMES in watched.ran


async def test_an_error_is_that_of_whose_it_is(watched: Watched) -> None:
    answers = await asyncio.gather(
        watched.ask(1, TEXT, text="first"),
        watched.ask(1, REST, by=0),
        watched.ask(2, REST, by=4),
        watched.ask(1, TEXT, text="last"),
        return_exceptions=True,
    )

    assert isinstance(answers[1], asyncpg.DivisionByZeroError)
    assert [answers[0], answers[2], answers[3]] == [[["first"]], [["3"]], [["last"]]]


@pytest.mark.parametrize("leaver", [0, 1])
async def test_who_leaves_takes_nothing_from_the_others(watched: Watched, leaver: int) -> None:
    asking = [asyncio.ensure_future(watched.ask(n, TEXT, text=str(n))) for n in range(3)]
    await asyncio.sleep(0)

    asking[leaver].cancel()
    answers = await asyncio.gather(*asking, return_exceptions=True)

    stayed = [n for n in range(3) if n != leaver]
    assert isinstance(answers[leaver], asyncio.CancelledError)
    assert [answers[n] for n in stayed] == [[[str(n)]] for n in stayed]


async def test_when_all_have_left_the_statement_is_cancelled(watched: Watched) -> None:
    asking = [asyncio.ensure_future(watched.ask(n, SLEEP, seconds=100)) for n in range(2)]
    async with asyncio.timeout(20):
        while not watched.ran:
            await asyncio.sleep(0.01)

    for each in asking:
        each.cancel()
    await asyncio.gather(*asking, return_exceptions=True)
    async with asyncio.timeout(20):
        while not watched.cancelled:
            await asyncio.sleep(0.01)

    assert len(watched.ran) == 1
    assert await watched.ask(1, TEXT, text="goes on") == [["goes on"]]
