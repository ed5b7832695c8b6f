import csv
import shutil
from pathlib import Path

import pytest

from inference.sentiment import DEFAULT_DIRECTORY, Label, ModelError, Score, SentimentModel

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
    assert score is not None
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
    assert model.name == "earful-minilm-1"


def test_answers_come_in_the_order_of_the_texts(model: SentimentModel) -> None:
    texts = ["I hate it.", "", "A really wonderful and reliable machine, I love it.", "Broken!"]

    labels = [score and score.label for score in model.score(texts)]

    assert labels == ["NEGATIVE", None, "POSITIVE", "NEGATIVE"]


def test_no_texts_give_no_scores(model: SentimentModel) -> None:
    assert model.score([]) == []


def test_a_score_does_not_depend_on_the_texts_beside_it(model: SentimentModel) -> None:
    texts = demo_texts(100)

    together = model.score(texts)

    for text, score in zip(texts, together, strict=True):
        assert score is not None
        assert scored(model, text).score == pytest.approx(score.score, abs=1e-3)


def test_text_beyond_the_longest_is_ignored(model: SentimentModel) -> None:
    longest = "good " * 126

    assert scored(model, longest + "terrible " * 500) == scored(model, longest)


def test_a_very_long_text_is_read_from_its_beginning(model: SentimentModel) -> None:
    assert scored(model, "I love this product. " * 100_000).label == "POSITIVE"


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n\t ",
        "это очень плохо",
        "とても良い製品です",
        "المنتج ممتاز",
        "非常好 ok",
        "👍👍👍",
    ],
)
def test_text_the_model_cannot_know_has_no_score(model: SentimentModel, text: str) -> None:
    assert model.score([text]) == [None]


@pytest.mark.parametrize("text", ["Très bon café", "I ♥ it 👍", "5/5", ":-)", "lone \ud800 half"])
def test_latin_or_letterless_text_has_a_score(model: SentimentModel, text: str) -> None:
    assert isinstance(scored(model, text), Score)


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
        ('{"id2label": {}}', "is no configuration: KeyError"),
    ],
)
def test_a_config_that_is_none_is_refused(copied: Path, content: str, message: str) -> None:
    (copied / "config.json").write_text(content)

    with pytest.raises(ModelError, match=message):
        SentimentModel.load(copied)


def test_labels_other_than_ours_are_refused(copied: Path) -> None:
    config = (copied / "config.json").read_text().replace('"negative"', '"LABEL_0"')
    (copied / "config.json").write_text(config)

    with pytest.raises(ModelError, match="labels must be"):
        SentimentModel.load(copied)
