"""What a document may look like at most, whatever it costs: looked at before anything else is done with it."""

import re
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

from graph import fragments
from graph.fragments import CircleError

MOST_CHARACTERS = 50_000
"""Looked at before it is parsed: a comment or a string of a megabyte is one token."""
MOST_TOKENS = 2_000
"""Comments are counted, too."""
MOST_ARGUMENT_TOKENS = 1_000
"""Between parentheses: what is longer belongs into variables, which are read a hundred times as fast."""
MOST_STRING_CHARACTERS = 20_000
MOST_DIGITS = 1_000
"""Of a number. Python reads no integers of more than 4,300, and says so as if it were a bug."""
MOST_DEFINITIONS = 200
"""Operations and fragments."""
MOST_VARIABLES = 200
MOST_DEPTH = 20
MOST_ALIASES = 200
MOST_ROOT_FIELDS = 50
MOST_DIRECTIVES = 200
MOST_SELECTIONS = 1_000
"""As written."""
MOST_SCHEMA_ALIASES = 2
"""Where the schema is asked for: by aliases it could be asked for again and again."""
_SCHEMA = frozenset(("__schema", "__type"))


# A string that does not end is one token, too: to look for its end from each of its quotes would take seconds.
LEXICAL = re.compile(
    r'''"""(?:\\"""|(?!""").)*+(?:""")?|"(?:[^"\\\n\r]|\\.)*+"?|\#[^\n\r]*|\.\.\.'''
    r"|[_A-Za-z][_0-9A-Za-z]*|-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|[^\s,\ufeff]",
    re.DOTALL,
)
_NUMBER = frozenset("-0123456789")
_NAME = frozenset("_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")


def excess_of_text(text: str) -> str | None:
    """Why a text is refused that need not be parsed for it, which takes a hundred times as long; else None.

    Fragments are not followed: `excess` finds what this does not.
    """
    if len(text) > MOST_CHARACTERS:
        return _too_many("characters", len(text), MOST_CHARACTERS)
    tokens = [found[0] for found in islice(LEXICAL.finditer(text), MOST_TOKENS + 1)]
    if len(tokens) > MOST_TOKENS:
        return f"The document has more than {MOST_TOKENS:,} tokens, comments included."
    look = _Look()
    for token in tokens:
        if token[0] != "#":
            look.at(token)
    return (
        _too_many("definitions", look.definitions, MOST_DEFINITIONS)
        or _too_many("variables", look.variables, MOST_VARIABLES)
        or _too_many("aliases", look.aliases, MOST_ALIASES)
        or _too_many("directives", look.directives, MOST_DIRECTIVES)
        or _too_many("selections", look.selections, MOST_SELECTIONS)
        or _too_many_roots(look.most_roots)
        or _too_deep(look.deepest)
        or _too_long("tokens", look.arguments, MOST_ARGUMENT_TOKENS)
        or _too_long("characters in strings", look.characters, MOST_STRING_CHARACTERS)
        or _too_many("digits in a number", look.digits, MOST_DIGITS)
    )


class _Look:
    """At the tokens of a document, which need not be well-formed."""

    def __init__(self) -> None:
        self.definitions = self.variables = self.aliases = self.directives = 0
        self.selections = 0
        self.deepest = self.most_roots = self.arguments = self.characters = self.digits = 0
        self._depth = self._roots = self._parentheses = 0
        self._before = ""
        # Whether each selection set that is open is one of a field, not of an inline fragment.
        self._open: list[bool] = []
        self._is_inline = self._is_fragment = False

    def at(self, token: str) -> None:
        """Look at the next one."""
        self.arguments += self._parentheses > 0 and token != ")"  # noqa: S105
        if token[0] == '"':
            self.characters += len(token)
        elif token[0] in _NUMBER:
            self.digits = max(self.digits, len(token))
        elif token == "(":  # noqa: S105 - no password
            self._parentheses += 1
        elif token == ")":  # noqa: S105
            self._parentheses = max(0, self._parentheses - 1)
        elif token == "@":  # noqa: S105
            self.directives += 1
        elif token == "$":  # noqa: S105
            self.variables += not self._open
        elif self._parentheses == 0:
            self._at_selection(token)
        self._before = token

    def _at_selection(self, token: str) -> None:
        if token[0] in _NAME:
            self._at_name(token)
        elif token == ":":  # noqa: S105
            self.aliases += 1
            self.selections -= bool(self._open)
            self._roots -= self._depth == 1
        elif token == "...":  # noqa: S105
            self._is_inline = True
            self.selections += bool(self._open)
        elif token == "{":  # noqa: S105
            self.definitions += not self._open
            self._open.append(not self._is_inline)
            self._depth += not self._is_inline
            self._is_inline = False
            self.deepest = max(self.deepest, self._depth)
        elif token == "}" and self._open:  # noqa: S105
            self._depth -= self._open.pop()
            self._is_inline = False
            if not self._open:
                self._roots = 0
                self._is_fragment = False

    def _at_name(self, token: str) -> None:
        if self._before == "...":
            self._is_inline = token == "on"  # noqa: S105
        elif not self._open:
            self._is_fragment |= token == "fragment" and self._before in {"", "}"}  # noqa: S105
        elif self._before != "@" and not self._is_inline:
            self.selections += 1
            if self._depth == 1:
                self._roots += 1
                if not self._is_fragment:
                    self.most_roots = max(self.most_roots, self._roots)


def excess(document: DocumentNode) -> str | None:
    """Why the document is refused; None where its shape is within the limits. It need not be valid."""
    if refusal := _too_many("definitions", len(document.definitions), MOST_DEFINITIONS):
        return refusal
    aliases = directives = variables = selections = 0
    introspects = False
    waiting: list[Any] = list(document.definitions)
    while waiting:
        node = waiting.pop()
        directives += len(getattr(node, "directives", None) or ())
        aliases += getattr(node, "alias", None) is not None
        introspects |= isinstance(node, FieldNode) and node.name.value in _SCHEMA
        if declared := getattr(node, "variable_definitions", None):
            variables += len(declared)
            waiting += declared
        if (selection_set := getattr(node, "selection_set", None)) is not None:
            waiting += selection_set.selections
            selections += len(selection_set.selections)
    if refusal := _too_many("variables", variables, MOST_VARIABLES) or _too_many(
        "aliases", aliases, MOST_ALIASES
    ):
        return refusal
    if introspects and aliases > MOST_SCHEMA_ALIASES:
        return f"A document that asks for the schema has {aliases} aliases; {MOST_SCHEMA_ALIASES} are the most."
    return (
        _too_many("directives", directives, MOST_DIRECTIVES)
        or _too_many("selections", selections, MOST_SELECTIONS)
        or _excess_of_fragments(document)
    )


def _excess_of_fragments(document: DocumentNode) -> str | None:
    """Why it is refused for what its selections are once fragments are followed."""
    named = {
        node.name.value: node
        for node in document.definitions
        if isinstance(node, FragmentDefinitionNode)
    }
    try:
        ordered = fragments.leaves_first(named)
    except CircleError as circle:
        return str(circle)
    walk = _Walk(named)
    for fragment in ordered:
        # Known before whoever spreads them asks, so that no chain of them is a recursion.
        walk.depth(fragment.selection_set)
        walk.roots(fragment.selection_set)
    operations = [
        node for node in document.definitions if isinstance(node, OperationDefinitionNode)
    ]
    for operation in operations:
        refusal = _too_many_roots(walk.roots(operation.selection_set)) or _too_deep(
            walk.depth(operation.selection_set)
        )
        if refusal:
            return refusal
    return None


def _too_many(what: str, count: int, most: int) -> str | None:
    if count <= most:
        return None
    return f"The document has {count:,} {what}; {most:,} are the most."


def _too_long(what: str, count: int, most: int) -> str | None:
    if count <= most:
        return None
    return f"The document's arguments have {count:,} {what}; {most:,} are the most: send them as variables."


def _too_many_roots(count: int) -> str | None:
    if count <= MOST_ROOT_FIELDS:
        return None
    return f"An operation has {count} root fields; {MOST_ROOT_FIELDS} are the most."


def _too_deep(depth: int) -> str | None:
    return (
        None
        if depth <= MOST_DEPTH
        else f"An operation is {depth} levels deep; {MOST_DEPTH} are the most."
    )


class _Walk:
    """Through selections, fragments followed; each is looked at once."""

    def __init__(self, named: Mapping[str, FragmentDefinitionNode]) -> None:
        self._fragments = {name: node.selection_set for name, node in named.items()}
        self._known: dict[tuple[str, int], int] = {}

    def depth(self, selection_set: SelectionSetNode) -> int:
        """How many fields lie below each other."""

        def of(selection: Any) -> int:
            if not isinstance(selection, FieldNode):
                return self._within(selection, self.depth)
            below = selection.selection_set
            return 1 + (self.depth(below) if below is not None else 0)

        return self._once("depth", selection_set, lambda: max(map(of, selection_set.selections)))

    def roots(self, selection_set: SelectionSetNode) -> int:
        """How many fields there are, those below not counted."""

        def of(selection: Any) -> int:
            is_field = isinstance(selection, FieldNode)
            return 1 if is_field else self._within(selection, self.roots)

        return self._once("roots", selection_set, lambda: sum(map(of, selection_set.selections)))

    def _within(self, selection: Any, count: Callable[[SelectionSetNode], int]) -> int:
        if isinstance(selection, FragmentSpreadNode):
            fragment = self._fragments.get(selection.name.value)
            return 0 if fragment is None else count(fragment)
        return count(selection.selection_set)

    def _once(self, what: str, selection_set: SelectionSetNode, count: Callable[[], int]) -> int:
        key = (what, id(selection_set))
        if key not in self._known:
            self._known[key] = count()
        return self._known[key]
