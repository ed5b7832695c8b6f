import asyncio
import os
import sys
from collections.abc import AsyncIterator, Sequence

import pytest

from inference.batcher import NICER, Closed, Overloaded, Scorer, StuckError
from inference.graph import Tokens
from inference.sentiment import Chances, Reading, Score, Unscored
from tests.inference.echo import Echo, answer


class Unread(Echo):
    """Stands for a model that reads as long as the other is held up."""

    def __init__(self, other: Echo) -> None:
        super().__init__()
        self.other = other

    def read(self, texts: Sequence[str]) -> list[Reading | Unscored]:
        self.other.started.set()
        self.other.gate.wait(timeout=10)
        return super().read(texts)


class Nice(Echo):
    """Stands for a model that tells how nice the threads are that it runs on."""

    niceness = -1

    def run(self, parts: Sequence[Tokens]) -> list[Chances]:
        self.niceness = os.getpriority(os.PRIO_PROCESS, 0)
        return super().run(parts)


class Broken(Echo):
    """Stands for a model that breaks in its first run."""

    def run(self, parts: Sequence[Tokens]) -> list[Chances]:
        rows = super().run(parts)
        if len(self.runs) == 1:
            raise RuntimeError("out of memory")
        return rows


def answers(texts: Sequence[str]) -> list[Score]:
    return [answer(int(text)) for text in texts]


def numbers(*values: int) -> list[str]:
    return [str(value) for value in values]


@pytest.fixture
def model() -> Echo:
    return Echo()


@pytest.fixture
async def scorer(model: Echo) -> AsyncIterator[Scorer]:
    opened = Scorer(model, max_pending=100)
    yield opened
    model.gate.set()
    await opened.close()


Asked = asyncio.Task[list[Score | Unscored]]


async def asked(scorer: Scorer, model: Echo, *texts: str) -> Asked:
    """Ask, and have a run under way that ends when the gate is opened."""
    model.gate.clear()
    waiting = asyncio.create_task(scorer.score(texts))
    await asyncio.to_thread(model.started.wait, 10)
    return waiting


async def read(scorer: Scorer, texts: int) -> None:
    """Until so many texts have been read."""
    async with asyncio.timeout(10):
        while scorer.counters.texts < texts:
            await asyncio.sleep(0.001)


async def test_concurrent_callers_get_their_own_answers_in_order(scorer: Scorer) -> None:
    requests = [numbers(*range(start, start + 9)) for start in range(0, 90, 10)]

    found = await asyncio.gather(*(scorer.score(request) for request in requests))

    assert found == [answers(request) for request in requests]


async def test_several_threads_answer_in_order_too(model: Echo) -> None:
    scorer = Scorer(model, threads=3)
    requests = [numbers(*range(start, start + 90)) for start in (1, 100, 1000, 10_000)]

    found = await asyncio.gather(*(scorer.score(request) for request in requests))
    await scorer.close()

    assert found == [answers(request) for request in requests]


async def test_parts_of_a_text_make_one_score(scorer: Scorer) -> None:
    assert await scorer.score(["3 10 200", "4"]) == [answer(3, 10, 200), answer(4)]


async def test_what_cannot_be_read_is_in_its_place(scorer: Scorer) -> None:
    found = await scorer.score(["1", " ", "2"])

    assert found == [answer(1), Unscored("BLANK", None, "echo"), answer(2)]


async def test_no_texts_need_no_run(scorer: Scorer, model: Echo) -> None:
    assert await scorer.score([]) == []
    assert model.read_texts == []


async def test_texts_of_concurrent_callers_are_joined_into_one_run(
    scorer: Scorer, model: Echo
) -> None:
    waiting = [await asked(scorer, model, "1")]
    # A run is kept ready, so that none waits for the event loop; what comes after it makes up the next one.
    waiting.append(asyncio.create_task(scorer.score(numbers(2))))
    await read(scorer, 2)
    waiting += [
        asyncio.create_task(scorer.score(numbers(*each))) for each in ((3, 4), (5,), (6, 7))
    ]
    await read(scorer, 7)
    model.gate.set()
    await asyncio.gather(*waiting)

    assert [sorted(run) for run in model.runs] == [[1], [2], [3, 4, 5, 6, 7]]


