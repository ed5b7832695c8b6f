import csv
import re
from collections import Counter
from pathlib import Path

import pytest

from inference.language import identify, is_plainly_english
from persistence import demo

FOREIGN = Path(__file__).with_name("languages.tsv")
ENGLISH = frozenset({"en"})


def foreign() -> list[tuple[str, str]]:
    with FOREIGN.open(newline="", encoding="utf-8") as lines:
        return [(row[0], row[1]) for row in csv.reader(lines, delimiter="\t")]


def test_short_feedback_in_other_languages_is_told_from_english() -> None:
    found = [(code, identify(text, ENGLISH)) for code, text in foreign()]

    assert len(found) == 300
    assert set(Counter(code for code, _ in found).values()) == {20}
    assert sum(not each.known for _, each in found) >= 294
    assert sum(each.code == code for code, each in found) >= 285


def test_nothing_foreign_is_plainly_english() -> None:
    assert [text for _, text in foreign() if is_plainly_english(text)] == []


def test_english_feedback_is_not_thrown_away() -> None:
    texts = [sample.body for sample in demo.texts()]

    refused = [text for text in texts if not identify(text, ENGLISH).known]

    assert len(refused) / len(texts) < 0.005


SHORT = """ok, great app, meh, no, super, Netflix sucks, Nikon Coolpix 4300, wow!!! 😍, hahaha, A+++, login broken
pls fix, 5G, gr8, Google Maps, 10/10, CRASHES ALWAYS, :-), good, nice one, n/a, dark mode pls"""


@pytest.mark.parametrize("text", re.split(r", |\n", SHORT))
def test_what_is_short_is_taken_for_english(text: str) -> None:
    assert identify(text, ENGLISH).known


def test_addresses_and_names_say_nothing() -> None:
    found = identify("Schauen Sie https://support.example.com/help/the-new-article an", ENGLISH)

    assert (found.code, found.known) == ("de", False)
    assert identify("@jürgen_müller www.größe.example/straße", ENGLISH).known


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("La aplicación se cierra sola todo el tiempo.", "es"),
        ("The app closes by itself all the time.", "en"),
        ("приложение постоянно вылетает и не работает", "ru"),
        ("ok", None),
        ("12345", None),
    ],
)
def test_a_model_of_all_languages_is_told_what_is_plain(text: str, code: str | None) -> None:
    found = identify(text, frozenset({"*"}))

    assert (found.code, found.known) == (code, True)


def test_of_several_known_languages_the_likeliest_is_told() -> None:
    found = identify("Der Akku hält nur zwei Stunden.", frozenset({"de", "fr"}))

    assert (found.code, found.known) == ("de", True)
    assert not identify("The battery only lasts for two hours.", frozenset({"de", "fr"})).known
