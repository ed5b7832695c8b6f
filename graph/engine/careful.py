"""The careful way: what graphql-core does with answers of any kind, in its order, with its errors.

First every answer gets a shape: what of it is a list, an object of which level, an error. That may have to
await. Then the response is completed depth first from the shapes: nulls propagate, errors are collected.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from graphql import (
    GraphQLError,
    GraphQLObjectType,
    GraphQLResolveInfo,
    Undefined,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    located_error,
)
from graphql.execution import Executor
from graphql.execution.executor import invalid_return_type_error
from graphql.pyutils import Path, gather_with_cancel, is_async_iterable, is_awaitable, is_iterable
from graphql.type import GraphQLResolveInfoHelpers

from graph.engine import run as running
from graph.engine.outline import Fragment
from graph.engine.plan import Field

if TYPE_CHECKING:
    from graph.engine.run import Found, Level, Pending, Run

Put = Callable[[Any], None]

# Shapes: None, a leaf's value or what is written already as it is, or one of these.


class Fault:
    """An error in place of a value."""

    __slots__ = ("error",)

    def __init__(self, error: Exception) -> None:
        self.error = error


class Items:
    """A list's shapes, and what went wrong while it was read, after those."""

    __slots__ = ("fault", "shapes")

    def __init__(self) -> None:
        self.shapes: list[Any] = []
        self.fault: Exception | None = None


class Place:
    """An object: the one at `index` of a level."""

    __slots__ = ("index", "level")

    def __init__(self, level: "Level", index: int) -> None:
        self.level = level
        self.index = index


class Shaper:
    """Finds the shapes of one field's answers; what has to be awaited for that is a hole until it is filled."""

    def __init__(self, run: "Run", level: "Level", field: Field) -> None:
        self._run = run
        self._level = level
        self._field = field
        self._holes: list[tuple[Any, Callable[[Any], None], Put]] = []
        self.levels: dict[GraphQLObjectType, Level] = {}

    def shapes(self, answers: Sequence[Any]) -> list[Any]:
        shapes: list[Any] = [None] * len(answers)
        for i, answer in enumerate(answers):
            self._shape(self._field.type, answer, i, _setter(shapes, i))
        return shapes

    @property
    def has_holes(self) -> bool:
        return bool(self._holes)

    async def fill(self) -> None:
        """Await what has to be; each answer may leave new holes."""
        while self._holes:
            holes, self._holes = self._holes, []
            outcomes = await running.gathered([awaitable for awaitable, _, _ in holes])
            for (_, go_on, put), outcome in zip(holes, outcomes, strict=True):
                if isinstance(outcome, Exception):
                    put(Fault(outcome))
                else:
                    go_on(outcome)

    def _shape(self, type_: Any, value: Any, i: int, put: Put) -> None:
        """Put the shape of a value; `i` is the parent whose answer it is or is in."""
        if is_awaitable(value):
            self._holes.append((value, lambda outcome: self._shape(type_, outcome, i, put), put))
            return
        if isinstance(value, Exception):
            put(Fault(value))
            return
        if is_non_null_type(type_):
            type_ = type_.of_type
        if value is None or value is Undefined:
            put(None)
        elif value.__class__ is Fragment:
            put(value)
        elif is_list_type(type_):
            self._list(type_, value, i, put)
        elif is_leaf_type(type_):
            put(value)
        else:
            try:
                self._object(type_, value, i, put)
            except Exception as error:  # noqa: BLE001 - it becomes the field's error
                put(Fault(error))

    def _list(self, type_: Any, value: Any, i: int, put: Put) -> None:
        if is_async_iterable(value):
            self._holes.append(
                (
                    _collected(value, type_.of_type),
                    lambda read: self._items(type_, read, i, put),
                    put,
                )
            )
        elif is_iterable(value):
            self._items(type_, value, i, put)
        else:
            field = f"{self._field.parent_type}.{self._field.name}"
            message = f"Expected Iterable, but did not find one for field '{field}'."
            put(Fault(GraphQLError(message)))

    def _items(self, type_: Any, values: Any, i: int, put: Put) -> None:
        items = Items()
        put(items)
        try:
            for value in values:
                items.shapes.append(None)
                self._shape(type_.of_type, value, i, _setter(items.shapes, len(items.shapes) - 1))
        except Exception as error:  # noqa: BLE001 - it becomes the list's error
            items.fault = error

    def _object(self, type_: Any, value: Any, i: int, put: Put) -> None:
        info = self._run.resolve_info(self._level, self._field, i)
        if not is_abstract_type(type_):
            self._checked(type_, value, info, put)
            return
        resolve_type = type_.resolve_type or self._run.operation.engine.type_resolver
        name = resolve_type(value, info, type_)
        if is_awaitable(name):
            self._holes.append(
                (name, lambda known: self._named(type_, known, value, info, put), put)
            )
        else:
            self._named(type_, name, value, info, put)

    def _named(
        self, abstract: Any, name: Any, value: Any, info: GraphQLResolveInfo[Any], put: Put
    ) -> None:
        try:
            type_ = Executor.ensure_valid_runtime_type(
                SimpleNamespace(schema=self._run.operation.schema),  # type: ignore[arg-type]  # all it looks at
                name,
                abstract,
                self._field.details,
                info,
                value,
            )
            self._checked(type_, value, info, put)
        except Exception as error:  # noqa: BLE001 - it becomes the field's error
            put(Fault(error))

    def _checked(
        self, type_: GraphQLObjectType, value: Any, info: GraphQLResolveInfo[Any], put: Put
    ) -> None:
        is_of = type_.is_type_of(value, info) if type_.is_type_of else True
        if is_awaitable(is_of):
            self._holes.append((is_of, lambda known: self._place(type_, value, known, put), put))
        else:
            self._place(type_, value, is_of, put)

    def _place(self, type_: GraphQLObjectType, value: Any, is_of: Any, put: Put) -> None:
        if not is_of:
            put(Fault(invalid_return_type_error(type_, value, self._field.details)))
            return
        level = self.levels.get(type_)
        if level is None:
            selection = self._field.selection(type_)
            level = self.levels[type_] = running.Level(selection, [], self._level, self._field)
        level.parents.append(value)  # type: ignore[attr-defined]  # it was made above
        put(Place(level, len(level.parents) - 1))


