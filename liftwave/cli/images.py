"""Reads and writes pictures with all their bits."""

from __future__ import annotations

import warnings
from typing import Any, BinaryIO, TypeAlias

import numpy as np

from liftwave._files.source import Source
from liftwave.cli.deep_png import needs_all_bits, read_deep_png, write_deep_png
from liftwave.cli.metadata import dpi_of, metadata, orientation_of, profile_of, unpacked, upright
from liftwave.cli.pixels import frames, picture
from liftwave.cli.tiff import holds_exif, is_tiff, read_tiff, write_tiff
from liftwave.errors import FileError

Image: TypeAlias = np.ndarray[Any, Any]

_TIFF = (".tif", ".tiff")

# Options that are lossless, or lose as little as the format permits.
_QUALITY: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 95, "subsampling": 0},
    "WEBP": {"lossless": True, "exact": True},
}

# Channels of the formats that would store grey as colour, or omit the alpha channel.
_CHANNELS = {"JPEG": (1, 3), "PPM": (1, 3), "BMP": (1, 3), "WEBP": (3, 4)}

# The metadata that a format can store.
_METADATA: dict[str, tuple[str, ...]] = {
    "JPEG": ("exif", "icc_profile", "dpi"),
    "PNG": ("exif", "icc_profile", "dpi"),
    "WEBP": ("exif", "icc_profile"),
    "BMP": ("dpi",),
}
_NAMES = {"exif": "EXIF data", "icc_profile": "colour profile"}

# Bytes of a sample in the widest form that Pillow unpacks to.
_UNPACKED = {"1": 1, "L": 1, "P": 1, "LA": 4, "I;16": 2}


def read_image(source: Source) -> tuple[Image, dict[str, Any]]:
    """The samples of a picture in the stored dtype, with the first row at the top.

    Returns
    -------
    array : ndarray
        The samples. Those of several frames have one more axis, the first.
    extra : dict
        The number of ``frames`` if it is not one, and the metadata.
    """
    if is_tiff(source.stream):
        return read_tiff(source)
    with picture(source.stream) as image:
        # The second picture in a camera's file is a preview, or a map of the brightness.
        count = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)
        width, height = image.size
        source.check_unpacked(width * height * _UNPACKED.get(image.mode, 4) * count)
        array = _array(source, image, count)
        extra = metadata(image)
    return array, extra | ({"frames": count} if count > 1 else {})


def _array(source: Source, image: Any, count: int) -> Image:
    _check_depth(source, image)
    if image.format == "PNG" and needs_all_bits(image, source.stream):
        if count > 1:
            raise FileError(f"{source.path}: an animation with such samples is not supported")
        return upright(read_deep_png(source.stream), orientation_of(image))
    arrays = frames(image, range(count))
    turned = [upright(array, orientation_of(image)) for array in arrays]
    return turned[0] if count == 1 else np.stack(turned)


def _check_depth(source: Source, image: Any) -> None:
    """Raise if Pillow would reduce deep colour to 8 bits, which it does without a warning."""
    deep = False
    if image.format == "PPM" and image.mode == "RGB":
        # The file states the largest value if it is not 255.
        deep = any(isinstance(tile[3], tuple) and tile[3][1] > 255 for tile in image.tile)
    if image.format == "JPEG2000":
        # Pillow reads 16-bit grey with all bits.
        deep = any(bits > 8 for bits in _jpeg_2000_depths(source)) and image.mode != "I;16"
    if deep:
        raise FileError(
            f"{source.path}: {image.format} colour of more than 8 bits is not supported; "
            "store it as .png or .tif"
        )


def _jpeg_2000_depths(source: Source) -> list[int]:
    """The bits of each component, from the marker segment SIZ (ISO/IEC 15444-1, A.5.1)."""
    source.stream.seek(0)
    content = source.stream.read()
    start = content.index(b"\xff\x4f\xff\x51") + 4
    count = int.from_bytes(content[start + 36 : start + 38], "big")
    depths = content[start + 38 : start + 38 + 3 * count : 3]
    if any(depth & 0x80 for depth in depths):
        raise FileError(f"{source.path}: JPEG 2000 with signed samples is not supported")
    return [(depth & 0x7F) + 1 for depth in depths]


