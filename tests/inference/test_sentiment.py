import csv
import shutil
from pathlib import Path

import pytest

from inference.sentiment import (
    DEFAULT_DIRECTORY,
    Label,
    ModelError,
    Reason,
    Score,
    SentimentModel,
    Span,
    Unscored,
)

DEMO = Path(__file__).parents[2] / "persistence" / "demo" / "feedback.csv"


@pytest.fixture(scope="module")
def model() -> SentimentModel:
    return SentimentModel.load()


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DEFAULT_DIRECTORY, tmp_path / "sentiment"))


def demo_texts(count: int) -> list[str]:
    with DEMO.open(newline="", encoding="utf-8") as lines:
        return [row["body"] for _, row in zip(range(count), csv.DictReader(lines), strict=False)]


def scored(model: SentimentModel, text: str) -> Score:
    (score,) = model.score([text])
    assert isinstance(score, Score)
    return score


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("I love it, best purchase of the year!", "POSITIVE"),
        ("Your support team was friendly and solved my problem in five minutes.", "POSITIVE"),
        ("The new dashboard is fast and easy to use.", "POSITIVE"),
        ("not bad at all", "POSITIVE"),
        ("The delivery came on Tuesday.", "NEUTRAL"),
        ("How do I change my email address?", "NEUTRAL"),
        ("I use it on a laptop with Windows.", "NEUTRAL"),
        ("It stopped working after two days. Waste of money.", "NEGATIVE"),
        ("The app crashes every time I open it.", "NEGATIVE"),
        ("I don't like the new design, it is confusing.", "NEGATIVE"),
        ("not good", "NEGATIVE"),
    ],
)
def test_plain_english_gets_its_label(model: SentimentModel, text: str, label: Label) -> None:
    assert scored(model, text).label == label


def test_score_is_signed_and_confidence_belongs_to_the_label(model: SentimentModel) -> None:
    praise, complaint = (
        scored(model, "Excellent, I love it."),
        scored(model, "Terrible, I hate it."),
    )

    assert praise.score == pytest.approx(praise.confidence, abs=0.1)
    assert complaint.score == pytest.approx(-complaint.confidence, abs=0.1)


def test_name_tells_model_and_version(model: SentimentModel) -> None:
    assert model.name == "earful-minilm-3"


def test_answers_come_in_the_order_of_the_texts(model: SentimentModel) -> None:
    texts = ["I hate it.", "", "A really wonderful and reliable machine, I love it.", "Broken!"]

    labels = [getattr(answer, "label", None) for answer in model.score(texts)]

    assert labels == ["NEGATIVE", None, "POSITIVE", "NEGATIVE"]


def test_no_texts_give_no_scores(model: SentimentModel) -> None:
    assert model.score([]) == []


def test_a_score_does_not_depend_on_the_texts_beside_it(model: SentimentModel) -> None:
    texts = demo_texts(100)

    together = model.score(texts)

    for text, score in zip(texts, together, strict=True):
        assert isinstance(score, Score)
        assert scored(model, text).score == pytest.approx(score.score, abs=1e-3)


def test_sentences_have_scores_of_their_own(model: SentimentModel) -> None:
    text = "  I love the screen! 😍 The battery is terrible.\nIt came on Tuesday."

    score = scored(model, text)

    assert [(text[span.start : span.end], span.label) for span in score.spans] == [
        ("I love the screen! 😍", "POSITIVE"),
        ("The battery is terrible.", "NEGATIVE"),
        ("It came on Tuesday.", "NEUTRAL"),
    ]


def test_a_text_of_one_sentence_has_the_score_of_it(model: SentimentModel) -> None:
    score = scored(model, " I love it. ")

    assert score.spans == (Span(1, 11, score.label, score.score, score.confidence),)


def test_a_text_has_the_mean_of_its_sentences_weighted_by_how_much_they_judge(
    model: SentimentModel,
) -> None:
    score = scored(model, "I love the screen! The battery is terrible. It came on Tuesday.")
    parts = [scored(model, each) for each in ("I love the screen!", "The battery is terrible.")]
    neutral = scored(model, "It came on Tuesday.")

    # What a judging sentence weighs is about one, what the neutral one does about a tenth.
    assert [span.score for span in score.spans[:2]] == pytest.approx(
        [part.score for part in parts], abs=1e-6
    )
    assert score.score == pytest.approx(sum(part.score for part in parts) / 2, abs=0.1)
    assert neutral.confidence > 0.8


