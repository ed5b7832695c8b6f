"""Delivers what was deferred after the initial result: for all objects of a level together, when it is asked for.

graphql-core schedules and publishes: which fragment is pending, when it comes, under which id. Its tasks, one
for each object, are answered here from one execution for all objects of a level.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from functools import partial
from typing import Any, NamedTuple

from graphql import GraphQLError
from graphql.execution import ExecutionResult, ExperimentalIncrementalExecutionResults
from graphql.execution.incremental.computation import Computation
from graphql.execution.incremental.incremental_executor import DeliveryGroup, ExecutionGroupValue
from graphql.execution.incremental.incremental_publisher import IncrementalPublisher
from graphql.execution.incremental.work_queue import Work, WorkResult, WorkTask
from graphql.pyutils import AbortSignal, Path

from graph.engine import careful
from graph.engine.defer import Fragment, Part
from graph.engine.run import Level, Run

Keys = tuple[str | int, ...]
"""A response path."""

MOST = 2_000
"""How many objects' parts one operation may defer: each costs about 0.1 ms, whatever is in it."""


def response(
    run: Run, data: dict[str, Any] | None
) -> ExecutionResult | ExperimentalIncrementalExecutionResults:
    """What a run came to, with what is to follow if there is anything."""
    errors = run.errors or None
    if data is not None and run.parted:
        delivery = _Delivery()
        try:
            work = delivery.found(run, {(): data})[()]
        except GraphQLError as too_many:
            return ExecutionResult(None, [too_many])
        if work.tasks:
            return IncrementalPublisher().build_response(data, errors, work, delivery)
    return ExecutionResult(data, errors)


class _Place(NamedTuple):
    """Where in the response an object is, and the deferred fragments that it has there."""

    path: Path | None
    keys: Keys
    groups: list[DeliveryGroup]


class _Delivery:
    """What one operation still has to deliver. graphql-core's publisher asks it to end."""

    abort_signal: AbortSignal | None = None

    def __init__(self) -> None:
        self._groups: dict[tuple[Fragment, Keys], DeliveryGroup] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._left = MOST

    def found(self, run: Run, written: dict[Keys, dict[str, Any]]) -> dict[Keys, Work]:
        """What a run has put off, by the object under which it is, of those that were written.

        GraphQLError where the operation puts off too much.
        """
        groups: dict[Keys, list[DeliveryGroup]] = {keys: [] for keys in written}
        tasks: dict[Keys, list[WorkTask]] = {keys: [] for keys in written}
        depth = len(next(iter(written), ()))
        for level in run.parted:
            new, parts = level.selection.scope.new, level.selection.parts
            self._left -= len(level.parents) * max(len(new), len(parts))
            if self._left < 0:
                raise GraphQLError(f"@defer is on more than {MOST:,} parts of the answer.")
            batches = [(part, _Batch(self, run, part)) for part in parts]
            for i, parent in enumerate(level.parents):
                path = careful.path(level, i)
                keys = tuple(path.as_list()) if path else ()
                top = keys[:depth]
                if top not in written or (run.errors and not _is_there(written[top], keys[depth:])):
                    continue
                for fragment in new:
                    outer = fragment.parent
                    parent_group = None if outer is None else self._group(outer, keys)
                    group = DeliveryGroup(path, fragment.label, parent_group)
                    self._groups[fragment, keys] = group
                    groups[top].append(group)
                for part, batch in batches:
                    its = [self._group(fragment, keys) for fragment in part.fragments]
                    computation = batch.add(parent, _Place(path, keys, its))
                    tasks[top].append(WorkTask(its, computation))
        return {keys: Work(groups[keys], tasks[keys]) for keys in written}

    def _group(self, fragment: Fragment, keys: Keys) -> DeliveryGroup:
        """The fragment that an object is in: its own, or that of an object around it."""
        return self._groups[fragment, keys[: fragment.depth]]

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def cancel_incremental_work(self, _reason: BaseException | None = None) -> None:
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def run_async_work_finished_hook(self) -> None:
        pass

    def abort_error(self) -> Exception:
        return RuntimeError("There is no signal to abort.")


class _Batch:
    """A part of all objects of a level: executed once, when the first of them is asked for."""

    def __init__(self, delivery: _Delivery, run: Run, part: Part) -> None:
        self._delivery = delivery
        self._run = Run(run.operation, run.root_value, run.context, run.coerced, run.raw)
        self._selection = part.selection
        self._parents: list[Any] = []
        self._places: list[_Place] = []
        self._waiting: dict[int, asyncio.Future[WorkResult]] = {}
        self._outcomes: Sequence[WorkResult | Exception] | None = None

    def add(self, parent: Any, place: _Place) -> Computation[WorkResult]:
        """One more object, whose outcome can be asked for."""
        self._parents.append(parent)
        self._places.append(place)
        return Computation(partial(self._ask, len(self._places) - 1))

    def _ask(self, i: int) -> WorkResult | asyncio.Future[WorkResult]:
        """What the object comes to, now or later; GraphQLError where it comes to nothing."""
        if self._outcomes is not None:
            outcome = self._outcomes[i]
            if isinstance(outcome, Exception):
                raise outcome
            return outcome
        if not self._waiting:
            self._delivery.start(self._execute())
        future = self._waiting[i] = asyncio.get_running_loop().create_future()
        return future

    async def _execute(self) -> None:
        try:
            self._outcomes = await self._resolved()
        except Exception as error:  # noqa: BLE001 - every object gets it
            self._outcomes = [error] * len(self._places)
        for i, future in self._waiting.items():
            outcome = self._outcomes[i]
            if future.done():
                continue
            if isinstance(outcome, Exception):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)

    async def _resolved(self) -> list[WorkResult | Exception]:
        run, level = self._run, Level(self._selection, self._parents, None, None)
        level.paths = {i: place.path for i, place in enumerate(self._places)}
        written: list[Any] | None = await run.written(level)
        errors: list[list[GraphQLError]] = [[] for _ in self._places]
        if written is None:
            await careful.prepare(run, level)
            written = [self._completed(level, i, errors[i]) for i in range(len(self._places))]
        answers = list(zip(self._places, written, errors, strict=True))
        works = self._delivery.found(
            run, {place.keys: data for place, data, _ in answers if isinstance(data, dict)}
        )
        return [
            WorkResult(
                ExecutionGroupValue(place.groups, list(place.keys), data, its_errors or None),
                works[place.keys],
            )
            if isinstance(data, dict)
            else data
            for place, data, its_errors in answers
        ]

    def _completed(
        self, level: Level, i: int, errors: list[GraphQLError]
    ) -> dict[str, Any] | GraphQLError:
        """One object written the careful way, its errors apart, or the error that left nothing of it."""
        run, before = self._run, len(self._run.errors)
        try:
            return careful.complete(run, level, i, list(self._places[i].keys))
        except GraphQLError as error:
            return error
        finally:
            errors += run.errors[before:]


def _is_there(data: Any, keys: Keys) -> bool:
    """Whether an object is in the data, and was not given up with what is around it."""
    for key in keys:
        if data is None:
            return False
        data = data[key]
    return data is not None