def write_image(stream: BinaryIO, array: Image, extra: dict[str, Any], name: str) -> None:
    """Write an array of the shape (height, width) or (height, width, channels).

    Parameters
    ----------
    stream : BinaryIO
        The file.
    array : ndarray
        With ``frames`` in ``extra``, it has one more axis, the first.
    extra : dict
        The metadata of the picture.
    name : str
        The name of the file, whose suffix selects the format.

    Raises
    ------
    FileError
        If the file format cannot hold such samples.
    """
    if array.dtype == np.bool_:
        array = array.astype(np.uint8) * 255
    suffix = name[name.rindex(".") :].lower()
    stacked = "frames" in extra
    shape = array.shape[1:] if stacked else array.shape
    if len(shape) not in (2, 3) or (suffix not in _TIFF and len(shape) == 3 and shape[2] > 4):
        raise FileError(
            f"{name}: an image must have the shape (height, width) or (height, width, 2 to 4), "
            f"got {array.shape}; write a .npy file instead"
        )
    if stacked and suffix not in _TIFF:
        raise FileError(
            f"{name}: only .tif files can hold a stack of pictures, got {len(array)} pictures; "
            "write a .tif or .npy file"
        )
    channels = 1 if len(shape) == 2 else shape[2]
    if suffix in _TIFF:
        _check_real(array, name)
        possible = ("exif", "icc_profile") if holds_exif(array) else ("icc_profile",)
        _warn_of_losses(name, "TIFF", possible, extra, channels)
        write_tiff(stream, array, extra, channels)
    elif suffix == ".png" and array.dtype == np.uint16 and channels > 1:
        _check_alpha(name, "PNG", extra)
        write_deep_png(stream, array, extra)
    else:
        _write_picture(stream, array, extra, name)


def _check_real(array: Image, name: str) -> None:
    if array.dtype.kind == "c":
        raise FileError(f"{name}: images need real samples, got {array.dtype}; write a .npy file")


def _check_alpha(name: str, kind: str, extra: dict[str, Any]) -> None:
    if not extra.get("alpha", True) or not extra.get("colour", True):
        raise FileError(
            f"{name}: the channels of the input are not colours and transparency, as a {kind} "
            "file would state; write a .tif or .npy file"
        )


def _write_picture(stream: BinaryIO, array: Image, extra: dict[str, Any], name: str) -> None:
    import PIL.Image

    kind = PIL.Image.registered_extensions()[name[name.rindex(".") :].lower()]
    deep = array.dtype == np.uint16 and array.ndim == 2 and kind in ("PNG", "PPM")
    count = 1 if array.ndim == 2 else array.shape[2]
    if count not in _CHANNELS.get(kind, (1, 2, 3, 4)) or not (deep or array.dtype == np.uint8):
        alternatives = ".tif or .npy" if kind == "PNG" else ".png, .tif or .npy"
        raise FileError(
            f"{name}: a {kind} file cannot hold an image of shape {array.shape} and dtype "
            f"{array.dtype}; write a {alternatives} file"
        )
    _check_alpha(name, kind, extra)
    possible = _METADATA.get(kind, ())
    _warn_of_losses(name, kind, possible, extra, count)
    stored = _stored(extra, count)
    options = {key: stored[key] for key in possible if stored[key] is not None}
    image = PIL.Image.fromarray(array[..., 0] if array.ndim == 3 and count == 1 else array)
    image.save(stream, format=kind, **_QUALITY.get(kind, {}), **options)


def _stored(extra: dict[str, Any], channels: int) -> dict[str, Any]:
    """The metadata as Pillow's options."""
    return {
        "exif": unpacked(extra, "exif"),
        "icc_profile": profile_of(extra, channels),
        "dpi": dpi_of(extra),
    }


def _warn_of_losses(
    name: str, kind: str, possible: tuple[str, ...], extra: dict[str, Any], channels: int
) -> None:
    stored = _stored(extra, channels)
    for key, text in _NAMES.items():
        if stored[key] is not None and key not in possible:
            warnings.warn(f"{name}: this {kind} file does not hold the {text}", stacklevel=2)
