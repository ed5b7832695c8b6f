"""Manifests of trusted documents: those of Relay, Apollo and GraphQL Code Generator are read, Apollo's is written.

Relay and GraphQL Code Generator write an object of documents by their ids, Apollo one that names its format.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
from graphql import (
    DefinitionNode,
    DocumentNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    Source,
    parse,
    print_ast,
    visit,
)
from graphql.language import Visitor

from graph import validation

_APOLLO = "apollo-persisted-query-manifest"


class ManifestError(Exception):
    """There is no manifest to be had; says where and why."""


def read(path: Path) -> dict[str, str]:
    """The documents by their ids: of a manifest, or of all manifests (`*.json`) in a folder."""
    paths = sorted(path.rglob("*.json")) if path.is_dir() else [path]
    if not paths:
        raise ManifestError(f"there is no manifest (*.json) in {path}")
    texts: dict[str, str] = {}
    for each in paths:
        for id_, text in _documents(each).items():
            if texts.setdefault(id_, text) != text:
                raise ManifestError(f"{each}: another document has the id {id_!r}")
    return texts


def _documents(path: Path) -> dict[str, str]:
    try:
        manifest = orjson.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ManifestError(f"cannot be read: {error}") from error
    if isinstance(manifest, dict) and manifest.get("format") == _APOLLO:
        return _of_apollo(path, manifest)
    if not isinstance(manifest, dict) or not all(isinstance(t, str) for t in manifest.values()):
        raise ManifestError(f"expected a JSON object of documents by id in {path}")
    return manifest


def _of_apollo(path: Path, manifest: dict[str, Any]) -> dict[str, str]:
    if manifest.get("version") != 1:
        raise ManifestError(f"{path}: expected version 1 of Apollo's manifest")
    operations = manifest.get("operations")
    if not isinstance(operations, list) or not all(map(_is_entry, operations)):
        raise ManifestError(f"{path}: expected `operations` with an `id` and a `body` each")
    return {each["id"]: each["body"] for each in operations}


def _is_entry(entry: object) -> bool:
    return isinstance(entry, dict) and all(
        isinstance(entry.get(key), str) for key in ("id", "body")
    )


def written(folder: Path, schema: GraphQLSchema) -> bytes:
    """A manifest of the operations in a folder's `.graphql` files: each with the fragments that it spreads.

    Ids are the SHA-256 of the text.
    """
    fragments: dict[str, FragmentDefinitionNode] = {}
    operations: dict[str, OperationDefinitionNode] = {}
    for path, definition in _definitions(folder):
        if not isinstance(definition, OperationDefinitionNode | FragmentDefinitionNode):
            raise ManifestError(f"{path}: only operations and fragments are documents")
        if definition.name is None:
            raise ManifestError(f"{path}: an operation has no name")
        name = definition.name.value
        if name in fragments or name in operations:
            raise ManifestError(f"{path}: there is another {name!r}")
        if isinstance(definition, OperationDefinitionNode):
            operations[name] = definition
        else:
            fragments[name] = definition
    if not operations:
        raise ManifestError(f"there is no operation in the .graphql files of {folder}")
    entries = []
    for name, operation in sorted(operations.items()):
        document = DocumentNode(definitions=(operation, *_spread(operation, fragments)))
        text = print_ast(document)
        for error in validation.errors(schema, parse(text), most_errors=1):
            raise ManifestError(f"{name!r} is not valid: {error.message}")
        id_ = hashlib.sha256(text.encode()).hexdigest()
        entries.append({"id": id_, "name": name, "type": operation.operation.value, "body": text})
    manifest = {"format": _APOLLO, "version": 1, "operations": entries}
    return orjson.dumps(manifest, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _definitions(folder: Path) -> Iterator[tuple[Path, DefinitionNode]]:
    for path in sorted(folder.rglob("*.graphql")):
        try:
            document = parse(Source(path.read_text(), str(path)))
        except (OSError, ValueError, GraphQLError) as error:
            raise ManifestError(f"{path}: {error}") from error
        for definition in document.definitions:
            yield path, definition


def _spread(
    operation: OperationDefinitionNode, fragments: dict[str, FragmentDefinitionNode]
) -> list[FragmentDefinitionNode]:
    """The fragments that an operation needs, by name."""
    needed: set[str] = set()
    waiting: list[Any] = [operation]
    while waiting:
        spreads = _Spreads()
        visit(waiting.pop(), spreads)
        new = spreads.names - needed
        needed |= new
        waiting += [fragments[name] for name in new if name in fragments]
    return [fragments[name] for name in sorted(needed) if name in fragments]


class _Spreads(Visitor):
    """Collects the names of the fragments that are spread."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_fragment_spread(self, node: FragmentSpreadNode, *_: Any) -> None:
        self.names.add(node.name.value)
