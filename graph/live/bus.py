"""What the hub asks of a message bus: topics that are logs, announced as they grow, read by offset."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol


class Entry(Protocol):
    """One event of a topic. Offsets are contiguous."""

    @property
    def offset(self) -> int: ...
    @property
    def payload(self) -> bytes: ...


class Head(Protocol):
    """Where a topic stands. The epoch changes when the log was lost, so that old offsets mean nothing any more."""

    @property
    def epoch(self) -> str: ...
    @property
    def offset(self) -> int: ...


class News(Protocol):
    """An entry of a followed topic and its epoch; without an entry, the confirmation that it is followed."""

    @property
    def topic(self) -> str: ...
    @property
    def epoch(self) -> str: ...
    @property
    def entry(self) -> Entry | None: ...


class Listener(Protocol):
    """One connection on which topics are followed."""

    async def follow(self, topic: str) -> None: ...
    async def unfollow(self, topic: str) -> None: ...
    async def next(self, timeout: float) -> News | None: ...  # noqa: ASYNC109 - the bus takes it


class Bus(Protocol):
    """Every method raises the error that the hub was told of while the bus is away."""

    async def head(self, topic: str) -> Head: ...
    async def read(self, topic: str, after: int, limit: int) -> Sequence[Entry]: ...
    def listen(self) -> AbstractAsyncContextManager[Listener]: ...
