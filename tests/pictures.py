"""Pictures as cameras and tools make them, for tests."""

from io import BytesIO
from typing import Any

from PIL import Image

RED, BLUE = (220, 20, 20), (20, 20, 220)
SECRETS = (b"48.137", b"Canon", b"GPS", b"for her eyes only", b"Exif")


def photo(size: tuple[int, int] = (640, 480), *, turned: bool = False) -> bytes:
    """A JPEG, red above blue, with what a camera writes beside the pixels; turned, as a hand held it upright."""
    picture = Image.new("RGB", size, RED)
    picture.paste(BLUE, (0, size[1] // 2, *size))
    exif = Image.Exif()
    exif[0x010F] = "Canon"
    exif[0x0112] = 6 if turned else 1
    exif.get_ifd(0x8825)[1] = "N 48.137 GPS"
    return written(picture, "JPEG", exif=exif, comment=b"for her eyes only", quality=95)


def written(picture: Image.Image, format: str, **options: Any) -> bytes:
    file = BytesIO()
    picture.save(file, format, **options)
    return file.getvalue()


def read(picture: bytes) -> Image.Image:
    image = Image.open(BytesIO(picture))
    image.load()
    return image


def is_like(pixel: Any, colour: tuple[int, int, int]) -> bool:
    """Whether it is that colour, as far as compression keeps colours."""
    return all(abs(one - other) < 30 for one, other in zip(pixel, colour, strict=False))
