"""Reviews of food by customers of Amazon (CC0), as R's modeldata carries them: Debian's r-cran-modeldata, unpacked."""

import lzma
import warnings
from pathlib import Path
from typing import Literal

import rdata

from inference.sentiment import LABELS
from inference.training.examples import Example

NAME = "Amazon fine foods"


def read(directory: Path, part: Literal["training_data", "testing_data"]) -> list[Example]:
    """Read whole reviews: those of five stars are positive, all others negative.

    `directory` holds Rdata.rdx and Rdata.rdb. The first says where in the second each data set
    lies, as LZMA2 after a length and a letter.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        index = rdata.conversion.convert(rdata.parser.parse_file(directory / "Rdata.rdx"))
        start, length = (int(number) for number in index["variables"][part])
        packed = (directory / "Rdata.rdb").read_bytes()[start + 5 : start + length]
        filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 26}]
        content = lzma.decompress(packed, format=lzma.FORMAT_RAW, filters=filters)
        reviews = rdata.conversion.convert(rdata.parser.parse_data(content))
    return [
        Example(text, LABELS.index("POSITIVE" if score == "great" else "NEGATIVE"), NAME)
        for text, score in zip(reviews["review"], reviews["score"], strict=True)
    ]
