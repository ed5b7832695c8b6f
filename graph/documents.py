"""Documents: read, checked and compiled once, and kept as long as they are asked for; trusted ones for good."""

import hashlib
import re
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from graphql import (
    REMOVE,
    ArgumentNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    Source,
    SourceLocation,
    Token,
    VariableDefinitionNode,
    VariableNode,
    Visitor,
    parse,
    print_ast,
    visit,
)

from graph import validation
from graph.caching import longest
from graph.cost import Price
from graph.engine import Engine, Plan
from graph.errors import bad_request, formatted
from graph.merging import TooMuchError
from graph.shape import MOST_TOKENS, excess, excess_of_text

CURSOR_ARGUMENT = "after"
"""Of a subscription: where a subscriber begins, which is no part of what it shares with others."""
CURSOR_FIELD = "feedbackCursor"
"""Of a query: where a subscriber is to begin."""

# The length of a path such as selection_set, selections, 0, arguments, 0.
_ROOT_ARGUMENT = 5

MOST_ERRORS = 10
MOST_SELECTIONS = 10_000
"""Of all operations of a document, fragments followed wherever they are spread."""
MOST_WARM = 10_000
"""So many selections of trusted documents are compiled at start; the rest when they are first met."""
_MOST_SELECTIONS_TRUSTED = 1_000_000
_NEWLINE = re.compile(r"\r\n|[\n\r]")
_SHA256 = "sha256:"
_UNTRUSTED = {
    "message": "This server executes trusted documents only: send the id of one.",
    "extensions": {"code": "DOCUMENT_NOT_TRUSTED"},
}
_CACHED_DOCUMENTS = 1_000
_CACHED_BYTES = 64_000_000
_TOKEN_BYTES = 900
"""What a document and its plan take for each token of theirs, at most."""


class RequestError(Exception):
    """The request cannot be executed; carries the errors for the client, and when it may come again if that helps."""

    def __init__(self, errors: list[dict[str, Any]], *, retry_after: float | None = None) -> None:
        super().__init__(errors[0]["message"])
        self.errors = errors
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class SharedText:
    """A subscription without what differs between subscribers who may share it.

    That is its name, how it is written, and where it begins: the cursor and, where it comes in one, its variable.
    """

    text: str
    variables: tuple[str, ...]


class Document:
    """A document that is valid for the schema, and its operations' plans as far as they were asked for."""

    __slots__ = (
        "_engine",
        "_longest",
        "_plans",
        "_prices",
        "_shared",
        "_types",
        "introspects",
        "is_trusted",
        "node",
        "operations",
        "sha256",
        "size",
        "takes_cursor",
    )

    def __init__(self, engine: Engine, node: DocumentNode, sha256: str) -> None:
        self._engine = engine
        self._plans: dict[str | None, Plan] = {}
        self._prices: dict[str | None, Price] = {}
        self._shared: dict[str | None, SharedText] = {}
        self._longest: int | None = None
        self.node = node
        self.sha256 = sha256
        self.is_trusted = False
        self.size = _size(node)
        """How many bytes it takes, with what comes of it."""
        self.introspects = any(name in ("__schema", "__type") for name in _root_fields(node))
        """Whether it asks for the schema."""
        self.takes_cursor = node.loc is not None and CURSOR_FIELD in node.loc.source.body
        """Whether a stream may be followed from what it answers: then nothing in it may be older than the cursor."""
        self.operations: dict[str | None, OperationType] = {
            definition.name.value if definition.name else None: definition.operation
            for definition in node.definitions
            if isinstance(definition, OperationDefinitionNode)
        }
        self._types = dict(self.operations)
        if len(self.operations) == 1:
            # The only one need not be named.
            self._types[None] = next(iter(self.operations.values()))

    def only_reads(self, operation_name: str | None) -> bool:
        """Whether it neither changes anything nor says where a stream is to be followed from."""
        return self.type_of(operation_name) is OperationType.QUERY and not self.takes_cursor

    @property
    def longest(self) -> int:
        """For how many seconds an answer to it may be kept; 0 if not at all."""
        if self._longest is None:
            self._longest = longest(self._engine.schema, self.node)
        return self._longest

    def type_of(self, operation_name: str | None) -> OperationType:
        """What the chosen operation does; RequestError when none or more than one is meant."""
        found = self._types.get(operation_name)
        if found is not None:
            return found
        if operation_name is None:
            message = "The document has several operations: name one in operationName."
        else:
            message = f"The document has no operation named {operation_name[:100]!r}."
        raise RequestError([bad_request(message)])

    def name_of(self, operation_name: str | None) -> str | None:
        """What the document calls the chosen operation, if there is one and it has a name."""
        if operation_name is None:
            return next(iter(self.operations))
        return operation_name if operation_name in self.operations else None

    def plan(self, operation_name: str | None) -> Plan:
        """How one of its operations is executed."""
        plan = self._plans.get(operation_name)
        if plan is None:
            plan = self._plans[operation_name] = self._engine.plan(self.node, operation_name)
        return plan

    def price(self, operation_name: str | None) -> Price:
        """What one of its operations costs at most."""
        price = self._prices.get(operation_name)
        if price is None:
            price = Price(self._engine.schema, self.node, operation_name)
            self._prices[operation_name] = price
        return price

    def shared(self, operation_name: str | None) -> SharedText:
        """What of one of its subscriptions is the same for all who may share it."""
        shared = self._shared.get(operation_name)
        if shared is None:
            shared = self._shared[operation_name] = _shared_text(self.node, operation_name)
        return shared


