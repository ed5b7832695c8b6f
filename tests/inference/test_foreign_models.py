"""Text classifiers of others, as Hugging Face exports them: what their graphs take and what their labels mean."""

from pathlib import Path

import pytest

from inference.sentiment import ModelError, Score, SentimentModel, Unscored
from tests.inference.exports import ROBERTA, Words, export

THREE = {"0": "negative", "1": "neutral", "2": "positive"}
WORDS: Words = {"bad": (4, 0, 0), "chair": (0, 4, 0), "good": (0, 0, 4), ".": (0, 0, 0)}
TEXTS = ["bad bad bad", "good", "chair", "good good good good good good", "bad"]
LABELS = ["NEGATIVE", "POSITIVE", "NEUTRAL", "POSITIVE", "NEGATIVE"]


def labels(model: SentimentModel, *texts: str) -> list[str]:
    return [found.label for found in model.score(texts) if isinstance(found, Score)]


def weighed(*columns: int) -> Words:
    """A word for each label, which says it."""
    return {
        f"w{index}": [4.0 * (index == column) for column in range(len(columns))]
        for index in range(len(columns))
    }


def test_a_bert_gets_token_types(tmp_path: Path) -> None:
    model = SentimentModel.load(export(tmp_path, WORDS, THREE), languages=("*",))

    assert labels(model, *TEXTS) == LABELS


def test_a_roberta_gets_no_token_types_and_its_own_padding(tmp_path: Path) -> None:
    directory = export(tmp_path, WORDS, THREE, inputs=ROBERTA, pad=1, model_type="roberta")
    model = SentimentModel.load(directory, languages=("*",))

    assert labels(model, *TEXTS) == LABELS


@pytest.mark.parametrize(("pad", "kind"), [(0, "bert"), (1, "roberta")])
def test_no_position_is_asked_for_that_is_not_there(tmp_path: Path, pad: int, kind: str) -> None:
    directory = export(tmp_path, WORDS, THREE, inputs=ROBERTA, pad=pad, model_type=kind)
    model = SentimentModel.load(directory, languages=("*",))

    (score,) = model.score(["chair " * 100 + "bad " * 40])

    assert isinstance(score, Score)
    assert (score.label, len(score.spans)) == ("NEGATIVE", 1)


@pytest.mark.parametrize("shape", [(-1, 3), (-1, 1, 3)])
def test_an_axis_of_one_in_the_logits_is_no_matter(tmp_path: Path, shape: tuple[int, ...]) -> None:
    model = SentimentModel.load(export(tmp_path, WORDS, THREE, shape=shape), languages=("*",))

    assert labels(model, *TEXTS) == LABELS


def test_logits_of_another_shape_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"answers \(1, 6\) for 2 texts and 3 labels"):
        SentimentModel.load(export(tmp_path, WORDS, THREE, shape=(1, 6)))


def test_a_graph_without_dynamic_axes_is_fed_as_it_wants(tmp_path: Path) -> None:
    model = SentimentModel.load(export(tmp_path, WORDS, THREE, axes=(2, 16)), languages=("*",))

    assert labels(model, *TEXTS) == LABELS


def test_a_graph_in_its_own_folder_is_found(tmp_path: Path) -> None:
    export(tmp_path, WORDS, THREE)
    (tmp_path / "onnx").mkdir()
    (tmp_path / "model.onnx").rename(tmp_path / "onnx" / "model.onnx")

    assert labels(SentimentModel.load(tmp_path, languages=("*",)), *TEXTS) == LABELS


