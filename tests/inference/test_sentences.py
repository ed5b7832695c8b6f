import pytest

from inference.sentences import split


@pytest.mark.parametrize(
    "text",
    [
        "I love it.|It works!|Why?",
        "Dr. Smith said e.g. this costs $4.99.|Wow!",
        "J. Smith et al. came at 5 p.m. today",
        "U.S. support is bad.|OK.",
        "Mr. and Mrs. B. like it.|We do, too.",
        "Well... it depends...|Maybe not.",
        "I waited… and waited…|Nothing came.",
        "No way?!|Really!!!|yes",
        "great phone!|love it.|works well",
        "See https://example.com/a.b?c=d.|It is v2.0.1 now",
        "Mail me at a.b@example.com.|Thanks",
        "It costs 1,299.00.|Too much",
        'He said "It broke."|Then he left.',
        "It broke (again!)|and nobody came.",
        "Love it!! 😍|Would buy. :)|Bye",
        "Great 👍|Would buy again 😍😍",
        "Nice :)|But slow",
        "I 😍 it so much",
        "とても良い。|でも高い。",
    ],
)
def test_sentences(text: str) -> None:
    given = text.replace("|", " ")

    assert [given[start:end] for start, end in split(given)] == [
        part.strip() for part in text.split("|")
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Pros:\n- fast\n- cheap\nCons:\n* loud",
            ["Pros:", "- fast", "- cheap", "Cons:", "* loud"],
        ),
        ("1. Fast.\n2. Cheap.\n3) Loud", ["1. Fast.", "2. Cheap.", "3) Loud"]),
        ("a long line\nthat goes on", ["a long line\nthat goes on"]),
        ("Dear team,\nIt broke", ["Dear team,\nIt broke"]),
        ("a title\r\n\r\nand more", ["a title", "and more"]),
        ("a title\n\nand more", ["a title", "and more"]),
        ("It broke\nI want a refund", ["It broke", "I want a refund"]),
        ("old Macs\rEnd lines so", ["old Macs", "End lines so"]),
    ],
)
def test_lines_and_lists(text: str, expected: list[str]) -> None:
    assert [text[start:end] for start, end in split(text)] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Bad!\n👎👎\n", ["Bad!\n👎👎"]),
        ("!!! Wow.", ["!!! Wow."]),
        ("It broke.\n---\nBye.", ["It broke.\n---", "Bye."]),
        ("👍", ["👍"]),
        ("...", ["..."]),
        ("", []),
        (" \n\t\u00a0 ", []),
    ],
)
def test_what_has_no_words_is_no_sentence(text: str, expected: list[str]) -> None:
    assert [text[start:end] for start, end in split(text)] == expected


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("." * 50_000 + "x", 1),
        (" " * 50_000 + "x", 1),
        ("😀" * 50_000, 1),
        ("\n" * 50_000, 0),
        (":)" * 25_000, 1),
        (". " * 25_000, 1),
        ("No! " * 12_000, 12_000),
        ("-\n" * 25_000, 1),
    ],
)
def test_no_text_takes_long(text: str, sentences: int) -> None:
    # Tried at every place, each of these would take minutes.
    assert len(split(text)) == sentences
