"""Reads that are asked for at the same moment, as one statement: a wait for each level of an operation, not each field.

What waiting for Postgres costs (system calls, two processes woken) is several times what a small statement does. So
the statements that one operation asks for in the same turn of the event loop go as one, whose row has the rows of
each as an array; and where several operations ask for the same statements in the same turn, theirs go as one, too.
Each statement keeps its own predicates and parameters, and each asker gets its own rows or its own error.
"""

import asyncio
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Generic, Protocol

import asyncpg

from persistence.statement import R, Record, Statement, record_of

MOST_TOGETHER = 16
"""Statements in one round trip."""
_PARAMETER = re.compile(r"\$(\d+)")

Arguments = tuple[Any, ...]


class Runs(Protocol):
    """What runs a statement on a connection of its own."""

    async def __call__(self, statement: Any, arguments: Arguments) -> list[Any]: ...


class _Part(Generic[R]):
    """A statement as a column of another."""

    __slots__ = ("_names", "_record", "parameters", "text")

    def __init__(self, statement: Statement[R], first: int) -> None:
        def moved(match: re.Match[str]) -> str:
            return f"${int(match[1]) + first}"

        text = _PARAMETER.sub(moved, statement.text)
        self.text = f"ARRAY(SELECT ROW(t.*) FROM (\n{text}\n) AS t)"  # noqa: S608 - of our statements
        self._names = statement.names
        self._record: Callable[..., R] = record_of(dict, statement.row, statement.names)

    def rows(self, values: Sequence[Arguments]) -> list[R]:
        return [self._record(zip(self._names, row, strict=True)) for row in values]


class Together:
    """Several statements as one, which can be prepared like any other."""

    __slots__ = ("_parts", "planned_by_value", "record", "text")

    def __init__(self, statements: Sequence[Statement[Any]]) -> None:
        first = 0
        self._parts = []
        for statement in statements:
            self._parts.append(_Part(statement, first))
            first += statement.parameters
        columns = [f"{part.text} AS part{i}" for i, part in enumerate(self._parts)]
        self.text = f"SELECT {', '.join(columns)}"
        self.planned_by_value = False
        self.record = asyncpg.Record

    def rows(self, row: Sequence[Any]) -> list[list[Record]]:
        """Those of each statement."""
        return [part.rows(values) for part, values in zip(self._parts, row, strict=True)]


_together = lru_cache(maxsize=512)(Together)


class _Ask:
    """A statement that somebody waits for."""

    __slots__ = ("arguments", "future", "operation", "statement")

    future: "asyncio.Future[list[Any]]"
    """Of its rows. Who asks alone needs none."""

    def __init__(self, operation: object, statement: Statement[Any], arguments: Arguments) -> None:
        self.operation = operation
        self.statement = statement
        self.arguments = arguments

    def wait(self) -> "asyncio.Future[list[Any]]":
        """Begin to wait for the rows."""
        self.future = asyncio.get_running_loop().create_future()
        return self.future

    def answer(self, rows: list[Any]) -> None:
        if not self.future.done():
            self.future.set_result(rows)

    def fail(self, error: Exception) -> None:
        if not self.future.done():
            self.future.set_exception(error)


class Joint:
    """Gathers what is asked for in one turn of the event loop, and runs it in as few round trips as may be."""

    def __init__(self, run: Runs) -> None:
        self._run = run
        self._asked: list[_Ask] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def fetch(
        self, operation: object, statement: Statement[R], arguments: Arguments
    ) -> list[R]:
        """All rows. `operation` is whatever is the same for statements that are likely to come together again."""
        if not statement.is_joinable:
            return await self._run(statement, arguments)
        ask = _Ask(operation, statement, arguments)
        self._asked.append(ask)
        if len(self._asked) > 1:
            return await ask.wait()
        try:
            await asyncio.sleep(0)  # the others ask
        except BaseException:
            self._asked.remove(ask)
            self._start()
            raise
        if len(self._asked) == 1:
            self._asked = []
            return await self._run(statement, arguments)
        rows = ask.wait()
        # Other operations have asked, too, and the rest of what they want is asked for in the next turn.
        asyncio.get_running_loop().call_soon(self._start)
        return await rows

    def _start(self) -> None:
        """Run what was asked: statements of an operation together, and the same ones of several operations."""
        asked, self._asked = self._asked, []
        by_operation: dict[int, list[_Ask]] = {}
        for ask in asked:
            if not ask.future.done():
                by_operation.setdefault(id(ask.operation), []).append(ask)
        by_shape: dict[tuple[Statement[Any], ...], list[_Ask]] = {}
        for asks in by_operation.values():
            asks.sort(key=lambda ask: id(ask.statement))  # whoever came first this time
            for start in range(0, len(asks), MOST_TOGETHER):
                part = asks[start : start + MOST_TOGETHER]
                by_shape.setdefault(tuple(ask.statement for ask in part), []).extend(part)
        for shape, asks in by_shape.items():
            while asks:
                # A few sizes, so that there are few texts to prepare.
                times = 1
                while times * 2 * len(shape) <= min(len(asks), MOST_TOGETHER):
                    times *= 2
                count = times * len(shape)
                self._go(asks[:count])
                del asks[:count]

    def _go(self, asks: list[_Ask]) -> None:
        task = asyncio.ensure_future(self._answer(asks))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        left = len(asks)

        def on_done(_: object) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                task.cancel()  # nobody waits any more

        for ask in asks:
            ask.future.add_done_callback(on_done)

    async def _answer(self, asks: Sequence[_Ask]) -> None:
        if len(asks) > 1:
            together = _together(tuple(ask.statement for ask in asks))
            arguments = tuple(value for ask in asks for value in ask.arguments)
            try:
                (row,) = await self._run(together, arguments)
            except asyncpg.PostgresError:
                await self._answer_each(asks)  # Whose it is shows when each is run by itself.
            except Exception as error:  # noqa: BLE001 - it is everybody's
                for ask in asks:
                    ask.fail(error)
            else:
                for ask, rows in zip(asks, together.rows(row), strict=True):
                    ask.answer(rows)
        else:
            await self._answer_each(asks)

    async def _answer_each(self, asks: Sequence[_Ask]) -> None:
        for ask in asks:
            try:
                ask.answer(await self._run(ask.statement, ask.arguments))
            except Exception as error:  # noqa: BLE001 - it is the asker's
                ask.fail(error)
