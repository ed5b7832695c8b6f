"""Doing at once what many ask for at the same time: one call for all who came while the one before was made."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from typing import Generic, NamedTuple, TypeVar

from telemetry import trace
from telemetry.trace import Place

T = TypeVar("T")
A = TypeVar("A")


class _Asked(NamedTuple, Generic[T, A]):
    """Something to be done, who waits for it, and the trace that it belongs to."""

    item: T
    answer: "asyncio.Future[A]"
    place: Place | None


def _none(_: object) -> Iterable[Hashable]:
    return ()


class Gatherer(Generic[T, A]):
    """Each item is answered by a call that began after it had come. One call is made at a time.

    `work` answers in the order of its items. Where it fails for several of them, each is tried by itself, so that
    none fails for another's sake; what `is_shared` fails for all. Two items with a key in common are not in one call.
    """

    def __init__(
        self,
        work: Callable[[Sequence[T]], Awaitable[Sequence[A]]],
        *,
        most: int,
        keys: Callable[[T], Iterable[Hashable]] = _none,
        is_shared: tuple[type[Exception], ...] = (),
    ) -> None:
        self._work = work
        self._most = most
        self._keys = keys
        self._is_shared = is_shared
        self._waiting: deque[_Asked[T, A]] = deque()
        self._working: asyncio.Task[None] | None = None

    @property
    def is_idle(self) -> bool:
        return self._working is None

    def ask(self, item: T) -> "asyncio.Future[A]":
        """A future of the answer. Whoever does not wait for it any more changes nothing for the others."""
        answer: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Asked(item, answer, trace.here()))
        if self._working is None:
            self._working = asyncio.ensure_future(self._run())
        return answer

    async def _run(self) -> None:
        try:
            while self._waiting:
                await self._answer(self._next())
        finally:
            self._working = None

    def _next(self) -> list[_Asked[T, A]]:
        """The first that wait, but those that cannot be done beside another, which keep their turn."""
        taken: list[_Asked[T, A]] = []
        left: list[_Asked[T, A]] = []
        seen: set[Hashable] = set()
        while self._waiting and len(taken) < self._most:
            asked = self._waiting.popleft()
            keys = set(self._keys(asked.item))
            (left if keys & seen else taken).append(asked)
            seen |= keys
        self._waiting.extendleft(reversed(left))
        return taken

    async def _answer(self, asked: list[_Asked[T, A]]) -> None:
        try:
            with trace.together("together", [each.place for each in asked], number=len(asked)):
                answers = await self._work([each.item for each in asked])
        except self._is_shared as error:
            _fail(asked, error)
        except Exception as error:  # noqa: BLE001 - each gets its own
            if len(asked) == 1:
                _fail(asked, error)
            else:
                for each in asked:
                    await self._answer([each])
        except BaseException as error:
            _fail(asked, asyncio.CancelledError())
            raise error from None
        else:
            for each, answer in zip(asked, answers, strict=True):
                if not each.answer.done():
                    each.answer.set_result(answer)


def _fail(asked: list[_Asked[T, A]], error: BaseException) -> None:
    for _, future, _ in asked:
        if not future.done():
            future.set_exception(error) if isinstance(error, Exception) else future.cancel()
