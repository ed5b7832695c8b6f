"""How many live connections a process has room for, in all and for one caller."""

from uuid import UUID


class Seats:
    """WebSockets and event streams take one each."""

    def __init__(self, *, most: int, most_per_caller: float) -> None:
        self._most = most
        self._most_per_caller = most_per_caller
        self._callers: dict[UUID, int] = {}
        self.taken = 0

    @property
    def is_full(self) -> bool:
        return self.taken >= self._most

    def take(self) -> None:
        """One more connection; look first whether it `is_full`."""
        self.taken += 1

    def leave(self, caller: UUID | None) -> None:
        """A connection less, of a caller who has claimed it, or of nobody."""
        self.taken -= 1
        if caller is not None:
            count = self._callers[caller] - 1
            if count:
                self._callers[caller] = count
            else:
                del self._callers[caller]

    def claim(self, caller: UUID) -> bool:
        """It is known now whose it is; False where they have too many, and then it is theirs all the same."""
        count = self._callers[caller] = self._callers.get(caller, 0) + 1
        return count <= self._most_per_caller
