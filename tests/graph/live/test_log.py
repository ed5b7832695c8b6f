"""Groups that get every event: executed once, delivered to each exactly once and in order, whatever happens."""

import asyncio
from collections.abc import Iterator, Sequence
from random import Random

import pytest

from graph.live.bus import Entry
from graph.live.cursor import Cursor
from graph.live.index import Filter
from graph.live.log import BATCH_BYTES, SLICE, LogGroup
from graph.live.member import Item
from graph.live.topic import PAGE, RING
from tests.graph.live.members import NUMBERS, Taker, World, settled


async def test_an_event_is_executed_once_and_delivered_to_all() -> None:
    world = World()
    group = world.group()
    takers = [Taker() for _ in range(3 * SLICE)]
    for taker in takers:
        group.join(taker, None)

    world.happen(7, 8)
    await settled()

    assert all(taker.numbers == [7, 8] for taker in takers)
    assert all(taker.deliveries == 1 for taker in takers)
    assert world.counters.executed == 2
    assert world.counters.delivered == 2 * len(takers)


async def test_an_event_goes_only_to_groups_that_want_it() -> None:
    world = World()
    asked: list[int] = []

    def is_big(number: int) -> bool:
        asked.append(number)
        return number > 10

    sevens, big_eights, all_ = Taker(), Taker(), Taker()
    world.group(Filter(frozenset((7,)))).join(sevens, None)
    world.group(Filter(frozenset((8,)), is_big)).join(big_eights, None)
    world.group().join(all_, None)

    world.happen(7, 8, 17, 18, 9)
    await settled()

    assert sevens.numbers == [7, 17]
    assert big_eights.numbers == [18]
    assert all_.numbers == [7, 8, 17, 18, 9]
    # Found by its terms: what ends in another digit was never asked.
    assert set(asked) == {8, 18}


async def test_a_member_begins_behind_its_cursor() -> None:
    world = World()
    world.happen(1, 2, 3)
    taker = Taker()
    world.group().join(taker, Cursor("a", 1))
    await settled()
    world.happen(4)
    await settled()

    assert taker.numbers == [2, 3, 4]


async def test_members_that_come_back_share_what_is_read_and_executed() -> None:
    world = World()
    world.written(*range(1, 151))
    world.topic.start(world.head)
    group = world.group()
    takers = [Taker() for _ in range(500)]
    for taker in takers:
        group.join(taker, Cursor("a", 50))
    while not all(len(taker.items) == 100 for taker in takers):
        await asyncio.sleep(0)

    assert all(taker.numbers == list(range(51, 151)) for taker in takers)
    assert (world.reads, world.counters.executed) == (1, 100)


async def test_a_member_catches_up_in_bounded_deliveries() -> None:
    world = World()
    world.happen(*range(1, 5_000))
    taker = Taker()
    sizes: list[int] = []

    def deliver(items: Sequence[Item]) -> bool:
        sizes.append(sum(len(item.payload) for item in items))
        return True

    taker.deliver = deliver  # type: ignore[method-assign]
    world.group().join(taker, Cursor("a", 0))
    while sum(sizes) < sum(len(f'["a",{n},{n}]') for n in range(1, 5_000)):
        await asyncio.sleep(0)

    assert max(sizes) <= BATCH_BYTES + 100


async def test_a_member_that_takes_no_more_gets_the_rest_when_it_does() -> None:
    world = World()
    group = world.group()
    slow, quick = Taker(is_full=True), Taker()
    member = group.join(slow, None)
    group.join(quick, None)

    world.happen(1)
    await settled()
    world.happen(2)
    await settled()
    world.happen(3)
    await settled()
    stopped, slow.is_full = slow.numbers, False
    member.resume()
    await settled()

    assert stopped == [1]
    assert slow.numbers == quick.numbers == [1, 2, 3]
    assert world.counters.executed == 3


