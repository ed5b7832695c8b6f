"""Personal data in a text, found by its form and its checksum, and replaced by words such as [email].

Pure and linear in the length of the text: every pattern is bounded, and starts only where a candidate can.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from enum import StrEnum
from typing import Any

from domain import checksums

_Found = Iterator[tuple[int, int]]
_MOST_TIMES = 16


class Kind(StrEnum):
    """What can be found. The order is that of masking: what is told by a checksum goes before what is told by form."""

    SECRET = "SECRET"  # noqa: S105 - a name
    EMAIL = "EMAIL"
    IBAN = "IBAN"
    CARD = "CARD"
    PHONE = "PHONE"

    @property
    def placeholder(self) -> str:
        return f"[{self.lower()}]"


def mask(text: str, kinds: Collection[Kind]) -> str:
    """The text with each thing of these kinds replaced; the very same text where there is none."""
    # A thing may be glued to another, and be seen only when that has gone.
    for _ in range(_MOST_TIMES):
        before = text
        for kind in Kind:
            if kind in kinds:
                text = _masked(text, kind)
        if text == before:
            break
    return text


def find(text: str, kind: Kind) -> list[tuple[int, int]]:
    """Where things of this kind begin and end, in order; none overlaps another."""
    spans: list[tuple[int, int]] = []
    for start, end in _DETECTORS[kind](text):
        if not spans or start >= spans[-1][1]:
            spans.append((start, end))
    return spans


def mask_json(value: Any, kinds: Collection[Kind], *, kept_whole: Collection[Kind] = ()) -> Any:
    """The same for every text in a JSON value, names included, and for whole numbers, such as a card's.

    A text that is nothing but a thing of a kind of `kept_whole` stays.
    """
    if isinstance(value, str):
        whole = [(0, len(value))]
        return (
            value if any(find(value, each) == whole for each in kept_whole) else mask(value, kinds)
        )
    if isinstance(value, Mapping):
        masked: dict[str, Any] = {}
        for name, each in value.items():
            inner = mask_json(each, kinds, kept_whole=kept_whole)
            masked[_free(mask(name, kinds), masked)] = inner
        return masked
    if isinstance(value, list):
        return [mask_json(each, kinds, kept_whole=kept_whole) for each in value]
    if isinstance(value, int) and not isinstance(value, bool):
        written = str(value)
        return value if mask(written, kinds) == written else mask(written, kinds)
    return value


def _free(name: str, taken: Mapping[str, Any]) -> str:
    """The name, numbered where another has become the same."""
    number, free = 2, name
    while free in taken:
        number, free = number + 1, f"{name} {number}"
    return free


def _masked(text: str, kind: Kind) -> str:
    # What stood in the way of another is gone after the first time.
    for _ in range(_MOST_TIMES):
        spans = find(text, kind)
        if not spans:
            break
        parts, last = list[str](), 0
        for start, end in spans:
            parts += (text[last:start], kind.placeholder)
            last = end
        text = "".join(parts) + text[last:]
    return text


# E-mail: found at the sign, and followed to both sides.

_AT = re.compile("@|%40|\N{FULLWIDTH COMMERCIAL AT}")
_DOMAIN = re.compile(r"(?:[^\W_][\w-]{0,62}\.){1,8}(?:xn--[\w-]{2,59}|[^\W\d_]{2,63})")
_LONGEST_LOCAL = 64


def _emails(text: str) -> _Found:
    last = 0
    for at in _AT.finditer(text):
        domain = _DOMAIN.match(text, at.end())
        if domain is None:
            continue
        least, start = max(last, at.start() - _LONGEST_LOCAL), at.start()
        while start > least and (text[start - 1].isalnum() or text[start - 1] in "._+-'"):
            start -= 1
        while start < at.start() and text[start] in ".-'":
            start += 1
        if start < at.start():
            last = domain.end()
            yield start, last


# IBAN and card: told by form, length and checksum.

_IBAN = re.compile(r"(?<!\w)[A-Za-z]{2}\d\d(?=[ \u00a0-]?[A-Za-z0-9])", re.ASCII)
_CARD = re.compile(
    r"(?<![\w.+-])(?=("
    r"\d{4}([ \u00a0.-])\d{4}\2\d{4}\2\d{4}\2\d{3}"
    r"|\d{4}([ \u00a0.-])\d{4}\3\d{4}\3\d{4}"
    r"|\d{4}([ \u00a0.-])\d{6}\4\d{4,5}"
    r"|\d{14,19})(?!\w))",
    re.ASCII,
)


def _ibans(text: str) -> _Found:
    for found in _IBAN.finditer(text):
        end = checksums.iban_end(text, found.start())
        if end is not None:
            yield found.start(), end


def _cards(text: str) -> _Found:
    for found in _CARD.finditer(text):
        if checksums.is_card("".join(filter(str.isdecimal, found[1]))):
            yield found.span(1)
        elif found[2] is not None and checksums.is_card(
            "".join(filter(str.isdecimal, found[1][:19]))
        ):
            yield found.start(), found.start() + 19


# Telephone: international, or national in a form that nothing else has, or after a word that says so.

_GAP = r"(?: ?[-/.] ?|[ \u00a0]?\(|\)[ \u00a0-]?|[ \u00a0])?"
_END = r"(?!\w|[.,:-]\d)"
_PHONES = (
    # +49 (0)30 123 456-78
    re.compile(rf"(?<!\+)(\+[1-9](?:{_GAP}\d){{7,15}})(?!\d)"),
    # (555) 234-5678
    re.compile(rf"(\([2-9]\d\d\) ?[2-9]\d\d[ .-]\d{{4}}){_END}"),
    # Call me at 5552345678
    re.compile(
        r"(?i:\b(?:tel|phone|telephone|telefon|mobile|mobil|cell|call|fax|whatsapp|handy)\b)"
        r"(?i:[\s:.=#-]|number|no\b|nr\b|nummer|is\b|me\b|us\b|at\b|on\b|under\b|unter\b|ist\b){0,12}+"
        rf"(\d(?:[ \u00a0./-]?\d){{6,14}}){_END}"
    ),
)
# What follows other digits is a part of these.
_PHONES_ALONE = (
    # 0049 30 123456
    re.compile(rf"(?<![\w+.,#-])(00[1-9]\d{{0,2}}[ \u00a0/-](?:{_GAP}\d){{7,13}})(?!\d)"),
    # 555-234-5678, 1-555-234-5678
    re.compile(rf"(?<![\w.#-])((?:1[ .-])?[2-9]\d\d([ .-])[2-9]\d\d\2\d{{4}}){_END}"),
    # 06 12 34 56 78
    re.compile(rf"(?<![\w.,#-])(0[1-9]([ .-])\d\d(?:\2\d\d){{3}}){_END}"),
    # (020) 7946 0958, 0171/1234567
    re.compile(
        r"((?:\(0[1-9]\d{0,4}\)|(?<![\w.,#-])0[1-9]\d{1,4})(?: ?[/-] ?|[ \u00a0])"
        rf"\d{{2,8}}(?:[ \u00a0-]\d{{2,5}}){{0,3}}){_END}"
    ),
)
# A date begins so; and thousands and an address of the Internet are nothing but that.
_DATE = re.compile(r"\d{4}[-/.]\d\d?[-/.]\d\d?(?!\d)|\d\d?[-/.]\d\d?[-/.](?:19|20)\d\d(?!\d)")
_DOTTED = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}|\d{1,3}(?:\.\d{3})+")
_PHONE_DIGITS = range(7, 16)
_TRUNK_DIGITS = range(9, 13)


def _phones(text: str) -> _Found:
    found: list[tuple[int, int]] = []
    for pattern in _PHONES + _PHONES_ALONE:
        last = 0
        for each in pattern.finditer(text):
            start, end = each.span(1)
            follows = start >= 2 and text[start - 1] == " " and text[start - 2].isdecimal()  # noqa: PLR2004
            if pattern in _PHONES_ALONE and follows and last != start - 1:
                continue
            if _is_phone(each[1]):
                found.append((start, last := end))
    return iter(sorted(found))


def _is_phone(number: str) -> bool:
    digits = sum(map(str.isdecimal, number))
    is_trunk = number.lstrip("(").startswith("0") and not number.startswith("00")
    if digits not in (_TRUNK_DIGITS if is_trunk else _PHONE_DIGITS):
        return False
    return _DATE.match(number) is None and _DOTTED.fullmatch(number) is None


# Keys and tokens: by the beginnings that their makers gave them so that they are found, or after a word that says so.

_SECRETS = (
    re.compile(
        r"(?<![A-Za-z0-9_-])((?:[spr]k_(?:live|test)_|whsec_|gh[pousr]_|github_pat_|glpat-|npm_|pypi-|hf_"
        r"|dckr_pat_|shp(?:at|ca|pa|ss)_|xox[abeoprs]-|xapp-|sk-(?:proj-|ant-)?|key-|earful_[A-Za-z0-9]{2,8}_"
        r"|AIza|ya29\.|SG\.|(?:AKIA|ASIA)(?=[0-9A-Z]{16}(?![0-9A-Z])))[A-Za-z0-9._+/=-]{16,})"
    ),
    re.compile(r"(?<![\w-])(eyJ[\w-]{8,}+\.[\w-]{8,}+\.[\w-]{8,}+)", re.ASCII),
    re.compile(
        r"(-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[^-]{0,16384}(?:-----END [A-Z ]{0,40}PRIVATE KEY-----)?)"
    ),
    re.compile(r"(?i:\bbearer )[ ]{0,4}([A-Za-z0-9._~+/-]{16,}+={0,2})"),
    re.compile(
        r"(?i:\b(?:api[ _-]?key|access[ _-]?key|secret(?:[ _-]?key)?|token|password|passwort|passwd|pwd)\b)"
        r"[\"']?(?: ?[:=] ?| is )[\"']?((?=[^\s\"',;]{0,64}\d)[^\s\"',;\[\]]{8,})"
    ),
)


def _secrets(text: str) -> _Found:
    return iter(sorted(each.span(1) for pattern in _SECRETS for each in pattern.finditer(text)))


_DETECTORS: Mapping[Kind, Callable[[str], _Found]] = {
    Kind.SECRET: _secrets,
    Kind.EMAIL: _emails,
    Kind.IBAN: _ibans,
    Kind.CARD: _cards,
    Kind.PHONE: _phones,
}
