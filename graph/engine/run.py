"""One execution of a plan: level by level, all objects of a level together, independent fields at the same time.

Resolving and writing are apart. Resolvers run once, level by level, and their answers are kept. Then the
response is written from the leaves up, a level at a time, by generated code. Where an answer is irregular (an
error, a null or a type where none may be) the careful way writes the response instead, from the same answers.
"""

import asyncio
from collections.abc import Coroutine, Iterator, Sequence
from functools import lru_cache
from itertools import chain, islice
from types import GeneratorType
from typing import TYPE_CHECKING, Any

from graphql import GraphQLError, GraphQLObjectType, GraphQLResolveInfo
from graphql.execution import VariableValues
from graphql.pyutils import Path, is_awaitable

from graph.engine import careful
from graph.engine.info import Info
from graph.engine.outline import Fragment
from graph.engine.plan import Field, Selection, Shape
from graph.engine.resolution import Attribute, Batch, Call, Computed

if TYPE_CHECKING:
    from graph.engine.document import Operation

Pending = list[Coroutine[Any, Any, None]]


class Level:
    """All objects at one place of the response that are of one type, and what their fields were resolved to.

    `answers` are in the order of the selection's steps: for each an answer for each parent, or an exception.
    """

    __slots__ = ("answers", "field", "found", "parents", "paths", "selection", "shapes", "up")

    def __init__(
        self, selection: Selection, parents: Sequence[Any], up: "Level | None", field: Field | None
    ) -> None:
        self.selection = selection
        self.parents = parents
        self.up = up
        self.field = field
        """Whose answers, in the level above, these objects are."""
        steps = len(selection.steps)
        self.answers: list[Sequence[Any]] = [()] * steps
        self.found: list[Found | None] = [None] * steps
        # Of the careful way: the shapes of all fields, and where the objects are.
        self.shapes: list[list[Any]] = []
        self.paths: dict[int, Path | None] | None = None

    def forget(self) -> None:
        """Let go of the levels below, which point back here.

        A response's objects are then freed at once and their memory is used again while it is warm; as a cycle
        they would wait for the garbage collector.
        """
        for found in self.found:
            if found is not None:
                for below in found.levels.values():
                    below.forget()
        self.answers, self.found, self.shapes = [], [], []


class Found:
    """The objects in a step's answers, as levels of one type each.

    `types` are the types of the objects in order where there is more than one level. `shapes` are set by the
    careful way only. `fragments` are the answers themselves where they are written already.
    """

    __slots__ = ("fragments", "levels", "shapes", "types")

    def __init__(
        self,
        levels: dict[GraphQLObjectType, Level],
        types: list[GraphQLObjectType] | None = None,
        shapes: list[Any] | None = None,
        fragments: Sequence[Any] | None = None,
    ) -> None:
        self.fragments = fragments
        self.levels = levels
        self.types = types
        self.shapes = shapes


