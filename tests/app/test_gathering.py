"""One call for many askers: each gets its own answer, and fails for nobody else's sake."""

import asyncio
from collections.abc import Hashable, Iterable, Sequence

import pytest

from app.gathering import Gatherer


class AwayError(Exception):
    pass


class Work:
    """Doubles numbers; remembers what it was called with, and waits to be let go on."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.go = asyncio.Event()
        self.poison: dict[int, Exception] = {}

    async def __call__(self, items: Sequence[int]) -> Sequence[int]:
        self.calls.append(list(items))
        await self.go.wait()
        for item in items:
            if item in self.poison:
                raise self.poison[item]
        return [2 * item for item in items]


def by_tens(item: int) -> Iterable[Hashable]:
    return (item // 10,)


async def asked(gatherer: Gatherer[int, int], work: Work, items: Iterable[int]) -> list[object]:
    """What comes of these, all of which wait before the first call ends."""
    answers = [asyncio.ensure_future(gatherer.ask(item)) for item in items]
    work.go.set()
    return list(await asyncio.gather(*answers, return_exceptions=True))


async def test_who_comes_while_a_call_is_made_shares_the_next() -> None:
    work = Work()
    gatherer = Gatherer(work, most=10)
    first = gatherer.ask(0)
    await asyncio.sleep(0)

    answers = await asked(gatherer, work, range(1, 5))

    assert [await first, *answers] == [0, 2, 4, 6, 8]
    assert work.calls == [[0], [1, 2, 3, 4]]
    assert gatherer.is_idle


async def test_a_call_is_for_no_more_than_so_many() -> None:
    work = Work()

    await asked(Gatherer(work, most=2), work, range(5))

    assert work.calls == [[0, 1], [2, 3], [4]]


async def test_two_with_a_key_in_common_are_not_in_one_call() -> None:
    work = Work()

    answers = await asked(Gatherer(work, most=10, keys=by_tens), work, [1, 2, 11, 3, 21])

    assert answers == [2, 4, 22, 6, 42]
    assert work.calls == [[1, 11, 21], [2], [3]]


async def test_one_that_fails_fails_alone() -> None:
    work = Work()
    work.poison[3] = ValueError("three")

    answers = await asked(Gatherer(work, most=10), work, range(5))

    assert answers[:3] + answers[4:] == [0, 2, 4, 8]
    assert answers[3] is work.poison[3]
    assert work.calls == [[0, 1, 2, 3, 4], [0], [1], [2], [3], [4]]


async def test_what_fails_for_all_is_not_tried_for_each() -> None:
    work = Work()
    work.poison[3] = AwayError()

    answers = await asked(Gatherer(work, most=10, is_shared=(AwayError,)), work, range(5))

    assert answers == [work.poison[3]] * 5
    assert work.calls == [[0, 1, 2, 3, 4]]


async def test_who_gives_up_changes_nothing_for_the_others() -> None:
    work = Work()
    gatherer = Gatherer(work, most=10)
    gone, stays = gatherer.ask(1), gatherer.ask(2)
    await asyncio.sleep(0)

    gone.cancel()
    work.go.set()

    assert await stays == 4
    with pytest.raises(asyncio.CancelledError):
        await gone
