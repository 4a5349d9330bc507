"""Reads and writes PNG files that Pillow reduces to 8 bits, or reads without transparency."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any, BinaryIO

import numpy as np

from liftwave.cli.metadata import dpi_of, profile_of, unpacked

_INCHES_PER_METRE = 1 / 0.0254
_HEADER = struct.Struct(">8xI4sIIBB")
_GREY, _COLOUR = 0, 2


def needs_all_bits(image: Any, stream: BinaryIO) -> bool:
    """Whether this opened PNG has 16-bit colour, or one transparent colour."""
    stream.seek(0)
    *_, depth, kind = _HEADER.unpack(stream.read(_HEADER.size))
    # Pillow reads 16-bit grey with all bits. It does not scale the transparent grey of few bits.
    transparent = "transparency" in image.info and kind in (_GREY, _COLOUR)
    return transparent or (depth == 16 and image.mode in ("RGB", "RGBA", "LA"))


def read_deep_png(stream: BinaryIO) -> np.ndarray[Any, Any]:
    """The samples as stored; grey of fewer than 8 bits in the range of 8 bits."""
    import png

    stream.seek(0)
    reader = png.Reader(file=stream)
    width, height, rows, info = reader.read()
    depth = info["bitdepth"]
    dtype = np.uint16 if depth == 16 else np.uint8
    array = np.vstack([np.asarray(row, dtype=dtype) for row in rows])
    array = array.reshape(height, width, info["planes"])
    top = 2**depth - 1
    if reader.trns is not None:
        clear = (array == np.frombuffer(reader.trns, ">u2")).all(axis=-1, keepdims=True)
        array = np.concatenate([array, np.where(clear, 0, top).astype(dtype)], axis=-1)
    return array * dtype(255 // top) if depth < 8 else array


def write_deep_png(
    stream: BinaryIO, array: np.ndarray[Any, Any], extra: dict[str, Any] | None = None
) -> None:
    """Write 16-bit samples of the shape (height, width, 2 to 4)."""
    import png

    height, width, channels = array.shape
    kinds = {"greyscale": channels == 2, "alpha": channels in (2, 4)}
    content = io.BytesIO()
    png.Writer(width, height, bitdepth=16, **kinds).write(content, array.reshape(height, -1))
    # Descriptions are between the header and the samples.
    start = len(b"\x89PNG\r\n\x1a\n") + len(_chunk(b"IHDR", bytes(13)))
    stored = content.getvalue()
    stream.write(stored[:start] + _descriptions(extra or {}, channels) + stored[start:])


def _descriptions(extra: dict[str, Any], channels: int) -> bytes:
    chunks = b""
    if profile := profile_of(extra, channels):
        chunks += _chunk(b"iCCP", b"ICC Profile\0\0" + zlib.compress(profile))
    if dpi := dpi_of(extra):
        chunks += _chunk(
            b"pHYs", struct.pack(">IIB", *(round(n * _INCHES_PER_METRE) for n in dpi), 1)
        )
    if exif := unpacked(extra, "exif"):
        chunks += _chunk(b"eXIf", exif.removeprefix(b"Exif\0\0"))
    return chunks


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum
