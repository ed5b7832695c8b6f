"""Random operations on one random schema, answered twice and compared."""

from collections.abc import Iterator

from graphql import OperationDefinitionNode, validate

from tests.graph.engine.answers import (
    Answer,
    Operation,
    Plans,
    differences,
    expected,
    read,
    report,
    smaller,
)
from tests.graph.engine.documents import Documents
from tests.graph.engine.schemas import random_schema
from tests.graph.engine.values import dice_of
from tests.graph.engine.world import World

_DOCUMENTS = 6
_RUNS = 3


class DifferentAnswersError(AssertionError):
    """The report of a difference."""


class Case:
    """A schema with data behind it, and operations for it; `trouble` is how often something is wrong."""

    def __init__(self, seed: int, *, is_async: bool, trouble: float) -> None:
        self._dice = dice_of(str(seed))
        self._schema = random_schema(self._dice)
        self._trouble = trouble
        self.world = World(self._schema, seed, is_async=is_async, trouble=trouble)

    def operations(self) -> Iterator[Operation]:
        """Some documents, each of their operations with several variables and data."""
        for _ in range(_DOCUMENTS):
            documents = self._documents()
            text = documents.document()
            for name, kind in _operations_in(text):
                for number in range(_RUNS):
                    variables = documents.raw_variables(self._trouble / 4)
                    yield Operation(text, name, variables, kind, number)
        yield Operation(text, "Unknown", {}, "query", 0)
        yield Operation(text, None, {}, "query", 0)

    def _documents(self) -> Documents:
        # A null condition is left to graphql-core, whose order of asynchronous errors depends on timing.
        return Documents(
            self._dice,
            self.world.reference,
            self._schema.inputs,
            size=self._dice.choice((5, 15, 30)),
            may_null_conditions=not self.world.is_async,
        )

    def is_valid(self, operation: Operation) -> bool:
        return not validate(self.world.reference, read(operation.document))

    async def check(self) -> None:
        """Compare all answers; DifferentAnswersError for the first difference, as small as it gets."""
        plans = Plans(self.world)
        for operation in self.operations():
            found = await _difference(self.world, plans, operation)
            if found and self.is_valid(operation):
                raise DifferentAnswersError(await _shrunk(self.world, operation, found))


def _operations_in(document: str) -> list[tuple[str | None, str]]:
    nodes = [n for n in read(document).definitions if isinstance(n, OperationDefinitionNode)]
    return [(node.name.value if node.name else None, node.operation.value) for node in nodes]


async def _difference(world: World, plans: Plans, operation: Operation) -> str | None:
    """The report of a difference, if there is one."""
    theirs = expected(world, operation)
    ours: Answer | Exception
    try:
        ours = await plans.answer(operation) if world.is_async else plans.answer_at_once(operation)
    except Exception as error:  # noqa: BLE001 - a crash is a difference like any other
        ours = error
    found = differences(operation, ours, theirs) if isinstance(ours, Answer) else ["crash"]
    return f"{found}{report(world, operation, ours, theirs)}" if found else None


async def _shrunk(world: World, operation: Operation, found: str) -> str:
    """The report of the smallest such difference that taking away from the document leads to."""
    while True:
        for less in smaller(world, operation):
            still = await _difference(world, Plans(world), less)
            if still:
                operation, found = less, still
                break
        else:
            return found
