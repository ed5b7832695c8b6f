"""Executes what the tests execute a second time, by graphql-core, which must come to the same answer.

Replayed: each query, mutation and event of a subscription. While the engine runs, what the resolvers answer or
raise is kept; then graphql-core executes the same document and variables on a schema whose resolvers give just
that. Data to the byte and errors with their messages, paths, locations and causes must be the same, in the same
order. Plain attributes and the types of objects are read by Strawberry's own code then.

Live: each query, and each mutation that was refused and so changed nothing, is also executed by graphql-core on
the Strawberry schema as it is, against the stores: Strawberry's access checks, argument conversion, exception
handlers and batches. Data and the errors' codes and paths must be the same. Where they are not, the engine runs
again: only if it repeats its answer nothing has changed meanwhile, and the difference counts.

What Postgres has written is no resolver's answer, and cannot be replayed: the engine reads the same as rows then, which
is replayed, and what was written is compared live.

Refused: variables that do not fit must be refused with the same errors.

The engine must do it all: what it leaves to graphql-core counts as a difference.

What is left out: operations that were stopped or cancelled, those that are delivered in parts, live ones that
met a masked error, and those of servers that are processes of their own.
"""

from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from copy import copy
from dataclasses import dataclass, field, replace
from functools import lru_cache, wraps
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    OperationType,
    experimental_execute_incrementally,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    is_introspection_type,
    is_leaf_type,
    print_ast,
    print_schema,
)
from graphql.type.schema import remap_named_type

from domain.errors import DomainError, InvalidCredentialsError, RateLimitedError
from graph import feedback_page
from graph.context import Context
from graph.engine import (
    RESOLUTION,
    SPELLING,
    Batch,
    Call,
    Computed,
    Engine,
    Fragment,
    Plan,
    Resolution,
    VariableErrors,
)
from graph.engine.document import Operation as CompiledOperation
from graph.errors import Conflict, Forbidden, InvalidInput, NotFound, formatted
from graph.execution import Operations
from graph.scalars import write_json

# The pages of the tests are small, and asked for once.
feedback_page.FEWEST_WRITTEN, feedback_page.SELDOM = 1, 0
_ATTEMPTS = 3
_CHANGED_NOTHING = (Conflict, Forbidden, InvalidInput, NotFound)
_COUNTED = (InvalidCredentialsError, RateLimitedError)


@dataclass(slots=True)
class Tally:
    """What was compared in this session, and what was found."""

    compared: Counter[str] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)

    def taken(self) -> list[str]:
        """The differences since they were last taken."""
        differences, self.differences = self.differences, []
        return differences

    def missing(self) -> list[str]:
        """What a run of all tests should have compared and did not."""
        return [f"less than {n} {how}" for how, n in _LEAST.items() if self.compared[how] < n]

    def __str__(self) -> str:
        return ", ".join(f"{count} {name}" for name, count in sorted(self.compared.items()))


# About four fifths of what there was when this was written.
_LEAST = {
    "live mutation": 150,
    "live query": 500,
    "refused": 20,
    "replayed mutation": 380,
    "replayed query": 500,
    "replayed subscription": 100,
    "written query": 40,
}
TALLY = Tally()


@dataclass(slots=True)
class _Kept:
    """What one resolver came to for one parent."""

    answer: Any = None
    error: Exception | None = None

    def keep(self, answer: Any) -> None:
        if isinstance(answer, Exception):
            self.error = answer
        else:
            self.answer = answer

    def give(self) -> Any:
        if self.error is not None:
            raise self.error
        return self.answer


