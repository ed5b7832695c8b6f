"""A file of any length: the demo's texts, and every twentieth row broken, in twenty ways."""

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from persistence import demo

HEADER = ("id", "body", "rating", "date", "name", "email", "tags")
_MOST = 1 << 128
_EACH = 20
# Long ones are few, or they would be most of the file.
_LONG_EACH = 1_000
_LONG = f",{'t' * 50_001},,,,,"
BROKEN = (
    ",,3,,,,",
    ",   ,3,,,,",
    ",Text.,11,,,,",
    ",Text.,-1,,,,",
    ",Text.,4.5,,,,",
    ",Text.,good,,,,",
    ",Text.,,03/04/2026,,,",
    ",Text.,,yesterday,,,",
    ",Text.,,2026-02-30,,,",
    ",Text.,,2999-01-01,,,",
    ",Text.,,1969-12-31,,,",
    ",Text.,,,,ada at example,",
    f",Text.,,,{'n' * 201},,",
    f"{'1' * 501},Text.,,,,,",
    _LONG,
    "16,Text.",
    ",Text.,,,,,,more",
    '18,"Text.,3,,,,',
    '19,"Text" again,3,,,,',
    f",Text.,,,,,{'t' * 61}",
)


@dataclass(frozen=True, slots=True)
class Written:
    """What a file has: its rows, the numbers of the broken ones, and the sum of what the others say."""

    rows: int
    broken: Sequence[int]
    sum: int


def write(path: Path, rows: int) -> Written:
    """Write so many rows."""
    texts = [sample.body for sample in demo.texts()]
    broken: list[int] = []
    total = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(HEADER)
        for number in range(1, rows + 1):
            if number % _EACH == 0:
                broken.append(number)
                file.write(_broken(number) + "\r\n")
                continue
            row = _row(number, texts)
            total = (total + _digest(row[1], row[2])) % _MOST
            table.writerow(row)
    return Written(rows, broken, total)


def total(exported: Iterable[str]) -> tuple[int, int]:
    """How many rows an exported table has, and the sum of what they say."""
    rows = found = 0
    for row in csv.DictReader(exported):
        rows += 1
        found = (found + _digest(row["body"].removeprefix("'"), row["rating"])) % _MOST
    return rows, found


def lines(chunks: Iterable[bytes]) -> Iterator[str]:
    """The lines of a text that comes in pieces."""
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (line.decode("utf-8-sig") + "\n" for line in whole)
    if rest:
        yield rest.decode()


def numbers(report: bytes) -> list[int]:
    """The rows that a file of refused rows tells of."""
    return [int(row["row"]) for row in csv.DictReader(io.StringIO(report.decode()))]


def _row(number: int, texts: Sequence[str]) -> tuple[str, ...]:
    body = f"{texts[number % len(texts)]} ({number})"
    rating = str(number % 11)
    if number % 3:
        return ("", body, rating, "", "", "", "")
    day = f"2026-0{1 + number % 5}-1{number % 10}"
    author = (f"Ada {number}", f"ada{number}@example.com")
    return (f"e{number}", body, rating, day, *author, f"late;tag {number % 40}")


def _broken(number: int) -> str:
    way = BROKEN[number // _EACH % len(BROKEN)]
    return BROKEN[3] if way is _LONG and number // (_EACH * len(BROKEN)) % _LONG_EACH else way


def _digest(body: str, rating: str) -> int:
    return int.from_bytes(hashlib.blake2b(f"{rating}\x00{body}".encode(), digest_size=16).digest())