async def test_what_is_delivered_at_once_is_bounded() -> None:
    world = World()
    sizes: list[int] = []
    taker = Taker()

    def deliver(items: Sequence[Item]) -> bool:
        sizes.append(sum(len(item.payload) for item in items))
        return True

    taker.deliver = deliver  # type: ignore[method-assign]
    world.group(padding=BATCH_BYTES // 3).join(taker, None)
    world.happen(*range(20))
    await settled()

    assert len(sizes) > 5
    assert max(sizes) <= BATCH_BYTES + BATCH_BYTES // 3 + 100
    assert sum(sizes) > 20 * (BATCH_BYTES // 3)


async def test_a_group_that_cannot_follow_keeps_no_more_than_the_ring() -> None:
    world = World()
    group = world.group()
    takers = [Taker(), Taker()]
    for taker in takers:
        group.join(taker, None)
    for number in range(3 * RING):
        world.happen(number)
    most = len(group._pending)
    while any(len(taker.items) < 3 * RING for taker in takers):
        await asyncio.sleep(0)

    assert most <= RING
    assert all(taker.numbers == list(range(3 * RING)) for taker in takers)
    assert world.counters.executed == 3 * RING


async def test_what_is_no_longer_kept_is_a_gap() -> None:
    world = World()
    world.happen(*range(1, 10))
    del world.kept[:5]
    world.topic.start(world.head)
    taker, lucky = Taker(), Taker()
    group = world.group()
    group.join(taker, Cursor("a", 3))
    group.join(lucky, Cursor("a", 5))
    await settled()
    world.happen(10)
    await settled()

    assert taker.items[0] == ["a", 9]
    assert taker.numbers == ["gap", 10]
    assert lucky.numbers == [6, 7, 8, 9, 10]


async def test_a_cursor_of_another_life_is_a_gap() -> None:
    world = World()
    world.happen(1)
    takers = [Taker() for _ in range(3)]
    group = world.group()
    group.join(takers[0], Cursor("b", 1))
    group.join(takers[1], Cursor("a", 99))
    group.join(takers[2], None)
    await settled()
    world.lose("c")
    await settled()
    world.happen(2)
    await settled()

    assert [taker.numbers for taker in takers] == [["gap", "gap", 2], ["gap", "gap", 2], ["gap", 2]]
    # One execution tells all who stand at the same place.
    assert world.counters.gaps == 2


async def test_a_quiet_group_does_not_fall_behind() -> None:
    world = World()
    group = world.group(Filter(frozenset((7,))))
    taker = Taker(is_full=True)
    member = group.join(taker, None)
    world.happen(7)
    await settled()
    member.resume()
    for _ in range(10):
        world.happen(*[1] * RING)
    del world.kept[:]

    assert group.position(member) == Cursor("a", world.last)
    member.leave()
    assert member.last == world.last
    assert taker.numbers == [7]


async def test_an_error_of_an_event_ends_all_who_wanted_it() -> None:
    world = World()

    async def fail(entry: Entry, cursor: Cursor) -> bytes:
        raise RuntimeError("no")

    async def gap(cursor: Cursor) -> bytes:
        return str(cursor).encode()

    group = LogGroup(
        world.topic,
        Filter(),
        fail,
        gap,
        counters=world.counters,
        on_empty=lambda: None,
        describe=lambda error: str(error).encode(),
    )
    world.topic.index.add(group, NUMBERS)
    takers = [Taker(), Taker()]
    for taker in takers:
        group.join(taker, None)
    world.happen(1)
    await settled()

    assert [(taker.is_over, taker.error) for taker in takers] == [(True, b"no")] * 2
    assert len(group) == 0


async def test_who_has_left_gets_nothing_and_the_last_closes_the_group() -> None:
    world = World()
    group = world.group()
    taker = Taker()
    member = group.join(taker, None)
    world.happen(1)
    member.leave()
    await settled()

    assert taker.items == []
    assert world.closed == 1
    assert world.topic.index.all() == []


async def test_who_becomes_live_while_others_are_served_is_served_too() -> None:
    world = World()
    group = world.group()
    takers = [Taker() for _ in range(3 * SLICE)]
    for taker in takers:
        group.join(taker, None)
    world.happen(1)
    while not takers[0].items:
        await asyncio.sleep(0)
    late = Taker()
    group.join(late, Cursor("a", 0))
    served = len([taker for taker in takers if taker.items])
    await settled()
    world.happen(2)
    await settled()

    assert served < len(takers)
    assert late.numbers == [1, 2]


async def test_entries_that_are_lost_for_good_are_a_gap_in_the_same_epoch() -> None:
    world = World()
    group = world.group(Filter(frozenset((7,))))
    taker = Taker()
    group.join(taker, None)
    world.written(7, 7)
    world.kept.clear()
    world.topic.start(world.head)
    await settled()

    assert taker.items == [["a", 2]]


async def test_what_happens_while_nobody_is_live_is_not_missed_by_who_comes() -> None:
    world = World()
    group = world.group()
    group.join(Taker(is_full=True), None)
    world.happen(1)
    await settled()
    leaving, coming = Taker(), Taker()
    member = group.join(leaving, None)
    world.happen(2)
    member.leave()
    world.happen(3)
    group.join(coming, Cursor("a", 1))
    await settled()

    assert coming.numbers == [2, 3]


async def test_a_tail_that_is_lost_while_it_is_executed_is_a_gap() -> None:
    world = World()
    taker = Taker()
    world.group(Filter(frozenset((7,)))).join(taker, None)
    world.happen(1, 1, 1)
    before = world.head
    world.happen(7)
    del world.kept[3:]
    world.topic.start(before)
    await settled()

    assert taker.items == [["a", 3]]


@pytest.mark.parametrize("seed", range(100))
async def test_nobody_misses_or_repeats_anything_whatever_happens(seed: int) -> None:
    chance = Random(seed)  # noqa: S311 - the same each time
    play = Play(chance)
    for _ in range(chance.randrange(20, 120)):
        chance.choice(play.actions)()
        for _ in range(chance.randrange(6)):
            await asyncio.sleep(0)
    await play.drain()

    for taker in play.takers + play.left:
        for begun, got, is_last in _stretches(taker):
            wanted = play.wanted(*begun)
            # All there was since it began or was told of a gap, as far as it has come.
            assert got == wanted[: len(got)]
            assert len(got) == len(wanted) or not is_last or taker in play.left


class Play:
    """A group, its members, and all that may happen to them."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.world = World()
        self.group = self.world.group(chance.choice([Filter(), Filter(frozenset((1, 2, 3)))]))
        self.group.join(Taker(is_full=True), None)  # so that it is never closed
        self.takers: list[Taker] = []
        self.left: list[Taker] = []
        self.lives = 0
        often = [self.happen] * 6 + [self.join] * 4 + [self.fill, self.resume, self.leave] * 2
        self.actions = [*often, self.trim, self.lose_tail, self.lose_all]

    def happen(self) -> None:
        many = self.chance.choice([1, 1, 3, 40])
        self.world.happen(*(self.chance.randrange(6) for _ in range(many)))

    def join(self) -> None:
        # Anywhere, or where those stand who are served right now.
        offset = self.chance.choice(
            [self.chance.randrange(self.world.last + 1), self.group._seen()]
        )
        after = Cursor(self.world.epoch, offset)
        taker = Taker(is_full=self.chance.random() < 0.3, items=[[after.epoch, after.offset]])
        taker.member = self.group.join(taker, after)
        self.takers.append(taker)

    def fill(self) -> None:
        for taker in self._one():
            taker.is_full ^= True

    def resume(self) -> None:
        for taker in self._one():
            taker.joined.resume()

    def leave(self) -> None:
        for taker in self._one():
            taker.joined.leave()
            self.takers.remove(taker)
            self.left.append(taker)

    def trim(self) -> None:
        del self.world.kept[: self.chance.randrange(len(self.world.kept) + 1)]

    def lose_tail(self) -> None:
        """Entries that nobody was told of go for good."""
        self.world.written(1, 2, 3)
        self.world.kept.clear()
        self.world.topic.start(self.world.head)

    def lose_all(self) -> None:
        self.lives += 1
        self.world.lose(f"life {self.lives}")

    def wanted(self, epoch: str, offset: int) -> list[tuple[str, int, int]]:
        """What a member gets that begins there."""
        terms = self.group.filter.terms
        return [
            entry for entry in self.world.since(epoch, offset) if terms is None or entry[2] in terms
        ]

    async def drain(self) -> None:
        """Everybody takes everything that is left."""
        for taker in self.takers:
            taker.is_full = False
        for _ in range(PAGE):
            for taker in self.takers:
                taker.joined.resume()
            await asyncio.sleep(0)
        await settled()

    def _one(self) -> list[Taker]:
        return [self.chance.choice(self.takers)] if self.takers else []


def _stretches(taker: Taker) -> Iterator[tuple[tuple[str, int], list[tuple[object, ...]], bool]]:
    """Where a member began or a gap left it, what came then, and whether it is the last such stretch."""
    begun = [at for at, item in enumerate(taker.items) if len(item) == 2]
    for first, end in zip(begun, [*begun[1:], len(taker.items)], strict=True):
        epoch, offset = taker.items[first]
        assert isinstance(epoch, str)
        assert isinstance(offset, int)
        got = [tuple(item) for item in taker.items[first + 1 : end]]
        yield (epoch, offset), got, end == len(taker.items)


async def test_who_takes_more_again_while_a_part_is_being_delivered_misses_none_before_it() -> None:
    world = World()
    group = world.group(padding=BATCH_BYTES // 3)
    slow, quick = Taker(is_full=True), Taker()
    member = group.join(slow, None)
    world.happen(1)
    await settled()
    slow.is_full = False

    def deliver(items: Sequence[Item]) -> bool:
        if quick.deliveries == 1:
            member.resume()
        return Taker.deliver(quick, items)

    quick.deliver = deliver  # type: ignore[method-assign]
    group.join(quick, None)
    world.happen(*range(2, 12))
    await settled()

    assert quick.deliveries > 2
    assert quick.numbers == list(range(2, 12))
    assert slow.numbers == list(range(1, 12))


async def test_who_is_behind_and_how_far_is_told() -> None:
    world = World()
    group = world.group()
    group.join(Taker(), None)
    slow = group.join(Taker(is_full=True), None)
    world.happen(1)
    await settled()
    assert group.lag() == (1, 0)

    world.happen(2, 3, 4)
    await settled()
    assert group.lag() == (1, 3)

    slow.leave()
    assert group.lag() == (0, 0)