async def test_what_is_alike_in_length_runs_together(scorer: Scorer, model: Echo) -> None:
    long = 10**60
    waiting = await asked(scorer, model, "1", str(long))
    mixed = asyncio.create_task(scorer.score(numbers(long + 1, 2, long + 2, 3, long + 3, 4)))
    await read(scorer, 8)
    model.gate.set()
    await asyncio.gather(waiting, mixed)

    assert sorted(map(sorted, model.runs[2:])) == [[2, 3, 4], [long + 1, long + 2, long + 3]]


async def test_small_request_is_read_beside_the_first_of_a_huge_one(
    scorer: Scorer, model: Echo
) -> None:
    await asyncio.gather(scorer.score(numbers(*range(90))), scorer.score(numbers(1000)))

    assert "1000" in model.read_texts[:32]


async def test_a_run_is_no_larger_than_its_share(scorer: Scorer, model: Echo) -> None:
    await scorer.score([" ".join(["5"] * 100)])

    assert [len(run) for run in model.runs] == [32, 32, 32, 4]


async def test_long_parts_make_small_runs(scorer: Scorer, model: Echo) -> None:
    await scorer.score([" ".join([str(10**127)] * 20)])

    assert [len(run) for run in model.runs] == [8, 8, 4]


async def test_more_texts_than_may_wait_are_refused(scorer: Scorer, model: Echo) -> None:
    waiting = await asked(scorer, model, *numbers(*range(100)))

    with pytest.raises(Overloaded, match="100 texts are waiting to be scored"):
        await scorer.score(numbers(1))

    model.gate.set()
    assert await waiting == answers(numbers(*range(100)))
    assert await scorer.score(numbers(1)) == [answer(1)]
    assert scorer.counters.refused == 1


async def test_of_a_rush_each_caller_has_an_answer_or_a_refusal(
    scorer: Scorer, model: Echo
) -> None:
    first = await asked(scorer, model, "1")
    rush = [asyncio.create_task(scorer.score(numbers(n, n + 1))) for n in range(100)]
    await asyncio.sleep(0)
    model.gate.set()
    found = await asyncio.gather(*rush, return_exceptions=True)

    assert await first == [answer(1)]
    assert found[:49] == [answers(numbers(n, n + 1)) for n in range(49)]
    assert [str(each) for each in found[49:]] == ["99 texts are waiting to be scored."] * 51
    assert (scorer.pending, scorer.counters.refused) == (0, 51)


@pytest.mark.parametrize(("deadline", "turn"), [(0.0, 2), (60.0, 5)])
async def test_a_lone_text_waits_for_fuller_batches_until_its_deadline(
    model: Echo, deadline: float, turn: int
) -> None:
    scorer = Scorer(model, deadline=deadline)
    waiting = [await asked(scorer, model, "1")]
    waiting.append(asyncio.create_task(scorer.score(numbers(2))))
    await read(scorer, 2)
    waiting.append(asyncio.create_task(scorer.score(numbers(10**60))))
    await read(scorer, 3)
    waiting.append(asyncio.create_task(scorer.score(numbers(*[3] * 96))))
    await read(scorer, 99)
    model.gate.set()
    await asyncio.gather(*waiting)
    await scorer.close()

    assert model.runs.index([10**60]) == turn


async def test_a_run_that_does_not_come_back_is_told_and_is_forgotten_when_it_does(
    model: Echo,
) -> None:
    scorer = Scorer(model, stuck=0.0)
    await scorer.ping()
    waiting = await asked(scorer, model, "1")

    with pytest.raises(StuckError, match="a run has taken more than 0 s"):
        await scorer.ping()
    model.gate.set()
    await waiting
    await scorer.ping()
    await scorer.close()


