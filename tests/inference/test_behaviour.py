import pytest

from inference.sentiment import SentimentModel
from inference.training import behaviour, templates

# What the released model passes, in percent: a new model must not pass noticeably less. Another processor rounds
# otherwise, and may decide a case or two differently.
_ROUNDING = 6
FLOORS = {
    "plain words": 100,
    "facts": 100,
    "questions and requests": 94,
    "negation": 87,
    "contrast": 92,
    "flat complaints": 81,
    "flat praise": 20,
    "sarcasm with a marker": 55,
    "lukewarm and mixed": 50,
    "emoji": 100,
    "short and informal": 90,
    "typos": 83,
    "capitals and punctuation": 100,
    "names, places, things": 100,
    "praise added": 100,
    "blame added": 100,
}
SEEDS = (templates.SEED, *range(5))


@pytest.fixture(scope="module")
def rates() -> dict[str, behaviour.Rate]:
    found = behaviour.rates(SentimentModel.load(), behaviour.read())
    return {rate.capability: rate for rate in found}


def test_every_capability_has_a_floor(rates: dict[str, behaviour.Rate]) -> None:
    assert list(rates) == list(FLOORS)


@pytest.mark.parametrize("capability", FLOORS)
def test_the_model_behaves(rates: dict[str, behaviour.Rate], capability: str) -> None:
    rate = rates[capability]

    assert rate.passed >= FLOORS[capability] - _ROUNDING, "\n".join(map(str, rate.failed))


def test_there_are_enough_different_cases() -> None:
    cases = behaviour.read()

    assert len(set(cases)) == len(cases) >= 300


def test_no_case_is_trained_on() -> None:
    cases = [text for case in behaviour.read() for text in case.texts]
    filled = [row for seed in SEEDS for row in templates.filled(seed=seed)]

    texts = [text for text, _ in templates.written() + filled]

    assert list(templates.overlap(texts, cases)) == []


@pytest.mark.parametrize(
    "text",
    [
        "The ferry was late",
        "the FERRY was late!",
        "We heard that the ferry was late, once more.",
        "👍",
    ],
)
def test_an_overlap_is_found(text: str) -> None:
    cases = ["The ferry was late.", "They say that the ferry was late once more today.", "👍"]

    assert list(templates.overlap([text, "The train was late.", "👎"], cases)) == [text]


def test_a_written_text_has_one_label() -> None:
    written = [text for text, _ in templates.written()]

    assert len(set(written)) == len(written)


@pytest.mark.parametrize("seed", range(3))
def test_templates_are_filled_the_same_way_each_time(seed: int) -> None:
    filled = templates.filled(seed=seed)

    assert filled == templates.filled(seed=seed)
    assert len({text for text, _ in filled}) == len(filled)
