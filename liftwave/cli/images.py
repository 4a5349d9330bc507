"""Reads and writes pictures with all their bits."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import numpy as np

from liftwave.cli.files import FileError

Image: TypeAlias = np.ndarray[Any, Any]

_TIFF = (".tif", ".tiff")

_QUALITY: dict[str, dict[str, Any]] = {"JPEG": {"quality": 95, "subsampling": 0}}


def read_image(path: Path) -> Image:
    """The samples of a picture in the stored dtype, with the first row at the top."""
    import PIL.Image
    import PIL.ImageOps

    if path.suffix.lower() in _TIFF and (deep := _read_deep_tiff(path)) is not None:
        return deep
    with PIL.Image.open(path) as image:
        frames = getattr(image, "n_frames", 1)
        if frames != 1:
            raise FileError(f"{path}: expected one picture, found {frames}")
        if _is_deep_colour(image):
            if image.format == "PNG":
                return _read_deep_png(path)
            raise FileError(
                f"{path}: {image.format} colour of more than 8 bits is not supported; "
                "store it as .png or .tif"
            )
        image.load()
        # Cameras store the orientation apart from the pixels, and only the pixels are kept.
        upright = PIL.ImageOps.exif_transpose(image)
        if upright.mode in ("P", "PA", "CMYK", "YCbCr", "LAB", "HSV", "1"):
            # Arithmetic on palette indices and other colour spaces has no meaning.
            colours = "RGBA" if "transparency" in image.info or image.mode == "PA" else "RGB"
            upright = upright.convert("L" if upright.mode == "1" else colours)
        if image.format == "PPM" and upright.mode == "I":
            # Pillow reads 16-bit samples as 32-bit integers.
            return np.asarray(upright).astype(np.uint16)
        return np.asarray(upright)


def _is_deep_colour(image: Any) -> bool:
    """Whether pillow will reduce deep colour to 8 bits, which it does without a warning."""
    if image.mode not in ("RGB", "RGBA", "LA"):
        return False
    stored = [tile[3] for tile in image.tile]
    if image.format == "PPM":
        # The file states the largest value if it is not 255.
        return any(isinstance(args, tuple) and args[1] > 255 for args in stored)
    return ";16" in " ".join(map(str, stored))


def _read_deep_png(path: Path) -> Image:
    import png

    with path.open("rb") as stream:
        width, height, rows, info = png.Reader(file=stream).asDirect()
        array = np.vstack([np.asarray(row, dtype=np.uint16) for row in rows])
    return array.reshape(height, width, info["planes"])


def _read_deep_tiff(path: Path) -> Image | None:
    """Colour of more than 8 bits, which pillow would also reduce; None for other pictures."""
    import tifffile

    # For damaged files it logs and raises; the exception is enough.
    logging.getLogger("tifffile").addHandler(logging.NullHandler())
    with tifffile.TiffFile(path) as file:
        page: Any = file.pages[0]
        if len(file.pages) != 1:
            raise FileError(f"{path}: expected one picture, found {len(file.pages)}")
        if page.bitspersample <= 8 or page.samplesperpixel == 1:
            return None
        array = np.asarray(page.asarray())
        # Separate colour planes become the last axis, as for all other images.
        return np.moveaxis(array, 0, -1) if page.axes.startswith("S") else array


def write_image(stream: BinaryIO, array: Image, path: Path) -> None:
    """Write an array of the shape (height, width) or (height, width, channels).

    Raises
    ------
    FileError
        If the file format cannot hold such samples.
    """
    suffix = path.suffix.lower()
    if array.dtype == np.bool_:
        array = array.astype(np.uint8) * 255
    if array.ndim != 2 and (array.ndim != 3 or array.shape[2] not in (2, 3, 4)):
        raise FileError(
            f"{path}: an image has the shape (height, width) or (height, width, 2 to 4), "
            f"got {array.shape}; write a .npy file instead"
        )
    if suffix in _TIFF:
        _write_tiff(stream, array, path)
    elif suffix == ".png" and array.dtype == np.uint16 and array.ndim == 3:
        _write_deep_png(stream, array)
    else:
        _write_picture(stream, array, path)


def _write_picture(stream: BinaryIO, array: Image, path: Path) -> None:
    import PIL.Image

    kind = PIL.Image.registered_extensions()[path.suffix.lower()]
    deep = array.dtype == np.uint16 and array.ndim == 2 and kind in ("PNG", "PPM")
    # Some formats would store grey as colour, or omit the alpha channel.
    channels = {"JPEG": (1, 3), "PPM": (1, 3), "BMP": (1, 3)}.get(kind, (1, 2, 3, 4))
    count = 1 if array.ndim == 2 else array.shape[2]
    if count not in channels or not (deep or array.dtype == np.uint8):
        alternatives = ".tif or .npy" if kind == "PNG" else ".png, .tif or .npy"
        raise FileError(
            f"{path}: a {kind} file cannot hold an image of shape {array.shape} and dtype "
            f"{array.dtype}; write a {alternatives} file"
        )
    PIL.Image.fromarray(array).save(stream, format=kind, **_QUALITY.get(kind, {}))


def _write_deep_png(stream: BinaryIO, array: Image) -> None:
    import png

    height, width, channels = array.shape
    kinds = {"greyscale": channels == 2, "alpha": channels in (2, 4)}
    png.Writer(width, height, bitdepth=16, **kinds).write(stream, array.reshape(height, -1))


def _write_tiff(stream: BinaryIO, array: Image, path: Path) -> None:
    import tifffile

    if array.dtype.kind == "c":
        raise FileError(f"{path}: an image has real samples, got {array.dtype}; write a .npy file")
    colour = array.ndim == 3 and array.shape[2] > 2
    options: dict[str, Any] = {"photometric": "rgb" if colour else "minisblack", "metadata": None}
    if array.ndim == 3:
        options["planarconfig"] = "contig"
    if array.ndim == 3 and array.shape[2] in (2, 4):
        options["extrasamples"] = ["unassalpha"]
    tifffile.imwrite(stream, array, **options)