def test_a_graph_that_takes_more_is_refused(tmp_path: Path) -> None:
    directory = export(tmp_path, WORDS, THREE, inputs=("input_ids", "attention_mask", "pixels"))

    with pytest.raises(ModelError, match="takes input_ids, attention_mask, pixels"):
        SentimentModel.load(directory)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["Positive", "Negative"], ["POSITIVE", "NEGATIVE"]),
        (["POS", "NEU", "NEG"], ["POSITIVE", "NEUTRAL", "NEGATIVE"]),
        (
            ["Very Negative", "Negative", "Neutral", "Positive", "Very Positive"],
            ["NEGATIVE", "NEGATIVE", "NEUTRAL", "POSITIVE", "POSITIVE"],
        ),
        (
            ["1 star", "2 stars", "3 stars", "4 stars", "5 stars"],
            ["NEGATIVE", "NEGATIVE", "NEUTRAL", "POSITIVE", "POSITIVE"],
        ),
        (["very_positive", "very_negative"], ["POSITIVE", "NEGATIVE"]),
        (["1", "2", "3"], ["NEGATIVE", "NEUTRAL", "POSITIVE"]),
    ],
)
def test_labels_by_their_names(tmp_path: Path, names: list[str], expected: list[str]) -> None:
    words = weighed(*range(len(names)))
    directory = export(tmp_path, words, {str(i): name for i, name in enumerate(names)})
    model = SentimentModel.load(directory, languages=("*",))

    assert labels(model, *words) == expected


def test_outputs_are_read_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    directory = export(tmp_path, WORDS, {"2": "positive", "0": "negative", "1": "neutral"})

    assert labels(SentimentModel.load(directory, languages=("*",)), *TEXTS) == LABELS


@pytest.mark.parametrize(
    "names",
    [
        ["LABEL_0", "LABEL_1", "LABEL_2"],
        ["joy", "anger"],
        ["positive", "neutral"],
        ["1 star", "2 stars", "4 stars"],
        ["positive"],
    ],
)
def test_labels_that_say_nothing_are_refused(tmp_path: Path, names: list[str]) -> None:
    words = weighed(*range(len(names)))
    directory = export(tmp_path, words, {str(i): name for i, name in enumerate(names)})

    with pytest.raises(ModelError, match="SENTIMENT_LABELS=negative,neutral,positive"):
        SentimentModel.load(directory)


def test_a_setting_says_what_labels_mean(tmp_path: Path) -> None:
    directory = export(tmp_path, WORDS, {str(i): f"LABEL_{i}" for i in range(3)})
    model = SentimentModel.load(
        directory, labels=("negative", "neutral", "positive"), languages=("*",)
    )

    assert labels(model, *TEXTS) == LABELS


def test_a_setting_of_too_few_labels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="SENTIMENT_LABELS names 2 labels, and the model has 3"):
        SentimentModel.load(export(tmp_path, WORDS, THREE), labels=("negative", "positive"))


def test_two_labels_leave_room_for_neutral(tmp_path: Path) -> None:
    words = {"good": (0.0, 3.0), "bad": (3.0, 0.0), "so": (0.0, 0.5)}
    directory = export(tmp_path, words, {"0": "NEGATIVE", "1": "POSITIVE"})
    model = SentimentModel.load(directory, languages=("*",))

    praise, mixed, hint = model.score(["good", "good bad", "so"])

    assert isinstance(praise, Score)
    assert isinstance(mixed, Score)
    assert isinstance(hint, Score)
    # p(positive) is .953, .5 and .622.
    assert [each.label for each in (praise, mixed, hint)] == ["POSITIVE", "NEUTRAL", "NEUTRAL"]
    assert [each.score for each in (praise, mixed, hint)] == pytest.approx(
        [0.905, 0, 0.245], abs=1e-3
    )
    assert hint.confidence == pytest.approx(1 - 0.245, abs=1e-3)


def test_languages_that_the_model_knows_are_told_and_others_refused(tmp_path: Path) -> None:
    directory = export(tmp_path, {**WORDS, "gut": (0, 0, 4)}, THREE, languages=["de", "fr"])
    model = SentimentModel.load(directory)

    german, polish = model.score(
        ["Das ist alles wirklich sehr gut gemacht", "Bardzo dobry produkt, polecam wszystkim"]
    )

    assert isinstance(german, Score)
    assert (german.label, german.language) == ("POSITIVE", "de")
    assert polish == Unscored("UNKNOWN_LANGUAGE", "pl", tmp_path.name)


def test_a_model_is_called_as_its_directory(tmp_path: Path) -> None:
    directory = export(tmp_path / "their-model-2", WORDS, THREE, _name_or_path="/secret/place")

    assert SentimentModel.load(directory).name == "their-model-2"
