"""A document's operation, compiled once and run many times."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from inspect import isawaitable
from itertools import product
from typing import Any

from graphql import (
    BooleanValueNode,
    DirectiveNode,
    DocumentNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLTypeResolver,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    Undefined,
    VariableNode,
    default_field_resolver,
    default_type_resolver,
    located_error,
)
from graphql.execution import (
    ExecutionResult,
    Executor,
    ExperimentalIncrementalExecutionResults,
    VariableValues,
    execute_root_selection_set,
)
from graphql.execution.collect_fields import (
    DeferUsage,
    FieldDetailsList,
    FragmentDetails,
    GroupedFieldSet,
    collect_fields,
    collect_subfields,
)
from graphql.type.directives import (
    GraphQLDeferDirective,
    GraphQLDisableErrorPropagationDirective,
    GraphQLStreamDirective,
)

from graph.engine import incremental
from graph.engine.arguments import VariableErrors, Variables
from graph.engine.defer import Scope
from graph.engine.plan import MOST_WARM, Field, Selection
from graph.engine.resolution import EVENTS, Call
from graph.engine.run import Run

_MOST_VARIANTS = 16
_MOST_WARM_CONDITIONS = 3


class Engine:
    """Compiles documents for one schema. `field_resolver` and `type_resolver` serve where the schema has none."""

    def __init__(
        self,
        schema: GraphQLSchema,
        *,
        field_resolver: Callable[..., Any] = default_field_resolver,
        type_resolver: GraphQLTypeResolver = default_type_resolver,
    ) -> None:
        self.schema = schema
        self.field_resolver = field_resolver
        self.type_resolver = type_resolver
        self.executed = 0
        """How many operations and subscription events were executed."""
        self.fell_back = 0
        """How many of these by graphql-core."""

    def plan(self, document: DocumentNode, operation_name: str | None = None) -> "Plan":
        """The plan for one operation of a valid document; GraphQLError when there is no such operation."""
        return Plan(Operation(self, document, operation_name))


class Operation:
    """One operation of a document with the fragments around it."""

    def __init__(self, engine: Engine, document: DocumentNode, operation_name: str | None) -> None:
        self.engine = engine
        self.schema = engine.schema
        self.node = _chosen(document, operation_name)
        self.definitions: dict[str, FragmentDefinitionNode] = {
            node.name.value: node
            for node in document.definitions
            if isinstance(node, FragmentDefinitionNode)
        }
        self.fragments = {
            name: FragmentDetails(definition) for name, definition in self.definitions.items()
        }
        self.document = document
        self.variables = Variables(self.schema, self.node.variable_definitions or ())
        directives = list(self._directives())
        self.defers = [d for d in directives if d.name.value == GraphQLDeferDirective.name]
        self.conditions = tuple(
            sorted({name for directive in directives for name in _variables_of(directive)})
        )
        """The variables that decide which fields there are."""
        self.is_compiled = (
            not any(d.name.value == GraphQLStreamDirective.name for d in directives)
            and not any(node.variable_definitions for node in self.definitions.values())
            and not any(
                directive.name.value == GraphQLDisableErrorPropagationDirective.name
                for directive in self.node.directives or ()
            )
        )

    def _directives(self) -> Iterator[DirectiveNode]:
        """Those of all selections that the operation reaches."""
        sets: list[SelectionSetNode | None] = [self.node.selection_set]
        unseen = dict(self.definitions)
        while sets:
            selection_set = sets.pop()
            for selection in selection_set.selections if selection_set else ():
                yield from selection.directives or ()
                if isinstance(selection, FragmentSpreadNode):
                    fragment = unseen.pop(selection.name.value, None)
                    sets.append(fragment.selection_set if fragment else None)
                else:
                    sets.append(getattr(selection, "selection_set", None))

    def root_type(self) -> GraphQLObjectType:
        """The type of the operation's root; GraphQLError when the schema has none."""
        type_ = self.schema.get_root_type(self.node.operation)
        if type_ is None:
            message = f"Schema is not configured to execute {self.node.operation.value} operation."
            raise GraphQLError(message, self.node)
        return type_

    def root_fields(
        self, type_: GraphQLObjectType, variables: VariableValues
    ) -> tuple[GroupedFieldSet, list[DeferUsage]]:
        """The fields, and the deferred fragments among them."""
        collected = collect_fields(self.schema, self.fragments, variables, type_, self.node)
        return collected.grouped_field_set, collected.new_defer_usages

    def subfields(
        self, type_: GraphQLObjectType, details: FieldDetailsList, variables: VariableValues
    ) -> tuple[GroupedFieldSet, list[DeferUsage]]:
        collected = collect_subfields(
            self.schema, self.fragments, variables, self.node, type_, details
        )
        return collected.grouped_field_set, collected.new_defer_usages


