"""Whether a number can be that of a payment card or of a bank account: what its digits say of themselves."""

from collections.abc import Sequence

# Which cards begin how, and how long they are. Thirteen digits are left out: every product's bar code has them.
_CARDS: Sequence[tuple[range, int, Sequence[int]]] = (
    (range(4, 5), 1, (16, 19)),
    (range(51, 56), 2, (16,)),
    (range(2221, 2721), 4, (16,)),
    (range(34, 35), 2, (15,)),
    (range(37, 38), 2, (15,)),
    (range(300, 306), 3, (14, 16)),
    (range(36, 37), 2, (14, 16)),
    (range(38, 40), 2, (14, 16)),
    (range(3528, 3590), 4, (16, 19)),
    (range(50, 51), 2, (16, 19)),
    (range(56, 70), 2, (16, 19)),
)
# ISO 13616: how many characters an account's number has, by country.
_IBANS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22,
    "BI": 27, "BR": 29, "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DJ": 27,
    "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FK": 18, "FO": 18, "FR": 27,
    "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22,
    "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32,
    "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19,
    "MN": 20, "MR": 27, "MT": 31, "MU": 30, "NI": 28, "NL": 18, "NO": 15, "OM": 23, "PK": 24,
    "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "RU": 33, "SA": 24, "SC": 31,
    "SD": 18, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "SO": 23, "ST": 25, "SV": 28, "TL": 23,
    "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20, "YE": 30,
}  # fmt: skip
_GAPS = " \u00a0-"


def is_card(digits: str) -> bool:
    """Whether a payment card can have this number: its beginning, its length, and the check of Luhn."""
    is_issued = any(
        int(digits[:prefix]) in beginnings and len(digits) in lengths
        for beginnings, prefix, lengths in _CARDS
    )
    return is_issued and _passes_luhn(digits)


def iban_end(text: str, start: int) -> int | None:
    """Where the account's number ends that begins there, in groups or not; None where none does."""
    length = _IBANS.get(text[start : start + 2].upper())
    if length is None:
        return None
    taken, at = list[str](), start
    while len(taken) < length and at < len(text):
        if text[at].isascii() and text[at].isalnum():
            taken.append(text[at].upper())
        elif text[at] not in _GAPS or text[at - 1] in _GAPS:
            return None
        at += 1
    is_whole = len(taken) == length and not text[at : at + 1].isalnum()
    number = "".join(taken)
    if is_whole and int("".join(str(int(each, 36)) for each in number[4:] + number[:4])) % 97 == 1:
        return at
    return None


def _passes_luhn(digits: str) -> bool:
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(doubled)) % 10 == 0
