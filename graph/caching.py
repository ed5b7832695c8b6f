"""Answers from the response cache: which may be, to whom, and until when they are true.

Only a query may be all of whose fields declare how long (`@cacheControl`); what is a plain column of an object goes
with it. An answer is kept for those who ask the same with the same rights in the same workspace, as of where the
workspace's feedback stood before it was made: the next event makes it nobody's. Who has changed something asks the
store for as long as any answer may last, so that everybody sees what they have done.
"""

import asyncio
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any
from uuid import UUID

import orjson
import strawberry
from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLField,
    GraphQLSchema,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    visit,
)
from strawberry.schema_directive import Location

from domain import events
from domain.viewer import Viewer
from graph.engine import RESOLUTION, Attribute, Batch
from graph.memberships import Memberships
from persistence.answers import Answers
from persistence.bus import Bus, BusUnavailableError

LONGEST = 10
"""Seconds that any answer may last."""
_PATIENCE_SECONDS = 0.5
_MEMBERS = events.topic(events.INSTANCE, events.INSTANCE_TOPIC)
_TYPENAME = "__typename"


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="cacheControl",
    description="Where the server has its response cache on, an answer may be so many seconds old if all fields say "
    "so, or are columns of such objects. New feedback ends it at once, and who has changed something gets none.",
)
class CacheControl:
    max_age: int


def longest(schema: GraphQLSchema, document: DocumentNode) -> int:
    """For how many seconds an answer to the document may be kept; 0 if not at all."""
    types = TypeInfo(schema)
    ages = _Ages(types)
    visit(document, TypeInfoVisitor(types, ages))
    return min(ages.found, default=0)


class _Ages(Visitor):
    """Looks at all fields of a document, whichever operation they are of."""

    def __init__(self, types: TypeInfo) -> None:
        super().__init__()
        self._types = types
        self.found: list[int] = []

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        definition = self._types.get_field_def()
        age = None if definition is None else _age(definition)
        if age is not None:
            self.found.append(age)
        elif node.name.value != _TYPENAME and not (definition and _is_column(definition)):
            self.found.append(0)


def _age(definition: GraphQLField) -> int | None:
    ours = definition.extensions.get("strawberry-definition")
    given = () if ours is None else ours.directives
    return next((each.max_age for each in given if isinstance(each, CacheControl)), None)


def _is_column(definition: GraphQLField) -> bool:
    """Whether it is written in its object, and so as old as that."""
    resolution = definition.extensions.get(RESOLUTION)
    if isinstance(resolution, Attribute):
        return True
    return not isinstance(resolution, Batch) and bool(getattr(resolution, "reads", None))


class Cache:
    """The response cache of one process, and how often it had the answer."""

    def __init__(self, answers: Answers, bus: Bus, memberships: Memberships) -> None:
        self._answers = answers
        self._bus = bus
        self._memberships = memberships
        self.hits = 0
        self.misses = 0

    async def slot(
        self, viewer: Viewer, question: Mapping[str, Any], seconds: int
    ) -> "Slot | None":
        """Where the answer to this question is or will be; None for who has just changed something."""
        asked = _hash(question)
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                slot = Slot(self, viewer, asked, seconds, await self.stand(_MEMBERS))
                where, wrote = await self._answers.find(slot.place, _wrote(viewer))
                if wrote is not None:
                    return None
                if where is not None:
                    await slot.look(where)
        except (BusUnavailableError, TimeoutError):
            return None
        self.hits += slot.body is not None
        self.misses += slot.body is None
        return slot

    async def changed(self, viewer: Viewer) -> None:
        """The viewer has changed something, and is to see it."""
        await self._answers.keep(_wrote(viewer), b"1", seconds=LONGEST)

    async def find(self, key: str) -> bytes | None:
        (found,) = await self._answers.find(key)
        return found

    async def keep(self, key: str, value: bytes, seconds: int) -> None:
        await self._answers.keep(key, value, seconds=seconds)

    async def stand(self, topic: str) -> str:
        """Where a topic stands."""
        head = await self._bus.head(topic)
        return f"{head.epoch}.{head.offset}"

    async def rights(self, viewer: Viewer, workspace: UUID) -> str | None:
        """All that an answer may depend on of who asks; None for strangers."""
        if viewer.key is not None:
            return f"key {' '.join(sorted(viewer.key.scopes))}"
        return await self._memberships.role(viewer, workspace)


class Slot:
    """One answer: the body that was found, or where the one that is being made is kept."""

    def __init__(
        self, cache: Cache, viewer: Viewer, asked: str, seconds: int, members: str
    ) -> None:
        self._cache = cache
        self._viewer = viewer
        self._asked = asked
        self._seconds = seconds
        self._keys: set[str | None] = set()
        # Who is what in which workspace, and what keys may do, is as it was while this topic stands where it did.
        self.place = f"{asked}:{viewer.id.hex}:{members}"
        self.body: bytes | None = None

    async def look(self, where: bytes) -> None:
        """Find what somebody with the same rights was answered."""
        workspace, _, rights = where.decode().partition(" ")
        self.body = await self._cache.find(await self._key(UUID(hex=workspace), rights))

    async def about(self, workspace: UUID) -> None:
        """The answer that is being made tells of this workspace, from here on."""
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                rights = await self._cache.rights(self._viewer, workspace)
                if rights is not None:
                    self._keys.add(await self._key(workspace, rights))
                    where = f"{workspace.hex} {rights}".encode()
                    await self._cache.keep(self.place, where, LONGEST)
        except (BusUnavailableError, TimeoutError):
            self._keys.add(None)

    async def fill(self, body: bytes) -> None:
        """Keep the answer, which has no errors, if it tells of one workspace."""
        key = self._keys.pop() if len(self._keys) == 1 else None
        if key is not None:
            await self._cache.keep(key, body, self._seconds)

    async def _key(self, workspace: UUID, rights: str) -> str:
        stands = await self._cache.stand(events.topic(workspace, events.FEEDBACK_TOPIC))
        return f"{self._asked}:{_hash([workspace.hex, rights, stands])}"


def _wrote(viewer: Viewer) -> str:
    return f"wrote:{viewer.id.hex}"


def _hash(what: object) -> str:
    text = orjson.dumps(what, default=str, option=orjson.OPT_SORT_KEYS)
    return blake2b(text, digest_size=16).hexdigest()