async def test_reading_that_does_not_come_back_is_told(model: Echo) -> None:
    scorer = Scorer(Unread(model), stuck=0.0)
    waiting = await asked(scorer, model, "1")

    with pytest.raises(StuckError, match="reading texts has taken more than 0 s"):
        await scorer.ping()
    model.gate.set()
    await waiting
    await scorer.close()


@pytest.mark.skipif(sys.platform != "linux", reason="Threads have a niceness on Linux only.")
async def test_runs_give_way_to_the_event_loop() -> None:
    model = Nice()
    scorer = Scorer(model)
    await scorer.score(["1"])
    await scorer.close()

    assert model.niceness == min(os.getpriority(os.PRIO_PROCESS, 0) + NICER, 19)


async def test_cancelled_caller_leaves_the_others_their_answers(
    scorer: Scorer, model: Echo
) -> None:
    model.gate.clear()
    cancelled = asyncio.create_task(scorer.score(numbers(1, 2)))
    other = await asked(scorer, model, *numbers(3, 4))

    cancelled.cancel()
    model.gate.set()

    assert await other == [answer(3), answer(4)]
    assert cancelled.cancelled()


async def test_what_a_cancelled_caller_still_had_waiting_is_dropped(
    scorer: Scorer, model: Echo
) -> None:
    cancelled = await asked(scorer, model, *numbers(*range(100)))

    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    model.gate.set()

    assert await scorer.score(numbers(*range(100, 132))) == answers(numbers(*range(100, 132)))
    # What was under way, and the run that is kept ready.
    assert sum(number < 100 for run in model.runs for number in run) <= 64


async def test_failure_in_reading_reaches_its_callers_and_ends_there(scorer: Scorer) -> None:
    with pytest.raises(ValueError, match="invalid literal for int"):
        await scorer.score(["no number"])

    assert await scorer.score(numbers(5)) == [answer(5)]
    assert scorer.counters.failed == 1


async def test_failure_of_a_run_reaches_its_callers_and_ends_there() -> None:
    scorer = Scorer(Broken())
    with pytest.raises(RuntimeError, match="out of memory"):
        await scorer.score(numbers(1))

    assert await scorer.score(numbers(5)) == [answer(5)]
    await scorer.close()


async def test_another_model_takes_over_and_nobody_notices(scorer: Scorer, model: Echo) -> None:
    before = await asked(scorer, model, *numbers(*range(90)))

    scorer.swap(Echo("another"))
    after = asyncio.create_task(scorer.score(numbers(1, 2)))
    name = scorer.model_name
    model.gate.set()

    assert await before == answers(numbers(*range(90)))
    assert await after == [answer(1, by="another"), answer(2, by="another")]
    assert (name, scorer.counters.swaps) == ("another", 1)


async def test_what_was_done_is_counted(scorer: Scorer, model: Echo) -> None:
    await scorer.score(["1 2 3", "40"])

    counters = scorer.counters
    assert (counters.texts, counters.parts, counters.tokens) == (2, 4, 5)
    assert dict(counters.batch_parts.buckets())["+Inf"] == len(model.runs)
    assert counters.batch_parts.total == 4
    assert dict(counters.request_seconds.buckets())["+Inf"] == 1
    assert scorer.pending == 0


async def test_close_refuses_who_waits_and_who_comes_later(model: Echo) -> None:
    scorer = Scorer(model)
    waiting = await asked(scorer, model, *numbers(*range(1000)))
    await scorer.ping()

    closing = asyncio.create_task(scorer.close())
    with pytest.raises(Closed):
        await waiting
    model.gate.set()
    await closing

    with pytest.raises(Closed):
        await scorer.score(numbers(1))
    with pytest.raises(StuckError):
        await scorer.ping()
    assert len(model.runs) <= 2