def test_all_of_a_long_text_counts(model: SentimentModel) -> None:
    beginning, end = "It came on a Tuesday. " * 20, "It is terrible, I hate it. " * 20

    assert scored(model, beginning + end).label == "NEGATIVE"


def test_all_of_a_long_sentence_counts(model: SentimentModel) -> None:
    score = scored(model, "it came on a tuesday and " * 40 + "it is terrible and i hate it " * 20)

    assert score.label == "NEGATIVE"
    assert len(score.spans) == 1


def test_of_a_text_of_very_many_sentences_the_first_and_the_last_count(
    model: SentimentModel,
) -> None:
    text = "Good. " * 40 + "Awful! " * 1000 + "Nice. " * 40

    score = scored(model, text)

    assert len(score.spans) == 64
    assert {text[span.start : span.end] for span in score.spans} == {"Good.", "Nice."}


@pytest.mark.parametrize(
    ("text", "reason", "language"),
    [
        ("", "BLANK", None),
        (" \n\t ", "BLANK", None),
        ("это очень плохо", "UNKNOWN_LANGUAGE", "ru"),
        ("とても良い製品です", "UNKNOWN_LANGUAGE", "ja"),
        ("المنتج ممتاز", "UNKNOWN_LANGUAGE", "ar"),
        ("非常好 ok", "UNKNOWN_LANGUAGE", "zh"),
        ("Très bon café", "UNKNOWN_LANGUAGE", "fr"),
        ("♞♞♞", "NO_KNOWN_WORDS", None),
    ],
)
def test_text_the_model_cannot_know_has_no_score(
    model: SentimentModel, text: str, reason: Reason, language: str | None
) -> None:
    assert model.score([text]) == [Unscored(reason, language, model.name)]


@pytest.mark.parametrize(
    "text", ["I ♥ it 👍", "5/5", ":-)", "lone \ud800 half", "Ok", "meh", "👍👍👍"]
)
def test_short_or_letterless_text_has_a_score(model: SentimentModel, text: str) -> None:
    assert isinstance(scored(model, text), Score)


def test_spans_count_code_points_of_the_text_as_given(model: SentimentModel) -> None:
    text = "\ud800 I love it 👩‍👩‍👧. But it broke."

    assert [text[span.start : span.end] for span in scored(model, text).spans] == [
        "\ud800 I love it 👩‍👩‍👧.",
        "But it broke.",
    ]


def test_the_language_is_told(model: SentimentModel) -> None:
    assert scored(model, "The delivery came on Tuesday.").language == "en"
    assert scored(model, "5/5").language is None


@pytest.mark.parametrize("file", ["model.onnx", "tokenizer.json"])
def test_a_changed_file_is_refused(copied: Path, file: str) -> None:
    content = bytearray((copied / file).read_bytes())
    content[len(content) // 2] ^= 1
    (copied / file).write_bytes(content)

    with pytest.raises(ModelError, match=f"{file} is damaged"):
        SentimentModel.load(copied)


@pytest.mark.parametrize("file", ["model.onnx", "tokenizer.json", "config.json"])
def test_a_missing_file_is_refused(copied: Path, file: str) -> None:
    (copied / file).unlink()

    with pytest.raises(ModelError, match="cannot be read"):
        SentimentModel.load(copied)


def test_a_graph_that_cannot_run_is_refused(copied: Path) -> None:
    config = (copied / "config.json").read_text()
    digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    (copied / "model.onnx").write_bytes(b"")
    start = config.index('"model.onnx": "') + len('"model.onnx": "')
    (copied / "config.json").write_text(config[:start] + digest + config[start + 64 :])

    with pytest.raises(ModelError, match="cannot be run"):
        SentimentModel.load(copied)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is no configuration"),
        ("[]", "is no configuration"),
        ('{"id2label": 3}', "is no configuration: TypeError"),
    ],
)
def test_a_config_that_is_none_is_refused(copied: Path, content: str, message: str) -> None:
    (copied / "config.json").write_text(content)

    with pytest.raises(ModelError, match=message):
        SentimentModel.load(copied)
