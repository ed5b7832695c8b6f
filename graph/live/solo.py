"""A subscriber that shares nothing: its answers come from an iterator of its own, as fast as it takes them."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from graph.live.counters import Counters
from graph.live.member import Item, Member, Sink


class Solo:
    """The stream of one member."""

    def __init__(
        self,
        answers: AsyncGenerator[bytes],
        *,
        counters: Counters,
        describe: Callable[[Exception], bytes],
    ) -> None:
        self._answers = answers
        self._counters = counters
        self._describe = describe
        self._room = asyncio.Event()
        self._work: asyncio.Task[None] | None = None

    def join(self, sink: Sink) -> Member:
        """Its only member."""
        member = Member(self, sink)
        self._work = asyncio.ensure_future(self._run(member))
        return member

    def pause(self, member: Member) -> None:
        pass  # the next delivery finds out

    def resume(self, member: Member) -> None:  # noqa: ARG002 - there is one
        self._room.set()

    def leave(self, member: Member) -> None:  # noqa: ARG002
        if self._work is not None:
            self._work.cancel()

    def position(self, member: Member) -> None:  # noqa: ARG002
        return None

    async def _run(self, member: Member) -> None:
        error: bytes | None = None
        try:
            async with aclosing(self._answers) as answers:
                async for payload in answers:
                    self._counters.executed += 1
                    self._counters.delivered += 1
                    self._room.clear()
                    if not member.sink.deliver([Item(payload)]):
                        member.is_ready = False
                        await self._room.wait()
        except Exception as failed:  # noqa: BLE001 - the subscriber must not wait for ever
            error = self._describe(failed)
        member.sink.finish(error)
