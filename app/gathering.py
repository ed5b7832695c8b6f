"""Doing at once what many ask for at the same time: one call for all who came while the one before was made."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
A = TypeVar("A")


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
        self._waiting: deque[tuple[T, asyncio.Future[A]]] = deque()
        self._working: asyncio.Task[None] | None = None

    @property
    def is_idle(self) -> bool:
        return self._working is None

    def ask(self, item: T) -> "asyncio.Future[A]":
        """A future of the answer. Whoever does not wait for it any more changes nothing for the others."""
        answer: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, answer))
        if self._working is None:
            self._working = asyncio.ensure_future(self._run())
        return answer

    async def _run(self) -> None:
        try:
            while self._waiting:
                await self._answer(self._next())
        finally:
            self._working = None

    def _next(self) -> list[tuple[T, "asyncio.Future[A]"]]:
        """The first that wait, but those that cannot be done beside another, which keep their turn."""
        taken: list[tuple[T, asyncio.Future[A]]] = []
        left: list[tuple[T, asyncio.Future[A]]] = []
        seen: set[Hashable] = set()
        while self._waiting and len(taken) < self._most:
            item, answer = self._waiting.popleft()
            keys = set(self._keys(item))
            (left if keys & seen else taken).append((item, answer))
            seen |= keys
        self._waiting.extendleft(reversed(left))
        return taken

    async def _answer(self, asked: list[tuple[T, "asyncio.Future[A]"]]) -> None:
        try:
            answers = await self._work([item for item, _ in asked])
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
            for (_, future), answer in zip(asked, answers, strict=True):
                if not future.done():
                    future.set_result(answer)


def _fail(asked: list[tuple[T, "asyncio.Future[A]"]], error: BaseException) -> None:
    for _, future in asked:
        if not future.done():
            future.set_exception(error) if isinstance(error, Exception) else future.cancel()
