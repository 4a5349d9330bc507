"""TIFF files: every sample format, one page or a stack of equal pages."""

from __future__ import annotations

import io
import os
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from math import prod
from typing import Any, BinaryIO

import numpy as np

from liftwave._files.source import Source
from liftwave.cli.exif import EXIF, GPS, Value, encoded, parsed_exif, stored_exif
from liftwave.cli.metadata import dpi_of, metadata, packed, profile_of, unpacked, upright
from liftwave.cli.pixels import picture, samples
from liftwave.errors import FileError

_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

# Numbers of the TIFF specification.
_REDUCED_OR_MASK = 1 | 4
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB = 0, 1, 2
_UNCOMPRESSED, _DEFLATE, _PACKBITS = 1, (8, 32946), 32773
_PREDICTORS = (1, 2)
_PREMULTIPLIED, _ALPHA = 1, 2
_ORIENTATION, _PROFILE, _X, _Y, _UNIT = 274, 34675, 282, 283, 296
_CENTIMETRES = 3
_ASCII, _LONG = 2, 4
_DIRECTORIES = {EXIF: "ExifTag", GPS: "GPSTag"}
# tifffile writes more samples as BigTIFF.
_LARGEST = 2**32 - 2**26
_PER_INCH = {2: 1.0, _CENTIMETRES: 2.54}


# The file descriptor.
_STDERR = 2


def is_tiff(stream: BinaryIO) -> bool:
    """Whether the content is a TIFF file."""
    stream.seek(0)
    return stream.read(4) in _MAGIC


def read_tiff(source: Source) -> tuple[np.ndarray[Any, Any], dict[str, Any]]:
    """The samples of all pages in the stored dtype, and the metadata."""
    import tifffile

    source.stream.seek(0)
    with tifffile.TiffFile(source.stream) as file:
        pages: list[Any] = list(file.pages)
        chosen = [k for k, page in enumerate(pages) if not page.subfiletype & _REDUCED_OR_MASK]
        first = pages[chosen[0]]
        if len({(pages[k].shape, pages[k].dtype) for k in chosen}) > 1:
            raise FileError(f"{source.path}: its {len(chosen)} pictures differ in size or kind")
        if len(pages) == 1 and file.series[0].size != first.size:
            raise FileError(f"{source.path}: it holds pictures without separate descriptions")
        source.check_unpacked(len(chosen) * first.nbytes)
        arrays = [_page(source, pages[k], k) for k in chosen]
        extra = _metadata(source, first)
    if len(arrays) > 1:
        return np.stack(arrays), extra | {"frames": len(arrays)}
    return arrays[0], extra


def _page(source: Source, page: Any, index: int) -> np.ndarray[Any, Any]:
    if page.axes not in ("YX", "YXS", "SYX"):
        raise FileError(f"{source.path}: a picture with the axes {page.axes} is not supported")
    if not _is_plain(page):
        return _by_pillow(source, page, index)
    _check_segments(source, page)
    array = np.asarray(page.asarray())
    if page.photometric == _WHITE_IS_ZERO:
        array = np.iinfo(array.dtype).max - array
    if page.axes == "SYX":
        array = np.moveaxis(array, 0, -1)
    return upright(array, page.tags.valueof(_ORIENTATION, 1))


def _is_plain(page: Any) -> bool:
    """Whether its numbers are the samples, in a form that needs no further decoder."""
    compressions = (_UNCOMPRESSED, *_DEFLATE, _PACKBITS)
    whole = page.bitspersample in (8, 16, 32, 64, 128) and page.compression in compressions
    inverted = page.photometric == _WHITE_IS_ZERO and page.dtype.kind == "u"
    meaning = inverted or page.photometric in (_BLACK_IS_ZERO, _RGB)
    premultiplied = _PREMULTIPLIED in page.extrasamples
    return bool(whole and meaning and page.predictor in _PREDICTORS and not premultiplied)


def _check_segments(source: Source, page: Any) -> None:
    """Raise if a packed part is longer than its samples: tifffile would unpack all of it."""
    if page.compression not in _DEFLATE:
        return
    limit = prod(page.chunks) * page.dtype.itemsize
    for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True):
        source.stream.seek(offset)
        unpacking = zlib.decompressobj()
        unpacking.decompress(source.stream.read(count), limit)
        if unpacking.unconsumed_tail:
            raise ValueError("a packed part is longer than its samples")


