from dataclasses import dataclass

from inference.queue import BATCH_PARTS, DEADLINE_SECONDS, Queue

SHORT, LONG = [1], [1] * 60
BEGAN = 1_000.0
MOMENT = DEADLINE_SECONDS / 10


@dataclass(eq=False)
class Waiting:
    """Stands for a text that somebody waits for, or does not any more."""

    name: str
    done: bool = False


def names(queue: Queue[Waiting], now: float) -> list[str]:
    return [part.text.name for part in queue.take(now)]


def of_both() -> Queue[Waiting]:
    """One long part that came first, and twice a batch of short ones."""
    queue = Queue[Waiting]()
    queue.add(Waiting("lone"), 1, [LONG], BEGAN)
    queue.add(Waiting("many"), 1, [SHORT] * (2 * BATCH_PARTS), BEGAN + MOMENT)
    return queue


def test_the_fullest_batch_goes_first_as_long_as_nobody_has_waited_too_long() -> None:
    queue = of_both()

    assert names(queue, BEGAN + DEADLINE_SECONDS) == ["many"] * BATCH_PARTS


def test_who_has_waited_too_long_goes_first_and_then_the_fullest() -> None:
    queue, late = of_both(), BEGAN + DEADLINE_SECONDS + MOMENT / 2

    assert names(queue, late) == ["lone"]
    assert names(queue, late) == ["many"] * BATCH_PARTS


def test_of_those_who_have_waited_too_long_the_first_goes_first() -> None:
    queue = of_both()

    assert names(queue, BEGAN + 1) == ["lone"]


def test_a_lone_part_is_a_batch() -> None:
    queue = Queue[Waiting]()
    queue.add(Waiting("lone"), 1, [SHORT], BEGAN)

    assert names(queue, BEGAN) == ["lone"]
    assert (len(queue), names(queue, BEGAN)) == (0, [])


def test_parts_of_two_models_are_not_run_together() -> None:
    queue = Queue[Waiting]()
    queue.add(Waiting("one"), 1, [SHORT], BEGAN)
    queue.add(Waiting("other"), 2, [SHORT] * 2, BEGAN)

    assert names(queue, BEGAN) == ["other", "other"]
    assert names(queue, BEGAN) == ["one"]


def test_what_nobody_waits_for_takes_no_room() -> None:
    queue = Queue[Waiting]()
    gone = Waiting("gone")
    queue.add(gone, 1, [SHORT] * BATCH_PARTS, BEGAN)
    queue.add(Waiting("here"), 1, [SHORT], BEGAN)
    gone.done = True

    assert names(queue, BEGAN) == ["here"]


def test_what_is_cleared_is_told_once_each() -> None:
    queue = of_both()

    assert [each.name for each in queue.clear()] == ["lone", "many"]
    assert len(queue) == 0
