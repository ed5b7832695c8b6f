"""Pictures of people become small squares that tell nothing else; what is no picture is refused."""

import struct
import zlib

import pytest
from PIL import Image

from domain import avatar
from domain.errors import InvalidInputError
from tests.pictures import BLUE, RED, SECRETS, is_like, photo, read, written


def test_a_photo_becomes_a_small_square() -> None:
    made = read(avatar.square(photo()))

    assert (made.format, made.size) == ("WEBP", (256, 256))
    assert is_like(made.getpixel((128, 20)), RED)
    assert is_like(made.getpixel((128, 235)), BLUE)


def test_a_turned_photo_stands_upright() -> None:
    made = read(avatar.square(photo(turned=True)))

    assert is_like(made.getpixel((235, 128)), RED)
    assert is_like(made.getpixel((20, 128)), BLUE)


def test_nothing_is_left_of_what_the_camera_wrote() -> None:
    given = photo()
    assert [secret in given for secret in SECRETS] == [True] * len(SECRETS)

    made = avatar.square(given)

    assert [secret in made for secret in SECRETS] == [False] * len(SECRETS)
    assert read(made).info.keys() <= {"background", "duration", "loop", "timestamp"}
    assert dict(read(made).getexif()) == {}


def test_a_colour_profile_and_texts_are_left_out() -> None:
    picture = Image.new("RGB", (300, 300), RED)
    given = written(picture, "PNG", icc_profile=b"a profile of this very camera")
    assert read(given).info["icc_profile"]

    made = avatar.square(given)

    assert "icc_profile" not in read(made).info


def test_what_is_transparent_stays_so() -> None:
    made = read(avatar.square(written(Image.new("RGBA", (300, 300), (*RED, 0)), "PNG")))

    assert made.convert("RGBA").getpixel((128, 128))[3] == 0  # type: ignore[index]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "I;16", "RGB", "RGBA"])
def test_every_kind_of_pixels_is_taken(mode: str) -> None:
    assert read(avatar.square(written(Image.new(mode, (9, 7)), "PNG"))).size == (256, 256)


@pytest.mark.parametrize(
    "given",
    [
        b"",
        b"<svg onload='alert(1)'/>",
        b"GIF89a" + b"\0" * 100,
        photo()[:400],
        written(Image.new("RGB", (9, 9)), "BMP"),
        b"\x89PNG\r\n\x1a\n" + b"\0" * 40,
    ],
    ids=["empty", "svg", "gif", "cut off", "another format", "no chunks"],
)
def test_what_is_no_picture_is_refused(given: bytes) -> None:
    with pytest.raises(InvalidInputError, match=r"^The file is no picture that can be read\.$"):
        avatar.square(given)


def test_a_small_file_of_very_many_pixels_is_not_unpacked() -> None:
    header = struct.pack(">IIBBBBB", 6_000, 5_000, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 1_000)), (b"IEND", b"")]
    bomb = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )

    with pytest.raises(InvalidInputError, match="more than 25,000,000 pixels: 6000 x 5000"):
        avatar.square(bomb)


def test_a_large_photo_is_read_at_a_smaller_scale() -> None:
    assert read(avatar.square(photo((8_000, 6_000)))).size == (256, 256)
