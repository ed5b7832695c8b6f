"""One connection to Postgres, and the statements that are prepared on it."""

import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar, cast

import asyncpg

from persistence.statement import R, Statement
from telemetry import trace
from telemetry.trace import Kind

if TYPE_CHECKING:
    from asyncpg.prepared_stmt import PreparedStatement

T = TypeVar("T")

MOST_PREPARED = 512
_BY_VALUE = "SET plan_cache_mode = auto"
_FOR_ALL_VALUES = "SET plan_cache_mode = force_generic_plan"
_VERB = re.compile(r"\b(SELECT|INSERT|UPDATE|DELETE|BEGIN|COMMIT|ROLLBACK|SET)\b")
_TABLE = re.compile(r"\b(?:FROM|INTO|UPDATE) +(\w+)")
_LITERAL = re.compile(r"'[^']*'")


class Connection:
    """Runs statements, one at a time.

    Each is prepared when it is first met and kept while it is among the latest used, which costs less than
    asyncpg's own cache. Behind a proxy that shares servers between clients nothing is prepared.
    """

    __slots__ = (
        "_busy",
        "_driver",
        "_on_outdated",
        "_plans_by_value",
        "_prepared",
        "idle_since",
        "prepares",
    )

    def __init__(
        self,
        driver: "asyncpg.Connection[asyncpg.Record]",
        *,
        prepares: bool,
        on_outdated: Callable[[], None],
    ) -> None:
        self._driver = driver
        self.prepares = prepares
        self._prepared: OrderedDict[Statement[Any], PreparedStatement[Any]] = OrderedDict()
        self._on_outdated = on_outdated
        self._plans_by_value: bool | None = None  # as Postgres is configured
        self._busy = False
        self.idle_since = 0.0

    @property
    def is_closed(self) -> bool:
        return self._driver.is_closed()

    @property
    def is_reusable(self) -> bool:
        """Whether the next user finds it as good as new: no statement running, no transaction open."""
        driver = self._driver
        return not (self._busy or driver.is_closed() or driver.is_in_transaction())

    def fetch(
        self, statement: Statement[R], arguments: tuple[Any, ...]
    ) -> Coroutine[Any, Any, list[R]]:
        """All rows."""
        fetching = self._fetch(statement, arguments)
        return _traced(statement.text, fetching) if trace.is_on() else fetching

    async def _fetch(self, statement: Statement[R], arguments: tuple[Any, ...]) -> list[R]:
        if self._busy:
            raise asyncpg.InterfaceError("another statement is running on this connection")
        self._busy = True
        try:
            if not self.prepares:
                rows = await self._driver.fetch(
                    statement.text, *arguments, record_class=statement.record
                )
                return cast("list[R]", rows)
            if statement.planned_by_value is not self._plans_by_value:
                await self.plan(by_value=statement.planned_by_value)
            prepared = self._prepared.get(statement)
            if prepared is None:
                prepared = await self._prepare(statement)
            else:
                self._prepared.move_to_end(statement)
            return cast("list[R]", await self._rows(prepared, arguments))
        except (asyncpg.InvalidCachedStatementError, asyncpg.OutdatedSchemaCacheError) as error:
            # The schema changed under the prepared statement. Postgres says so before it runs anything, but
            # asyncpg finds out only from the rows.
            self._on_outdated()
            if isinstance(error, asyncpg.OutdatedSchemaCacheError):
                await self._driver.reload_schema_state()
            if isinstance(error, asyncpg.OutdatedSchemaCacheError) or not self._is_between():
                raise
            prepared = await self._prepare(statement)
            return cast("list[R]", await self._rows(prepared, arguments))
        finally:
            self._busy = False

    def _rows(self, prepared: Any, arguments: tuple[Any, ...]) -> Awaitable[Any]:
        """What `prepared.fetch(*arguments)` comes to, seven calls later: short requests notice them."""
        protocol = cast("Any", self._driver)._protocol  # noqa: SLF001
        rows: Awaitable[Any] = protocol.bind_execute(prepared._state, arguments, "", 0, False, None)  # noqa: SLF001
        return rows

    def execute(self, text: str, *arguments: Any) -> Coroutine[Any, Any, str]:
        """Run one SQL text; answers its command tag. Without arguments it is a single message."""
        executing = self._execute(text, *arguments)
        return _traced(text, executing) if trace.is_on() else executing

    async def _execute(self, text: str, *arguments: Any) -> str:
        if self._busy:
            raise asyncpg.InterfaceError("another statement is running on this connection")
        self._busy = True
        try:
            return await self._driver.execute(text, *arguments)
        finally:
            self._busy = False

    async def plan(self, *, by_value: bool) -> None:
        """Let Postgres keep one plan a statement from now on, or plan anew where values promise a cheaper one.

        Left to itself it plans most of ours anew each time, which costs it more than to run them.
        """
        # A rollback would take it back.
        if self.prepares and not self._driver.is_in_transaction():
            await self._driver.execute(_BY_VALUE if by_value else _FOR_ALL_VALUES)
            self._plans_by_value = by_value

    def forget_prepared(self) -> None:
        """Prepare every statement anew when it is next met."""
        self._prepared.clear()

    async def close(self, seconds: float) -> None:
        """Say goodbye to Postgres."""
        await self._driver.close(timeout=seconds)

    def terminate(self) -> None:
        """Drop the connection at once."""
        self._driver.terminate()

    def _is_between(self) -> bool:
        return not (self._driver.is_closed() or self._driver.is_in_transaction())

    async def _prepare(self, statement: Statement[Any]) -> "PreparedStatement[Any]":
        prepared = await self._driver.prepare(statement.text, record_class=statement.record)
        self._prepared[statement] = prepared
        if len(self._prepared) > MOST_PREPARED:
            self._prepared.popitem(last=False)
        return prepared


async def _traced(text: str, work: Coroutine[Any, Any, T]) -> T:
    """The statement as a span. Values come as parameters, but for a few that SET takes as texts."""
    told = {"db__system__name": "postgresql", "db__query__text": _LITERAL.sub("'?'", text)}
    with trace.part(_name(text), Kind.CLIENT, **told):
        return await work


def _name(text: str) -> str:
    """What a statement does, and to which table first, as spans are to be named: of these there are few."""
    verb = _VERB.search(text)
    of = _TABLE.search(text)
    return " ".join(found[1] for found in (verb, of) if found is not None) or "SQL"
