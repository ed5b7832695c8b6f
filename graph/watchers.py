"""Who wants to be told when something about somebody changes."""

import asyncio
from collections.abc import Callable
from uuid import UUID

Told = Callable[[], None]

_SLICE = 256


class Watchers:
    """By an id: of a session, say."""

    def __init__(self) -> None:
        self._watchers: dict[UUID, set[Told]] = {}

    def add(self, id_: UUID, told: Told) -> None:
        """Call `told` when it changes, until it is removed."""
        self._watchers.setdefault(id_, set()).add(told)

    def remove(self, id_: UUID, told: Told) -> None:
        watchers = self._watchers.get(id_)
        if watchers is not None:
            watchers.discard(told)
            if not watchers:
                del self._watchers[id_]

    def tell(self, id_: UUID) -> None:
        """It has changed."""
        for told in tuple(self._watchers.get(id_, ())):
            told()

    async def tell_all(self) -> None:
        """Any may have changed. Some are told at a time, so that the loop turns in between."""
        everybody = [(id_, told) for id_, watchers in self._watchers.items() for told in watchers]
        for begin in range(0, len(everybody), _SLICE):
            for id_, told in everybody[begin : begin + _SLICE]:
                if told in self._watchers.get(id_, ()):
                    told()
            await asyncio.sleep(0)