class Run:
    """The state of one execution."""

    __slots__ = (
        "_sourced",
        "coerced",
        "context",
        "errors",
        "is_careful",
        "operation",
        "parted",
        "raw",
        "root_value",
        "weight",
    )

    def __init__(
        self,
        operation: "Operation",
        root_value: Any,
        context: Any,
        coerced: dict[str, Any],
        raw: dict[str, Any],
    ) -> None:
        self.operation = operation
        self.root_value = root_value
        self.context = context
        self.coerced = coerced
        self.raw = raw
        self.errors: list[GraphQLError] = []
        self.is_careful = False
        self.weight = 0
        """Of all objects that were answered, each as much as its field says."""
        self.parted: list[Level] = []
        """Those whose objects have deferred fragments."""
        self._sourced: VariableValues | None = None

    def sourced(self) -> VariableValues:
        """The variables as graphql-core passes them around."""
        if self._sourced is None:
            self._sourced = self.operation.variables.sourced(self.raw)
        return self._sourced

    async def root(self, selection: Selection) -> dict[str, Any] | None:
        """The response's data, or None where an error reached the root."""
        level = Level(selection, (self.root_value,), None, None)
        try:
            written = await self.written(level)
            return await careful.write(self, level) if written is None else written[0]
        finally:
            if not self.parted:
                level.forget()

    async def written(self, level: Level) -> list[dict[str, Any]] | None:
        """Resolve what is under a level's objects and write them; None where the careful way has to do that."""
        self.is_careful = False
        pending: Pending = []
        self._begin(level, pending)
        if pending:
            await settled(pending)
        if not self.is_careful:
            try:
                return write(level)
            except Exception:  # noqa: BLE001, S110 - the careful way finds out what and where
                pass
        return None

    def _begin(self, level: Level, pending: Pending) -> None:
        """Resolve a level's fields; what has to be awaited is added to `pending`."""
        if level.field is not None:
            self.weight += level.field.weight * len(level.parents)
        if level.selection.is_parted:
            self.parted.append(level)
        turns = level.selection.turns
        if len(turns) == 1:
            self._begin_steps(level, turns[0], pending)
        else:
            pending.append(self._begin_in_turn(level, turns))

    async def _begin_in_turn(self, level: Level, turns: Sequence[Sequence[int]]) -> None:
        for steps in turns:
            pending: Pending = []
            self._begin_steps(level, steps, pending)
            if pending:
                await settled(pending)

    def _begin_steps(self, level: Level, steps: Sequence[int], pending: Pending) -> None:
        for i in steps:
            field = level.selection.steps[i]
            resolution = field.resolution
            if isinstance(resolution, Batch):
                pending.append(self._load(level, i, field, resolution))
                continue
            answers = self._resolved(level, field)
            if has_awaitables(answers):
                pending.append(self._awaited(level, i, field, answers))
            else:
                self.arrive(level, i, field, answers, pending)

    def _resolved(self, level: Level, field: Field) -> list[Any]:
        """The answers of a field that is no batch; exceptions stand for themselves."""
        parents = level.parents
        try:
            arguments = self.arguments(field)
        except GraphQLError as error:
            return [error] * len(parents)
        if isinstance(field.resolution, Attribute | Computed):
            return self.read(level, field)
        if isinstance(field.resolution, Call):
            function, info = field.resolution.function, self.info(field)
            return [_caught(function, parent, info, **arguments) for parent in parents]
        resolve = field.definition.resolve or self.operation.engine.field_resolver
        return [
            _caught(resolve, parent, self.resolve_info(level, field, i), **arguments)
            for i, parent in enumerate(parents)
        ]

    def read(self, level: Level, field: Field) -> list[Any]:
        """What an attribute or a computed field is for each parent; exceptions stand for themselves."""
        parents = level.parents
        if isinstance(field.resolution, Computed):
            function = field.resolution.function
        else:
            assert isinstance(field.resolution, Attribute)  # noqa: S101 - these two are read
            function = level.selection.reader_of(field.resolution, parents)
        try:
            return list(map(function, parents))
        except Exception:  # noqa: BLE001 - which one it was is found by asking each
            return [_caught(function, parent) for parent in parents]

    async def _awaited(self, level: Level, i: int, field: Field, answers: list[Any]) -> None:
        if len(answers) == 1:
            try:
                answers = [await answers[0]]
            except Exception as error:  # noqa: BLE001 - it becomes the field's error
                answers = [error]
        else:
            answers = await gathered(answers)
        pending: Pending = []
        self.arrive(level, i, field, answers, pending)
        answers = []  # Errors among them hold on to this frame.
        if pending:
            await settled(pending)

    async def _load(self, level: Level, i: int, field: Field, batch: Batch) -> None:
        answers: Sequence[Any]
        try:
            arguments = self.arguments(field)
            answers = await batch.load(level.parents, self.info(field), **arguments)
            if len(answers) != len(level.parents):
                name = getattr(batch.load, "__qualname__", "load")
                raise RuntimeError(f"{name} answered {len(answers)} for {len(level.parents)}")
        except Exception as error:  # noqa: BLE001 - every parent gets it
            answers = [error] * len(level.parents)
        pending: Pending = []
        self.arrive(level, i, field, answers, pending)
        answers = ()  # Errors among them hold on to this frame.
        if pending:
            await settled(pending)

    def arrive(
        self, level: Level, i: int, field: Field, answers: Sequence[Any], pending: Pending
    ) -> None:
        """Keep a field's answers and begin the levels below."""
        level.answers[i] = answers
        if field.is_leaf:
            return
        found = regular(level, field, answers)
        if found is None:
            self.is_careful = True
            careful.find(self, level, i, field, answers, pending)
            return
        level.found[i] = found
        for below in found.levels.values():
            self._begin(below, pending)

    def begin_found(self, found: Found, pending: Pending) -> None:
        for below in found.levels.values():
            self._begin(below, pending)

    def arguments(self, field: Field) -> dict[str, Any]:
        """The field's arguments; GraphQLError where they do not fit."""
        return field.arguments.values(self.coerced, self.sourced)

    def info(self, field: Field) -> Info:
        return Info(field, self)

    def resolve_info(self, level: Level, field: Field, i: int) -> GraphQLResolveInfo[Any]:
        """graphql-core's info for the parent `i` of a level."""
        operation = self.operation
        return GraphQLResolveInfo(
            field.name,
            field.nodes,
            field.type,
            field.parent_type,
            Path(careful.path(level, i), field.key, field.parent_type.name),
            operation.schema,
            operation.definitions,
            self.root_value,
            operation.node,
            self.sourced(),
            self.context,
            is_awaitable,
            None,
            careful.helpers,
        )


async def settled(pending: Pending) -> None:
    """Await all of them, at the same time where there are several. There is one at least."""
    if len(pending) == 1:
        await pending[0]
        return
    # The first needs no task of its own.
    tasks = [asyncio.ensure_future(other) for other in pending[1:]]
    try:
        await pending[0]
        for task in tasks:
            await task
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


