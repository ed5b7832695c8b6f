"""Text in cells: nothing is a formula, and nothing is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.cells import harmless, joined, restored, split

_TEXTS = st.text() | st.text(alphabet="'=+-@\t\r\na")


@pytest.mark.parametrize(
    "first", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20"]
)
def test_what_a_spreadsheet_would_compute_gets_an_apostrophe(first: str) -> None:
    text = f"{first}HYPERLINK(A1)"

    assert harmless(text) == f"'{text}"
    assert harmless(f"'{text}") == f"''{text}"


@pytest.mark.parametrize("text", ["", "good", "'quoted'", "a=b", " =1", "1-2", "'"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert harmless(text) == text


@given(_TEXTS)
def test_text_comes_back_as_it_was(text: str) -> None:
    assert restored(harmless(text)) == text


@given(_TEXTS)
def test_nothing_in_a_cell_begins_a_formula(text: str) -> None:
    assert not harmless(text).startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


def test_words_are_joined_by_semicolons() -> None:
    assert joined(["late", "a;b", "back\\slash"]) == "late;a\\;b;back\\\\slash"
    assert split("") == []


@given(st.lists(st.text(min_size=1) | st.text(alphabet=";\\a", min_size=1)))
def test_words_come_back_as_they_were(words: list[str]) -> None:
    assert split(joined(words)) == words
