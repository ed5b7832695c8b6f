"""Whether a document is valid: by graphql-core's rules, but one that takes long, and ours in place of that."""

from collections.abc import Sequence

from graphql import (
    ASTValidationRule,
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    TypeInfo,
    ValidationContext,
    Visitor,
    assert_valid_schema,
    specified_rules,
)
from graphql.pyutils import RefMap
from graphql.validation import OverlappingFieldsCanBeMergedRule, StreamDirectiveOnListField
from graphql.validation.validate import FragmentNestingVisitor, ValidationAbortedError
from graphql.validation.validation_context import VariableUsage, VariableUsageVisitor

from graph import merging
from graph.walking import Walking

_LEFT_OUT = (OverlappingFieldsCanBeMergedRule, StreamDirectiveOnListField)
"""Ours is merging.py. The other fails of `__typename @stream` of a union; KnownDirectives says that we have none."""
RULES = tuple(rule for rule in specified_rules if rule not in _LEFT_OUT)
MOST_TOLD = 2_000
"""Characters of errors, after which no other is told: each tells the value that it is about, and may tell the same."""
MOST_SUGGESTED = 3
"""Errors that say what a misspelt name may have meant: it is compared with all names that there are."""
_RULES = Walking((FragmentNestingVisitor, *RULES))
_USAGES = Walking((VariableUsageVisitor,))
_Definition = OperationDefinitionNode | FragmentDefinitionNode


def errors(
    schema: GraphQLSchema,
    document: DocumentNode,
    *,
    most_errors: int,
    most_selections: int = 1_000_000,
) -> list[GraphQLError]:
    """What is wrong with it, and one more where that is not all.

    merging.TooMuchError where it selects more, fragments followed wherever they are spread.
    """
    return validated(schema, document, most_errors=most_errors) or merging.conflicts(
        schema, document, most=most_selections, most_errors=most_errors
    )


def validated(
    schema: GraphQLSchema, document: DocumentNode, *, most_errors: int
) -> list[GraphQLError]:
    """What graphql-core's `validate` finds by `RULES`; it ends sooner where errors are long."""
    assert_valid_schema(schema)
    context = _Context(schema, document, most_errors)
    fragments = {
        node.name.value: node
        for node in document.definitions
        if isinstance(node, FragmentDefinitionNode)
    }
    rules: Sequence[ASTValidationRule] = [rule(context) for rule in RULES]
    visitors: list[Visitor] = [FragmentNestingVisitor(fragments), *rules]
    found = context.found
    try:
        _RULES.walk(document, visitors, context.types, found)
    except ValidationAbortedError as aborted:
        # The frames of the walk hold on to all of it.
        aborted.__context__ = None
        found.append(aborted.with_traceback(None))
    except RecursionError:
        found.append(ValidationAbortedError("Validation aborted."))
    return found


class _Context(ValidationContext):
    """Keeps what it finds by the nodes themselves, for the hash of each is of all below it."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, most_errors: int) -> None:
        self.types = TypeInfo(schema)
        super().__init__(schema, document, self.types, self._report)
        for kept in ("_fragment_spreads", "_variable_usages", "_recursive_variable_usages"):
            setattr(self, kept, RefMap())
        self._most_errors = most_errors
        self._told = 0
        self.found: list[GraphQLError] = []

    def _report(self, error: GraphQLError) -> None:
        if len(self.found) >= self._most_errors or self._told > MOST_TOLD:
            message = "Too many validation errors, error limit reached. Validation aborted."
            raise ValidationAbortedError(message)
        self.found.append(error)
        self._told += len(error.message)

    @property
    def hide_suggestions(self) -> bool:
        return len(self.found) >= MOST_SUGGESTED

    def get_variable_usages(self, node: _Definition) -> list[VariableUsage]:
        usages = self._variable_usages.get(node)
        if usages is None:
            fragment = node if isinstance(node, FragmentDefinitionNode) else None
            visitor = VariableUsageVisitor(self.types, fragment)
            if node.loc is None or "$" in node.loc.source.body[node.loc.start : node.loc.end]:
                _USAGES.walk(node, [visitor], self.types)
            usages = self._variable_usages[node] = visitor.usages
        return usages