def _by_pillow(source: Source, page: Any, index: int) -> np.ndarray[Any, Any]:
    bits, kind = page.bitspersample, page.dtype.kind
    bytes_only = bits <= 8 and page.samplesperpixel <= 4
    single = page.samplesperpixel == 1 and page.photometric == _BLACK_IS_ZERO
    # Pillow has 16-bit unsigned, 32-bit signed and 32-bit floating-point grey.
    grey = single and (bits, kind) in (
        (8, "i"),
        (16, "u"),
        (16, "i"),
        (32, "i"),
        (32, "u"),
        (32, "f"),
    )
    if not grey and not (bytes_only and kind in "bu"):
        raise FileError(
            f"{source.path}: TIFF samples of {bits} bits and kind {page.photometric.name}, packed "
            f"by {page.compression.name}, are not supported; store it without compression"
        )
    with _silent(), picture(source.stream, ("TIFF",)) as image:
        image.seek(index)
        array = samples(image)
    # The other types wrap around when Pillow reads them, and back in this cast.
    return array.astype(page.dtype) if grey else array


@contextmanager
def _silent() -> Iterator[None]:
    """Discard libtiff's output about damaged files, because Pillow raises exceptions."""
    sys.stderr.flush()
    stderr = os.dup(_STDERR)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, _STDERR)
        yield
    finally:
        os.dup2(stderr, _STDERR)
        os.close(stderr)
        os.close(nowhere)


def _metadata(source: Source, page: Any) -> dict[str, Any]:
    try:
        with picture(source.stream, ("TIFF",)) as image:
            extra = metadata(image)
    except Exception:  # Pillow does not open every sample format
        extra = {}
        if profile := page.tags.valueof(_PROFILE):
            extra["icc"] = packed(bytes(profile))
        scale = _PER_INCH.get(int(page.tags.valueof(_UNIT, 2)))
        stored = [page.tags.valueof(tag) for tag in (_X, _Y)]
        if scale and all(pair and pair[0] and pair[1] for pair in stored):
            extra["dpi"] = [scale * pair[0] / pair[1] for pair in stored]
    with suppress(Exception):  # unreadable EXIF data are dropped
        if exif := stored_exif(source.stream):
            extra["exif"] = packed(exif)
    if page.extrasamples and page.photometric in (_BLACK_IS_ZERO, _RGB):
        extra["alpha"] = tuple(page.extrasamples) in ((_ALPHA,), (_PREMULTIPLIED,))
    if page.samplesperpixel > 2 and page.photometric == _BLACK_IS_ZERO:
        extra["colour"] = False
    return extra


def write_tiff(
    stream: BinaryIO, array: np.ndarray[Any, Any], extra: dict[str, Any], channels: int
) -> None:
    """Write (frames, height, width) or (height, width), with channels last if they are several."""
    import tifffile

    colour = channels > 2 and extra.get("colour", channels < 5)
    options: dict[str, Any] = {
        "photometric": "rgb" if colour else "minisblack",
        "metadata": None,
        "iccprofile": profile_of(extra, channels),
    }
    if channels > 1:
        options["planarconfig"] = "contig"
        kind = "unassalpha" if extra.get("alpha", channels in (2, 4)) else "unspecified"
        options["extrasamples"] = [kind] * (channels - (3 if colour else 1))
    if dpi := dpi_of(extra):
        options |= {"resolution": dpi, "resolutionunit": "INCH"}
    exif = unpacked(extra, "exif") if holds_exif(array) else None
    if exif is None:
        tifffile.imwrite(stream, array, software=False, **options)
    else:
        _write_with_exif(stream, array, options, exif)


def holds_exif(array: np.ndarray[Any, Any]) -> bool:
    """Whether a file of these samples has EXIF data: tifffile writes larger files as BigTIFF."""
    return array.nbytes < _LARGEST


def _write_with_exif(
    stream: BinaryIO, array: np.ndarray[Any, Any], options: dict[str, Any], exif: bytes
) -> None:
    """Write the samples, then the directories of EXIF data, to which tags of the picture point."""
    import tifffile

    order, tags = parsed_exif(exif)
    values: list[Any] = [
        (tag, _ASCII, 0, v.content, True) for tag, v in tags.items() if isinstance(v, Value)
    ]
    nested = {tag: v for tag, v in tags.items() if not isinstance(v, Value)}

    def write(target: Any, places: dict[int, int]) -> None:
        pointers = [(_DIRECTORIES[tag], _LONG, 1, place, True) for tag, place in places.items()]
        more: dict[str, Any] = {"byteorder": order, "extratags": values + pointers}
        tifffile.imwrite(target, array, software=False, **options, **more)

    size = _Size()
    write(size, dict.fromkeys(nested, 0))
    content, places = bytes(size.end % 2), {}
    for tag, directory in nested.items():
        places[tag] = size.end + len(content)
        content += encoded(directory, order, places[tag])
    write(stream, places)
    stream.seek(size.end)
    stream.write(content)


class _Size(io.BufferedIOBase):
    """A file that only counts its bytes."""

    def __init__(self) -> None:
        self.end = self._position = 0

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        count = memoryview(data).nbytes
        self._position += count
        self.end = max(self.end, self._position)
        return count

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.end}
        self._position = start[whence] + offset
        return self._position

    def tell(self) -> int:
        return self._position