def _size(node: DocumentNode) -> int:
    if node.loc is None:
        return 0
    size = len(node.loc.source.body)
    token: Token | None = node.loc.start_token
    while token is not None:
        size += _TOKEN_BYTES
        token = token.next
    return size


class _Text(Source):
    """Looks for its lines once, for all errors."""

    @cached_property
    def _lines(self) -> tuple[list[int], list[int]]:
        found = list(_NEWLINE.finditer(self.body))
        return [each.start() for each in found], [0, *(each.end() for each in found)]

    def get_location(self, position: int) -> SourceLocation:
        ends, starts = self._lines
        line = bisect_left(ends, position)
        return SourceLocation(line + 1, position + 1 - starts[line])


def _root_fields(document: DocumentNode) -> Iterator[str]:
    """The names of the fields of all operations and fragments, those below not counted."""
    waiting: list[Any] = [node.selection_set for node in document.definitions]  # type: ignore[attr-defined]  # it is valid
    while waiting:
        for selection in waiting.pop().selections:
            if isinstance(selection, FieldNode):
                yield selection.name.value
            elif isinstance(selection, InlineFragmentNode):
                waiting.append(selection.selection_set)


def _shared_text(document: DocumentNode, operation_name: str | None) -> SharedText:
    (operation,) = (
        node
        for node in document.definitions
        if isinstance(node, OperationDefinitionNode)
        and (operation_name is None or (node.name and node.name.value == operation_name))
    )
    # Those of fields in fragments are left as they are: it only makes sharing rarer.
    fields = [node for node in operation.selection_set.selections if isinstance(node, FieldNode)]
    cursors = {
        argument.value.name.value
        for field in fields
        for argument in field.arguments or ()
        if argument.name.value == CURSOR_ARGUMENT and isinstance(argument.value, VariableNode)
    }
    kept = visit(operation, _Baring(cursors))
    bare = print_ast(
        OperationDefinitionNode(
            operation=kept.operation,
            variable_definitions=kept.variable_definitions,
            directives=kept.directives,
            selection_set=kept.selection_set,
        )
    )
    fragments = [node for node in document.definitions if isinstance(node, FragmentDefinitionNode)]
    text = "\n".join((bare, *map(print_ast, fragments)))
    used = set(re.findall(r"\$(\w+)", text))
    declared = (node.variable.name.value for node in operation.variable_definitions or ())
    return SharedText(text, tuple(name for name in declared if name in used))


class _Baring(Visitor):
    """Takes away the cursor of an operation's root fields, and the variables that these come in."""

    def __init__(self, cursors: set[str]) -> None:
        super().__init__()
        self._cursors = cursors

    def enter_argument(
        self, node: ArgumentNode, _key: Any, _parent: Any, path: list[Any], _ancestors: Any
    ) -> Any:
        is_of_root = path[:2] == ["selection_set", "selections"] and len(path) == _ROOT_ARGUMENT
        return REMOVE if is_of_root and node.name.value == CURSOR_ARGUMENT else None

    def enter_variable_definition(self, node: VariableDefinitionNode, *_: Any) -> Any:
        return REMOVE if node.variable.name.value in self._cursors else None


