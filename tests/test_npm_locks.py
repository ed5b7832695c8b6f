"""The lock files of npm: whole for every platform, so that `npm ci` takes them, and free of registries."""

import json
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
LOCKS = ["bench", "web/dashboard", "web/graphiql"]


def packages(folder: str) -> dict[str, dict[str, Any]]:
    locked: dict[str, dict[str, Any]] = json.loads(
        (ROOT / folder / "package-lock.json").read_text()
    )["packages"]
    return locked


def places(of: str, name: str) -> list[str]:
    """Where a package looks for another: in its own folder, and in each that it lies in."""
    above = of.split("node_modules/")
    return ["node_modules/".join([*above[:depth], name]) for depth in range(len(above), 0, -1)]


@pytest.mark.parametrize("folder", LOCKS)
def test_every_dependency_is_locked_with_its_hash(folder: str) -> None:
    locked = packages(folder)

    # `npm ci` refuses a lock file that lacks even the packages of other platforms.
    missing = [
        (of, name)
        for of, package in locked.items()
        for kind in ("dependencies", "optionalDependencies", *([] if of else ["devDependencies"]))
        for name in package.get(kind, {})
        if not any(place in locked for place in places(f"{of}/" if of else "", name))
    ]
    assert missing == []
    assert [of for of, package in locked.items() if of and "integrity" not in package] == []


@pytest.mark.parametrize("folder", LOCKS)
def test_no_registry_is_named(folder: str) -> None:
    assert [of for of, package in packages(folder).items() if "resolved" in package] == []


@pytest.mark.parametrize("folder", LOCKS)
def test_the_lock_file_is_of_the_present_packages(folder: str) -> None:
    wanted = json.loads((ROOT / folder / "package.json").read_text())

    locked = packages(folder)[""]

    kinds = ("dependencies", "devDependencies")
    assert [locked.get(kind, {}) for kind in kinds] == [wanted.get(kind, {}) for kind in kinds]
