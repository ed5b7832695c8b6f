"""Who is told when somebody's rights in a workspace change, on whichever server it happened."""

from collections.abc import Callable
from uuid import UUID


class Memberships:
    """The watchers of each user's rights. Whoever follows the instance's events tells of changes."""

    def __init__(self) -> None:
        self._watchers: dict[UUID, set[Callable[[], None]]] = {}

    def watch(self, user: UUID, told: Callable[[], None]) -> None:
        """Call `told` when what the user may do has changed somewhere, until `unwatch`."""
        self._watchers.setdefault(user, set()).add(told)

    def unwatch(self, user: UUID, told: Callable[[], None]) -> None:
        watchers = self._watchers.get(user)
        if watchers is not None:
            watchers.discard(told)
            if not watchers:
                del self._watchers[user]

    def changed(self, user: UUID) -> None:
        """What the user may do has changed."""
        for told in tuple(self._watchers.get(user, ())):
            told()

    def any_changed(self) -> None:
        """Events were missed: it may be anybody."""
        for user in tuple(self._watchers):
            self.changed(user)