class Documents:
    """The documents of one schema by their text, the least recently used forgotten, and trusted ones by their ids."""

    def __init__(self, engine: Engine, *, only_trusted: bool = False) -> None:
        self._engine = engine
        self.only_trusted = only_trusted
        """Whether any other text is refused."""
        self._known: OrderedDict[str, Document] = OrderedDict()
        self._bytes = 0
        self._trusted: dict[str, Document] = {}
        self._trusted_texts: dict[str, Document] = {}
        self.hits = 0
        """How often a document was asked for that was there."""
        self.compiled = 0
        """How often one was read and checked."""

    def trust(self, texts: Mapping[str, str]) -> None:
        """Compile these for good, by their ids; RequestError naming the first that is not valid."""
        left = MOST_WARM
        for id_, text in texts.items():
            try:
                document = self._read(text, is_trusted=True)
            except RequestError as refused:
                message = f"The trusted document {id_!r} is not valid: {refused}"
                raise RequestError([bad_request(message)]) from None
            document.is_trusted = True
            for name in document.operations:
                left -= document.plan(name).warm(left)
            self._trusted[id_] = self._trusted_texts[text] = document

    def by_id(self, id_: str) -> Document:
        """A trusted document; RequestError when there is none with this id."""
        # The draft of GraphQL over HTTP has such ids begin with the name of the hash.
        found = self._trusted.get(id_) or self._trusted.get(id_.removeprefix(_SHA256))
        if found is None:
            raise RequestError([bad_request(f"There is no document {id_[:100]!r}.")])
        self.hits += 1
        return found

    @property
    def kept(self) -> int:
        """How many are there."""
        return len(self._known) + len(self._trusted)

    def by_hash(self, sha256: str) -> Document | None:
        """A trusted document whose id this is."""
        return self._trusted.get(sha256) or self._trusted.get(_SHA256 + sha256)

    def knows(self, text: str) -> bool:
        """Whether the document need not be read any more."""
        return text in self._known or text in self._trusted_texts

    def by_text(self, text: str) -> Document:
        """The document, read now or before; RequestError when it is not valid."""
        known = self._known.get(text)
        if known is not None:
            self.hits += 1
            self._known.move_to_end(text)
            return known
        trusted = self._trusted_texts.get(text)
        if trusted is not None:
            self.hits += 1
            return trusted
        if self.only_trusted:
            raise RequestError([_UNTRUSTED])
        document = self._read(text)
        self._known[text] = document
        self._bytes += document.size
        while len(self._known) > _CACHED_DOCUMENTS or self._bytes > _CACHED_BYTES:
            self._bytes -= self._known.popitem(last=False)[1].size
        return document

    def _read(self, text: str, *, is_trusted: bool = False) -> Document:
        """The document; what is trusted may be as large as it is."""
        self.compiled += 1
        try:
            node = self._parsed(text, is_trusted=is_trusted)
            most = _MOST_SELECTIONS_TRUSTED if is_trusted else MOST_SELECTIONS
            errors = self._errors(node, most)
        except GraphQLError as error:
            raise RequestError([formatted(error)]) from None
        except RecursionError:
            raise RequestError([bad_request("The document is nested too deeply.")]) from None
        if errors:
            raise RequestError([formatted(error) for error in errors])
        return Document(self._engine, node, hashlib.sha256(text.encode()).hexdigest())

    def _parsed(self, text: str, *, is_trusted: bool) -> DocumentNode:
        if is_trusted:
            return parse(_Text(text))
        if (refusal := excess_of_text(text)) is not None:
            raise RequestError([bad_request(refusal)])
        node = parse(_Text(text), max_tokens=MOST_TOKENS)
        if (refusal := excess(node)) is not None:
            raise RequestError([bad_request(refusal)])
        return node

    def _errors(self, node: DocumentNode, most: int) -> list[GraphQLError]:
        """What is wrong with it."""
        schema = self._engine.schema
        try:
            return validation.errors(schema, node, most_errors=MOST_ERRORS, most_selections=most)
        except TooMuchError:
            message = f"The document selects more than {most:,} fields, fragments followed wherever they are spread."
            raise RequestError([bad_request(message)]) from None
