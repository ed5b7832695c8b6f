"""One operation, answered by graphql-core and by the engine, and what is to be said where they differ."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby
from typing import Any

from graphql import (
    REMOVE,
    ArgumentNode,
    DirectiveNode,
    DocumentNode,
    ExecutionResult,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    Node,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableDefinitionNode,
    VariableNode,
    Visitor,
    execute,
    parse,
    print_ast,
    validate,
    visit,
)

from graph.engine import Engine, Plan
from tests.graph.engine.world import Log, World

_COUNTS = re.compile(r"^load answered \d+ for \d+$")


class LeftToGraphQLCoreError(Exception):
    """The engine does not compile this operation."""


@dataclass(frozen=True)
class Operation:
    """What is asked of a world."""

    document: str
    name: str | None
    variables: dict[str, Any]
    kind: str
    number: int


@dataclass(frozen=True)
class Answer:
    data: str
    errors: list[str]
    log: Log

    @classmethod
    def of(cls, result: ExecutionResult, log: Log) -> "Answer":
        return cls(
            json.dumps(result.data, default=repr),
            [_told(error) for error in result.errors or ()],
            log,
        )


def _told(error: GraphQLError) -> str:
    told: dict[str, Any] = {**error.formatted, "because": type(error.original_error).__name__}
    if _COUNTS.match(error.message):
        told["message"] = "load answered the wrong number"
    return json.dumps(told)


@lru_cache(maxsize=16)
def read(text: str) -> DocumentNode:
    """The document, read once for all who answer it: most of a case is reading."""
    return parse(text)


def expected(world: World, operation: Operation) -> Answer:
    """graphql-core's answer, from resolvers that are all synchronous."""
    log: Log = []
    result = execute(
        world.reference,
        read(operation.document),
        world.root(operation.kind, operation.number, is_later=False),
        log,
        operation.variables,
        operation.name,
    )
    assert isinstance(result, ExecutionResult)
    return Answer.of(result, log)


class Plans:
    """The plans of one world, each made once."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._engine = Engine(world.schema)
        self._plans: dict[tuple[str, str | None], Plan] = {}

    async def answer(self, operation: Operation) -> Answer:
        """The engine's answer."""
        key = (operation.document, operation.name)
        world = self._world
        root = world.root(operation.kind, operation.number, world.is_async)
        log: Log = []
        try:
            if key not in self._plans:
                self._plans[key] = self._engine.plan(read(operation.document), operation.name)
        except GraphQLError as error:
            return Answer.of(ExecutionResult(None, [error]), log)
        result = await self._plans[key].execute(root, log, operation.variables)
        return Answer.of(result, log)

    def answer_at_once(self, operation: Operation) -> Answer:
        """The engine's answer where everything is synchronous: it has to come without suspending."""
        waiting = self.answer(operation)
        try:
            waiting.send(None)
        except StopIteration as done:
            answer: Answer = done.value
            return answer
        raise AssertionError("suspended although all resolvers are synchronous")


def differences(operation: Operation, ours: Answer, theirs: Answer) -> list[str]:
    """In which points the answers differ."""
    found = []
    if ours.data != theirs.data:
        found.append("data")
    if ours.errors != theirs.errors:
        found.append("errors")
    if not theirs.errors and Counter(ours.log) != Counter(theirs.log):
        found.append("calls")
    if operation.kind == "mutation" and _turns(ours.log) != _turns(theirs.log):
        found.append("order of effects")
    return found


def _turns(log: Log) -> list[tuple[str, str]]:
    """The mutation fields in the order in which anything was done for them; each entry is of one of them."""
    turns = (_turn(*entry) for entry in log)
    return [turn for turn, _ in groupby(turns)]


def _turn(parent: str, name: str, arguments: str) -> tuple[str, str]:
    inner = re.match(r"<\w+ \d+\.(m\d)((?:\{.*?\})?)", parent)
    return (inner[1], "") if inner else (name, "")


def report(world: World, operation: Operation, ours: Any, theirs: Answer) -> str:
    """Everything there is to know of a difference."""
    kinds = "\n".join(f"# {place}: {kind}" for place, kind in world.kinds.items())
    facts = f"seed {world.seed}, async {world.is_async}, trouble {world.trouble}"
    return (
        f"\n--- schema ({facts})\n{world.sdl}\n{kinds}"
        f"\n--- document\n{print_ast(read(operation.document))}"
        f"\n--- operation {operation.name}, data {operation.number}, variables {operation.variables}"
        f"\n--- graphql-core\n{_shown(theirs)}\n--- engine\n{_shown(ours)}\n"
    )


def _shown(answer: Any) -> str:
    if not isinstance(answer, Answer):
        return repr(answer)
    return "\n".join((answer.data, *answer.errors, *map(str, answer.log)))


def smaller(world: World, operation: Operation) -> Iterator[Operation]:
    """The same operation with one thing less in its document, as far as that is valid."""
    document = read(operation.document)
    count = _removable(document)
    for i in range(count):
        shrunk = _pruned(_without(document, i))
        if shrunk is not None and not validate(world.reference, shrunk):
            yield replace(operation, document=print_ast(shrunk))


_PARTS = (
    FieldNode,
    ArgumentNode,
    InlineFragmentNode,
    FragmentSpreadNode,
    DirectiveNode,
    OperationDefinitionNode,
)


def _removable(document: DocumentNode) -> int:
    counter = _Remover(-1)
    visit(document, counter)
    return counter.met


class _Remover(Visitor):
    """Removes the part of that number."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number
        self.met = 0

    def enter(self, node: Node, *_: Any) -> Any:
        if isinstance(node, _PARTS):
            self.met += 1
            if self.met - 1 == self._number:
                return REMOVE
        return None


def _without(document: DocumentNode, i: int) -> DocumentNode:
    shrunk: DocumentNode = visit(document, _Remover(i))
    return shrunk


class _Pruner(Visitor):
    """Removes definitions that nothing uses."""

    def __init__(self, used: set[str]) -> None:
        super().__init__()
        self._used = used

    def enter(self, node: Node, *_: Any) -> Any:
        if isinstance(node, FragmentDefinitionNode) and node.name.value not in self._used:
            return REMOVE
        if isinstance(node, VariableDefinitionNode) and node.variable.name.value not in self._used:
            return REMOVE
        return None


class _Names(Visitor):
    """Collects the names of fragments and variables that are used, and whether a selection is empty."""

    def __init__(self) -> None:
        super().__init__()
        self.used: set[str] = set()
        self.is_empty = False

    def enter(self, node: Node, _key: Any, parent: Any, *_: Any) -> None:
        if isinstance(node, SelectionSetNode) and not node.selections:
            self.is_empty = True
        is_used_variable = isinstance(node, VariableNode) and not isinstance(
            parent, VariableDefinitionNode
        )
        if is_used_variable or isinstance(node, FragmentSpreadNode):
            self.used.add(node.name.value)  # type: ignore[attr-defined]  # both have a name


def _pruned(document: DocumentNode) -> DocumentNode | None:
    """The document without what nothing uses any more; None where nothing is left."""
    for _ in range(3):
        names = _Names()
        visit(document, names)
        if names.is_empty or not document.definitions:
            return None
        document = visit(document, _Pruner(names.used))
    return document