async def gathered(values: Sequence[Any]) -> list[Any]:
    """The values with what can be awaited awaited, at the same time; exceptions stand for themselves."""
    open_ = [i for i, value in enumerate(values) if is_awaitable(value)]
    outcomes = await asyncio.gather(*[_outcome(values[i]) for i in open_])
    answers = list(values)
    for i, outcome in zip(open_, outcomes, strict=True):
        answers[i] = outcome
    return answers


async def _outcome(awaitable: Any) -> Any:
    try:
        return await awaitable
    except Exception as error:  # noqa: BLE001 - it becomes the field's error
        return error


def _caught(function: Any, *arguments: Any, **named: Any) -> Any:
    try:
        return function(*arguments, **named)
    except Exception as error:  # noqa: BLE001 - it becomes the field's error
        return error


def has_awaitables(values: Sequence[Any]) -> bool:
    """Whether any of the values can be awaited; of most their classes tell that they cannot."""
    for cls in set(map(type, values)):
        if _may_be_awaitable(cls):
            return any(map(is_awaitable, values))
    return False


@lru_cache(maxsize=10_000)
def _may_be_awaitable(cls: type) -> bool:
    return issubclass(cls, GeneratorType) or hasattr(cls, "__await__")


def regular(level: Level, field: Field, answers: Sequence[Any]) -> Found | None:
    """The objects in the answers, if these are as the type says and their classes tell all; else None."""
    if answers and answers[0].__class__ is Fragment:
        return Found({}, fragments=answers) if set(map(type, answers)) == {Fragment} else None
    shape = field.shape
    while shape.item is not None:
        rows = _lists(shape, answers)
        if rows is None:
            return None
        answers = rows[0] if len(rows) == 1 else list(chain.from_iterable(rows))
        shape = shape.item
    classes = set(map(type, answers))
    if not classes <= field.accepted and not field.accepts(classes):
        return None
    if _NONE in classes:
        answers = [answer for answer in answers if answer is not None]
    if not answers:
        return Found({})
    if isinstance(field.named_type, GraphQLObjectType):
        type_ = field.named_type
        return Found({type_: Level(field.selection(type_), answers, level, field)})
    order = [field.types[answer.__class__] for answer in answers]
    levels: dict[GraphQLObjectType, Level] = {}
    for type_ in dict.fromkeys(order):
        objects = [answer for answer, its in zip(answers, order, strict=True) if its is type_]
        levels[type_] = Level(field.selection(type_), objects, level, field)
    return Found(levels, order if len(levels) > 1 else None)


def _lists(shape: Shape, answers: Sequence[Any]) -> Sequence[Any] | None:
    """Those of the answers that are lists, if the others are nulls that may be; else None."""
    classes = set(map(type, answers))
    if classes <= _LISTS:
        return answers
    if shape.required or not classes <= _LISTS_OR_NONE:
        return None
    return [answer for answer in answers if answer is not None]


_NONE = type(None)
_LISTS = {list, tuple}
_LISTS_OR_NONE = {*_LISTS, _NONE}


def write(level: Level) -> list[dict[str, Any]]:
    """The objects of a level as they are in the response; raises where something is irregular."""
    selection = level.selection
    columns = [
        answers if found is None else _arranged(field, answers, found)
        for field, answers, found in zip(selection.steps, level.answers, level.found, strict=True)
    ]
    parents = level.parents
    if not columns and len(parents) > 1:
        # What many point at, as fifty messages at three sources, is written once.
        distinct = {id(parent): parent for parent in parents}
        if len(distinct) < len(parents):
            objects = list(distinct.values())
            built = selection.build(objects, selection.reader(objects), columns)
            written = dict(zip(distinct, built, strict=True))
            return [written[id(parent)] for parent in parents]
    return selection.build(parents, selection.reader(parents), columns)


def _arranged(field: Field, answers: Sequence[Any], found: Found) -> Sequence[Any]:
    """What was written of the objects in the answers, in the places where the answers have them."""
    if found.fragments is not None:
        return found.fragments
    written = {type_: write(below) for type_, below in found.levels.items()}
    if found.types is not None:
        sources = {type_: iter(objects) for type_, objects in written.items()}
        flat = [next(sources[type_]) for type_ in found.types]
    else:
        flat = next(iter(written.values()), [])
    depth = field.shape.depth
    if depth == 0:
        return flat if len(flat) == len(answers) else _placed(answers, iter(flat), 0)
    if depth == 1 and len(answers) == 1 and answers[0] is not None and len(flat) == len(answers[0]):
        return [flat]
    objects = iter(flat)
    if depth == 1 and field.shape.innermost_required:
        return [
            None if answer is None else list(islice(objects, len(answer))) for answer in answers
        ]
    return _placed(answers, objects, depth)


def _placed(answers: Sequence[Any], objects: Iterator[Any], depth: int) -> list[Any]:
    if depth == 0:
        return [None if answer is None else next(objects) for answer in answers]
    return [None if answer is None else _placed(answer, objects, depth - 1) for answer in answers]
