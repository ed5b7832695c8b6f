"""How the fields of our types are resolved: from a column, computed from columns, or for a level at once.

    async def _source(parents: Sequence[Row], info: Info) -> Sequence[Source]: ...

    @strawberry.type
    @rows(Row)
    class Feedback:
        body: str                                                        # the row's column
        id: strawberry.ID = column("id", _write_id)                      # the column, converted
        author: Author | None = computed(_author, reads=("name",))       # from several columns
        source: Source = batch(_source, reads=("source_id",))            # all parents in one call

A batch resolver gets the parents of one level of one operation in one call, with the field's arguments as
keyword arguments, and answers in their order. An answer that is an exception fails its own parent only.
`reads` are the columns that a resolver looks at: what nothing looks at is not read from the database. What all
parents have as their attribute `brought`, because it came with them, is not read again. An
ordinary Strawberry resolver still works; it is called once for each object, and reads any column.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Hashable, Sequence
from functools import wraps
from operator import attrgetter
from typing import Any, TypeVar

import strawberry
from strawberry.extensions import FieldExtension

from graph.engine import RESOLUTION, SPELLING, Attribute, Batch, Computed

Load = Callable[..., Awaitable[Sequence[Any]]]
T = TypeVar("T")
R = TypeVar("R")

ROWS = "__rows__"


class Batches:
    """Collects the parents of each field of one operation until all of a level have asked."""

    __slots__ = ("_open",)

    def __init__(self) -> None:
        self._open: dict[tuple[Any, ...], list[tuple[Any, asyncio.Future[Any]]]] = {}

    def load(self, load: Load, parent: Any, info: Any, arguments: dict[str, Any]) -> Any:
        """A future of this parent's answer. Parents that ask in one turn of the loop share one call."""
        loop = asyncio.get_running_loop()
        # Parents reached by the same response keys are of one field with the same arguments.
        key = (load, *(part for part in info.path.as_list() if isinstance(part, str)))
        waiting = self._open.get(key)
        if waiting is None:
            waiting = self._open[key] = []
            loop.call_soon(self._dispatch, key, load, info, arguments)
        answer = loop.create_future()
        waiting.append((parent, answer))
        return answer

    def _dispatch(self, key: tuple[Any, ...], load: Load, info: Any, args: dict[str, Any]) -> None:
        waiting = self._open.pop(key)
        task = asyncio.ensure_future(_run(load, waiting, info, args))
        for _, answer in waiting:
            # A cancelled operation takes its statement with it.
            answer.add_done_callback(lambda future: task.cancel() if future.cancelled() else None)


async def _run(
    load: Load, waiting: list[tuple[Any, asyncio.Future[Any]]], info: Any, arguments: dict[str, Any]
) -> None:
    try:
        answers = await load([parent for parent, _ in waiting], info, **arguments)
        if len(answers) != len(waiting):
            raise RuntimeError(f"{load.__qualname__} answered {len(answers)} for {len(waiting)}")
    except Exception as error:  # noqa: BLE001 - every parent gets it
        answers = [error] * len(waiting)
    for (_, future), answer in zip(waiting, answers, strict=True):
        if future.done():
            continue
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(answer)


def batch(
    load: Load,
    *,
    reads: tuple[str, ...] | None = None,
    brought: str | None = None,
    first: bool = False,
    access: FieldExtension | None = None,
    description: str | None = None,
    graphql_type: Any = None,
    directives: Sequence[object] = (),
    spelling: Hashable = None,
) -> Any:
    """A field resolved for all parents of a level at once by `load(parents, info, **arguments)`.

    Unless they were all brought along with the parents, which then have them as their attribute `brought`. `first`:
    before the other fields beside it are begun. `access` says who may use it (graph/access.py). `spelling` is how
    Postgres may write it (persistence/spelling.py).
    """
    if brought is not None:
        load = _unless_brought(load, brought)

    async def resolve(root: Any, info: strawberry.Info, **arguments: Any) -> Any:
        return await info.context.batches.load(load, root, info, arguments)

    signature = inspect.signature(load)
    parameters = list(signature.parameters.values())[2:]
    resolve.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # read by Strawberry
        [
            inspect.Parameter("root", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Any),
            inspect.Parameter(
                "info", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=strawberry.Info
            ),
            *(p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in parameters),
        ]
    )
    resolve.__name__ = load.__name__
    resolve.__module__ = load.__module__
    return strawberry.field(
        resolver=resolve,
        description=description,
        graphql_type=graphql_type,
        extensions=[] if access is None else [access],
        directives=directives,
        metadata={RESOLUTION: Batch(load, reads, first), SPELLING: spelling},
    )


def _unless_brought(load: Load, name: str) -> Load:
    read = attrgetter(name)

    @wraps(load)
    async def loaded(parents: Sequence[Any], info: Any, **arguments: Any) -> Sequence[Any]:
        answers = list(map(read, parents))
        return await load(parents, info, **arguments) if None in answers else answers

    return loaded


def column(
    name: str,
    convert: Callable[[Any], R],
    *,
    access: FieldExtension | None = None,
    description: str | None = None,
    graphql_type: Any = None,
    spelling: Hashable = None,
) -> Any:
    """A field that is the parent's attribute `name`, converted by a pure function unless it is None."""

    def resolve(root: strawberry.Parent[Any]) -> Any:
        value = getattr(root, name)
        return None if value is None else convert(value)

    return strawberry.field(
        resolver=resolve,
        description=description,
        graphql_type=graphql_type,
        extensions=[] if access is None else [access],
        metadata={RESOLUTION: Attribute(name, convert), SPELLING: spelling},
    )


def computed(
    function: Callable[..., Any],
    *,
    reads: tuple[str, ...] | None = None,
    description: str | None = None,
    graphql_type: Any = None,
    spelling: Hashable = None,
) -> Any:
    """A field computed by `function(root)`, which is pure and may be called more than once, or `(root, info)`."""
    return strawberry.field(
        resolver=function,
        description=description,
        graphql_type=graphql_type,
        metadata={RESOLUTION: Computed(function, reads), SPELLING: spelling},
    )


def rows(*classes: type) -> Callable[[type[T]], type[T]]:
    """Says that a type's objects are instances of these classes, and that no other type's are."""

    def declare(cls: type[T]) -> type[T]:
        def is_type_of(value: object, _info: object) -> bool:
            return isinstance(value, classes)

        setattr(cls, ROWS, classes)
        cls.is_type_of = staticmethod(is_type_of)  # type: ignore[attr-defined]  # read by Strawberry
        return cls

    return declare
