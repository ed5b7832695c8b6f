"""Sentiment models of a server: which there are, and which one all of its processes use."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.checks import Checks
from domain.errors import ForbiddenError, InvalidInputError
from domain.viewer import Viewer
from persistence import sentiment_model as store
from persistence.database import Database, Reader

USUAL = "default"
"""The name of the one that the server's settings name, or that comes with it."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class UnusableModelError(Exception):
    """The model cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Available:
    """A model that there is; `model` is what it calls itself, None where `problem` says why it cannot be used."""

    name: str
    model: str | None
    problem: str | None


@dataclass(frozen=True, slots=True)
class Listed:
    """The same, and whether it is the one in use."""

    name: str
    model: str | None
    problem: str | None
    is_active: bool


class Library(Protocol):
    """The models that a process can find. It looks at files: not on the event loop."""

    async def available(self) -> Sequence[Available]: ...
    async def take(self, name: str) -> str:
        """Load a model, and use it in this process from now on; answers what it calls itself.

        UnusableModelError: everything is as before.
        """
        ...


async def listed(database: Database, library: Library, *, is_operator: bool) -> list[Listed]:
    """The models of this server, for its operators; nothing for others."""
    if not is_operator:
        return []
    async with database.reader() as reader:
        used = await wanted(reader)
    return [
        Listed(each.name, each.model, each.problem, each.name == used)
        for each in await library.available()
    ]


async def activate(
    database: Database, viewer: Viewer, library: Library, name: str, *, is_operator: bool
) -> None:
    """Let all processes use a model; one that this process cannot use is refused, and nothing has changed."""
    if not is_operator:
        raise ForbiddenError("Only operators of this server may do this.")
    checks = Checks()
    if _NAME.fullmatch(name) is None:
        checks.refuse(["name"], "must be the name of a directory among the models")
    checks.done()
    try:
        model = await library.take(name)
    except UnusableModelError as error:
        raise InvalidInputError(str(error)) from error
    async with database.transaction() as uow:
        if name == USUAL:
            await store.retire(uow)
        else:
            await store.activate(uow, viewer.user_id, directory=name, name=model)


async def wanted(reader: Reader) -> str:
    """The name of the model that all processes are to use."""
    active = await store.active(reader)
    return USUAL if active is None else active.directory
