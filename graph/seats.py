"""How many live connections a process has room for, in all and for one caller."""

from uuid import UUID


class Seats:
    """WebSockets and event streams take one each. A caller is a user, a key, or the address of somebody unknown."""

    def __init__(self, *, most: int, most_per_caller: float) -> None:
        self._most = most
        self._most_per_caller = most_per_caller
        self._callers: dict[UUID | str, int] = {}
        self.taken = 0

    @property
    def is_full(self) -> bool:
        return self.taken >= self._most

    def take(self) -> None:
        """One more connection; look first whether it `is_full`."""
        self.taken += 1

    def leave(self, caller: UUID | str) -> None:
        """A connection less, of a caller who has claimed it."""
        self.taken -= 1
        self.disclaim(caller)

    def has_room(self, caller: UUID | str) -> bool:
        """Whether they may have one more."""
        return self._callers.get(caller, 0) + 1 <= self._most_per_caller

    def claim(self, caller: UUID | str) -> bool:
        """It is known now whose it is; False where they have too many, and then it is theirs all the same."""
        count = self._callers[caller] = self._callers.get(caller, 0) + 1
        return count <= self._most_per_caller

    def disclaim(self, caller: UUID | str) -> None:
        """It is another's now."""
        count = self._callers[caller] - 1
        if count:
            self._callers[caller] = count
        else:
            del self._callers[caller]