def _setter(shapes: list[Any], i: int) -> Put:
    return lambda shape: shapes.__setitem__(i, shape)


class _Broken:
    """What an asynchronous iterable gave before it failed."""

    def __init__(self, values: list[Any], error: Exception) -> None:
        self._values = values
        self._error = error

    def __iter__(self) -> Iterator[Any]:
        yield from self._values
        raise self._error


async def _collected(values: Any, item_type: Any) -> Any:
    """The items of an asynchronous iterable, up to one that nulls the list: then it is closed."""
    read: list[Any] = []
    try:
        async for value in values:
            read.append(value)
            if is_non_null_type(item_type) and (
                value is None or value is Undefined or isinstance(value, Exception)
            ):
                await _closed(values)
                break
    except Exception as error:  # noqa: BLE001 - it becomes the list's error
        return _Broken(read, error)
    return read


async def _closed(values: Any) -> None:
    close = getattr(values, "aclose", None)
    if close is not None:
        with contextlib.suppress(Exception):
            await close()


def find(
    run: "Run", level: "Level", i: int, field: Field, answers: Sequence[Any], pending: "Pending"
) -> None:
    """Find the objects in a step's answers of any kind, and begin the levels they make."""
    shaper = Shaper(run, level, field)
    shapes = shaper.shapes(answers)
    found = level.found[i] = running.Found(shaper.levels, None, shapes)
    if shaper.has_holes:
        pending.append(_find_the_rest(run, shaper, found))
    else:
        run.begin_found(found, pending)


async def _find_the_rest(run: "Run", shaper: Shaper, found: "Found") -> None:
    await shaper.fill()
    pending: Pending = []
    run.begin_found(found, pending)
    if pending:
        await running.settled(pending)


def shapes_of(field: Field, answers: Sequence[Any], found: "Found") -> list[Any]:
    """The shapes of a step's answers, which for regular ones are made here."""
    if found.fragments is not None:
        found.shapes = list(found.fragments)
    if found.shapes is None:
        of_type = {
            type_: iter([Place(level, i) for i in range(len(level.parents))])
            for type_, level in found.levels.items()
        }
        types = found.types
        if types is None:
            places = next(iter(of_type.values()), iter(()))
        else:
            places = iter([next(of_type[type_]) for type_ in types])
        found.shapes = [_regular_shape(answer, field.shape.depth, places) for answer in answers]
    return found.shapes


def _regular_shape(answer: Any, depth: int, places: Iterator[Place]) -> Any:
    if answer is None:
        return None
    if depth == 0:
        return next(places)
    items = Items()
    items.shapes = [_regular_shape(item, depth - 1, places) for item in answer]
    return items