class _Record:
    """What the resolvers came to while one operation ran, in the order of their calls."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, int, str], deque[_Kept]] = {}
        self._parents: list[Any] = []
        self._mutations: list[_Kept] = []
        self.is_of_graphql_core = False

    def has_fragments(self) -> bool:
        """Whether something was answered that was written already."""
        answers = (kept.answer for each in self._kept.values() for kept in each)
        return any(isinstance(answer, Fragment) for answer in answers)

    def new(self, coordinate: str, parent: Any, arguments: dict[str, Any]) -> _Kept:
        self._parents.append(parent)  # While it lives, its id is no other's.
        kept = _Kept()
        self._kept.setdefault(_key(coordinate, parent, arguments), deque()).append(kept)
        if coordinate.startswith("Mutation."):
            self._mutations.append(kept)
        return kept

    def next(self, coordinate: str, parent: Any, arguments: dict[str, Any]) -> _Kept:
        """The first that was not asked for yet."""
        return self._kept[_key(coordinate, parent, arguments)].popleft()

    def changed_nothing(self) -> bool:
        """Whether all mutations were refused before they had any effect."""
        return all(
            isinstance(kept.answer, _CHANGED_NOTHING)
            if kept.error is None
            else isinstance(kept.error, DomainError) and not isinstance(kept.error, _COUNTED)
            for kept in self._mutations
        )


def _key(coordinate: str, parent: Any, arguments: dict[str, Any]) -> tuple[str, int, str]:
    return coordinate, id(parent), repr(sorted(arguments.items()))


_record: ContextVar[_Record] = ContextVar("record")
"""Of the operation that this task executes."""


class BothWays(Operations):
    """Operations whose plans are executed by graphql-core too."""

    def __init__(self, schema: GraphQLSchema, **options: Any) -> None:
        super().__init__(schema, engine=_Engine, **options)


class _Engine(Engine):
    def __init__(self, strawberry: GraphQLSchema) -> None:
        recording, unspelled, self.replaying = _schemas(strawberry)
        super().__init__(recording)
        self.unspelled = Engine(unspelled)
        self.strawberry = strawberry

    def plan(self, document: DocumentNode, operation_name: str | None = None) -> Plan:
        return _Plan(CompiledOperation(self, document, operation_name), self)


class _Plan(Plan):
    """Its own answer counts; whether graphql-core comes to the same is in the tally."""

    def __init__(self, operation: CompiledOperation, engine: _Engine) -> None:
        super().__init__(operation)
        self._engine = engine

    def coerce(self, variables: dict[str, Any] | None) -> dict[str, Any]:
        try:
            return super().coerce(variables)
        except VariableErrors as refused:
            theirs = self._by_graphql_core(self._engine.replaying, None, None, variables or {})
            errors = getattr(theirs, "errors", None)
            self._compare(
                "refused", *(list(map(formatted, e or ())) for e in (refused.errors, errors))
            )
            raise

    async def run(
        self, root_value: Any, context: Any, coerced: dict[str, Any], raw: dict[str, Any]
    ) -> ExecutionResult:
        record = _Record()
        _record.set(record)
        result = read = await super().run(root_value, context, coerced, raw)
        if record.has_fragments():
            TALLY.compared[f"written {self.operation.node.operation.value}"] += 1
            assert self.operation.node.operation is OperationType.QUERY, "it would run twice"
            _record.set(_Record())
            rows = self._engine.unspelled.plan(self.operation.document, self._name)
            read = await rows.run(root_value, context.renewed(), coerced, raw)
        replayed = self._by_graphql_core(self._engine.replaying, root_value, context, raw)
        if record.is_of_graphql_core:
            return result
        self._compare(
            f"replayed {self.operation.node.operation.value}", _in_full(read), _in_full(replayed)
        )
        is_harmless = self.operation.node.operation is OperationType.QUERY or (
            self.operation.node.operation is OperationType.MUTATION and record.changed_nothing()
        )
        if is_harmless and not _is_masked(result):
            await self._run_live(context, coerced, raw, _in_short(result))
        return result

    async def deliver(self, *arguments: Any) -> Any:
        TALLY.compared["delivered in parts"] += 1
        _record.set(_Record())
        return await super().deliver(*arguments)

    async def fall_back(self, *arguments: Any) -> ExecutionResult:
        TALLY.differences.append(f"left to graphql-core:\n{print_ast(self.operation.document)}")
        _record.get().is_of_graphql_core = True
        return await super().fall_back(*arguments)

    def _by_graphql_core(
        self, schema: GraphQLSchema, root_value: Any, context: Any, raw: dict[str, Any]
    ) -> Any:
        return experimental_execute_incrementally(
            schema, self.operation.document, root_value, context, raw, self._name
        )

    @property
    def _name(self) -> str | None:
        name = self.operation.node.name
        return name.value if name else None

    async def _run_live(
        self, context: Context, coerced: dict[str, Any], raw: dict[str, Any], ours: Any
    ) -> None:
        for _ in range(_ATTEMPTS):
            theirs = self._by_graphql_core(self._engine.strawberry, None, context.renewed(), raw)
            theirs = _in_short(await theirs if isinstance(theirs, Awaitable) else theirs)
            again = ours
            if theirs != ours:
                _record.set(_Record())
                again = _in_short(await super().run(None, context.renewed(), coerced, raw))
            if again == ours:
                self._compare(f"live {self.operation.node.operation.value}", ours, theirs)
                return
            ours = again
        TALLY.compared["live and never the same"] += 1

    def _compare(self, how: str, ours: Any, theirs: Any) -> None:
        TALLY.compared[how] += 1
        if ours != theirs:
            text = print_ast(self.operation.document)
            TALLY.differences.append(f"{how}:\n{text}\nEngine: {ours}\ngraphql-core: {theirs}")


def _in_full(result: Any) -> Any:
    """Data to the byte, and all there is to know of the errors."""
    if not isinstance(result, ExecutionResult):
        return f"a resolver that is not replayed: {result}"
    errors = [
        (e.message, e.locations, e.path, type(e.original_error), str(e.original_error))
        for e in result.errors or ()
    ]
    return write_json(result.data), errors


def _in_short(result: ExecutionResult) -> Any:
    """Data to the byte, and which errors are where."""
    errors = [
        (str(formatted(error)["extensions"]["code"]), str(error.path))
        for error in result.errors or ()
    ]
    return write_json(result.data), sorted(errors)


def _is_masked(result: ExecutionResult) -> bool:
    return any(
        not isinstance(error.original_error, DomainError | None) for error in result.errors or ()
    )


@lru_cache(maxsize=1)
def _schemas(schema: GraphQLSchema) -> tuple[GraphQLSchema, GraphQLSchema, GraphQLSchema]:
    """Two schemas for the engine whose resolvers are recorded, one with nothing spelled, and one that replays them."""
    recording, unspelled, replaying = _copied(schema), _copied(schema), _copied(schema)
    for name, type_ in schema.type_map.items():
        if isinstance(type_, GraphQLObjectType) and not is_introspection_type(type_):
            for field_name, field_ in type_.fields.items():
                coordinate = f"{name}.{field_name}"
                resolution = field_.extensions[RESOLUTION]
                # What is read from its parent alone is for Strawberry's own code, too.
                if isinstance(resolution, Batch | Call) or (
                    isinstance(resolution, Computed)
                    and not is_leaf_type(get_named_type(field_.type))
                ):
                    recorded = {RESOLUTION: _recorded(coordinate, resolution)}
                    for each in (recording, unspelled):
                        _fields(each, name)[field_name].extensions = field_.extensions | recorded
                    _fields(replaying, name)[field_name].resolve = _replayed(coordinate)
                spelled = _fields(unspelled, name)[field_name]
                spelled.extensions = spelled.extensions | {SPELLING: None}
    return recording, unspelled, replaying


def _copied(schema: GraphQLSchema) -> GraphQLSchema:
    """As its deep copy; Strawberry's enums, which cannot be copied, and all inputs are shared."""
    types: dict[str, Any] = {
        name: copy(type_)
        for name, type_ in schema.type_map.items()
        if is_composite_type(type_) and not is_introspection_type(type_)
    }
    for name, type_ in types.items():
        remap_named_type(type_, types)
        if is_abstract_type(type_):
            type_.resolve_type = _resolving(schema.type_map[name])
    copied = GraphQLSchema(
        types["Query"],
        types.get("Mutation"),
        types.get("Subscription"),
        types=[types.get(name, type_) for name, type_ in schema.type_map.items()],
        directives=schema.directives,
        extensions=schema.extensions,
        assume_valid=True,
    )
    assert print_schema(copied) == print_schema(schema)
    return copied


