"""Tells the language of a text, offline, where there is enough of it to tell."""

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
from py3langid.langid import MODEL_FILE, LanguageIdentifier

EVERY: Final = "*"
"""Stands for all languages where those that a model knows are named."""

# What is told apart: languages of some millions of writers. With rarer ones among them (Scots, Occitan, Latin) more
# short texts of the others are taken for those.
_CODES = (
    "af ar az be bg bn bs ca cs cy da de el en es et eu fa fi fr ga gl gu he hi hr hu hy id is it ja ka kk km kn ko "
    "lo lt lv mk ml mn mr ms my ne nl no pa pl ps pt ro ru si sk sl sq sr sv sw ta te th tl tr uk ur uz vi zh"
)
# How much likelier (as a difference of logarithms) another language has to be than the best of those that a model
# knows before a text is refused, and than the next before its name is said. Measured: docs/sentiment.md.
ENOUGH = 9.0
# Longer texts are told by their beginning.
TOLD_BY = 600

# A third of such words, two at least, and a text is English: so say all but a few of a thousand English texts of some
# length, and the larger identifier needs not be asked. None is a word of another language in Latin letters.
_ENGLISH_WORDS = (
    "the and this that these those with have had are were been not don't doesn't didn't can't won't isn't it's i'm "
    "i've you your my our their they she his from which what when how why who would could should will can does did "
    "get got because than then there very much too any all only just about after to if or"
)
_ENGLISH = frozenset(_ENGLISH_WORDS.split())
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)?")
# Addresses, names of people and laughter say nothing of the language around them.
_NO_WORDS = re.compile(
    r"(?:https?://|www\.)\S+|\S+@\S+|[@#]\w+|\b(?:[jh][aei]){2,}h?\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Language:
    """What a text seems to be written in: ISO 639-1, None where too little says so."""

    code: str | None
    known: bool
    """Whether it may be one of those that were asked for."""


def identify(text: str, known: Collection[str]) -> Language:
    """Tell a text's language; `known` ones are assumed until there is enough to say otherwise."""
    words = _NO_WORDS.sub(" ", text[:TOLD_BY])
    if "en" in known and is_plainly_english(words):
        return Language("en", known=True)
    letters = sum(map(str.isalpha, words))
    if not letters:
        return Language(None, known=True)
    ranked: list[tuple[str, float]] = _identifier().rank(words)
    (best, most), (_, next_most) = ranked[:2]
    if EVERY in known:
        return Language(best if most - next_most > ENOUGH else None, known=True)
    if best in known:
        return Language(best, known=True)
    likeliest = max((score for code, score in ranked if code in known), default=-np.inf)
    # English is written in Latin letters, even where its words are few and strange.
    if most - likeliest > (ENOUGH if is_latin(words) else 0):
        return Language(best, known=False)
    return Language(None, known=True)


def is_plainly_english(text: str) -> bool:
    """Whether so many of the words are English ones, and of no other language, that nothing else needs to be asked."""
    words = _WORD.findall(text.lower().replace("\u2019", "'"))
    return 3 * sum(word in _ENGLISH for word in words) >= max(len(words), 6)


def is_latin(text: str) -> bool:
    """Whether at least half of a text's letters are of the Latin script."""
    if text.isascii():
        return True
    letters = [letter for letter in text if letter.isalpha()]
    latin = sum(letter.isascii() or "LATIN" in unicodedata.name(letter, "") for letter in letters)
    return 2 * latin >= len(letters)


@cache
def _identifier() -> Any:
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE)
    identifier.set_languages(_CODES.split())
    identifier.nb_ptc = np.ascontiguousarray(identifier.nb_ptc)
    return identifier
