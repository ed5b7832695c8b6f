import asyncio
import threading
from collections.abc import AsyncIterator, Sequence

import pytest

from inference.batcher import Closed, Overloaded, Scorer
from inference.sentiment import Score


class Echo:
    """Stands for the model: a text is a number, and the number is its score."""

    name = "echo"

    def __init__(self) -> None:
        self.runs: list[list[str]] = []
        self.started = threading.Event()
        self.gate = threading.Event()
        self.gate.set()

    def score(self, texts: Sequence[str]) -> list[Score | None]:
        self.runs.append(list(texts))
        self.started.set()
        self.gate.wait(timeout=10)
        return [answer(text) for text in texts]


def answer(text: str) -> Score:
    return Score("NEUTRAL", float(text), 1.0)


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


async def test_concurrent_callers_get_their_own_answers_in_order(scorer: Scorer) -> None:
    requests = [numbers(*range(start, start + 9)) for start in range(0, 90, 10)]

    answers = await asyncio.gather(*(scorer.score(request) for request in requests))

    assert answers == [[answer(text) for text in request] for request in requests]


async def test_no_texts_need_no_run(scorer: Scorer, model: Echo) -> None:
    assert await scorer.score([]) == []
    assert model.runs == []


async def test_texts_of_concurrent_callers_are_joined_into_one_run(
    scorer: Scorer, model: Echo
) -> None:
    await asyncio.gather(
        scorer.score(numbers(1, 2)), scorer.score(numbers(3)), scorer.score(numbers(4, 5))
    )

    assert model.runs == [numbers(1, 3, 4, 2, 5)]


async def test_small_request_is_in_the_first_run_beside_a_huge_one(
    scorer: Scorer, model: Echo
) -> None:
    await asyncio.gather(scorer.score(numbers(*range(90))), scorer.score(numbers(1000)))

    assert [len(run) for run in model.runs] == [32, 32, 27]
    assert "1000" in model.runs[0]


async def test_long_texts_make_short_runs(scorer: Scorer, model: Echo) -> None:
    await scorer.score(["7".rjust(10_000)] * 4)

    assert [len(run) for run in model.runs] == [2, 2]


async def test_more_texts_than_may_wait_are_refused(scorer: Scorer, model: Echo) -> None:
    model.gate.clear()
    waiting = asyncio.create_task(scorer.score(numbers(*range(100))))
    await asyncio.to_thread(model.started.wait, 10)

    with pytest.raises(Overloaded, match="100 texts are waiting to be scored"):
        await scorer.score(numbers(1))

    model.gate.set()
    assert await waiting == [answer(text) for text in numbers(*range(100))]
    assert await scorer.score(numbers(1)) == [answer("1")]


async def test_cancelled_caller_leaves_the_others_their_answers(
    scorer: Scorer, model: Echo
) -> None:
    model.gate.clear()
    cancelled = asyncio.create_task(scorer.score(numbers(1, 2)))
    other = asyncio.create_task(scorer.score(numbers(3, 4)))
    await asyncio.to_thread(model.started.wait, 10)

    cancelled.cancel()
    model.gate.set()

    assert await other == [answer("3"), answer("4")]
    assert cancelled.cancelled()


async def test_what_a_cancelled_caller_still_had_waiting_is_dropped(
    scorer: Scorer, model: Echo
) -> None:
    model.gate.clear()
    cancelled = asyncio.create_task(scorer.score(numbers(*range(100))))
    await asyncio.to_thread(model.started.wait, 10)

    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    model.gate.set()

    assert await scorer.score(numbers(*range(100, 132))) == [
        answer(text) for text in numbers(*range(100, 132))
    ]
    assert model.runs == [numbers(*range(32)), numbers(*range(100, 132))]


async def test_failure_of_the_model_reaches_its_callers_and_ends_there(scorer: Scorer) -> None:
    with pytest.raises(ValueError, match="could not convert string to float"):
        await scorer.score(["no number"])

    assert await scorer.score(numbers(5)) == [answer("5")]


async def test_close_refuses_who_waits_and_who_comes_later(model: Echo) -> None:
    scorer = Scorer(model)
    model.gate.clear()
    waiting = asyncio.create_task(scorer.score(numbers(*range(100))))
    await asyncio.to_thread(model.started.wait, 10)

    closing = asyncio.create_task(scorer.close())
    with pytest.raises(Closed):
        await waiting
    model.gate.set()
    await closing

    with pytest.raises(Closed):
        await scorer.score(numbers(1))
    assert len(model.runs) == 1
