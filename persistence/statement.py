"""SQL compiled once from the SQLModel tables' metadata, and the rows it answers."""

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeGuard, TypeVar, cast
from uuid import UUID

import asyncpg
import uuid_utils.compat
from sqlalchemy import (
    ARRAY,
    Boolean,
    DateTime,
    Dialect,
    Double,
    Executable,
    Integer,
    Label,
    LargeBinary,
    Numeric,
    Select,
    String,
    Table,
    Text,
    Uuid,
    any_,
    bindparam,
    func,
    literal_column,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.functions import FunctionElement
from sqlmodel import SQLModel

_SCALARS = (Boolean, DateTime, Double, Integer, JSONB, LargeBinary, Numeric, String, Uuid)
TIMESTAMP = DateTime(timezone=True)
ENTERED = "entered_workspace"

_DIALECT: Dialect = PGDialect_asyncpg(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]


class Record:
    """A row whose selected columns are attributes; a column that was not selected raises AttributeError.

    A subclass annotates the columns that there may be; what it gives a default is no column. The rows themselves are
    asyncpg's records, or dicts where they came within another row.
    """

    COLUMNS: ClassVar[frozenset[str]] = frozenset()

    if TYPE_CHECKING:

        def __getitem__(self, name: str) -> Any: ...

        def keys(self) -> Iterable[str]: ...

        def values(self) -> Iterable[Any]: ...

        def items(self) -> Iterable[tuple[str, Any]]: ...

    else:
        # Hidden from the type checker, so that a row's declared columns are all it may ask for.
        def __init_subclass__(cls) -> None:
            declared = {name for name in inspect.get_annotations(cls) if name not in vars(cls)}
            cls.COLUMNS = cls.COLUMNS | declared
            for name in declared:
                setattr(cls, name, property(itemgetter(name)))  # ten times as fast as __getattr__

        def __getattr__(self, name: str) -> Any:
            try:
                return self[name]
            except KeyError:
                raise AttributeError(name) from None


R = TypeVar("R", bound=Record)


# The names of the columns that somebody wants of a row; None for all.
Columns = frozenset[str]

_KEYS = ("id",)
_COMPILED = frozenset(
    ("_constants", "_pick", "is_joinable", "names", "parameters", "record", "text")
)


class Statement(Generic[R]):
    """SQL text compiled once, when it is first looked at, with the order of its parameters and the class of its rows.

    `keys` are the columns that whoever runs it needs in any case. Postgres plans it once for all values, unless it is
    `planned_by_value`: where a rare value asks for another plan than a common one. It may be read together with others
    (joint.py) unless it is `lasting`: where others would wait for many rows that it looks at.
    """

    __slots__ = (
        "_constants",
        "_keys",
        "_pick",
        "_statement",
        "is_joinable",
        "lasting",
        "names",
        "parameters",
        "planned_by_value",
        "record",
        "row",
        "text",
    )

    def __init__(
        self,
        statement: Executable,
        row: type[R],
        *,
        keys: Sequence[str] = _KEYS,
        planned_by_value: bool = False,
        lasting: bool = False,
    ) -> None:
        self._statement = statement
        self._keys = keys
        self.row = row
        self.planned_by_value = planned_by_value
        self.lasting = lasting

    def _compile(self) -> None:
        statement = self._statement
        compiled = cast("SQLCompiler", statement.compile(dialect=_DIALECT))  # type: ignore[attr-defined]  # every statement we build can
        places = compiled.positiontup or ()
        names = (
            statement.selected_columns.keys()
            if isinstance(statement, Select)
            else sorted(self.row.COLUMNS)
        )
        self.text = str(compiled)
        self.names: Sequence[str] = names
        self.record: type[asyncpg.Record] = record_of(asyncpg.Record, self.row, names)
        self.parameters = len(places)
        self.is_joinable = (
            isinstance(statement, Select)
            and not (self.planned_by_value or self.lasting)
            and all(map(_is_known_anywhere, statement.selected_columns))
        )
        self._pick = _picker(places)
        self._constants = {
            name: value for name, value in compiled.params.items() if value is not None
        }

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            # Of a slot that is still empty. A process needs few of all statements, and starts the sooner without.
            if name not in _COMPILED:
                raise AttributeError(name)
            self._compile()
            return getattr(self, name)

    def arguments(self, values: Mapping[str, Any]) -> tuple[Any, ...]:
        """The positional arguments for these named values; a missing one is a KeyError."""
        return self._pick({**self._constants, **values} if self._constants else values)

    def of(self, columns: Columns | None) -> "Statement[R]":
        """The same SELECT with only these columns and the keys in its list; the others are not read."""
        return self if columns is None else _narrowed(self, columns)


@lru_cache(maxsize=1024)
def _narrowed(statement: Statement[R], columns: Columns) -> Statement[R]:
    wide = cast("Select[Any]", statement._statement)  # noqa: SLF001
    keys = statement._keys  # noqa: SLF001
    few = only(columns, wide.selected_columns, keys=keys)
    narrow = wide.with_only_columns(*few, maintain_column_froms=True)
    return Statement(
        narrow,
        statement.row,
        keys=keys,
        planned_by_value=statement.planned_by_value,
        lasting=statement.lasting,
    )


class Nested(Generic[R]):
    """Rows that come as one value in a row of another statement, and so without a round trip of their own.

    `value` selects them: only these columns, and the keys. An array among them is known to asyncpg where the other
    statement has a parameter of its type.
    """

    __slots__ = ("_names", "_row", "value")

    def __init__(
        self, of: Select[Any], row: type[R], columns: Columns, *, keys: Sequence[str] = _KEYS
    ) -> None:
        few = only(columns, of.selected_columns, keys=keys)
        self.value = array_of(of.with_only_columns(func.row(*few), maintain_column_froms=True))
        self._names = [str(entry.key) for entry in few]
        self._row: Callable[..., R] = record_of(dict, row, self._names)

    def rows(self, value: Iterable[tuple[Any, ...]]) -> list[R]:
        """The rows that were read."""
        return [self._row(zip(self._names, values, strict=True)) for values in value]


def array_of(values: Select[Any]) -> ColumnElement[Any]:
    """What a SELECT of one column answers, as an array; none of its tables is that of a SELECT around it."""
    return func.array(values.correlate(None).scalar_subquery())


def only(
    columns: Columns | None, of: Iterable[ColumnElement[Any]], *, keys: Sequence[str] = _KEYS
) -> list[ColumnElement[Any]]:
    """Those of a select list that are wanted, that are keys, or that enter a workspace; ValueError for others."""
    known = {entry.key: entry for entry in of}
    if columns is None:
        return list(known.values())
    if unknown := columns - known.keys():
        raise ValueError(f"no such columns: {', '.join(sorted(unknown))}")
    wanted = columns.union(keys, (ENTERED,))
    return [entry for name, entry in known.items() if name in wanted]


def record_of(base: type, row: type[Record], columns: Iterable[str]) -> Any:
    """The class of rows that have only these columns, on top of the class that holds their values."""
    lacking = {name: property() for name in row.COLUMNS.difference(columns)}
    return type(row.__name__, (row, base), lacking)


def _is_known_anywhere(column: ColumnElement[Any]) -> bool:
    """Whether asyncpg can read it within another row, where it asks Postgres about no types."""
    if isinstance(column, Label):
        return _is_known_anywhere(column.element)
    if _is_call(column, "array"):
        # Nested rows are of the type that rows which are read together have themselves.
        (values,) = column.clauses
        return all(_is_call(each, "row") for each in values.element.selected_columns)
    return isinstance(column.type, _SCALARS)


def _is_call(column: Any, name: str) -> TypeGuard[FunctionElement[Any]]:
    return isinstance(column, FunctionElement) and getattr(column, "name", None) == name


def _picker(names: Sequence[str]) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    if len(names) > 1:
        return itemgetter(*names)
    return lambda values: tuple(values[name] for name in names)


def table(model: type[SQLModel]) -> Table:
    """The SQLAlchemy table behind a SQLModel class."""
    return cast("Table", model.__table__)  # type: ignore[attr-defined]  # SQLModel adds it to table models


def given(*columns: str, **parameters: str) -> dict[str, ColumnElement[Any]]:
    """Values for an INSERT: columns given by parameters of their own names, or of the names said."""
    names = dict(zip(columns, columns, strict=True)) | parameters
    return {column: bindparam(parameter) for column, parameter in names.items()}


def one_of(column: ColumnElement[Any], parameter: str) -> ColumnElement[bool]:
    """`column = ANY($parameter)`: one statement text, however many values there are."""
    return column == any_(bindparam(parameter, type_=ARRAY(column.type)))


def new_id() -> UUID:
    """A UUIDv7: time-ordered, so that new rows land at the end of every index."""
    return uuid_utils.compat.uuid7()


def enter_workspace(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """A select-list entry that opens row-level security for that row's workspace until the transaction ends.

    The statement that proves membership opens the second wall with it, so that it costs no round trip.
    """
    return func.set_config(
        literal_column("'earful.workspace_id'"), sql_cast(column, Text), literal_column("true")
    ).label(ENTERED)