def _resolving(abstract: Any) -> Callable[..., Any]:
    """Strawberry looks for the types of the schema that it made."""
    return lambda value, info, _: abstract.resolve_type(value, info, abstract)


def _fields(schema: GraphQLSchema, name: str) -> dict[str, GraphQLField]:
    type_ = schema.type_map[name]
    assert isinstance(type_, GraphQLObjectType)
    fields: dict[str, GraphQLField] = type_.fields
    return fields


def _replayed(coordinate: str) -> Callable[..., Any]:
    def resolve(parent: Any, _info: Any, **arguments: Any) -> Any:
        return _record.get().next(coordinate, parent, arguments).give()

    return resolve


def _recorded(coordinate: str, resolution: Batch | Call | Computed) -> Resolution:
    if isinstance(resolution, Batch):
        return replace(resolution, load=_recorded_batch(coordinate, resolution.load))
    function = resolution.function

    @wraps(function)
    def call(parent: Any, *info: Any, **arguments: Any) -> Any:
        kept = _record.get().new(coordinate, parent, arguments)
        try:
            answer = function(parent, *info, **arguments)
        except Exception as error:
            kept.keep(error)
            raise
        if isinstance(answer, Awaitable):
            return _later(kept, answer)
        kept.keep(answer)
        return answer

    return replace(resolution, function=call)


async def _later(kept: _Kept, awaitable: Awaitable[Any]) -> Any:
    try:
        answer = await awaitable
    except Exception as error:
        kept.keep(error)
        raise
    kept.keep(answer)
    return answer


def _recorded_batch(coordinate: str, load: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(load)
    async def loaded(parents: Sequence[Any], info: Any, **arguments: Any) -> Sequence[Any]:
        record = _record.get()
        all_kept = [record.new(coordinate, parent, arguments) for parent in parents]
        try:
            answers: Sequence[Any] = await load(parents, info, **arguments)
        except Exception as error:
            for kept in all_kept:
                kept.keep(error)
            raise
        for kept, answer in zip(all_kept, answers, strict=True):
            kept.keep(answer)
        return answers

    return loaded
