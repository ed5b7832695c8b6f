"""Whether a document is valid: by graphql-core's rules, but one that takes long, and ours in place of that."""

from graphql import DocumentNode, GraphQLError, GraphQLSchema, specified_rules, validate
from graphql.validation import OverlappingFieldsCanBeMergedRule

from graph import merging

_RULES = tuple(rule for rule in specified_rules if rule is not OverlappingFieldsCanBeMergedRule)


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
    return validate(schema, document, _RULES, max_errors=most_errors) or merging.conflicts(
        schema, document, most=most_selections, most_errors=most_errors
    )
