"""Runs graphql-core's own tests on our engine, in a pytest process of their own.

Everything in graphql-core that executes an operation goes through two functions; both are replaced before
its tests are imported. What the engine does not know is refused, so that a test that needs it must be listed.
"""

import gc
import signal
import sys
from collections.abc import Coroutine, Generator, Iterable
from importlib import import_module
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE
from pathlib import Path
from types import FrameType, FunctionType, ModuleType
from typing import Any

import pytest
from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLSchema,
    assert_valid_schema,
    default_field_resolver,
    default_type_resolver,
)
from graphql.execution import Executor
from graphql.execution.executor_throwing_on_incremental import ExecutorThrowingOnIncremental
from graphql.pyutils import Undefined

import graph.engine
from graph.engine import Engine, Plan

_ENGINE = str(Path(graph.engine.__file__ or "").parent)
_execution: Any = import_module("graphql.execution.execute")
_SECONDS = 60
_NOT_KNOWN = {
    "max_coercion_errors": 50,
    "enable_early_execution": False,
    "middleware": None,
    "executor_class": None,
    "hide_suggestions": False,
    "abort_signal": None,
    "hooks": None,
}
reached: list[Any] = []
"""What the running test has had executed by the engine."""
_ASSUMED = (None, _execution.assume_not_awaitable, _execution.assume_not_async_iterable)


class _Rest:
    """What remains of a coroutine that was suspended for the first time at `step`."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any], step: Any) -> None:
        self._coroutine = coroutine
        self._step = step

    def __await__(self) -> Generator[Any, Any, Any]:
        step = self._step
        try:
            while True:
                try:
                    sent = yield step
                except GeneratorExit:
                    self._coroutine.close()
                    raise
                except BaseException as error:  # noqa: BLE001 - the coroutine decides
                    step = self._coroutine.throw(error)
                else:
                    step = self._coroutine.send(sent)
        except StopIteration as done:
            return done.value


async def _rest(coroutine: Coroutine[Any, Any, Any], step: Any) -> Any:
    return await _Rest(coroutine, step)


async def _ready(value: Any) -> Any:
    return value


def _driven(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Its value, or an awaitable of it where anything asynchronous ran: as graphql-core answers.

    Ours never suspends for what is ready, so that asynchronous functions have to be noticed from outside.
    """
    asynchronous = False

    def notice(frame: FrameType, event: str, _: object) -> None:
        nonlocal asynchronous
        code = frame.f_code
        asynchronous |= (
            event == "call"
            and (
                bool(code.co_flags & (CO_COROUTINE | CO_ASYNC_GENERATOR))
                or code.co_name in {"__await__", "__anext__"}
            )
            and not code.co_filename.startswith(_ENGINE)
        )

    sys.setprofile(notice)
    try:
        step = coroutine.send(None)
    except StopIteration as done:
        return _ready(done.value) if asynchronous else done.value
    finally:
        sys.setprofile(None)
    return _rest(coroutine, step)


def _execute(
    schema: GraphQLSchema,
    document: DocumentNode,
    root_value: Any = None,
    context_value: Any = None,
    variable_values: dict[str, Any] | None = None,
    operation_name: str | None = None,
    field_resolver: Any = None,
    type_resolver: Any = None,
    _subscribe_field_resolver: Any = None,
    *positional: Any,
    **options: Any,
) -> Any:
    """In place of `experimental_execute_incrementally`, which is behind `execute` and its like."""
    names = [
        name for name in _NOT_KNOWN if name not in ("hide_suggestions", "abort_signal", "hooks")
    ]
    options |= dict(zip([*names, "is_awaitable", "is_async_iterable"], positional, strict=False))
    assert options.pop("is_awaitable", None) in _ASSUMED, "is_awaitable"
    assert options.pop("is_async_iterable", None) in _ASSUMED, "is_async_iterable"
    for name, value in options.items():
        assert name in _NOT_KNOWN, name
        assert value == _NOT_KNOWN[name], f"The engine does not know {name}."
    assert_valid_schema(schema)
    reached.append(document)
    engine = Engine(
        schema,
        field_resolver=field_resolver or default_field_resolver,
        type_resolver=type_resolver or default_type_resolver,
    )
    try:
        plan = engine.plan(document, operation_name)
    except GraphQLError as error:
        return ExecutionResult(None, [error])
    return _driven(plan.execute(root_value, context_value, variable_values))


_execute_by_graphql_core = Executor.execute_operation


def _execute_operation(self: Executor[Any], serially: bool | None = None) -> Any:
    """In place of `Executor.execute_operation`, which is behind every event of a subscription."""
    if type(self) not in {Executor, ExecutorThrowingOnIncremental}:
        return _execute_by_graphql_core(self, serially)
    assert self.middleware_manager is None, "The engine does not know middleware."
    assert self.abort_signal is None, "The engine does not know abort_signal."
    engine = Engine(
        self.schema, field_resolver=self.field_resolver, type_resolver=self.type_resolver
    )
    reached.append(self.operation)
    definitions = (self.operation, *self.fragment_definitions.values())
    raw = {
        name: source.value
        for name, source in self.variable_values.sources.items()
        if source.value is not Undefined
    }
    plan = engine.plan(DocumentNode(definitions=definitions))
    return _driven(plan.execute(self.root_value, self.context_value, raw))


async def _not_compiled(*_: object) -> ExecutionResult:
    raise AssertionError("The engine leaves this to graphql-core.")


def _hangs(*_: object) -> None:
    raise TimeoutError(f"This test took more than {_SECONDS} s.")


signal.signal(signal.SIGALRM, _hangs)
Plan.fall_back = _not_compiled  # type: ignore[method-assign, assignment]
_execution.experimental_execute_incrementally = _execute
Executor.execute_operation = _execute_operation  # type: ignore[method-assign]


class Described(pytest.Module):
    """A function whose inner functions are tests: graphql-core's way to group them."""

    described: Any

    def _getobj(self) -> ModuleType:
        inner: dict[str, Any] = {}

        def keep(frame: FrameType, event: str, _: object) -> None:
            if event == "return" and frame.f_code is self.described.__code__:
                inner.update(frame.f_locals)

        sys.setprofile(keep)
        try:
            self.described()
        finally:
            sys.setprofile(None)
        module = ModuleType(self.name)
        module.__dict__.update(inner)
        return module

    def funcnamefilter(self, name: str) -> bool:
        return not name.startswith("_")


def pytest_pycollect_makeitem(
    collector: pytest.Collector, name: str, obj: object
) -> pytest.Collector | None:
    if not (isinstance(obj, FunctionType) and name.startswith("describe_")):
        return None
    node: Described = Described.from_parent(
        collector, path=collector.path, nodeid=f"{collector.nodeid}::{name}"
    )
    node.name = name
    node.described = obj
    return node


def pytest_collection_finish() -> None:
    """Spare the tests that collect garbage everything that is there already."""
    gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: Iterable[pytest.Item]) -> None:
    stale = [
        entry
        for entry in config.getoption("deselect") or ()
        if not any(item.nodeid.startswith(entry) for item in items)
    ]
    if stale:
        raise pytest.UsageError("Listed as not applicable, but not there: " + ", ".join(stale))


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, Any, Any]:
    """A test that passes without the engine proves nothing and does not count; one that hangs fails."""
    reached.clear()
    signal.alarm(_SECONDS)
    try:
        passed = yield
    finally:
        signal.alarm(0)
    if not reached:
        pytest.skip("It executes no operation.")
    return passed
