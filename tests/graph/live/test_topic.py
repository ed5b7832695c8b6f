"""A topic's ring: contiguous, bounded, and honest about what it does not have."""

import pytest

from graph.live.cursor import Cursor
from graph.live.topic import RING, Topic
from persistence.bus import Entry, Head


def entries(first: int, last: int) -> list[Entry]:
    return [Entry(offset, b"%d" % offset) for offset in range(first, last + 1)]


async def _unread(_after: int, _limit: int) -> list[Entry]:
    raise AssertionError("the log is not asked")


@pytest.fixture
def topic() -> Topic:
    started = Topic("t", _unread)
    started.start(Head("epoch", 10))
    return started


def test_a_topic_begins_at_the_head_with_an_empty_ring(topic: Topic) -> None:
    assert topic.cursor == Cursor("epoch", 10)
    assert topic.after(10, 5) is None


def test_entries_that_follow_are_taken(topic: Topic) -> None:
    assert topic.append(entries(11, 13))
    assert topic.cursor == Cursor("epoch", 13)
    assert topic.after(11, 5) == entries(12, 13)
    assert topic.after(10, 2) == entries(11, 12)


def test_an_entry_that_is_known_is_left_out(topic: Topic) -> None:
    topic.append(entries(11, 12))

    assert topic.append(entries(9, 13))
    assert topic.after(10, 9) == entries(11, 13)


def test_a_hole_is_told_and_not_jumped(topic: Topic) -> None:
    assert not topic.append(entries(12, 13))
    assert topic.cursor == Cursor("epoch", 10)


def test_the_ring_does_not_reach_back_before_its_start(topic: Topic) -> None:
    topic.append(entries(11, 13))

    assert topic.after(9, 5) is None


def test_the_ring_is_bounded(topic: Topic) -> None:
    for offset in range(11, 11 + 3 * RING):
        topic.append([Entry(offset, b"")])

    newest = topic.after(topic.last - RING, RING)
    assert newest is not None
    assert [entry.offset for entry in newest] == list(range(topic.last - RING + 1, topic.last + 1))
    assert topic.after(topic.last - 2 * RING - 1, 1) is None


def test_another_start_forgets_the_ring(topic: Topic) -> None:
    topic.append(entries(11, 13))

    topic.start(Head("other", 2))

    assert topic.cursor == Cursor("other", 2)
    assert topic.after(1, 5) is None


def test_every_move_wakes_those_who_wait(topic: Topic) -> None:
    appended = topic.change()
    topic.append(entries(11, 11))
    started = topic.change()
    topic.start(Head("other", 0))

    assert appended.is_set()
    assert started.is_set()
    assert not topic.change().is_set()
