"""The schema keeps its promises: the committed file is current, and the core contract is in it."""

from pathlib import Path

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    build_schema,
    get_named_type,
    print_ast,
)
from strawberry.types import get_object_definition

from graph.access import Access
from graph.schema import Mutation, Query, Subscription, schema

ROOT = Path(__file__).parents[2]
CORE = build_schema((Path(__file__).parent / "core.graphql").read_text())


def _default(given: object) -> str | None:
    node = getattr(getattr(given, "ast_node", None), "default_value", None)
    return None if node is None else print_ast(node)


def _arguments(field: object) -> dict[str, tuple[str, str | None]]:
    return {
        name: (str(arg.type), _default(arg)) for name, arg in getattr(field, "args", {}).items()
    }


def _broken_promises(  # noqa: C901 - one rule a kind of type
    name: str, core: GraphQLNamedType, ours: GraphQLSchema
) -> list[str]:
    mine = ours.get_type(name)
    if type(mine) is not type(core):
        return [f"{name}: {core!r} is {mine!r}"]
    problems = []
    if isinstance(core, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
        assert isinstance(mine, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType)
        for field_name, field in core.fields.items():
            other = mine.fields.get(field_name)
            if other is None or str(other.type) != str(field.type):
                problems.append(f"{name}.{field_name}: {field.type} is {other and other.type}")
            elif not _arguments(field).items() <= _arguments(other).items():
                problems.append(f"{name}.{field_name}: {_arguments(field)} {_arguments(other)}")
            elif _default(field) != _default(other):
                problems.append(f"{name}.{field_name} has another default")
    if isinstance(core, GraphQLObjectType):
        assert isinstance(mine, GraphQLObjectType)
        names = {interface.name for interface in mine.interfaces}
        problems += [f"{name} is no {i.name}" for i in core.interfaces if i.name not in names]
    if isinstance(core, GraphQLUnionType):
        assert isinstance(mine, GraphQLUnionType)
        # Whoever selects `... on Problem` survives a refusal of a new kind.
        if [t.name for t in core.types] != [t.name for t in mine.types][: len(core.types)]:
            problems.append(f"{name}: {core.types} is {mine.types}")
    if isinstance(core, GraphQLEnumType):
        assert isinstance(mine, GraphQLEnumType)
        if not core.values.keys() <= mine.values.keys():
            problems.append(f"{name}: {core.values} is {mine.values}")
    return problems


def test_the_core_contract_is_in_the_schema() -> None:
    ours = build_schema(schema.as_str())

    problems = [
        problem
        for name, core in CORE.type_map.items()
        if not name.startswith("__")
        for problem in _broken_promises(name, core, ours)
    ]

    assert problems == []


def test_the_committed_schema_is_the_generated_one() -> None:
    assert (ROOT / "schema.graphql").read_text() == schema.as_str() + "\n"


def test_every_type_field_and_argument_is_described() -> None:
    ours = build_schema(schema.as_str())
    bare = [
        f"{name}.{field_name}"
        for name, kind in ours.type_map.items()
        if not name.startswith("__")
        for field_name, field in getattr(kind, "fields", {}).items()
        if not field.description
    ] + [
        name
        for name, kind in ours.type_map.items()
        if not name.startswith("__")
        and not kind.description
        and not isinstance(kind, GraphQLUnionType)
        and name not in {"Int", "Float", "String", "Boolean", "ID"}
    ]

    assert bare == []


def test_every_root_field_declares_who_may_use_it() -> None:
    roots = (Query, Mutation, Subscription)

    undeclared = [
        field.name
        for root in roots
        for field in get_object_definition(root, strict=True).fields
        if not any(isinstance(extension, Access) for extension in field.extensions)
    ]

    assert undeclared == []


# What none of them answers depends on more of the caller than the workspace and the role in it.
SHAREABLE = {
    "Alert",
    "AlertChannels",
    "AlertCondition",
    "AlertConnection",
    "AlertEdge",
    "AlertEvent",
    "AlertFilter",
    "AlertMessage",
    "AlertRule",
    "AlertStreamItem",
    "AuditActor",
    "Author",
    "Feedback",
    "FeedbackAssignee",
    "FeedbackChange",
    "FeedbackEvent",
    "FeedbackNote",
    "FeedbackNoteConnection",
    "FeedbackNoteEdge",
    "FeedbackRevision",
    "FeedbackStreamItem",
    "FieldProblem",
    "File",
    "Job",
    "Masking",
    "PageInfo",
    "QuarantineConnection",
    "Quarantined",
    "QuarantinedEdge",
    "QuietHours",
    "Sentiment",
    "SentimentCounts",
    "SentimentSpan",
    "Source",
    "SourceHealth",
    "StreamGap",
    "Tag",
}


def test_what_subscribers_share_does_not_depend_on_who_they_are() -> None:
    """Before another type is added to those above, look at each of its fields."""
    ours = schema._schema
    assert ours.subscription_type is not None
    reached: set[str] = set()
    waiting = [get_named_type(field.type) for field in ours.subscription_type.fields.values()]
    while waiting:
        kind = waiting.pop()
        if kind.name in reached or not isinstance(kind, GraphQLObjectType | GraphQLUnionType):
            continue
        reached.add(kind.name)
        waiting += (
            kind.types
            if isinstance(kind, GraphQLUnionType)
            else [get_named_type(field.type) for field in kind.fields.values()]
        )

    assert reached == SHAREABLE
