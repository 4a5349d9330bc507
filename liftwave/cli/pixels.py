"""The samples of a picture that Pillow has opened."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import numpy as np

# Formats with a known meaning of their samples; the content decides, not the suffix.
FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "DIB", "WEBP", "GIF", "PPM", "JPEG2000")

# Arithmetic on palette indices, premultiplied colours and other colour spaces has no meaning.
_CONVERTED = {
    "1": ("L", "LA"),
    "L": ("L", "LA"),
    "RGB": ("RGB", "RGBA"),
    "P": ("RGB", "RGBA"),
    "PA": ("RGBA", "RGBA"),
    "La": ("LA", "LA"),
    "RGBa": ("RGBA", "RGBA"),
    "RGBX": ("RGB", "RGB"),
    "CMYK": ("RGB", "RGB"),
    "YCbCr": ("RGB", "RGB"),
    "LAB": ("RGB", "RGB"),
    "HSV": ("RGB", "RGB"),
}


@contextmanager
def picture(stream: BinaryIO, formats: tuple[str, ...] = FORMATS) -> Iterator[Any]:
    """Open a picture from a stream.

    Pillow maps files that it opens by name, and orders their rows wrongly. The limit of
    ``Source.check_unpacked`` replaces Pillow's limit of the size.
    """
    import PIL.BmpImagePlugin
    import PIL.GifImagePlugin
    import PIL.Image
    import PIL.Jpeg2KImagePlugin
    import PIL.JpegImagePlugin
    import PIL.PngImagePlugin
    import PIL.PpmImagePlugin
    import PIL.TiffImagePlugin
    import PIL.WebPImagePlugin

    limit, PIL.Image.MAX_IMAGE_PIXELS = PIL.Image.MAX_IMAGE_PIXELS, None
    try:
        stream.seek(0)
        with PIL.Image.open(stream, formats=formats) as image:
            yield image
    except PIL.UnidentifiedImageError:
        raise ValueError(f"its content is none of {', '.join(formats)}") from None
    finally:
        PIL.Image.MAX_IMAGE_PIXELS = limit


def samples(image: Any, *, alpha: bool = False) -> np.ndarray[Any, Any]:
    """The samples of the current frame: grey or colour, with alpha if it has transparency."""
    image.load()
    transparent = alpha or "transparency" in image.info
    mode = _CONVERTED.get(image.mode, (image.mode, image.mode))[transparent]
    if alpha and mode in ("L", "LA"):
        mode = "RGBA"
    array = np.asarray(image if mode == image.mode else image.convert(mode))
    if image.mode.startswith("I;16") or (image.format == "PPM" and image.mode == "I"):
        # Pillow reads 16-bit samples of PGM files as 32-bit integers.
        return array.astype(np.uint16)
    return array


def frames(image: Any, indices: range) -> list[np.ndarray[Any, Any]]:
    """The samples of several frames; all in colour with alpha if they differ."""
    arrays = list(_each(image, indices, alpha=False))
    if len({array.shape for array in arrays}) > 1:
        arrays = list(_each(image, indices, alpha=True))
    return arrays


def _each(image: Any, indices: range, *, alpha: bool) -> Iterator[np.ndarray[Any, Any]]:
    for index in indices:
        image.seek(index)
        yield samples(image, alpha=alpha)