class Result(ExecutionResult):
    """A result, and the weight of all objects that were answered."""

    __slots__ = ("weight",)

    def __init__(
        self, data: dict[str, Any] | None, errors: list[GraphQLError] | None, weight: int
    ) -> None:
        super().__init__(data, errors)
        self.weight = weight


class Plan:
    """How one operation is executed. Cheap to keep: what is under a field is compiled when it is first met."""

    def __init__(self, operation: Operation) -> None:
        self.operation = operation
        self._serially = operation.node.operation is OperationType.MUTATION
        self._variants: OrderedDict[tuple[Any, ...], tuple[Selection, ...]] = OrderedDict()
        if self.is_compiled and not operation.conditions:
            self._variants[()] = self._compile({})

    @property
    def is_compiled(self) -> bool:
        """False where graphql-core has to execute the operation: the README says when."""
        return self.operation.is_compiled

    def warm(self, most: int = MOST_WARM) -> int:
        """Compile now what would be compiled when it is first met, for every value of up to three conditions.

        Answers how many selections that were; `most` bounds them.
        """
        names = self.operation.conditions
        if not self.is_compiled or len(names) > _MOST_WARM_CONDITIONS:
            return 0
        count = 0
        for values in product((True, False), repeat=len(names)):
            for selection in self._selections(dict(zip(names, values, strict=True))) or ():
                count += selection.warm(min(most, MOST_WARM) - count)
        return count

    def coerce(self, variables: dict[str, Any] | None) -> dict[str, Any]:
        """The variables for `run`; VariableErrors where they do not fit."""
        return self.operation.variables.coerced(variables or {})

    async def execute(
        self, root_value: Any = None, context: Any = None, variables: dict[str, Any] | None = None
    ) -> ExecutionResult:
        """Coerce and run; variables that do not fit are the result's errors."""
        try:
            coerced = self.coerce(variables)
        except VariableErrors as refused:
            return ExecutionResult(None, refused.errors)
        return await self.run(root_value, context, coerced, variables or {})

    def is_deferring(self, coerced: dict[str, Any]) -> bool:
        """Whether parts of the answer are to be delivered later, as far as the document tells."""
        defers = self.operation.defers
        return bool(defers) and any(_is_on(directive, coerced) for directive in defers)

    async def run(
        self, root_value: Any, context: Any, coerced: dict[str, Any], raw: dict[str, Any]
    ) -> ExecutionResult:
        """Execute with variables from `coerce`, which `raw` were before. What is deferred is not put off.

        The result is a Result unless graphql-core had to execute it.
        """
        self.operation.engine.executed += 1
        selections = None if self.is_deferring(coerced) else self._selections(coerced)
        if selections is None:
            return await self.fall_back(root_value, context, raw)
        run = Run(self.operation, root_value, context, coerced, raw)
        if self._serially:
            data = await self._data(run, selections)
        else:
            data = await run.root(selections[0])
        return Result(data, run.errors or None, run.weight)

    def subscribed(self, coerced: dict[str, Any]) -> Field:
        """The one field of a subscription; GraphQLError where it has none."""
        selections = self._selections(coerced)
        if not selections or not selections[0].fields:
            raise GraphQLError("There is nothing to subscribe to.", self.operation.node)
        return selections[0].fields[0]

    async def events(
        self,
        root_value: Any,
        context: Any,
        coerced: dict[str, Any],
        raw: dict[str, Any],
        **instead: Any,
    ) -> Any:
        """What a subscription's field answers to the question where its events come from.

        Arguments in `instead` count in place of the operation's. Raises a located GraphQLError for whatever the
        field raises.
        """
        field = self.subscribed(coerced)
        call: Call = field.definition.extensions[EVENTS]
        run = Run(self.operation, root_value, context, coerced, raw)
        try:
            arguments = {**run.arguments(field), **instead}
            answer = call.function(root_value, run.info(field), **arguments)
            return await answer if isawaitable(answer) else answer
        except Exception as error:
            raise located_error(error, field.nodes, [field.key]) from error

    async def deliver(
        self, root_value: Any, context: Any, coerced: dict[str, Any], raw: dict[str, Any]
    ) -> ExecutionResult | ExperimentalIncrementalExecutionResults:
        """As `run`; what is deferred may follow the initial result, and is resolved when it is asked for."""
        self.operation.engine.executed += 1
        selections = self._selections(coerced)
        if selections is None:
            return await self.fall_back(root_value, context, raw)
        run = Run(self.operation, root_value, context, coerced, raw)
        return incremental.response(run, await self._data(run, selections))

    async def _data(self, run: Run, selections: tuple[Selection, ...]) -> dict[str, Any] | None:
        if not self._serially:
            return await run.root(selections[0])
        data: dict[str, Any] = {}
        for selection in selections:
            part = await run.root(selection)
            if part is None:
                return None
            data |= part
        return data

    async def fall_back(
        self, root_value: Any, context: Any, variables: dict[str, Any]
    ) -> ExecutionResult:
        """Let graphql-core execute it."""
        engine = self.operation.engine
        engine.fell_back += 1
        executor = Executor.build(
            engine.schema,
            self.operation.document,
            root_value,
            context,
            variables,
            self.operation.node.name.value if self.operation.node.name else None,
            engine.field_resolver,
            engine.type_resolver,
        )
        if isinstance(executor, list):
            return ExecutionResult(None, executor)
        result = execute_root_selection_set(executor)
        return result if isinstance(result, ExecutionResult) else await result

    def _selections(self, coerced: dict[str, Any]) -> tuple[Selection, ...] | None:
        conditions = self.operation.conditions
        key = tuple([coerced.get(name, Undefined) for name in conditions]) if conditions else ()
        found = self._variants.get(key)
        if found is None:
            # What is not given can only be a condition of @defer, which has a default.
            if not self.is_compiled or not all(v.__class__ is bool or v is Undefined for v in key):
                return None
            found = self._variants[key] = self._compile(coerced)
            if len(self._variants) > _MOST_VARIANTS:
                self._variants.popitem(last=False)
        return found

    def _compile(self, coerced: dict[str, Any]) -> tuple[Selection, ...]:
        operation = self.operation
        known = {name: coerced[name] for name in operation.conditions if name in coerced}
        variables = VariableValues({}, known)
        type_ = operation.root_type()
        fields, new = operation.root_fields(type_, variables)
        whole = Selection(operation, type_, fields, variables, Scope(new=new))
        return tuple(whole.alone()) if self._serially else (whole,)


def _chosen(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    operations = [
        node for node in document.definitions if isinstance(node, OperationDefinitionNode)
    ]
    if name is not None:
        operations = [node for node in operations if node.name and node.name.value == name]
        if not operations:
            raise GraphQLError(f"Unknown operation named '{name}'.")
    if not operations:
        raise GraphQLError("Must provide an operation.")
    if name is None and len(operations) > 1:
        raise GraphQLError("Must provide operation name if query contains multiple operations.")
    return operations[-1]


def _variables_of(directive: DirectiveNode) -> Iterator[str]:
    for argument in directive.arguments or ():
        if isinstance(argument.value, VariableNode):
            yield argument.value.name.value


def _is_on(defer: DirectiveNode, coerced: dict[str, Any]) -> bool:
    for argument in defer.arguments or ():
        if argument.name.value == "if":
            value = argument.value
            if isinstance(value, VariableNode):
                return coerced.get(value.name.value) is not False
            return not (isinstance(value, BooleanValueNode) and not value.value)
    return True
