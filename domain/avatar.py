"""Pictures of people: whatever they send becomes one small square picture that says nothing but how they look."""

from io import BytesIO

from PIL import Image, ImageOps

from domain.errors import InvalidInputError

CONTENT_TYPE = "image/webp"
SIDE = 256
MOST_PIXELS = 25_000_000
_FORMATS = ("JPEG", "PNG", "WEBP")


def square(picture: bytes) -> bytes:
    """A WebP of 256 by 256 pixels, upright, from the middle of the picture; InvalidInputError if it is none.

    Nothing but the pixels is taken over: no place, no camera, no text. More than 25 million pixels are not unpacked,
    but for JPEGs, which are read at a smaller scale.
    """
    try:
        with Image.open(BytesIO(picture), formats=_FORMATS) as image:
            image.draft("RGB", (2 * SIDE, 2 * SIDE))
            if image.width * image.height > MOST_PIXELS:
                raise InvalidInputError(
                    f"The picture has more than {MOST_PIXELS:,} pixels: {image.width} x {image.height}."
                )
            upright = ImageOps.exif_transpose(image)
            pixels = ImageOps.fit(upright.convert("RGBA"), (SIDE, SIDE))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise InvalidInputError("The file is no picture that can be read.") from None
    # A new image: a converted one brings along what the file said beside its pixels.
    clean = Image.new("RGBA", (SIDE, SIDE))
    clean.paste(pixels)
    written = BytesIO()
    clean.save(written, "WEBP", quality=85)
    return written.getvalue()