def path(level: "Level", i: int) -> Path | None:
    """Where in the response the object `i` of a level is; None for the root."""
    if level.paths is None:
        if level.up is None or level.field is None:
            return None
        paths: dict[int, Path | None] = {}
        step = level.up.selection.steps.index(level.field)
        found = level.up.found[step]
        assert found is not None  # noqa: S101 - this level was found in it
        shapes = shapes_of(level.field, level.up.answers[step], found)
        for parent, shape in enumerate(shapes):
            above = Path(path(level.up, parent), level.field.key, level.field.parent_type.name)
            _locate(level, shape, above, paths)
        level.paths = paths
    return level.paths[i]


def _locate(level: "Level", shape: Any, at: Path, paths: dict[int, Path | None]) -> None:
    if isinstance(shape, Place):
        if shape.level is level:
            paths[shape.index] = at
    elif isinstance(shape, Items):
        for i, item in enumerate(shape.shapes):
            _locate(level, item, at.add_key(i, None), paths)


async def write(run: "Run", root: "Level") -> dict[str, Any] | None:
    """The response's data from what was resolved, its errors added to the run's."""
    await prepare(run, root)
    try:
        return complete(run, root, 0, [])
    except GraphQLError as error:
        _without_our_frames(error)
        run.errors.append(error)
        return None


async def prepare(run: "Run", level: "Level") -> None:
    """Shape every field of a level and of those below."""
    step = 0
    for field in level.selection.fields:
        if field.is_typename:
            level.shapes.append([level.selection.type.name] * len(level.parents))
            continue
        if field.is_inline:
            level.shapes.append(await _leaf_shapes(run, level, field, run.read(level, field)))
            continue
        answers, found = level.answers[step], level.found[step]
        step += 1
        if found is None:
            level.shapes.append(await _leaf_shapes(run, level, field, answers))
            continue
        level.shapes.append(shapes_of(field, answers, found))
        for below in found.levels.values():
            await prepare(run, below)


async def _leaf_shapes(
    run: "Run", level: "Level", field: Field, answers: Sequence[Any]
) -> list[Any]:
    shaper = Shaper(run, level, field)
    shapes = shaper.shapes(answers)
    await shaper.fill()
    return shapes


def complete(run: "Run", level: "Level", i: int, at: list[str | int]) -> dict[str, Any]:
    """Complete one object of a prepared level; a GraphQLError that is raised makes it null."""
    written: dict[str, Any] = {}
    for field, shapes in zip(level.selection.fields, level.shapes, strict=True):
        here = [*at, field.key]
        try:
            written[field.key] = _complete(run, field, field.type, shapes[i], here)
        except Exception as error:  # noqa: BLE001 - it becomes the field's error
            _fail(run, field, field.type, error, here)
            written[field.key] = None
    return written


def _without_our_frames(error: Exception) -> None:
    """Take this module out of the error's traceback: its frames hold on to the whole response."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    error.__traceback__ = trace


def _fail(run: "Run", field: Field, type_: Any, error: Exception, at: list[str | int]) -> None:
    _without_our_frames(error)
    located = located_error(error, field.nodes, at)
    if is_non_null_type(type_):
        raise located
    run.errors.append(located)


def _complete(run: "Run", field: Field, type_: Any, shape: Any, at: list[str | int]) -> Any:
    if isinstance(shape, Fault):
        raise shape.error
    if is_non_null_type(type_):
        completed = _complete(run, field, type_.of_type, shape, at)
        if completed is None:
            name = f"{field.parent_type}.{field.name}"
            raise TypeError(f"Cannot return null for non-nullable field {name}.")
        return completed
    if shape is None or shape.__class__ is Fragment:
        return shape
    if is_list_type(type_):
        return _complete_items(run, field, type_.of_type, shape, at)
    if is_leaf_type(type_):
        return Executor.complete_leaf_value(type_, shape)
    return complete(run, shape.level, shape.index, at)


def _complete_items(
    run: "Run", field: Field, type_: Any, items: Items, at: list[str | int]
) -> list[Any]:
    completed: list[Any] = []
    for i, shape in enumerate(items.shapes):
        here = [*at, i]
        try:
            completed.append(_complete(run, field, type_, shape, here))
        except Exception as error:  # noqa: BLE001 - it becomes the item's error
            _fail(run, field, type_, error, here)
            completed.append(None)
    if items.fault is not None:
        raise items.fault
    return completed


_background: set[asyncio.Future[Any]] = set()


def _track(values: Sequence[Any]) -> None:
    """Let what nobody waits for any more come to its end."""
    awaitables = [value for value in values if is_awaitable(value)]
    if awaitables:
        future = asyncio.gather(*awaitables, return_exceptions=True)
        _background.add(future)
        future.add_done_callback(_background.discard)


helpers = GraphQLResolveInfoHelpers(gather=lambda values: gather_with_cancel(*values), track=_track)
