"""Finds the sentences of a text as people write it: with abbreviations, lists, emoji, addresses and no full stops."""

import re
from collections.abc import Iterator
from itertools import pairwise

Bounds = tuple[int, int]

# What may end a sentence: marks with what closes after them, faces, or line breaks. Nothing here is tried twice: a text
# of nothing but dots is read as fast as any other.
_EMOJI = "[\u2600-\u27bf\u2b50\u2b55\U0001f000-\U0001faff\u200d\ufe0f]"
_FACE = r"(?:[:;=8][-'^o]?[)(\]\[DPpO/\\|*3]++|<3|[xX]D\b)"
_END = re.compile(
    rf"(?P<marks>(?<![.!?…])[.!?…]++)[\"'”\u2019»)\]}}*_]*+(?=\s|$|{_EMOJI})(?:\s*+(?:{_EMOJI}|{_FACE}))*+"
    rf"|(?P<wide>[。\uff01\uff1f]++[」』\uff09]*+)"
    rf"|(?P<face>(?:(?<!{_EMOJI}){_EMOJI}++|(?<=\s){_FACE})(?=\s+[^\W\d_a-z]))"
    rf"|(?P<lines>(?:\r\n?|\n)\s*+)"
)
# A full stop after these ends nothing; nor does one after a single letter, as in J. Smith, or p.m.
_ABBREVIATED = re.compile(
    r"(?:^|[\s(\"'“\u2018/])(?:mr|mrs|ms|mx|dr|prof|st|jr|sr|vs|nr|fig|vol|pp|approx|appt|dept|incl|excl|tel|"
    r"e\.g|i\.e|a\.k\.a|ca|cf|al|inc|ltd|corp|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec|[^\W\d_iI]|(?:[^\W\d_]\.)+[^\W\d_])\.$",
    re.IGNORECASE,
)
# A number with a full stop that begins a line is an item's.
_ITEM = re.compile(r"(?:^|\n)\s*\(?\d{1,3}[.)]$")
_LIST = re.compile(r"(?:[-*+•·\u2013—▪►✓✔✗✘]|\(?\d{1,3}[.)]|[a-zA-Z][.)])\s")
_WORDS = re.compile(r"[^\W_]")
# What precedes a full stop is looked at for so many characters.
_BEFORE = 16


def split(text: str) -> list[Bounds]:
    """Where the sentences are, [start, end) without the white space around them; none in a blank text.

    What has no letter and no digit belongs to the sentence before it, or to the one after it where it is first.
    """
    joined: list[Bounds] = []
    says = False
    for first, last in pairwise((0, *_ends(text), len(text))):
        part = text[first:last]
        bare = part.strip()
        if not bare:
            continue
        start = first + len(part) - len(part.lstrip())
        worded = _WORDS.search(bare) is not None
        if joined and not (worded and says):
            start = joined.pop()[0]
            worded = worded or says
        joined.append((start, first + len(part.rstrip())))
        says = worded
    return joined


def _ends(text: str) -> Iterator[int]:
    """Where sentences end, in order."""
    for match in _END.finditer(text):
        end = match.end()
        if end < len(text) and _is_end(text, match):
            yield end


def _is_end(text: str, match: re.Match[str]) -> bool:
    marks = match["marks"]
    if match["lines"] is not None:
        return _is_break(text, match)
    if marks is None or "!" in marks or "?" in marks:
        return True
    if marks != ".":
        # An ellipsis trails off, unless something new begins.
        return not text[match.end() : match.end() + 8].lstrip()[:1].islower()
    before = text[max(0, match.start() - _BEFORE) : match.start() + 1]
    return not (_ABBREVIATED.search(before) or _ITEM.search(before))


def _is_break(text: str, match: re.Match[str]) -> bool:
    """Whether a line break separates: an empty line, before an item, or where a new line begins anew."""
    following = text[match.end() : match.end() + 8]
    if match[0].count("\n") + match[0].count("\r") - match[0].count("\r\n") > 1 or _LIST.match(
        following
    ):
        return True
    return not (following[:1].islower() or text[match.start() - 1 : match.start()] == ",")
