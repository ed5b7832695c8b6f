"""`make documents`: a manifest of the operations in a folder of .graphql files."""

import hashlib
from pathlib import Path

import orjson
import pytest

from app.cli import main
from graph import manifest
from graph.schema import schema

SCHEMA = schema._schema


def folder(path: Path, **files: str) -> Path:
    for name, text in files.items():
        (path / f"{name}.graphql").write_text(text)
    return path


def test_each_operation_has_the_fragments_that_it_spreads(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    folder(
        tmp_path,
        b="query B { viewer { ...V } }\nmutation A { logout { __typename } }",
    )
    folder(
        tmp_path / "parts",
        v="fragment V on Viewer { user { ...U } }\nfragment U on User { id }\nfragment Z on User { email }",
    )

    written = manifest.written(tmp_path, SCHEMA)

    found = orjson.loads(written)
    assert (found["format"], found["version"]) == ("apollo-persisted-query-manifest", 1)
    assert [(each["name"], each["type"]) for each in found["operations"]] == [
        ("A", "mutation"),
        ("B", "query"),
    ]
    body = found["operations"][1]["body"]
    assert [line for line in body.splitlines() if line.startswith(("query", "fragment"))] == [
        "query B {",
        "fragment U on User {",
        "fragment V on Viewer {",
    ]
    for each in found["operations"]:
        assert each["id"] == hashlib.sha256(each["body"].encode()).hexdigest()
    (tmp_path / "documents.json").write_bytes(written)
    assert manifest.read(tmp_path / "documents.json") == {
        each["id"]: each["body"] for each in found["operations"]
    }


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "there is no operation in the .graphql files of"),
        ({"a": "fragment F on User { id }"}, "there is no operation"),
        ({"a": "{ __typename }"}, "a.graphql: an operation has no name"),
        ({"a": "query A { __typename }", "b": "query A { __typename }"}, "there is another 'A'"),
        ({"a": "query A { nothing }"}, "'A' is not valid: Cannot query field 'nothing'"),
        ({"a": "query A { viewer { ...F } }"}, "'A' is not valid: Unknown fragment 'F'."),
        (
            {"a": "query A { ...F } fragment F on Query { ...F }"},
            "'A' is not valid: Cannot spread fragment 'F' within itself.",
        ),
        ({"a": "query A {"}, "a.graphql: Syntax Error"),
        ({"a": "type A { id: ID }"}, "only operations and fragments are documents"),
    ],
)
def test_what_cannot_be_trusted_is_not_written(
    tmp_path: Path, files: dict[str, str], message: str
) -> None:
    with pytest.raises(manifest.ManifestError, match=message):
        manifest.written(folder(tmp_path, **files), SCHEMA)


def test_the_command_prints_it_or_says_why_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder(tmp_path, a="query A { __typename }")
    assert main(["documents", str(tmp_path)]) == 0
    assert orjson.loads(capsys.readouterr().out)["operations"][0]["name"] == "A"

    folder(tmp_path, b="query B { nothing }")
    assert main(["documents", str(tmp_path)]) == 1
    said = capsys.readouterr()
    assert (said.out, said.err) == (
        "",
        "'B' is not valid: Cannot query field 'nothing' on type 'Query'.\n",
    )
